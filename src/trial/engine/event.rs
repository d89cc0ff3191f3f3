//! What the state machine of a trial takes in and gives out.

use crate::measure::GroupDescription;
use crate::measure::{Act, BrokerRole, DeliveredTopics};
use crate::protocol::{FromWorker, ToWorker, TopicTarget};
use crate::trial::cast::ActorId;

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// An actor said something.
    Message(ActorId, FromWorker),
    /// An actor wrote a line that is not a message.
    Garbage(ActorId, String),
    /// An actor's process ended, with how and its last words.
    Died(ActorId, String),
    /// An act was carried out, at this time, or not, for this reason.
    Acted(ActorId, Act, Result<u64, String>),
    /// The id of the broker to which a step of the script, from 0, is to be done; or why nobody knows it.
    Found(usize, Result<u32, String>),
    /// What the cluster says of a group.
    Group(usize, Result<GroupDescription, String>),
    /// What the cluster says of the end of every partition of every topic.
    Ends(Result<Vec<Vec<i64>>, String>),
    /// Which of the offsets that nobody has read yet the cluster delivers now.
    Still(Vec<TopicTarget>, Result<DeliveredTopics, String>),
    /// Time passed.
    Tick,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Tell an actor.
    Send(ActorId, ToWorker),
    /// Do this to an actor and report [`Event::Acted`].
    Act(ActorId, Act),
    /// Find the broker that has this role now, for this step of the script, and report [`Event::Found`].
    Find(usize, BrokerRole),
    /// Ask the cluster about a group and report [`Event::Group`].
    Describe(usize),
    /// Ask the cluster for the ends of the trial's partitions and report [`Event::Ends`].
    AskEnds,
    /// Ask the cluster for the first of these offsets that it delivers now and report [`Event::Still`].
    AskStill(Vec<TopicTarget>),
    /// Reading begins at this time: sample the machine then.
    Started(u64),
    /// The last record was reported: sample the machine now.
    Ended,
}

/// The same message to each of these.
pub(in crate::trial) fn tell(actors: impl Iterator<Item = ActorId>, message: &ToWorker) -> Vec<Action> {
    actors.map(|actor| Action::Send(actor, message.clone())).collect()
}
