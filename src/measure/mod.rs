//! Measuring: clocks, resource usage, and the types of what a trial recorded. Knows neither Kafka nor scenarios,
//! prints nothing and saves nothing.

pub mod bounds;
pub mod changes;
pub mod clock;
mod delivered;
mod elsewhere;
mod environment;
mod finding;
mod flow;
mod group;
mod host;
mod interruption;
pub mod judge;
mod kept;
pub mod latency;
pub mod ledger;
pub mod limits;
mod load;
mod measurement;
mod member;
pub mod objective;
mod outside;
mod overlap;
pub mod overload;
mod planned;
mod process;
pub mod programs;
mod reading;
mod roles;
pub mod rows;
mod rules;
mod session_times;
mod setting;
pub mod standstill;
mod stored;
pub mod tree;
mod trial;
pub mod usage;

pub use delivered::{DELIVERED_SCHEMA_VERSION, DeliveredOffsets, DeliveredRun, DeliveredTopics};
pub use elsewhere::{HostFacts, HostReading, OtherHost, RunMark, TrialOver};
pub use environment::{
    BuildEnvironment, ClientEnvironment, ClusterEnvironment, Difference, ENVIRONMENT_SCHEMA_VERSION, Environment,
    StoreEnvironment,
};
pub use flow::{Flow, FlowBuilder};
pub use group::{GroupDescription, GroupEpoch, GroupLook, GroupMember, GroupState, HeldBy, MemberPlace};
pub use host::{FULL_SHARE, HostCpu, HostMeasurement};
pub use interruption::*;
pub use kept::KeptData;
pub use load::*;
pub use measurement::{Measurement, QuotaOnHost};
pub use member::*;
pub use outside::{COMMITS_PER_WINDOW, COMMITTED_INTERVAL, GroupCommit, Outside, commit_interval_ns};
pub use overlap::{Overlap, overlaps};
pub use planned::{Act, ActNumber, BrokerRole, MembershipTimes, Participant, PlannedAct};
pub use process::{ProcessMeasurement, ProcessUsage, ThreadUsage};
pub use reading::{ClientStatistics, ReadingTime};
pub use roles::{BrokerRoles, CoordinatorSince, LeaderSince, RoleSince};
pub use session_times::{SessionTimes, Step, StepStart};
pub use setting::Setting;
pub use stored::*;
pub use trial::{
    Failure, FailureKind, Flag, FlagKind, OrderedLoad, Status, TRIAL_SCHEMA_VERSION, Trial, TrialKind, TrialOrder,
};
