//! One trial, from its specification to its measurement: who takes part, how it goes on, and what was recorded. Pure: it
//! touches no process, socket or clock, so every way in which a trial can go wrong is tested without any.

mod barrier;
mod cast;
mod clocks;
mod committed;
mod course;
mod demands;
mod engine;
mod fold;
mod happening;
mod limits;
mod log;
mod phase;
mod positions;
mod script;
mod spec;
mod terms;

pub use cast::{ActorId, Cast, Reader};
pub use course::{Existing, LoadSpec};
pub use demands::Demands;
pub use engine::{Action, Event, TrialMachine};
pub use fold::{measure, missing};
pub use happening::Happening;
pub use limits::Limits;
pub use log::{Entry, TrialLog};
pub use phase::Phase;
pub use script::{Script, Step, StepTarget, When};
pub use spec::{AtPlace, TrialSpec, topic_sizes};
