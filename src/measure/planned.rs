//! Planned acts of a trial, such as a consumer process that is killed, and what of that which was recorded they explain.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::interruption::{BrokerChange, Interruptions, RECORDED_FROM_NS, Stretch};
use super::member::{MemberMeasurement, TopicPartition};

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
    /// The producers together send so many records per second from now on.
    #[strum(serialize = "change the rate of")]
    SetRate(u64),
}

/// What a broker is to a cluster; which one it is changes, and is looked up when something is to be done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrokerRole {
    /// The leader of a partition of the trial.
    LeaderOf(TopicPartition),
    /// The active controller.
    Controller,
    /// The coordinator of a group, counted from 0.
    CoordinatorOf(u32),
}

impl fmt::Display for BrokerRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BrokerRole::LeaderOf(TopicPartition { topic: 0, partition }) => {
                write!(f, "the leader of partition {partition}")
            }
            BrokerRole::LeaderOf(TopicPartition { topic, partition }) => {
                write!(f, "the leader of partition {partition} of topic {}", topic + 1)
            }
            BrokerRole::Controller => f.write_str("the active controller"),
            BrokerRole::CoordinatorOf(group) => write!(f, "the coordinator of group {}", group + 1),
        }
    }
}

/// One who takes part in a trial. Readers and producers are counted from 0; a broker has the id that its cluster gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Participant {
    Reader {
        group: u32,
        process: u32,
    },
    Producer(u32),
    Broker(i32),
    /// The store that members write to.
    Store,
    /// All producers together.
    Load,
}

impl fmt::Display for Participant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Participant::Reader { group, process } => write!(f, "group {}, process {}", group + 1, process + 1),
            Participant::Producer(producer) => write!(f, "producer {}", producer + 1),
            Participant::Broker(id) => write!(f, "broker {id}"),
            Participant::Store => f.write_str("the store"),
            Participant::Load => f.write_str("the load"),
        }
    }
}

/// Which act it is of those that are planned: the same in every trial of a configuration, in whatever order they are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ActNumber {
    /// The event of the scenario, from 1.
    pub event: u32,
    /// Its step, from 1.
    pub step: u32,
}

/// An act that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedAct {
    /// Which of the scenario's; `None` in scripts of no scenario, and in runs stored before it was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<ActNumber>,
    /// On whom.
    pub who: Participant,
    /// As what a broker was chosen, where it was not named by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<BrokerRole>,
    /// What.
    pub act: Act,
    /// When it was begun.
    pub at_ns: u64,
    /// Until when what it causes may last.
    pub settled_ns: u64,
}

/// How the members of a group show that they live, as their settings say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipTimes {
    /// A member that is not heard of for so long is taken for dead.
    pub session_ns: u64,
    /// From one heartbeat of a member to the next.
    pub heartbeat_ns: u64,
    /// A broker that the controllers do not hear of for so long is taken for dead; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker_session_ns: Option<u64>,
}

impl PlannedAct {
    /// True where it was done to a broker.
    pub fn is_on_broker(&self) -> bool {
        matches!(self.who, Participant::Broker(_))
    }

    /// True where it was done to the store.
    pub fn is_on_store(&self) -> bool {
        self.who == Participant::Store
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
            Participant::Producer(_) | Participant::Store | Participant::Load => false,
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
        let acts_on = |who: Participant| acts.iter().filter(move |act| act.who == who);
        let mut left = self.clone();
        left.processes.retain(|pause| {
            let mut of_process = acts.iter().filter(|act| act.who.to_string() == pause.process);
            !of_process.any(|act| act.explains(pause.pause))
        });
        left.brokers
            .retain(|pause| !acts_on(Participant::Broker(pause.broker)).any(|act| act.explains(pause.pause)));
        // On a busy machine a broker that was started takes longer to come back than anything else that is planned.
        let comes_back =
            |act: &PlannedAct, change: &BrokerChange| change.came && act.act == Act::Start && act.at_ns <= change.at_ns;
        left.changes.retain(|change| {
            let mut acts = acts_on(Participant::Broker(change.broker));
            !acts.any(|act| act.reaches(change.at_ns) || comes_back(act, change))
        });
        left
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::measure::judge::{ExclusionRules, judge};
    use crate::measure::{
        BrokerChange, BrokerPause, FlagKind, Measurement, ProcessPause, Rebalance, RebalanceKind, TopicPartition,
    };
    use crate::testing::measurement;

    const SECOND: u64 = 1_000_000_000;
    const START: u64 = 10 * SECOND;

    /// Two processes that read for 10 s, with this act after one second, settled within three.
    fn acted(who: Participant, act: Act) -> Measurement {
        let mut trial = measurement().processes(2).partitions(2).start_ns(START).build();
        trial.end_ns = START + 10 * SECOND;
        let (at_ns, settled_ns) = (START + SECOND, START + 4 * SECOND);
        trial.acts = vec![PlannedAct {
            number: None,
            who,
            role: None,
            act,
            at_ns,
            settled_ns,
        }];
        trial
    }

    fn process_2() -> Participant {
        let (group, process) = (0, 1);
        Participant::Reader { group, process }
    }

    fn reason(trial: &Measurement) -> Option<String> {
        judge(trial, &ExclusionRules::default()).1
    }

    #[test]
    fn a_planned_rebalance_leaves_no_trial_out_and_one_before_or_after_it_or_in_another_group_does() {
        let revoked = |at_ns| Rebalance {
            at_ns,
            kind: RebalanceKind::Revoked,
            partitions: vec![TopicPartition { topic: 0, partition: 0 }],
        };
        let with = |who, at_ns| {
            let mut trial = acted(who, Act::Kill);
            trial.members[0].rebalances.push(revoked(at_ns));
            reason(&trial)
        };
        for (at_ns, is_planned) in [
            (START + SECOND / 2, false),
            (START + 2 * SECOND, true),
            (START + 5 * SECOND, false),
        ] {
            assert_eq!(with(process_2(), at_ns).is_none(), is_planned, "{at_ns}");
            assert_eq!(with(Participant::Broker(1), at_ns).is_none(), is_planned, "{at_ns}");
        }
        let (group, process) = (1, 0);
        assert!(with(Participant::Reader { group, process }, START + 2 * SECOND).is_some());
        assert!(with(Participant::Producer(0), START + 2 * SECOND).is_some());
    }

    #[test]
    fn a_broker_that_is_planned_to_be_away_leaves_no_trial_out_and_another_one_does() {
        let with = |broker| {
            let mut trial = acted(Participant::Broker(2), Act::Kill);
            let (address, at_ns, came) = ("b:9092".to_owned(), START + SECOND + 50_000_000, false);
            trial.interruptions.changes = vec![BrokerChange {
                broker,
                address,
                at_ns,
                came,
            }];
            reason(&trial)
        };
        assert_eq!(with(2), None);
        assert!(with(1).unwrap().starts_with("broker 1 (b:9092) went away"));
    }

    #[test]
    fn a_broker_that_was_started_may_come_back_late_and_one_that_nobody_started_may_not() {
        let with = |act| {
            let mut trial = acted(Participant::Broker(2), act);
            let (broker, address, came) = (2, "b:9092".to_owned(), true);
            trial.interruptions.changes = vec![BrokerChange {
                broker,
                address,
                at_ns: START + 9 * SECOND,
                came,
            }];
            reason(&trial)
        };
        assert_eq!(with(Act::Start), None);
        assert!(with(Act::Kill).is_some());
    }

    #[test]
    fn a_planned_pause_is_no_standstill_and_any_other_is() {
        let pause = |from_ns| Stretch::new(from_ns, from_ns + 2 * SECOND);
        // It is seen to begin with the last time that the process is known to have run.
        let with = |process: &str, from_ns| {
            let mut trial = acted(process_2(), Act::Pause);
            let process = process.to_owned();
            trial.interruptions.processes = vec![ProcessPause {
                process,
                pause: pause(from_ns),
            }];
            reason(&trial)
        };
        assert_eq!(with("group 1, process 2", START + SECOND - 90_000_000), None);
        assert!(with("group 1, process 1", START + SECOND).is_some());
        assert!(with("group 1, process 2", START + 6 * SECOND).is_some());
        let mut trial = acted(Participant::Broker(1), Act::Pause);
        let broker_pause = |broker| BrokerPause {
            broker,
            pause: pause(START + SECOND),
        };
        trial.interruptions.brokers = vec![broker_pause(1)];
        assert_eq!(reason(&trial), None);
        trial.interruptions.brokers = vec![broker_pause(2)];
        assert!(reason(&trial).is_some());
    }

    #[test]
    fn what_other_programs_used_is_not_known_where_a_process_ended() {
        let flagged = |act| {
            let mut trial = acted(process_2(), act);
            trial.host.others_cpu_ns = trial.host.wall_ns;
            let (flags, _) = judge(&trial, &ExclusionRules::default());
            flags.iter().any(|flag| flag.kind == FlagKind::Disturbed)
        };
        assert_eq!((flagged(Act::Kill), flagged(Act::Pause)), (false, true));
    }

    #[test]
    fn acts_are_stored_in_words_and_a_trial_without_any_says_nothing_of_them() {
        let trial = acted(process_2(), Act::Kill);
        let stored = serde_json::to_value(&trial).unwrap();
        assert_eq!(
            stored["acts"][0]["who"],
            serde_json::json!({"reader": {"group": 0, "process": 1}})
        );
        assert_eq!(stored["acts"][0]["act"], "kill");
        assert_eq!(serde_json::from_value::<Measurement>(stored).unwrap().acts, trial.acts);
        let quiet = Measurement {
            acts: Vec::new(),
            ..trial
        };
        assert!(serde_json::to_value(&quiet).unwrap().get("acts").is_none());
    }
}
