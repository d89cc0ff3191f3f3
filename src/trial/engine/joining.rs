//! Joining: asks every worker and the cluster what the members hold, until the barrier is passed.

use super::super::barrier::{self, MemberView, Obstacle, Recognised};
use super::{Action, LOOK_INTERVAL, Phase, TrialMachine, after};
use crate::measure::Failure;
use crate::measure::GroupDescription;
use crate::protocol::{Capability, MemberAssignment, ToWorker};
use crate::trial::cast::{Actor, ActorId, AnyActor, Held, Reader, ReaderStage};
use crate::trial::happening::Happening;

/// What the readers hold once the barrier is passed.
pub(super) struct Joined {
    pub(super) held: Vec<Held>,
    /// Groups whose members cannot be distinguished.
    pub(super) nameless: Vec<usize>,
}

impl TrialMachine {
    /// Asks every worker that answers, and the cluster, what the members hold now.
    pub(super) fn look(&mut self, now_ns: u64) -> Vec<Action> {
        self.look_ns = now_ns;
        self.next_look_ns = None;
        self.query += 1;
        let mut actions = Vec::new();
        if !self.terms.manual {
            for group in 0..self.descriptions.len() {
                self.descriptions[group] = None;
                self.unanswered[group] += 1;
                actions.push(Action::Describe(group));
            }
        }
        let readers = self.cast.reader_ids().zip(&mut self.cast.readers);
        for (actor, reader) in readers.filter(|(_, reader)| reader.is_present()) {
            reader.enter(ReaderStage::Joining(None));
            if reader.can(Capability::Assignment) {
                actions.push(Action::Send(actor, ToWorker::QueryAssignments { query: self.query }));
            }
        }
        actions
    }

    pub(super) fn on_assignments(
        &mut self,
        now_ns: u64,
        reader: usize,
        query: u64,
        members: Vec<MemberAssignment>,
    ) -> Result<Vec<Action>, Failure> {
        if self.phase != Phase::Joining || query != self.query {
            return Ok(Vec::new());
        }
        if members.len() != self.role(reader).prepare.consumers.len() {
            let message = format!("its assignments are of {} members", members.len());
            return self.broke_protocol(ActorId::Reader(reader), message);
        }
        self.cast.readers[reader].enter(ReaderStage::Joining(Some(members)));
        Ok(self.judge_look(now_ns))
    }

    pub(super) fn on_group(
        &mut self,
        now_ns: u64,
        group: usize,
        description: Result<GroupDescription, String>,
    ) -> Vec<Action> {
        self.unanswered[group] = self.unanswered[group].saturating_sub(1);
        // An answer to an earlier look says nothing of this one.
        if self.phase != Phase::Joining || self.unanswered[group] > 0 {
            return Vec::new();
        }
        match description {
            Ok(description) => {
                self.descriptions[group] = Some(description);
                self.judge_look(now_ns)
            }
            Err(cause) => {
                // A group's coordinator may still be on its way; the join limit ends the patience.
                self.wait(now_ns, Obstacle::Unsettled(cause));
                Vec::new()
            }
        }
    }

    /// Who has not answered the present look yet.
    pub(super) fn silence(&self) -> Option<Obstacle> {
        let silent = |reader: &Actor<Reader>| {
            reader.is_present() && reader.can(Capability::Assignment) && reader.assignments().is_none()
        };
        if let Some(reader) = self.cast.readers.iter().find(|reader| silent(reader)) {
            let (who, message) = (reader.name(), "it does not answer what its members hold".to_owned());
            return Some(Obstacle::Member { who, message });
        }
        let group = self
            .descriptions
            .iter()
            .position(Option::is_none)
            .filter(|_| !self.terms.manual)?;
        let message = format!("the cluster does not answer about group {}", self.terms.groups[group]);
        Some(Obstacle::Unsettled(message))
    }

    /// Once every answer of this look is here: passes the barrier or looks again soon.
    fn judge_look(&mut self, now_ns: u64) -> Vec<Action> {
        if self.silence().is_some() {
            return Vec::new();
        }
        match self.check_groups() {
            Ok(joined) => self.begin_reading(now_ns, joined),
            Err(obstacle) => {
                self.wait(now_ns, obstacle);
                Vec::new()
            }
        }
    }

    /// Looks again soon. A reason that lasts is logged once.
    fn wait(&mut self, now_ns: u64, obstacle: Obstacle) {
        if self.log.latest(Happening::try_as_waits_ref) != Some(&obstacle) {
            self.log.push(now_ns, None, Happening::Waits(obstacle));
        }
        self.next_look_ns = Some(after(now_ns, LOOK_INTERVAL));
    }

    /// What every reader holds, once all groups are settled.
    fn check_groups(&self) -> Result<Joined, Obstacle> {
        self.programs_ready()?;
        let topics: Vec<String> = self.terms.topics.iter().map(|topic| topic.name.clone()).collect();
        let (partitions, ownership) = (self.terms.partitions(), self.course.ownership());
        let mut held = vec![Vec::new(); self.cast.readers.len()];
        let mut nameless = Vec::new();
        let recognised = if self.cast.is_observed() {
            Recognised::ByNumber
        } else {
            Recognised::ByName
        };
        for group in 0..self.terms.groups.len() {
            let members = self.cast.members_of(group);
            let names: Vec<String> = members
                .iter()
                .map(|&(reader, consumer)| self.role(reader).member_name(consumer))
                .collect();
            let views: Vec<MemberView<'_>> = members
                .iter()
                .zip(&names)
                .map(|(&(reader, consumer), name)| self.view(reader, consumer, name))
                .collect();
            let checked = barrier::check(
                &views,
                self.descriptions[group].as_ref(),
                &topics,
                &partitions,
                (ownership, recognised),
            )?;
            nameless.extend((!checked.by_name).then_some(group));
            for ((reader, _), partitions) in members.into_iter().zip(checked.held) {
                held[reader].push(partitions);
            }
        }
        Ok(Joined { held, nameless })
    }

    /// Programs that say when they are ready have said it.
    fn programs_ready(&self) -> Result<(), Obstacle> {
        let is_late = |reader: &usize| {
            let program = self.role(*reader).prepare.program.as_ref();
            let says_so = program.is_some_and(|program| program.ready.is_some());
            says_so
                && self.cast.readers[*reader].is_present()
                && self
                    .log
                    .at_ns(ActorId::Reader(*reader), Happening::is_program_ready)
                    .is_none()
        };
        match (0..self.cast.readers.len()).find(is_late) {
            Some(reader) => Err(Obstacle::Member {
                who: self.cast.readers[reader].name(),
                message: "the program has printed no line that matches `ready`".to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn view<'a>(&'a self, reader: usize, consumer: usize, name: &'a str) -> MemberView<'a> {
        let assignments = self.cast.readers[reader].assignments();
        MemberView {
            client_id: &self.role(reader).prepare.consumers[consumer].client_id,
            name,
            own: assignments.map(|members| members[consumer].partitions.as_slice()),
        }
    }
}
