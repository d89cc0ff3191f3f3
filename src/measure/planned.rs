//! Planned acts of a trial, such as a consumer process that is killed, and what of that which was recorded they explain.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::interruption::{Interruptions, RECORDED_FROM_NS, Stretch};
use super::member::MemberMeasurement;

/// Something that is done on purpose to one who takes part in a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "lowercase")]
pub enum Act {
    /// Its process is started: for the first time, or again.
    Start,
    /// It ends in order: a reader leaves its group, a broker hands its partitions over.
    Leave,
    /// Its process is killed.
    Kill,
    /// Its process is stopped and stays.
    Pause,
    /// Its process goes on after a pause.
    Resume,
}

/// One who takes part in a trial. Readers and producers are counted from 0; a broker has the id that its cluster gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Participant {
    Reader { group: u32, process: u32 },
    Producer(u32),
    Broker(i32),
}

impl fmt::Display for Participant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Participant::Reader { group, process } => write!(f, "group {}, process {}", group + 1, process + 1),
            Participant::Producer(producer) => write!(f, "producer {}", producer + 1),
            Participant::Broker(id) => write!(f, "broker {id}"),
        }
    }
}

/// An act that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedAct {
    /// On whom.
    pub who: Participant,
    /// What.
    pub act: Act,
    /// When it was begun.
    pub at_ns: u64,
    /// Until when what it causes may last.
    pub settled_ns: u64,
}

impl PlannedAct {
    /// True where it was done to a broker.
    pub fn is_on_broker(&self) -> bool {
        matches!(self.who, Participant::Broker(_))
    }

    /// True for a moment at which this act may have an effect.
    fn reaches(&self, at_ns: u64) -> bool {
        (self.at_ns..=self.settled_ns).contains(&at_ns)
    }

    /// True where this act may be why nothing happened for so long. No such stretch is shorter than
    /// [`RECORDED_FROM_NS`], and what is seen of it may begin a moment before the act.
    pub(super) fn explains(&self, stretch: Stretch) -> bool {
        self.reaches(stretch.from_ns + RECORDED_FROM_NS)
    }

    /// True where this act may be why a member's assignment changed: it was done to somebody of its group, or to a broker,
    /// which may be where the group is kept.
    pub(super) fn rebalances(&self, member: &MemberMeasurement, at_ns: u64) -> bool {
        let concerns = match self.who {
            Participant::Reader { group, .. } => group == member.group,
            Participant::Producer(_) => false,
            Participant::Broker(_) => true,
        };
        concerns && self.reaches(at_ns)
    }

    /// True where this act started the process of a member.
    pub(super) fn starts(&self, member: &MemberMeasurement) -> bool {
        let (group, process) = (member.group, member.process);
        self.act == Act::Start && self.who == Participant::Reader { group, process }
    }
}

impl Interruptions {
    /// Those that none of these acts explains.
    #[must_use]
    pub fn unplanned(&self, acts: &[PlannedAct]) -> Interruptions {
        let of = |who: Participant| acts.iter().filter(move |act| act.who == who);
        let of_brokers = || acts.iter().filter(|act| act.is_on_broker());
        let mut left = self.clone();
        left.processes.retain(|pause| {
            let mut of_process = acts.iter().filter(|act| act.who.to_string() == pause.process);
            !of_process.any(|act| act.explains(pause.pause))
        });
        left.brokers
            .retain(|pause| !of(Participant::Broker(pause.broker)).any(|act| act.explains(pause.pause)));
        left.changes
            .retain(|change| !of(Participant::Broker(change.broker)).any(|act| act.reaches(change.at_ns)));
        left.unanswered
            .retain(|silence| !of_brokers().any(|act| act.explains(*silence)));
        left
    }
}
