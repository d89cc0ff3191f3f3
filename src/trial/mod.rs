//! One trial, from its specification to its measurement: who takes part, how it goes on, and what was recorded. Pure: it
//! touches no process, socket or clock, so every way in which a trial can go wrong is tested without any.

mod assemble;
mod barrier;
mod cast;
mod course;
mod demands;
mod engine;
mod limits;
mod positions;
mod script;
mod spec;
mod terms;

pub use assemble::{Recorded, measure};
pub use cast::{ActorId, Cast};
pub use course::{LoadSpec, TrialReference};
pub use demands::Demands;
pub use engine::{Action, Event, Phase, TrialMachine};
pub use limits::Limits;
pub use script::{Script, Step, When};
pub use spec::{TrialSpec, topic_sizes};
