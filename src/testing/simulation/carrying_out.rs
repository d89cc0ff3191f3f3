//! How a simulated world carries out the acts of a script: processes end, stand still and are started again, and their
//! groups assign anew.

use super::causes::Who;
use super::chance::MS;
use super::deed::Planned;
use super::reader::SimReader;
use super::world::{Due, World};
use crate::measure::{Act, FailureKind};
use crate::trial::{ActorId, Event};

/// After so long the cluster notices that a member is gone.
const SESSION_NS: u64 = 500 * MS;

impl World {
    /// Notes what may come of a script: it may not be carried out to its end, and who reads may change.
    pub fn expect_deeds(&mut self) {
        for deed in self.plan.deeds.clone() {
            let name = self.name(deed.actor);
            self.causes
                .add("a script", &[FailureKind::NotAsPlanned], Who::Someone(vec![name]));
            if let ActorId::Reader(reader) = deed.actor {
                let group = format!("group {}", self.readers[reader].group + 1);
                self.causes.add("a planned rebalance", &[], Who::Someone(vec![group]));
            }
        }
    }

    /// True if it is planned to start later.
    pub fn starts_late(&self, actor: ActorId) -> bool {
        let mut deeds = self.plan.deeds.iter();
        deeds.any(|deed| deed.actor == actor && deed.what == Planned::StartLate)
    }

    /// Does this to an actor, at once.
    pub fn act(&mut self, actor: ActorId, act: Act) {
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
        }
        let event = Event::Acted(actor, act, Ok(self.now_ns));
        self.later(0, Due::Event(event, None));
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
