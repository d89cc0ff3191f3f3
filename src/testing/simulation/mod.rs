//! Trials in a simulated world: readers, producers and a cluster that are late, lie and die, on a simulated clock.
//! Everything follows from a seed. The engine is the real one, and after each event `checks` asserts what must always
//! hold. It knows no process, no socket and no clock.

mod acting;
mod brokers;
mod carrying_out;
mod causes;
mod chance;
mod checks;
mod choose;
mod cluster;
mod deed;
mod engine;
mod harm;
mod mischief;
mod plan;
mod producer;
mod reader;
mod run;
mod tamper;
mod truth;
mod world;

mod tests;
