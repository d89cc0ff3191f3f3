//! Joining: asks every worker and the cluster what the members hold, until the barrier is passed.

use super::super::barrier::{self, MemberView, Obstacle};
use super::{Action, LOOK_INTERVAL, Phase, TrialMachine, WorkerState, after};
use crate::kafka::GroupDescription;
use crate::measure::{Failure, TopicPartition};
use crate::protocol::{Capability, MemberAssignment, ToWorker};

impl TrialMachine {
    /// Asks every worker that can tell, and the cluster, what the members hold now.
    pub(super) fn look(&mut self) -> Vec<Action> {
        self.next_look_ns = None;
        self.query += 1;
        let mut actions = Vec::new();
        if !self.spec.manual {
            for group in 0..self.descriptions.len() {
                self.descriptions[group] = None;
                self.unanswered[group] += 1;
                actions.push(Action::Describe(group));
            }
        }
        for worker in 0..self.workers.len() {
            self.workers[worker].assignments = None;
            if self.workers[worker].can(Capability::Assignment) {
                actions.push(Action::Send(worker, ToWorker::QueryAssignments { query: self.query }));
            }
        }
        actions
    }

    pub(super) fn on_assignments(
        &mut self,
        now_ns: u64,
        worker: usize,
        query: u64,
        members: Vec<MemberAssignment>,
    ) -> Result<Vec<Action>, Failure> {
        if self.phase != Phase::Joining || query != self.query {
            return Ok(Vec::new());
        }
        if members.len() != self.spec.workers[worker].prepare.consumers.len() {
            return self.broke_protocol(worker, format!("its assignments are of {} members", members.len()));
        }
        self.workers[worker].assignments = Some(members);
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
                self.obstacle = Some(Obstacle::Unsettled(cause));
                self.next_look_ns = Some(after(now_ns, LOOK_INTERVAL));
                Vec::new()
            }
        }
    }

    /// Once every answer of this look is here: passes the barrier or looks again soon.
    fn judge_look(&mut self, now_ns: u64) -> Vec<Action> {
        let unanswered = |worker: &WorkerState| worker.can(Capability::Assignment) && worker.assignments.is_none();
        let undescribed = !self.spec.manual && self.descriptions.iter().any(Option::is_none);
        if undescribed || self.workers.iter().any(unanswered) {
            return Vec::new();
        }
        match self.check_groups() {
            Ok(held) => {
                for (worker, held) in self.workers.iter_mut().zip(held) {
                    worker.held = held;
                }
                self.begin_reading(now_ns)
            }
            Err(obstacle) => {
                self.obstacle = Some(obstacle);
                self.next_look_ns = Some(after(now_ns, LOOK_INTERVAL));
                Vec::new()
            }
        }
    }

    /// What every consumer of every worker holds, once all groups are settled.
    fn check_groups(&self) -> Result<Vec<Vec<Vec<TopicPartition>>>, Obstacle> {
        let topics: Vec<String> = self.spec.topics.iter().map(|topic| topic.name.clone()).collect();
        let partitions = self.spec.partitions();
        let mut held = vec![Vec::new(); self.workers.len()];
        for group in 0..self.spec.groups.len() {
            let members = self.members_of(group);
            let names: Vec<String> = members
                .iter()
                .map(|&(w, c)| self.spec.workers[w].member_name(c))
                .collect();
            let views: Vec<MemberView<'_>> = members
                .iter()
                .zip(&names)
                .map(|(&(worker, consumer), name)| self.view(worker, consumer, name))
                .collect();
            let checked = barrier::check(&views, self.descriptions[group].as_ref(), &topics, &partitions)?;
            for ((worker, _), partitions) in members.into_iter().zip(checked) {
                held[worker].push(partitions);
            }
        }
        Ok(held)
    }

    fn view<'a>(&'a self, worker: usize, consumer: usize, name: &'a str) -> MemberView<'a> {
        let own = self.workers[worker]
            .assignments
            .as_ref()
            .map(|members| members[consumer].partitions.as_slice());
        MemberView {
            client_id: &self.spec.workers[worker].prepare.consumers[consumer].client_id,
            name,
            own,
        }
    }

    /// Worker and consumer of each member of a group, in order.
    pub(super) fn members_of(&self, group: usize) -> Vec<(usize, usize)> {
        let workers = self
            .spec
            .workers
            .iter()
            .enumerate()
            .filter(|(_, worker)| worker.group == group);
        workers
            .flat_map(|(index, worker)| (0..worker.prepare.consumers.len()).map(move |c| (index, c)))
            .collect()
    }
}
