//! The validated scenario: what the user asked for, with every default filled in and nothing invalid left.
//!
//! Values of these types are made by the parser in this module and by nobody else; other modules read them.

mod app;
mod cluster;
mod configuration;
mod dataset;
mod event;
mod existing;
mod kubernetes;
mod live;
mod place;
mod place_limits;
mod property;
mod repetitions;
mod requirement;
mod scenario;
mod store;
mod template;
mod variants;

pub(crate) use app::PROGRAM;
pub use app::{App, AppProgram, AppSpec, Program, Speaks};
pub use cluster::{ClusterSource, ClusterSpec};
pub(crate) use configuration::one_thread;
pub use configuration::{
    Assignor, Buffers, Commit, Configuration, GroupProtocol, GroupTimeouts, Membership, Read, Work, WorkOrdering,
};
pub use dataset::{Compression, DatasetSpec, Keys, Size};
pub use event::{
    Event, EventAct, EventStep, EventTime, Parties, Party, RestartHow, StepTime, Target, count_of_steps, event_steps,
    seconds_ns, spans_of,
};
pub(crate) use existing::ISOLATION;
pub use existing::{DataSource, ExistingTopics, FoundPartition, FoundTopic, FoundTopics, Isolation, PATTERN_START};
pub use kubernetes::{KubernetesPlace, PullPolicy};
pub(crate) use live::Producers;
pub use live::{Capacity, Load, Mode, ResponseLimit, SEARCH_WINDOW_MAX_NS, Shape};
pub(crate) use place::HERE;
pub use place::{ContainerPlace, Engine, Place, Reach, processors};
pub use place_limits::PlaceLimits;
pub use property::{ClientSettings, PropertyValue};
pub(crate) use repetitions::{ALLOWED_UNTIL, AT_MOST, FIRST_LOOK_MIN};
pub use repetitions::{Repetitions, Until};
pub use requirement::{Bound, Requirement};
pub use scenario::{Axis, ChosenMetric, Family, Scenario, TrialLength};
pub use store::{StoreErrors, StoreKind, StoreSpec, StoreWrite, Variable};
pub use template::{Placeholder, Template, TemplateError};
pub use variants::{Build, Variant, Variants};
