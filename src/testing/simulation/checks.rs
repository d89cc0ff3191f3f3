//! What must hold at every event of a trial. It observes what the world says and what the engine does, and knows nothing
//! of the engine's own state but the phase.

use std::collections::{BTreeMap, BTreeSet};

use super::engine::Facts;
use crate::measure::{Act, GroupDescription, TopicPartition};
use crate::protocol::{FromWorker, ToWorker, entry_of, partitions_of};
use crate::trial::{Action, ActorId, Event, Phase};

/// More events than any simulated trial has.
const EVENTS_MAX: u64 = 200_000;

/// Observes one trial.
#[derive(Debug)]
pub struct Checker {
    facts: Facts,
    phase: Phase,
    now_ns: u64,
    events: u64,
    /// The common start is over.
    is_reading: bool,
    started: BTreeSet<ActorId>,
    stopped: BTreeSet<ActorId>,
    /// Their processes ended, and the engine heard of it.
    pub gone: BTreeSet<ActorId>,
    query: u64,
    /// What each consumer of a reader holds by its answer to the latest query.
    words: BTreeMap<usize, Vec<Vec<TopicPartition>>>,
    /// Readers that were asked.
    asked: BTreeSet<usize>,
    /// The latest question about each group, and the answer to it.
    looks: BTreeMap<usize, (u64, Option<GroupDescription>)>,
    /// Positions as reported, by group.
    reached: Vec<BTreeMap<TopicPartition, i64>>,
    /// Partitions of which the cluster delivers nothing more that is unread.
    exhausted: BTreeSet<TopicPartition>,
    producers_done: BTreeSet<usize>,
    latest_ends: Option<Vec<Vec<i64>>>,
    /// When the load was over, and where the partitions ended then.
    pub load_over: Option<(u64, Vec<Vec<i64>>)>,
    has_ended: bool,
}

impl Checker {
    pub fn new(facts: Facts, now_ns: u64) -> Self {
        Checker {
            reached: vec![BTreeMap::new(); facts.groups],
            facts,
            phase: Phase::Starting,
            now_ns,
            events: 0,
            is_reading: false,
            started: BTreeSet::new(),
            stopped: BTreeSet::new(),
            gone: BTreeSet::new(),
            query: 0,
            words: BTreeMap::new(),
            asked: BTreeSet::new(),
            looks: BTreeMap::new(),
            exhausted: BTreeSet::new(),
            producers_done: BTreeSet::new(),
            latest_ends: None,
            load_over: None,
            has_ended: false,
        }
    }

    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    fn group_of(&self, reader: usize) -> usize {
        reader * self.facts.groups / self.facts.client_ids.len()
    }

    /// An event happens, of which the engine hears next; `look` is the question about a group that it answers.
    pub fn event(&mut self, event: &Event, look: Option<u64>) {
        match event {
            Event::Message(ActorId::Reader(reader), FromWorker::Assignments { query, members }) => {
                if *query == self.query {
                    let members = members.iter().map(|member| member.partitions.clone());
                    self.words.insert(*reader, members.collect());
                }
            }
            Event::Message(ActorId::Reader(reader), FromWorker::Progress { positions }) => {
                let group = self.group_of(*reader);
                for position in positions {
                    let reached = self.reached[group]
                        .entry(position.topic_partition())
                        .or_insert(i64::MIN);
                    *reached = (*reached).max(position.offset);
                }
            }
            Event::Message(ActorId::Producer(producer), FromWorker::ProducerResult(_)) => {
                self.producers_done.insert(*producer);
            }
            Event::Died(actor, _) => {
                self.gone.insert(*actor);
            }
            Event::Group(group, Ok(description)) => {
                let known = self.looks.get_mut(group).filter(|(latest, _)| Some(*latest) == look);
                if let Some((_, answer)) = known {
                    *answer = Some(description.clone());
                }
            }
            Event::Ends(Ok(ends)) => self.latest_ends = Some(ends.clone()),
            Event::Still(targets, Ok(still)) => {
                for (partition, asked) in partitions_of(targets) {
                    let end = self.facts.ranges[&partition].end;
                    let offsets = still.of(partition.topic, partition.partition);
                    if !asked.is_empty() && offsets.is_some_and(|offsets| offsets.is_gap(asked.low, end)) {
                        self.exhausted.insert(partition);
                    }
                }
            }
            Event::Message(..)
            | Event::Acted(..)
            | Event::Found(..)
            | Event::Garbage(..)
            | Event::Group(..)
            | Event::Ends(_)
            | Event::Still(..)
            | Event::Tick => {}
        }
    }

    /// The engine took an event in and did this; the error is what must not be.
    pub fn actions(&mut self, now_ns: u64, phase: Phase, actions: &[Action]) -> Result<(), String> {
        self.events += 1;
        let (before, was_over) = (self.phase, self.phase == Phase::Over);
        if now_ns < self.now_ns || rank(phase) < rank(before) {
            return Err(format!("it went back from {before:?} to {phase:?}"));
        }
        self.now_ns = now_ns;
        self.phase = phase;
        if now_ns > self.facts.last_ns || self.events > EVENTS_MAX {
            return Err(format!(
                "it is still {phase:?} after every limit, {} events",
                self.events
            ));
        }
        if was_over && !actions.is_empty() {
            return Err(format!("it acts after its end: {actions:?}"));
        }
        if rank(before) <= rank(Phase::Reading) && rank(phase) > rank(Phase::Reading) && phase != Phase::Over {
            self.end_load(now_ns)?;
        }
        for action in actions {
            self.action(action)?;
        }
        self.is_reading |= phase == Phase::Reading;
        Ok(())
    }

    /// The load, where there is one, is over.
    fn end_load(&mut self, now_ns: u64) -> Result<(), String> {
        if self.load_over.is_some() || self.latest_ends.is_none() {
            return Ok(());
        }
        let producers = self
            .started
            .iter()
            .filter(|actor| matches!(actor, ActorId::Producer(_)))
            .count();
        if self.producers_done.len() < producers {
            return Err("the load is over before all producers gave their results".to_owned());
        }
        self.load_over = self.latest_ends.clone().map(|ends| (now_ns, ends));
        Ok(())
    }

    fn action(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Send(actor, message) => {
                if self.gone.contains(actor) {
                    return Err(format!("{actor:?} is gone and is sent {message:?}"));
                }
                self.message(*actor, message)
            }
            Action::Act(actor, Act::Start) => {
                self.gone.remove(actor);
                self.started.remove(actor);
                self.stopped.remove(actor);
                Ok(())
            }
            Action::Act(actor, act) if self.gone.contains(actor) => {
                Err(format!("{actor:?} is gone, and {act:?} is done to it"))
            }
            Action::Ended => self.end(),
            Action::Act(..)
            | Action::Find(..)
            | Action::Describe(_)
            | Action::AskEnds
            | Action::AskStill(_)
            | Action::Started(_) => Ok(()),
        }
    }

    /// The engine asked the cluster about a group.
    pub fn asked(&mut self, group: usize, look: u64) {
        self.looks.insert(group, (look, None));
    }

    fn message(&mut self, actor: ActorId, message: &ToWorker) -> Result<(), String> {
        match (actor, message) {
            (ActorId::Reader(reader), ToWorker::QueryAssignments { query }) => {
                if *query != self.query {
                    (self.query, self.words, self.asked) = (*query, BTreeMap::new(), BTreeSet::new());
                }
                self.asked.insert(reader);
            }
            (actor, ToWorker::Start { .. }) => {
                if !self.started.insert(actor) {
                    return Err(format!("{actor:?} is started twice"));
                }
                // Who was started in the middle of the trial joins while others read.
                if !self.is_reading {
                    self.one_owner_each()?;
                }
            }
            (actor, ToWorker::Stop) => {
                if !self.started.contains(&actor) || !self.stopped.insert(actor) {
                    return Err(format!("{actor:?} is stopped twice, or without having been started"));
                }
            }
            (_, _) => {}
        }
        Ok(())
    }

    /// Every partition has exactly one owner in each group by the cluster's last answer, and by the members' own last words
    /// where all of them can say.
    fn one_owner_each(&self) -> Result<(), String> {
        for group in 0..self.facts.groups {
            let readers = (0..self.facts.client_ids.len()).filter(|reader| self.group_of(*reader) == group);
            let mut own: BTreeMap<TopicPartition, usize> = BTreeMap::new();
            let mut all_can_say = true;
            for reader in readers {
                let Some(words) = self.words.get(&reader) else {
                    if self.asked.contains(&reader) {
                        return Err(format!("reader {reader} has not said what it holds"));
                    }
                    all_can_say = false;
                    continue;
                };
                for partition in words.iter().flatten() {
                    *own.entry(*partition).or_default() += 1;
                }
            }
            self.owned_once(group, "the members", &own, all_can_say)?;
            if self.facts.is_manual {
                continue;
            }
            let Some((_, Some(description))) = self.looks.get(&group) else {
                return Err(format!(
                    "the cluster has not answered the last question about group {group}"
                ));
            };
            let mut by_cluster: BTreeMap<TopicPartition, usize> = BTreeMap::new();
            for (topic, partition) in description.members.iter().flat_map(|member| &member.assignment) {
                let topic = self.facts.topics.iter().position(|name| name == topic);
                let topic = u32::try_from(topic.ok_or("a topic of somebody else")?).unwrap();
                let partition = *partition;
                *by_cluster.entry(TopicPartition { topic, partition }).or_default() += 1;
            }
            self.owned_once(group, "the cluster", &by_cluster, true)?;
        }
        Ok(())
    }

    fn owned_once(
        &self,
        group: usize,
        by: &str,
        owners: &BTreeMap<TopicPartition, usize>,
        must_all_be_owned: bool,
    ) -> Result<(), String> {
        for partition in self.facts.ranges.keys() {
            let count = owners.get(partition).copied().unwrap_or(0);
            if count > 1 || (count == 0 && must_all_be_owned) {
                return Err(format!(
                    "it starts while {partition:?} has {count} owners in group {group} by {by}"
                ));
            }
        }
        Ok(())
    }

    /// Reading ends: every partition's end was reported, or what is left has run out of time.
    fn end(&mut self) -> Result<(), String> {
        if std::mem::replace(&mut self.has_ended, true) {
            return Err("reading ends twice".to_owned());
        }
        if let Some((over_ns, _)) = self.load_over
            && self.now_ns >= over_ns.saturating_add(self.facts.drain_ns)
        {
            return Ok(());
        }
        for (partition, range) in &self.facts.ranges {
            let end = match &self.load_over {
                Some((_, ends)) => entry_of(ends, *partition).copied().unwrap_or(0),
                None => range.end,
            };
            for (group, reached) in self.reached.iter().enumerate() {
                let position = reached.get(partition).copied().unwrap_or(range.low);
                if position < end && !self.exhausted.contains(partition) {
                    return Err(format!(
                        "reading ends while group {group} is at {position} of {end} in {partition:?}"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The order of the phases.
fn rank(phase: Phase) -> u8 {
    match phase {
        Phase::Starting => 0,
        Phase::Joining => 1,
        Phase::Reading => 2,
        Phase::Draining => 3,
        Phase::Collecting => 4,
        Phase::Over => 5,
    }
}
