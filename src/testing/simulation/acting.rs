//! What actors and groups of a simulated world do: they prepare, join, read and send.

use super::causes::Who;
use super::chance::MS;
use super::cluster::Member;
use super::mischief::Error;
use super::world::{Due, World};
use crate::measure::{FailureKind, TopicPartition};
use crate::protocol::{Capability, ClockReading, FromWorker, ToWorker};
use crate::trial::ActorId;

impl World {
    /// An actor gets a message of the engine's.
    pub fn hear(&mut self, actor: ActorId, message: ToWorker) {
        match (actor, message) {
            (ActorId::Reader(reader), ToWorker::Prepare(order)) => {
                self.readers[reader].prepare(&order);
                self.get_ready(actor);
            }
            (ActorId::Producer(producer), ToWorker::PrepareProducer(order)) => {
                self.producers[producer].prepare(&order);
                self.get_ready(actor);
            }
            (ActorId::Reader(reader), ToWorker::Subscribe) => {
                let after_ns = self.chance.between(1, 50) * MS;
                self.later(after_ns, Due::Join(reader));
            }
            (ActorId::Reader(reader), ToWorker::QueryAssignments { query }) => {
                let members = self.readers[reader].assignments();
                if self.readers[reader].hides_member {
                    self.broke_protocol(actor);
                }
                self.say(actor, FromWorker::Assignments { query, members });
            }
            (actor, ToWorker::QueryClock) => {
                let now_ns = self.processes[&actor].clock.shows(self.now_ns);
                let (received_ns, sent_ns) = (now_ns, now_ns);
                self.say(actor, FromWorker::Clock(ClockReading { received_ns, sent_ns }));
            }
            (actor, ToWorker::Start { at_ns }) => {
                let at_ns = self.processes[&actor].clock.shown_at(at_ns);
                if let ActorId::Producer(producer) = actor {
                    self.producers[producer].start_ns = Some(at_ns);
                }
                // The first record takes a moment.
                let first_ns = self.chance.between(1, 5) * MS;
                self.later(at_ns.saturating_sub(self.now_ns) + first_ns, Due::Work(actor));
            }
            (actor, ToWorker::Stop) => self.stop(actor),
            (actor, message) => panic!("{actor:?} was sent {message:?}"),
        }
    }

    fn get_ready(&mut self, actor: ActorId) {
        let after_ns = self.chance.between(5, 300) * MS;
        self.later(after_ns, Due::GetReady(actor));
    }

    /// A process introduces itself.
    pub fn introduce(&mut self, actor: ActorId) {
        let process = self.processes.get_mut(&actor).unwrap();
        process.is_introduced = true;
        let hello = process.hello.clone();
        self.say(actor, FromWorker::Hello(hello));
    }

    /// An actor gives its result, asked for or not.
    pub fn give_result(&mut self, actor: ActorId) {
        match actor {
            ActorId::Producer(producer) => {
                let result = self.producers[producer].result();
                self.say(actor, FromWorker::ProducerResult(Box::new(result)));
            }
            ActorId::Broker(_) | ActorId::Store | ActorId::Load => panic!("{actor:?} has no result"),
            ActorId::Reader(reader) => {
                let (result, errors) = self.readers[reader].result();
                if self.readers[reader].hides_member {
                    self.broke_protocol(actor);
                }
                self.erred(reader, &errors);
                self.say(actor, FromWorker::Result(Box::new(result)));
            }
        }
    }

    fn stop(&mut self, actor: ActorId) {
        match actor {
            ActorId::Reader(reader) => self.readers[reader].is_stopped = true,
            ActorId::Producer(producer) => self.producers[producer].is_stopped = true,
            ActorId::Broker(_) | ActorId::Store | ActorId::Load => panic!("{actor:?} is stopped"),
        }
        self.give_result(actor);
    }

    /// A reader made errors of which its trial may fail.
    fn erred(&mut self, reader: usize, errors: &[Error]) {
        for error in errors {
            let names = self.members_around(reader);
            let (kind, who) = match error {
                // A loss names nobody where nobody read the partition.
                Error::Loses | Error::Promises => (FailureKind::Lost, Who::SomeoneOrNobody(names)),
                Error::Doubles | Error::Foreign | Error::Beyond | Error::Miscounts => {
                    (FailureKind::Duplicated, Who::Someone(names))
                }
            };
            self.causes.add(format!("{error:?}"), &[kind], who);
            if *error == Error::Promises && !self.plan.deeds.is_empty() {
                // Of a reader that is killed only its reports are known.
                let names = Who::Someone(self.members_around(reader));
                self.causes.add("a promise", &[FailureKind::Duplicated], names);
            }
        }
    }

    /// The members of a reader join their group, or take what they were ordered to.
    pub fn join(&mut self, reader: usize) {
        let process = &mut self.readers[reader];
        if process.is_manual {
            for (member, order) in process.consumers.iter_mut().zip(&process.orders) {
                let manual = order.manual.iter();
                let positions = manual.map(|partition| (*partition, process.ranges[partition].low));
                member.assign(self.now_ns, positions.collect());
            }
            return;
        }
        let group = process.group;
        for (consumer, order) in process.orders.iter().enumerate() {
            self.cluster.groups[group].members.push(Member {
                reader,
                consumer,
                client_id: order.client_id.clone(),
                assignment: Vec::new(),
            });
        }
        self.rebalance(group);
    }

    /// A group begins to assign anew: everybody gives back, then everybody gets.
    pub fn rebalance(&mut self, group: usize) {
        let members = self.cluster.groups[group].members.clone();
        self.cluster.groups[group].generation += 1;
        if members.is_empty() {
            return;
        }
        self.cluster.groups[group].is_assigned = false;
        let generation = self.cluster.groups[group].generation;
        let mut last_ns = 0;
        for member in &members {
            let after_ns = self.chance.up_to(self.plan.delay_ns);
            last_ns = last_ns.max(after_ns);
            self.later(after_ns, Due::Revoke(member.reader, member.consumer, generation));
        }
        let settling_ns = self.chance.up_to(self.plan.settling_ns);
        self.later(last_ns + settling_ns, Due::Assign(group, generation));
    }

    /// A consumer gives back what it holds, and commits about where it is.
    pub fn revoke(&mut self, reader: usize, consumer: usize, generation: u32) {
        let group = self.readers[reader].group;
        if self.cluster.groups[group].generation != generation {
            return;
        }
        let revoked = self.readers[reader].consumers[consumer].revoke(self.now_ns);
        for (partition, position) in revoked {
            let low = self.readers[reader].ranges[&partition].low;
            let behind = i64::try_from(self.chance.up_to(3)).unwrap();
            let committed = self.cluster.groups[group].committed.entry(partition).or_insert(low);
            *committed = (*committed).max(position - behind);
        }
    }

    /// A group assigns its partitions.
    pub fn assign(&mut self, group: usize, generation: u32) {
        if self.cluster.groups[group].generation != generation {
            return;
        }
        let partitions = self.cluster.partitions();
        self.cluster.groups[group].assign(&partitions, &mut self.chance);
        for member in self.cluster.groups[group].members.clone() {
            let after_ns = self.chance.up_to(self.plan.delay_ns);
            self.later(after_ns, Due::Give(member.reader, member.consumer, generation));
        }
    }

    /// A consumer gets what its group assigned to it.
    pub fn give(&mut self, reader: usize, consumer: usize, generation: u32) {
        let group = &self.cluster.groups[self.readers[reader].group];
        if group.generation != generation {
            return;
        }
        let process = &mut self.readers[reader];
        let is_it = |member: &&Member| member.reader == reader && member.consumer == consumer;
        let assigned = group.members.iter().find(is_it).unwrap().assignment.iter();
        let position = |partition: &TopicPartition| {
            let committed = group.committed.get(partition).copied();
            (*partition, committed.unwrap_or(process.ranges[partition].low))
        };
        let positions = assigned.map(position).collect();
        process.consumers[consumer].assign(self.now_ns, positions);
    }

    /// A reader reads some records and reports how far it is.
    pub fn read(&mut self, reader: usize) {
        if self.readers[reader].is_stopped {
            return;
        }
        if !self.readers[reader].is_reading {
            self.readers[reader].is_reading = true;
            for member in &mut self.readers[reader].consumers {
                member.held_at_start = member.held.keys().copied().collect();
            }
        }
        let progress = self.readers[reader].read(self.now_ns, &self.cluster, self.plan.burst, &mut self.chance);
        self.erred(reader, &progress.errors);
        let (positions, actor) = (progress.positions, ActorId::Reader(reader));
        if !positions.is_empty() || self.chance.once_in(4) {
            self.say(actor, FromWorker::Progress { positions });
        }
        let after_ns = self.chance.between(20, 200) * MS;
        self.later(after_ns, Due::Work(actor));
    }

    /// A producer sends what is due and reports how far it is.
    pub fn produce(&mut self, producer: usize) {
        if self.producers[producer].is_stopped {
            return;
        }
        let progress = self.producers[producer].send(self.now_ns, &mut self.cluster, &mut self.chance);
        let actor = ActorId::Producer(producer);
        self.say(actor, FromWorker::ProducerProgress(progress));
        let after_ns = self.chance.between(20, 120) * MS;
        self.later(after_ns, Due::Work(actor));
    }

    /// True if all processes of a group keep a ledger.
    pub fn has_ledger(&self, group: usize) -> bool {
        let mut readers = self.readers.iter().filter(|reader| reader.group == group);
        readers.all(|reader| reader.can(Capability::Ledger))
    }
}
