//! How a simulated world carries out the acts of a script: processes end, stand still and are started again, and their
//! groups assign anew.

use super::causes::Who;
use super::chance::MS;
use super::deed::Planned;
use super::reader::SimReader;
use super::world::{Due, World};
use crate::measure::{Act, FailureKind};
use crate::trial::{ActorId, Event, StepTarget};

/// After so long the cluster notices that a member is gone.
const SESSION_NS: u64 = 500 * MS;

impl World {
    /// Notes what may come of a script: it may not be carried out to its end, and who reads may change.
    pub fn expect_deeds(&mut self) {
        for deed in self.plan.deeds.clone() {
            let brokers = 0..self.plan.brokers as usize;
            let names = match deed.target {
                StepTarget::Actor(actor) => vec![self.name(actor)],
                StepTarget::Role(role) => {
                    let brokers = brokers.map(|broker| self.name(ActorId::Broker(broker)));
                    brokers.chain([role.to_string()]).collect()
                }
                StepTarget::AsBefore => Vec::new(),
            };
            self.causes
                .add("a script", &[FailureKind::NotAsPlanned], Who::Someone(names));
            if let StepTarget::Actor(ActorId::Reader(reader)) = deed.target {
                let group = format!("group {}", self.readers[reader].group + 1);
                self.causes.add("a planned rebalance", &[], Who::Someone(vec![group]));
            }
        }
        self.expect_no_broker();
    }

    /// Nothing can be read or sent to its end where every broker may be away for good.
    fn expect_no_broker(&mut self) {
        let for_good = self
            .plan
            .deeds
            .iter()
            .filter(|deed| deed.is_on_broker() && matches!(deed.what, Planned::Kill | Planned::Leave));
        if for_good.count() >= self.plan.brokers.max(1) as usize {
            let readers = self.readers.iter().map(|reader| reader.name.clone());
            let producers = self.producers.iter().map(|producer| producer.name.clone());
            let who = Who::SomeoneOrNobody(readers.chain(producers).collect());
            self.causes
                .add("no broker", &[FailureKind::Stall, FailureKind::Timeout], who);
        }
    }

    /// True if it is planned to start later.
    pub fn starts_late(&self, actor: ActorId) -> bool {
        let mut deeds = self.plan.deeds.iter();
        deeds.any(|deed| deed.is_on(actor) && deed.what == Planned::StartLate)
    }

    /// Does this to an actor, at once.
    pub fn act(&mut self, actor: ActorId, act: Act) {
        match actor {
            ActorId::Broker(broker) => self.act_on_broker(broker, act),
            // Nothing here writes to the store, and the producers' schedule has the load's rates.
            ActorId::Store | ActorId::Load => {}
            ActorId::Reader(_) | ActorId::Producer(_) => self.act_on_process(actor, act),
        }
        let event = Event::Acted(actor, act, Ok(self.now_ns));
        self.later(0, Due::Event(event, None));
    }

    fn act_on_broker(&mut self, broker: usize, act: Act) {
        match act {
            Act::Leave | Act::Kill | Act::Pause => self.cluster.brokers.goes(broker, self.now_ns),
            Act::Resume => self.cluster.brokers.comes(broker),
            Act::Start => {
                let after_ns = self.chance.between(20, 300) * MS;
                self.later(after_ns, Due::BrokerUp(broker));
            }
            Act::SetRate(_) => panic!("a broker has no rate"),
        }
    }

    fn act_on_process(&mut self, actor: ActorId, act: Act) {
        match act {
            Act::Start => self.start_again(actor),
            Act::Leave => {
                if let ActorId::Reader(reader) = actor {
                    self.leave(reader);
                }
                self.end(actor, "it ended");
            }
            Act::Kill => {
                if let ActorId::Reader(reader) = actor {
                    let life = self.processes[&actor].lives;
                    self.later(SESSION_NS, Due::Expel(reader, life));
                }
                self.end(actor, "it was killed (signal 9)");
            }
            Act::Pause => self.process(actor).frozen_until_ns = u64::MAX,
            Act::Resume => {
                self.process(actor).frozen_until_ns = self.now_ns;
                for due in std::mem::take(&mut self.process(actor).held) {
                    self.later(0, due);
                }
            }
            Act::SetRate(_) => panic!("{actor:?} has no rate"),
        }
    }

    fn end(&mut self, actor: ActorId, how: &str) {
        self.process(actor).is_dead = true;
        self.tell(actor, Event::Died(actor, how.to_owned()));
    }

    fn start_again(&mut self, actor: ActorId) {
        let ActorId::Reader(reader) = actor else {
            panic!("{actor:?} is started in the middle of a trial");
        };
        self.expel(reader);
        let before = &self.readers[reader];
        let (name, group, ends) = (before.name.clone(), before.group, before.reports_ends);
        let next = SimReader::new(name, group, before.capabilities.clone(), ends);
        self.past.push(std::mem::replace(&mut self.readers[reader], next));
        let process = self.process(actor);
        process.lives += 1;
        process.is_dead = false;
        process.is_introduced = false;
        process.frozen_until_ns = 0;
        process.held.clear();
        let after_ns = self.chance.between(20, 300) * MS;
        self.later(after_ns, Due::Introduce(actor));
    }

    /// The members of a reader commit where they are and leave their group.
    fn leave(&mut self, reader: usize) {
        let group = self.readers[reader].group;
        for member in &self.readers[reader].consumers {
            for (partition, position) in &member.held {
                let committed = self.cluster.groups[group]
                    .committed
                    .entry(*partition)
                    .or_insert(*position);
                *committed = (*committed).max(*position);
            }
        }
        self.expel(reader);
    }

    /// The members of a reader are no longer in their group.
    pub fn expel(&mut self, reader: usize) {
        let group = self.readers[reader].group;
        let members = &mut self.cluster.groups[group].members;
        let before = members.len();
        members.retain(|member| member.reader != reader);
        if members.len() < before {
            self.rebalance(group);
        }
    }
}
