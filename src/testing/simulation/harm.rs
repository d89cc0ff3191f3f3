//! Mischief in a simulated world: each does what it is named for, and notes which failures may come of it.

use super::causes::Who;
use super::chance::MS;
use super::mischief::{Breach, Deafness, GivesUp, What};
use super::world::World;
use crate::measure::FailureKind;
use crate::protocol::{FromWorker, ProducerProgress};
use crate::trial::{ActorId, Event};

/// Shorter pauses are within all limits.
const HARMLESS_NS: u64 = 500 * MS;

impl World {
    /// The planned mischief of this number happens now.
    pub fn mischief(&mut self, index: usize) {
        let what = self.plan.mischiefs[index].what;
        match what {
            What::Dies(actor) => self.die(actor),
            What::Pauses(actor, for_ns) => self.pause(actor, for_ns),
            What::GivesUp(actor, how) => self.give_up(actor, how),
            What::Breaks(actor, breach) => self.breach(actor, breach),
            What::Errs(reader, error) => self.readers[reader].errors.push(error),
            What::Rebalances(group) => {
                self.may_read_again(group);
                self.rebalance(group);
            }
            What::KeepsPartition(reader) => self.keep_partition(reader),
            What::Poaches(reader) => self.poach(reader),
            What::Stranger(group, for_ns) => {
                self.cluster.groups[group].stranger_until_ns = self.now_ns.saturating_add(for_ns);
                self.causes
                    .add("a foreign member", &[FailureKind::Assignment], Who::Nobody);
            }
            What::Unsettled(group, for_ns) => {
                self.cluster.groups[group].unsettled_until_ns = self.now_ns.saturating_add(for_ns);
                self.causes
                    .add("a group that does not settle", &[FailureKind::Assignment], Who::Nobody);
            }
            What::Cluster(deafness, for_ns) => self.deafen(deafness, for_ns),
            What::Removes(records) => {
                let logs = self.cluster.logs.iter_mut().flatten();
                logs.for_each(|log| log.remove(records));
            }
            What::Fails { producer, written } => {
                let records = self.chance.between(1, 5);
                self.producers[producer].fails = (records, written);
            }
            What::Forgets(producer) => {
                self.producers[producer].forgotten = self.chance.between(1, 5);
                self.causes
                    .add("records were not kept", &[FailureKind::Lost], Who::Nobody);
            }
        }
    }

    fn someone(&self, actor: ActorId) -> Who {
        Who::Someone(vec![self.name(actor)])
    }

    /// An actor broke the protocol.
    pub fn broke_protocol(&mut self, actor: ActorId) {
        let who = self.someone(actor);
        self.causes
            .add("a breach of the protocol", &[FailureKind::WorkerProtocol], who);
    }

    /// Records of a group may be read again. Where only their number is known, they look doubled; a partition that lies
    /// idle then is named after its first owner.
    fn may_read_again(&mut self, group: usize) {
        let who = Who::Someone(vec![format!("group {}", group + 1)]);
        let kinds = [FailureKind::Stall, FailureKind::Duplicated];
        let kinds = if self.has_ledger(group) { &kinds[..1] } else { &kinds };
        self.causes.add("a rebalance", kinds, who);
        if !self.plan.deeds.is_empty() {
            // Who held a partition at the barrier may be gone as planned.
            self.causes.add("a rebalance", &[FailureKind::Stall], Who::Nobody);
        }
    }

    /// Whom the account names for an error of a reader: its members, or any of its group that had the partition too.
    pub fn members_around(&self, reader: usize) -> Vec<String> {
        let is_change = |what: &What| matches!(what, What::Rebalances(_) | What::KeepsPartition(_) | What::Poaches(_));
        if self.plan.has(is_change) || !self.plan.deeds.is_empty() {
            vec![format!("group {}", self.readers[reader].group + 1)]
        } else {
            vec![self.readers[reader].name.clone()]
        }
    }

    fn die(&mut self, actor: ActorId) {
        let process = self.processes.get_mut(&actor).unwrap();
        if process.is_dead {
            return;
        }
        process.is_dead = true;
        self.murdered.insert(actor);
        let who = self.someone(actor);
        self.causes.add("a death", &[FailureKind::WorkerDied], who);
        self.tell(actor, Event::Died(actor, "it was killed (signal 9)".to_owned()));
    }

    fn pause(&mut self, actor: ActorId, for_ns: u64) {
        use FailureKind::{Assignment, Connect, Stall, Timeout, WorkerStart};
        let until_ns = self.now_ns.saturating_add(for_ns);
        let process = self.processes.get_mut(&actor).unwrap();
        process.frozen_until_ns = process.frozen_until_ns.max(until_ns);
        if for_ns < HARMLESS_NS {
            return;
        }
        let who = self.someone(actor);
        self.causes.add(
            "a pause",
            &[WorkerStart, Connect, Stall, Timeout, Assignment],
            who.clone(),
        );
        if self.plan.has_hosts() {
            // It does not say what its clock shows.
            self.causes.add("a pause", &[FailureKind::WorkerProtocol], who);
        }
        if let ActorId::Reader(reader) = actor {
            // Without it, the group is not complete or does not reach its targets.
            self.causes
                .add("a group without a paused member", &[Assignment], Who::Nobody);
            self.may_read_again(self.readers[reader].group);
        }
    }

    fn give_up(&mut self, actor: ActorId, how: GivesUp) {
        if !self.is_there(actor) {
            return;
        }
        let (kind, consumer) = match how {
            GivesUp::Process => (FailureKind::WorkerFailed, None),
            GivesUp::Consumer => (FailureKind::WorkerFailed, Some(0)),
            GivesUp::Connect => (FailureKind::Connect, None),
        };
        let who = self.someone(actor);
        self.causes.add("an actor that gives up", &[kind], who);
        let connect = how == GivesUp::Connect;
        let message = "the disk is full".to_owned();
        self.say(
            actor,
            FromWorker::Failed {
                consumer,
                connect,
                message,
            },
        );
    }

    /// True if an actor's process runs.
    fn is_there(&self, actor: ActorId) -> bool {
        let process = &self.processes[&actor];
        !process.is_dead && process.frozen_until_ns <= self.now_ns
    }

    fn breach(&mut self, actor: ActorId, breach: Breach) {
        if !self.is_there(actor) {
            return;
        }
        let is_introduced = self.processes[&actor].is_introduced;
        match (breach, actor) {
            (Breach::Garbage, _) => self.tell(actor, Event::Garbage(actor, "Exception in thread main".to_owned())),
            (Breach::SecondHello, _) => {
                let hello = self.processes[&actor].hello.clone();
                self.say(actor, FromWorker::Hello(hello));
            }
            (Breach::SecondReady, _) => self.say(actor, FromWorker::Ready),
            (Breach::EarlyResult, _) => self.give_result(actor),
            (Breach::WrongMembers, ActorId::Reader(reader)) => self.readers[reader].hides_member = true,
            (Breach::WrongMembers, ActorId::Producer(_)) | (_, ActorId::Broker(_) | ActorId::Store | ActorId::Load) => {
            }
            (Breach::WrongRole, ActorId::Reader(_)) => {
                self.say(actor, FromWorker::ProducerProgress(ProducerProgress::default()));
            }
            (Breach::WrongRole, ActorId::Producer(_)) => {
                let positions = Vec::new();
                self.say(actor, FromWorker::Progress { positions });
            }
            (Breach::OldProtocol, _) => self.processes.get_mut(&actor).unwrap().hello.protocol = 0,
        }
        // Lines before the introduction are a log, and a version that was given is not given again.
        let is_breach = match breach {
            Breach::Garbage => is_introduced,
            Breach::OldProtocol => !is_introduced,
            Breach::WrongMembers => false,
            Breach::SecondHello | Breach::SecondReady | Breach::EarlyResult | Breach::WrongRole => true,
        };
        if is_breach {
            self.broke_protocol(actor);
        }
    }

    fn keep_partition(&mut self, reader: usize) {
        let group = self.readers[reader].group;
        let mut members = self.readers[reader].consumers.iter_mut();
        let Some(member) = members.find(|member| !member.held.is_empty()) else {
            return;
        };
        member.keeps = member.held.keys().next().copied();
        let who = Who::Someone(vec![format!("group {}", group + 1)]);
        let kinds = [FailureKind::Overlap, FailureKind::Assignment];
        self.causes.add("a partition that was kept", &kinds, who);
        if self.cluster.has_targets {
            // The group does not reach its targets.
            self.causes
                .add("a partition that was kept", &[FailureKind::Assignment], Who::Nobody);
        }
        self.may_read_again(group);
        self.rebalance(group);
    }

    fn poach(&mut self, reader: usize) {
        let group = self.readers[reader].group;
        let others = self.readers.iter().filter(|other| other.group == group);
        let held = others
            .flat_map(|other| &other.consumers)
            .flat_map(|member| member.held.keys().copied());
        let held: Vec<_> = held.collect();
        let Some(member) = self.readers[reader].consumers.first_mut() else {
            return;
        };
        let Some(partition) = held.into_iter().find(|partition| !member.held.contains_key(partition)) else {
            return;
        };
        let low = self.readers[reader].ranges[&partition].low;
        self.readers[reader].consumers[0].poaches = Some((partition, low));
        self.may_read_again(group);
        // If it is given the partition later, it reads it twice.
        let who = Who::Someone(vec![format!("group {}", group + 1)]);
        self.causes
            .add("a partition that was poached", &[FailureKind::Duplicated], who);
    }

    fn deafen(&mut self, deafness: Deafness, for_ns: u64) {
        self.cluster
            .deafness
            .push((deafness, self.now_ns.saturating_add(for_ns)));
        let (kind, who) = match deafness {
            Deafness::GroupErrors | Deafness::GroupLost => (FailureKind::Assignment, Who::Nobody),
            Deafness::EndsErrors | Deafness::EndsLost => (FailureKind::Timeout, Who::Nobody),
            // What is unread then is named after its owners.
            Deafness::StillErrors => {
                let groups = (1..=self.plan.groups).map(|group| format!("group {group}"));
                (FailureKind::Stall, Who::Someone(groups.collect()))
            }
        };
        self.causes.add(format!("{deafness:?}"), &[kind], who);
    }
}
