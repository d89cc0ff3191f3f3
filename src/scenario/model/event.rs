//! Events: what is done on purpose in each trial of a configuration, to whom and when. Knows nothing of processes.

use serde::{Deserialize, Serialize};

use crate::scenario::choice::Choice;

/// Something that is done on purpose in each trial of a configuration. Numbers of processes, groups, brokers and topics
/// count from 1, as in the file; partitions from 0, as Kafka counts them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it is done for the first time.
    pub at: EventTime,
    /// What is done.
    pub act: EventAct,
    /// To whom.
    pub target: Target,
    /// Nanoseconds from one time to the next; with `each`, from one process or broker to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_ns: Option<u64>,
    /// How often it is done to each.
    pub times: u32,
    /// It is done later by up to so many nanoseconds, drawn anew for each block.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub spread_ns: u64,
    /// True where partitions may be unavailable meanwhile.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expects_unavailable: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// When an event is due.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventTime {
    /// So many nanoseconds after the common start.
    After(u64),
    /// When this share of what is to be read has been read.
    Progress(f64),
}

/// What an event does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventAct {
    /// A process starts that is away, or has not been there yet.
    Start,
    /// A process leaves its group and ends.
    Leave,
    /// A process ends at once.
    Kill,
    /// A broker or the store ends in order.
    Stop,
    /// A process stands still.
    Pause {
        /// For so many nanoseconds.
        for_ns: u64,
    },
    /// A process ends and starts again.
    Restart {
        /// It is away for so many nanoseconds.
        for_ns: u64,
        /// How it ends.
        how: RestartHow,
    },
    /// The load has another rate from then on, in records per second.
    Rate(u64),
}

/// How a process ends that starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartHow {
    /// In order.
    Clean,
    /// At once, as in a crash.
    Kill,
}

impl Choice for RestartHow {
    const ALL: &'static [(&'static str, Self)] = &[("clean", RestartHow::Clean), ("kill", RestartHow::Kill)];
}

/// To whom an event is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// To one.
    One(Party),
    /// To the processes of a group one after the other; of all groups if none is named.
    EachProcess {
        /// The group.
        group: Option<u32>,
    },
    /// To the brokers one after the other.
    EachBroker,
}

impl Target {
    /// True for processes that read.
    pub fn is_process(self) -> bool {
        match self {
            Target::One(party) => party.is_process(),
            Target::EachProcess { .. } => true,
            Target::EachBroker => false,
        }
    }

    /// True for brokers.
    pub fn is_broker(self) -> bool {
        match self {
            Target::One(party) => party.is_broker(),
            Target::EachProcess { .. } => false,
            Target::EachBroker => true,
        }
    }

    /// True for several, one after the other.
    pub fn is_each(self) -> bool {
        !matches!(self, Target::One(_))
    }
}

/// Somebody to whom something can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// A process of a group; of the only one if none is named.
    Process {
        /// The group.
        group: Option<u32>,
        /// Its process.
        process: u32,
    },
    /// A broker.
    Broker(u32),
    /// The broker that then leads a partition.
    LeaderOf {
        /// The topic; the only one if none is named.
        topic: Option<u32>,
        /// Its partition.
        partition: u32,
    },
    /// The broker that is then the active controller.
    Controller,
    /// The broker that then coordinates this group.
    CoordinatorOf(u32),
    /// The store that the run starts.
    Store,
    /// The producers of load together.
    Load,
}

impl Party {
    /// True for a process that reads.
    pub fn is_process(self) -> bool {
        matches!(self, Party::Process { .. })
    }

    /// True for a broker.
    pub fn is_broker(self) -> bool {
        matches!(self, Party::Broker(_)) || self.is_role()
    }

    /// True for a broker that only the trial tells.
    pub fn is_role(self) -> bool {
        matches!(
            self,
            Party::LeaderOf { .. } | Party::Controller | Party::CoordinatorOf(_)
        )
    }
}

/// How many there are to whom something can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parties {
    /// Groups.
    pub groups: u32,
    /// Processes of each group.
    pub processes: u32,
    /// Brokers that the run starts.
    pub brokers: u32,
}

/// One act of an event on one of those to whom it is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventStep {
    /// The event, from 0.
    pub event: usize,
    /// When.
    pub when: StepTime,
    /// To whom; a process with its group where there are several.
    pub party: Party,
    /// What.
    pub act: EventAct,
    /// It is done later by up to so much.
    pub spread_ns: u64,
    /// True where partitions may be unavailable meanwhile.
    pub expects_unavailable: bool,
}

/// When an act is due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StepTime {
    /// So many nanoseconds after the common start.
    After(u64),
    /// When this share of what is to be read has been read.
    Progress(f64),
    /// When the act before it is over.
    Next,
}

impl EventStep {
    /// When it begins at the earliest, and when it is over at the latest, if times say so. A start is over when it begins.
    pub fn span_ns(&self) -> Option<(u64, u64)> {
        let StepTime::After(at_ns) = self.when else {
            return None;
        };
        let latest_ns = at_ns.saturating_add(self.spread_ns);
        Some((at_ns, latest_ns.saturating_add(self.act.for_ns())))
    }
}

impl EventAct {
    /// For how long.
    pub fn for_ns(self) -> u64 {
        match self {
            EventAct::Pause { for_ns } | EventAct::Restart { for_ns, .. } => for_ns,
            EventAct::Start | EventAct::Leave | EventAct::Kill | EventAct::Stop | EventAct::Rate(_) => 0,
        }
    }

    /// True where somebody is gone afterwards.
    pub fn is_for_good(self) -> bool {
        matches!(self, EventAct::Leave | EventAct::Kill | EventAct::Stop)
    }
}

impl Event {
    /// Those to whom it is done, in their order.
    fn targets(&self, parties: Parties) -> Vec<Party> {
        // Where there is one group, nobody has to name it.
        let named = |group| (parties.groups > 1).then_some(group);
        let of_groups = |groups: std::ops::RangeInclusive<u32>| {
            let processes = |group| {
                (1..=parties.processes).map(move |process| Party::Process {
                    group: named(group),
                    process,
                })
            };
            groups.flat_map(processes).collect()
        };
        match self.target {
            Target::One(Party::Process { group, process }) => vec![Party::Process {
                group: named(group.unwrap_or(1)),
                process,
            }],
            Target::EachProcess { group: None } => of_groups(1..=parties.groups),
            Target::EachProcess { group: Some(group) } => of_groups(group..=group),
            Target::EachBroker => (1..=parties.brokers).map(Party::Broker).collect(),
            Target::One(party) => vec![party],
        }
    }
}

/// Seconds of a trial in nanoseconds.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most some minutes"
)]
pub fn seconds_ns(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

/// How many acts the events of a configuration do, however many that are.
pub fn count_of_steps(events: &[Event], parties: Parties) -> u64 {
    let of_event = |event: &Event| (event.targets(parties).len() as u64).saturating_mul(event.times.into());
    events.iter().map(of_event).fold(0, u64::saturating_add)
}

/// When each act begins at the earliest and is over at the latest, as far as times say so: one that follows another begins
/// when that one is over.
pub fn spans_of(steps: &[EventStep]) -> Vec<Option<(u64, u64)>> {
    let mut spans: Vec<Option<(u64, u64)>> = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        let before = place.checked_sub(1).filter(|before| steps[*before].event == step.event);
        let before = before.and_then(|before| spans[before]);
        spans.push(match step.when {
            StepTime::Next => before.map(|(_, over_ns)| (over_ns, over_ns.saturating_add(step.act.for_ns()))),
            StepTime::After(_) | StepTime::Progress(_) => step.span_ns(),
        });
    }
    spans
}

/// What the events of a configuration do, one act after the other, each event by itself.
pub fn event_steps(events: &[Event], parties: Parties) -> Vec<EventStep> {
    let mut acts = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let targets = event.targets(parties);
        let rounds = (0..event.times).flat_map(|_| targets.iter().copied());
        for (number, party) in (0_u64..).zip(rounds) {
            let when = match (event.at, event.every_ns, number) {
                (EventTime::After(at_ns), _, 0) => StepTime::After(at_ns),
                (EventTime::Progress(share), _, 0) => StepTime::Progress(share),
                (EventTime::After(at_ns), Some(every_ns), _) => {
                    StepTime::After(at_ns.saturating_add(every_ns.saturating_mul(number)))
                }
                (EventTime::After(_), None, _) | (EventTime::Progress(_), _, _) => StepTime::Next,
            };
            acts.push(EventStep {
                event: index,
                when,
                party,
                act: event.act,
                spread_ns: event.spread_ns,
                expects_unavailable: event.expects_unavailable,
            });
        }
    }
    acts
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn restart(target: Target, every_ns: Option<u64>, times: u32) -> Event {
        Event {
            at: EventTime::After(SECOND),
            act: EventAct::Restart {
                for_ns: SECOND,
                how: RestartHow::Clean,
            },
            target,
            every_ns,
            times,
            spread_ns: 0,
            expects_unavailable: false,
        }
    }

    #[test]
    fn each_stands_for_one_after_the_other_at_even_distances_or_each_when_the_one_before_is_back() {
        let parties = Parties {
            groups: 1,
            processes: 2,
            brokers: 3,
        };
        let whens = |event| -> Vec<StepTime> {
            let acts = event_steps(&[event], parties);
            acts.iter().map(|act| act.when).collect()
        };
        let each = Target::EachProcess { group: None };
        assert_eq!(whens(restart(each, None, 1)), [StepTime::After(SECOND), StepTime::Next]);
        let one_after_the_other = event_steps(&[restart(each, None, 1)], parties);
        let spans = [1, 2].map(|second| Some((second * SECOND, (second + 1) * SECOND)));
        assert_eq!(spans_of(&one_after_the_other), spans);
        let many = [restart(each, None, u32::MAX), restart(each, None, u32::MAX)];
        assert_eq!(count_of_steps(&many, parties), 4 * u64::from(u32::MAX));
        let even = [1, 6, 11, 16].map(|second| StepTime::After(second * SECOND));
        assert_eq!(whens(restart(each, Some(5 * SECOND), 2)), even);
        let brokers = event_steps(&[restart(Target::EachBroker, None, 1)], parties);
        let parties: Vec<Party> = brokers.iter().map(|act| act.party).collect();
        assert_eq!(parties, [1, 2, 3].map(Party::Broker));
        assert_eq!(brokers[0].span_ns(), Some((SECOND, 2 * SECOND)));
    }
}
