//! What is decided before a simulated trial begins: the arrangement, how fast everything is, and what goes wrong. Plain data,
//! so that a failing plan is printed, and made simpler as long as it fails.

use super::chance::MS;
use super::deed::Deed;
use super::mischief::{Deafness, Error, Mischief, What};
use crate::measure::{BrokerRole, TopicPartition};
use crate::protocol::Capability;
use crate::trial::{ActorId, StepTarget};

/// Which records are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// Those of topics that tandem filled.
    Backlog,
    /// Those of existing topics: with gaps, and retention removes some.
    Existing,
    /// Those that arrive during the trial, behind a backlog where there is one.
    Arriving,
}

/// A trial to be simulated.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Of all choices during the trial.
    pub seed: u64,
    pub records: Records,
    pub manual: bool,
    /// The group protocol has targets, as the consumer protocol does.
    pub has_targets: bool,
    pub groups: u32,
    pub processes: u32,
    pub consumers: u32,
    /// None unless records arrive.
    pub producers: u32,
    /// What the process of each reader can do.
    pub capabilities: Vec<Vec<Capability>>,
    /// Offsets of each partition of each topic at the beginning.
    pub partitions: Vec<Vec<u64>>,
    /// Offsets of each partition that retention has removed before the trial begins.
    pub removed: u64,
    /// The longest time that a message takes, nanoseconds.
    pub delay_ns: u64,
    /// The longest time that a group takes to assign, nanoseconds.
    pub settling_ns: u64,
    /// Most records of a partition that a reader takes at once.
    pub burst: u64,
    /// Records per second of all producers together.
    pub rate: u64,
    /// The time for what is unread when the load is over, nanoseconds.
    pub drain_ns: u64,
    /// Every second process is on another host, whose clock shows so much more.
    pub ahead_ns: i64,
    /// So many microseconds more that clock shows after each second.
    pub drift_ppm: i64,
    /// Brokers that a script may act on.
    pub brokers: u32,
    /// The run started a store, on which a script may act.
    pub has_store: bool,
    /// What goes wrong.
    pub mischiefs: Vec<Mischief>,
    /// What is done on purpose.
    pub deeds: Vec<Deed>,
}

impl Plan {
    /// Readers, over all groups.
    pub fn readers(&self) -> usize {
        (self.groups * self.processes) as usize
    }

    /// True where some processes are on another host.
    pub fn has_hosts(&self) -> bool {
        (self.ahead_ns, self.drift_ppm) != (0, 0)
    }

    /// Plans that are simpler by one thing each.
    pub fn simpler(&self) -> Vec<Plan> {
        let mut simpler = Vec::new();
        for index in 0..self.mischiefs.len() {
            let mut without = self.clone();
            without.mischiefs.remove(index);
            simpler.push(without);
        }
        for index in 0..self.deeds.len() {
            let mut without = self.clone();
            without.deeds.remove(index);
            simpler.push(without);
        }
        let mut change = |differs: bool, change: fn(&mut Plan)| {
            if differs {
                let mut changed = self.clone();
                change(&mut changed);
                let all = std::mem::take(&mut changed.mischiefs);
                for mischief in all {
                    if changed.allows(mischief.what) {
                        changed.mischiefs.push(mischief);
                    }
                }
                let deeds = std::mem::take(&mut changed.deeds);
                changed.deeds = deeds
                    .into_iter()
                    .filter(|deed| changed.may_act_on(deed.target))
                    .collect();
                simpler.push(changed);
            }
        };
        change(self.groups > 1, |plan| plan.groups = 1);
        change(self.processes > 1, |plan| plan.processes /= 2);
        change(self.consumers > 1, |plan| plan.consumers = 1);
        change(self.producers > 1, |plan| plan.producers = 1);
        change(self.partitions.len() > 1, |plan| plan.partitions.truncate(1));
        change(self.partitions[0].len() > 1, |plan| {
            let half = plan.partitions[0].len() / 2;
            plan.partitions[0].truncate(half);
        });
        change(self.brokers > 1, |plan| plan.brokers = 1);
        change(self.brokers > 0, |plan| plan.brokers = 0);
        change(self.has_store, |plan| plan.has_store = false);
        change(self.drift_ppm != 0, |plan| plan.drift_ppm = 0);
        change(self.has_hosts(), |plan| (plan.ahead_ns, plan.drift_ppm) = (0, 0));
        change(self.removed > 0, |plan| plan.removed = 0);
        change(self.delay_ns > 0, |plan| plan.delay_ns = 0);
        change(self.settling_ns > 10 * MS, |plan| plan.settling_ns = 10 * MS);
        simpler
    }

    /// True if a mischief of this kind is planned.
    pub fn has(&self, is_kind: impl Fn(&What) -> bool) -> bool {
        self.mischiefs.iter().any(|mischief| is_kind(&mischief.what))
    }

    /// True if a script may act on it: of each group one process stays.
    pub fn may_act_on(&self, target: StepTarget) -> bool {
        match target {
            StepTarget::Actor(ActorId::Reader(reader)) => {
                !self.manual && reader < self.readers() && !reader.is_multiple_of(self.processes as usize)
            }
            StepTarget::Actor(ActorId::Broker(broker)) => broker < self.brokers as usize,
            StepTarget::Role(BrokerRole::LeaderOf(TopicPartition { topic, partition })) => {
                let of_topic = self.partitions.get(topic as usize);
                self.brokers > 0
                    && of_topic.is_some_and(|of_topic| {
                        usize::try_from(partition).is_ok_and(|partition| partition < of_topic.len())
                    })
            }
            StepTarget::Role(BrokerRole::CoordinatorOf(group)) => self.brokers > 0 && group < self.groups,
            StepTarget::Role(BrokerRole::Controller) => self.brokers > 0,
            StepTarget::Actor(ActorId::Store) => self.has_store,
            StepTarget::Actor(ActorId::Load) => self.producers > 0,
            StepTarget::Actor(ActorId::Producer(_)) | StepTarget::AsBefore => false,
        }
    }

    /// True if the plan has whom and what it concerns.
    pub fn allows(&self, what: What) -> bool {
        let has_actor = |actor| match actor {
            ActorId::Reader(reader) => reader < self.readers(),
            ActorId::Producer(producer) => producer < self.producers as usize,
            _ => false,
        };
        let has_group = |group: usize| group < self.groups as usize;
        let has_others = !self.manual && self.processes * self.consumers > 1;
        match what {
            What::Dies(actor) | What::Pauses(actor, _) | What::GivesUp(actor, _) | What::Breaks(actor, _) => {
                has_actor(actor)
            }
            // Where deliveries fail, the end of a partition is not known: records may be written later.
            What::Errs(reader, Error::Beyond) => {
                reader < self.readers() && !self.has(|what| matches!(what, What::Fails { .. }))
            }
            What::Errs(reader, _) => reader < self.readers(),
            What::Rebalances(group) | What::Stranger(group, _) | What::Unsettled(group, _) => {
                has_group(group) && !self.manual
            }
            What::KeepsPartition(reader) | What::Poaches(reader) => reader < self.readers() && has_others,
            What::Cluster(Deafness::GroupErrors | Deafness::GroupLost, _) => !self.manual,
            What::Cluster(Deafness::EndsErrors | Deafness::EndsLost, _) => self.records == Records::Arriving,
            What::Cluster(Deafness::StillErrors, _) | What::Removes(_) => self.records == Records::Existing,
            What::Fails { producer, .. } => {
                producer < self.producers as usize && !self.has(|what| matches!(what, What::Errs(_, Error::Beyond)))
            }
            What::Forgets(producer) => producer < self.producers as usize,
        }
    }
}
