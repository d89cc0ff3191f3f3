//! The world of a simulated trial: a clock, and what is due. It hears the engine's actions and has events for it; it
//! knows nothing of the engine's state.

use std::collections::{BTreeMap, BTreeSet};

use super::brokers::Brokers;
use super::causes::Causes;
use super::chance::{Chance, MS};
use super::cluster::{Cluster, Group, Log};
use super::mischief::Deafness;
use super::plan::{Plan, Records};
use super::producer::SimProducer;
use super::reader::SimReader;
use crate::measure::{BrokerRole, TopicPartition};
use crate::protocol::{Capability, FromWorker, Hello, PROTOCOL_VERSION, ToWorker, TopicTarget, WorkerResult};
use crate::testing::script::BEGIN_NS;
use crate::trial::{Action, ActorId, Event};

/// So long the world looks for a role that nobody has.
const FIND_NS: u64 = 2_000 * MS;

/// The clock of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SimClock {
    /// What it shows more than the coordinator's when the trial begins.
    ahead_ns: i64,
    /// Microseconds that it gains in each second.
    drift_ppm: i64,
}

impl SimClock {
    /// What it shows at a time of the coordinator's clock.
    pub fn shows(self, now_ns: u64) -> u64 {
        let since_ns = i128::from(now_ns) - i128::from(BEGIN_NS);
        let drift_ns = since_ns * i128::from(self.drift_ppm) / 1_000_000;
        u64::try_from(i128::from(now_ns) + i128::from(self.ahead_ns) + drift_ns).unwrap()
    }

    /// When it shows this.
    pub fn shown_at(self, shown_ns: u64) -> u64 {
        let since_ns = i128::from(shown_ns) - i128::from(self.ahead_ns) - i128::from(BEGIN_NS);
        let passed_ns = since_ns * 1_000_000 / (1_000_000 + i128::from(self.drift_ppm));
        u64::try_from(i128::from(BEGIN_NS) + passed_ns).unwrap()
    }
}

/// The presence of an actor's process.
#[derive(Debug)]
pub struct Process {
    pub hello: Hello,
    pub clock: SimClock,
    pub is_introduced: bool,
    pub is_dead: bool,
    pub frozen_until_ns: u64,
    /// What would have happened in it while it was frozen for ever.
    pub held: Vec<Due>,
    /// How often it was started before.
    pub lives: u32,
    /// When its latest message reaches the engine, and the engine's latest reaches it: messages keep their order.
    to_engine_ns: u64,
    from_engine_ns: u64,
}

/// Something that is due.
#[derive(Debug)]
pub enum Due {
    /// The engine hears of an event; of a group's description, to which question it is the answer.
    Event(Event, Option<u64>),
    Hear(ActorId, ToWorker),
    Introduce(ActorId),
    GetReady(ActorId),
    /// It reads or sends.
    Work(ActorId),
    Join(usize),
    /// A consumer of a reader gives back what it holds, unless another rebalance has begun since this generation.
    Revoke(usize, usize, u32),
    /// The cluster has noticed that a reader is gone in this life.
    Expel(usize, u32),
    /// A group assigns, unless another rebalance has begun since this generation.
    Assign(usize, u32),
    /// A consumer of a reader gets what the group assigned in this generation.
    Give(usize, usize, u32),
    AnswerGroup(usize, u64),
    AnswerEnds,
    AnswerStill(Vec<TopicTarget>),
    /// Who has a role is answered for a step of the script, until this time if nobody has it.
    AnswerFound(usize, BrokerRole, u64),
    /// A broker that was started answers.
    BrokerUp(usize),
    Mischief(usize),
}

/// What comes next for the engine.
#[derive(Debug)]
pub enum Next {
    Event(Event, Option<u64>),
    /// Nothing before the time at which the engine wants to be woken.
    Wake,
}

/// The world around the engine.
#[derive(Debug)]
pub struct World {
    pub now_ns: u64,
    pub plan: Plan,
    pub chance: Chance,
    pub cluster: Cluster,
    pub readers: Vec<SimReader>,
    pub producers: Vec<SimProducer>,
    pub processes: BTreeMap<ActorId, Process>,
    /// Readers of processes that ended and were started again.
    pub past: Vec<SimReader>,
    /// What readers reported, by the coordinator's clock.
    pub true_results: BTreeMap<ActorId, WorkerResult>,
    /// Whose processes ended although nobody planned it.
    pub murdered: BTreeSet<ActorId>,
    /// What happened that a failure may name.
    pub causes: Causes,
    /// What is due, by time, with the life of the process that it is due in.
    queue: BTreeMap<(u64, u64), (Due, u32)>,
    sequence: u64,
    /// Questions about groups so far.
    looks: u64,
}

impl World {
    /// The world of a plan, a moment before its processes run.
    pub fn new(plan: &Plan) -> Self {
        let mut chance = Chance::new(plan.seed.wrapping_add(1 << 40));
        let cluster = Cluster {
            topics: (1..=plan.partitions.len())
                .map(|topic| format!("topic-{topic}"))
                .collect(),
            logs: logs(plan, &mut chance),
            groups: vec![Group::default(); plan.groups as usize],
            deafness: Vec::new(),
            has_targets: plan.has_targets,
            brokers: Brokers::new(plan.brokers),
        };
        let processes = plan.processes as usize;
        let reader = |index: usize| {
            let (group, process) = (index / processes, index % processes);
            let name = format!("group {}, process {}", group + 1, process + 1);
            SimReader::new(
                name,
                group,
                plan.capabilities[index].clone(),
                plan.seed.is_multiple_of(2),
            )
        };
        let mut world = World {
            now_ns: BEGIN_NS,
            readers: (0..plan.readers()).map(reader).collect(),
            producers: Vec::new(),
            processes: BTreeMap::new(),
            past: Vec::new(),
            true_results: BTreeMap::new(),
            murdered: BTreeSet::new(),
            causes: Causes::default(),
            queue: BTreeMap::new(),
            sequence: 0,
            looks: 0,
            plan: plan.clone(),
            chance,
            cluster,
        };
        for index in 0..plan.producers as usize {
            let name = format!("producer {}", index + 1);
            world.producers.push(SimProducer::new(name));
        }
        world.expect_deeds();
        world.begin();
        world
    }

    fn begin(&mut self) {
        let readers = (0..self.readers.len()).map(ActorId::Reader);
        let producers = (0..self.producers.len()).map(ActorId::Producer);
        for actor in readers.chain(producers) {
            let capabilities = match actor {
                ActorId::Reader(reader) => self.readers[reader].capabilities.clone(),
                _ => Capability::ALL.to_vec(),
            };
            let clock = self.clock_of(actor);
            let process = Process {
                clock,
                hello: Hello {
                    protocol: PROTOCOL_VERSION,
                    client: "simulated".to_owned(),
                    client_version: "1".to_owned(),
                    pid: 4711,
                    capabilities,
                    host: (clock != SimClock::default()).then(|| "elsewhere".to_owned()),
                },
                is_introduced: false,
                is_dead: false,
                frozen_until_ns: 0,
                held: Vec::new(),
                lives: 0,
                to_engine_ns: 0,
                from_engine_ns: 0,
            };
            self.processes.insert(actor, process);
            let start_ns = self.chance.between(20, 500) * MS;
            if self.starts_late(actor) {
                self.process(actor).is_dead = true;
            } else {
                self.later(start_ns, Due::Introduce(actor));
            }
        }
        for index in 0..self.plan.mischiefs.len() {
            self.later(self.plan.mischiefs[index].after_ns, Due::Mischief(index));
        }
    }

    /// The process of an actor.
    pub fn process(&mut self, actor: ActorId) -> &mut Process {
        self.processes.get_mut(&actor).unwrap()
    }

    fn clock_of(&self, actor: ActorId) -> SimClock {
        match actor {
            ActorId::Reader(index) | ActorId::Producer(index) if index % 2 == 1 => SimClock {
                ahead_ns: self.plan.ahead_ns,
                drift_ppm: self.plan.drift_ppm,
            },
            _ => SimClock::default(),
        }
    }

    /// Its name for people.
    pub fn name(&self, actor: ActorId) -> String {
        match actor {
            ActorId::Reader(reader) => self.readers[reader].name.clone(),
            ActorId::Producer(producer) => self.producers[producer].name.clone(),
            ActorId::Broker(broker) => format!("broker {}", broker + 1),
            ActorId::Store => "the store".to_owned(),
            ActorId::Load => "the load".to_owned(),
        }
    }

    /// Makes something due after so long.
    pub fn later(&mut self, after_ns: u64, due: Due) {
        self.at(self.now_ns.saturating_add(after_ns), due);
    }

    fn at(&mut self, at_ns: u64, due: Due) {
        self.sequence += 1;
        let process = actor_of(&due).and_then(|actor| self.processes.get(&actor));
        let life = process.map_or(0, |process| process.lives);
        self.queue.insert((at_ns, self.sequence), (due, life));
    }

    /// How long a message takes.
    fn delay(&mut self) -> u64 {
        self.chance.up_to(self.plan.delay_ns)
    }

    /// An actor's process says or does something of which the engine hears, after what it said before.
    pub fn tell(&mut self, actor: ActorId, event: Event) {
        let arrival_ns = self.now_ns + self.delay();
        let process = self.processes.get_mut(&actor).unwrap();
        process.to_engine_ns = process.to_engine_ns.max(arrival_ns);
        let arrival_ns = process.to_engine_ns;
        self.at(arrival_ns, Due::Event(event, None));
    }

    /// An actor sends a message, with the times of its clock.
    pub fn say(&mut self, actor: ActorId, mut message: FromWorker) {
        let clock = self.processes[&actor].clock;
        if let FromWorker::Result(result) = &message {
            self.true_results.insert(actor, (**result).clone());
        }
        for ns in message.times_mut() {
            *ns = clock.shows(*ns);
        }
        self.tell(actor, Event::Message(actor, message));
    }

    /// The engine does something.
    pub fn perform(&mut self, action: Action) {
        let delay_ns = self.delay();
        match action {
            Action::Send(actor, message) => {
                let process = self.processes.get_mut(&actor).unwrap();
                process.from_engine_ns = process.from_engine_ns.max(self.now_ns + delay_ns);
                let arrival_ns = process.from_engine_ns;
                self.at(arrival_ns, Due::Hear(actor, message));
            }
            Action::Act(actor, act) => self.act(actor, act),
            Action::Find(step, role) => {
                let until_ns = self.now_ns + FIND_NS;
                self.later(delay_ns, Due::AnswerFound(step, role, until_ns));
            }
            Action::Describe(group) => {
                self.looks += 1;
                self.later(delay_ns, Due::AnswerGroup(group, self.looks));
            }
            Action::AskEnds => self.later(delay_ns, Due::AnswerEnds),
            Action::AskStill(targets) => self.later(delay_ns, Due::AnswerStill(targets)),
            Action::Started(_) | Action::Ended => {}
        }
    }

    /// The number of the latest question about a group.
    pub fn looks(&self) -> u64 {
        self.looks
    }

    /// Goes on to what the engine hears next, but not beyond the time at which it wants to be woken.
    pub fn next(&mut self, wake_ns: u64) -> Next {
        loop {
            let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= wake_ns) else {
                self.now_ns = self.now_ns.max(wake_ns);
                return Next::Wake;
            };
            let ((at_ns, _), (due, life)) = entry.remove_entry();
            self.now_ns = self.now_ns.max(at_ns);
            match due {
                Due::Event(event, look) => return Next::Event(event, look),
                due => self.happen(due, life),
            }
        }
    }

    fn happen(&mut self, due: Due, life: u32) {
        if let Some(actor) = actor_of(&due) {
            let process = self.processes.get_mut(&actor).unwrap();
            if process.is_dead || process.lives != life {
                return;
            }
            if process.frozen_until_ns == u64::MAX {
                process.held.push(due);
                return;
            }
            if process.frozen_until_ns > self.now_ns {
                let until_ns = process.frozen_until_ns;
                self.at(until_ns, due);
                return;
            }
        }
        match due {
            Due::Hear(actor, message) => self.hear(actor, message),
            Due::Introduce(actor) => self.introduce(actor),
            Due::GetReady(actor) => self.say(actor, FromWorker::Ready),
            Due::Work(ActorId::Reader(reader)) => self.read(reader),
            Due::Work(ActorId::Producer(producer)) => self.produce(producer),
            Due::Join(reader) => self.join(reader),
            Due::Revoke(reader, consumer, generation) => self.revoke(reader, consumer, generation),
            Due::Work(_) | Due::Event(..) => {}
            Due::Expel(reader, life) => {
                if self.processes[&ActorId::Reader(reader)].lives == life {
                    self.expel(reader);
                }
            }
            Due::Assign(group, generation) => self.assign(group, generation),
            Due::Give(reader, consumer, generation) => self.give(reader, consumer, generation),
            Due::AnswerGroup(group, look) => self.answer_group(group, look),
            Due::AnswerEnds => self.answer_ends(),
            Due::AnswerStill(targets) => self.answer_still(targets),
            Due::AnswerFound(step, role, until_ns) => self.answer_found(step, role, until_ns),
            Due::BrokerUp(broker) => self.cluster.brokers.comes(broker),
            Due::Mischief(index) => self.mischief(index),
        }
    }

    fn answer_group(&mut self, group: usize, look: u64) {
        if self.cluster.is_deaf(Deafness::GroupLost, self.now_ns) {
            return;
        }
        let description = if self.cluster.is_deaf(Deafness::GroupErrors, self.now_ns) {
            Err("the coordinator of the group is not available".to_owned())
        } else {
            let readers = &self.readers;
            let held = |member: &super::cluster::Member| -> Vec<TopicPartition> {
                let consumer = readers[member.reader].consumers.get(member.consumer);
                consumer
                    .map(|consumer| consumer.held.keys().copied().collect())
                    .unwrap_or_default()
            };
            Ok(self.cluster.describe(group, self.now_ns, held))
        };
        let delay_ns = self.delay();
        self.later(delay_ns, Due::Event(Event::Group(group, description), Some(look)));
    }

    fn answer_ends(&mut self) {
        if self.cluster.is_deaf(Deafness::EndsLost, self.now_ns) {
            return;
        }
        let is_deaf = self.cluster.is_deaf(Deafness::EndsErrors, self.now_ns);
        let ends = if is_deaf || !self.cluster.are_led(self.now_ns) {
            Err("no answer".to_owned())
        } else {
            Ok(self.cluster.ends(self.now_ns))
        };
        let delay_ns = self.delay();
        self.later(delay_ns, Due::Event(Event::Ends(ends), None));
    }

    fn answer_found(&mut self, step: usize, role: BrokerRole, until_ns: u64) {
        let found = match self.cluster.brokers.holder(number_of(role), self.now_ns) {
            Some(broker) => Ok(u32::try_from(broker + 1).unwrap()),
            None if self.now_ns < until_ns => {
                self.later(50 * MS, Due::AnswerFound(step, role, until_ns));
                return;
            }
            None => Err("nobody has that role".to_owned()),
        };
        let delay_ns = self.delay();
        self.later(delay_ns, Due::Event(Event::Found(step, found), None));
    }

    fn answer_still(&mut self, targets: Vec<TopicTarget>) {
        let is_deaf = self.cluster.is_deaf(Deafness::StillErrors, self.now_ns);
        let still = if is_deaf || !self.cluster.are_led(self.now_ns) {
            Err("no answer".to_owned())
        } else {
            Ok(self.cluster.delivered_of(&targets, true))
        };
        let delay_ns = self.delay();
        self.later(delay_ns, Due::Event(Event::Still(targets, still), None));
    }
}

/// The number of a role.
fn number_of(role: BrokerRole) -> usize {
    match role {
        BrokerRole::LeaderOf(partition) => Cluster::role_of(partition),
        BrokerRole::Controller => 0,
        BrokerRole::CoordinatorOf(group) => group as usize,
    }
}

/// Whose process something is due in.
fn actor_of(due: &Due) -> Option<ActorId> {
    match due {
        Due::Hear(actor, _) | Due::Introduce(actor) | Due::GetReady(actor) | Due::Work(actor) => Some(*actor),
        Due::Join(reader) | Due::Revoke(reader, ..) | Due::Give(reader, ..) => Some(ActorId::Reader(*reader)),
        Due::Event(..)
        | Due::Expel(..)
        | Due::Assign(..)
        | Due::AnswerGroup(..)
        | Due::AnswerEnds
        | Due::AnswerStill(_)
        | Due::AnswerFound(..)
        | Due::BrokerUp(_)
        | Due::Mischief(_) => None,
    }
}

/// What lies in the partitions: existing topics have gaps, and a record at their end.
fn logs(plan: &Plan, chance: &mut Chance) -> Vec<Vec<Log>> {
    let mut log = |count: &u64| {
        let all = 0..i64::try_from(*count).unwrap();
        let last = all.end - 1;
        let has_gaps = plan.records == Records::Existing;
        let offsets = all.filter(|offset| *offset == last || !(has_gaps && chance.once_in(4)));
        let mut log = Log::filled(offsets.collect());
        if has_gaps {
            log.remove(plan.removed);
        }
        log
    };
    let topics = plan.partitions.iter();
    topics
        .map(|partitions| partitions.iter().map(&mut log).collect())
        .collect()
}
