//! What a gap is made of: the time between two recorded happenings is a part, and what no happening explains is one too.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::{lag, looks};
use crate::measure::{
    Act, Measurement, MemberMeasurement, Participant, PlannedAct, RebalanceKind, Stretch, TopicPartition,
};

/// A part of a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// What went on.
    pub kind: PartKind,
    /// When.
    pub stretch: Stretch,
}

/// What went on in a part of a gap. The order is that of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum PartKind {
    /// From the last record to the act. What a killed member read after its last report is not known.
    BeforeAct,
    /// The process was stopped, from the pause to the resumption.
    Paused,
    /// The process was not there, from its end to its start.
    Absent,
    /// From the close of a process until its group's coordinator was seen to know.
    Leaving,
    /// From the death of a member until its group gave it up, when its session ended.
    Detection,
    /// From the loss of a broker until another one was reported to lead the partition.
    Election,
    /// From the loss of a broker until the partition's leader no longer waited for the copy there. Until then it hands out
    /// no new record.
    Replication,
    /// From there until the first member of the group gave its partitions up.
    Rejoin,
    /// From its last record until the owner had given the partition up: work under way, and the commit.
    LettingGo,
    /// From the first partition given up until the new owner had this one.
    Division,
    /// From the start of a process until it had the partition.
    Joining,
    /// From a rebalance in which the owner kept the partition until its client fetched it again: librdkafka fetches nothing
    /// for a member while that gives partitions up or takes them, and looks again up to a second later.
    Resuming,
    /// While the member waited for the answer to a commit.
    Commit,
    /// While no record of the partition that writers had sent was acknowledged: there was nothing to read.
    Unwritten,
    /// While brokers, or the machine, answered late: tandem's own questions did not come through either.
    Standstill,
    /// From the assignment, from an election, or from the end of a pause, to the first record.
    FirstRecord,
    /// Between no two happenings that were recorded.
    Unexplained,
}

impl PartKind {
    /// Its name in files.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How late a broker may see that a session has ended, and its members that it saw that.
const SWEEP_NS: u64 = 500_000_000;
/// A group is looked at this often; what a look shows may be so old.
const LOOKS_APART_NS: u64 = 200_000_000;

/// A client that let its partitions rest goes on with them within so long: the threads of librdkafka that fetch wake up once a
/// second at least.
const RESUMES_WITHIN_NS: u64 = 1_100_000_000;

/// A client reads from another leader within so long of its election: it asks who that is, waits for half a second after an
/// error, its thread wakes up within a second, and the leader may hold the first fetch for half a second.
const FOLLOWS_WITHIN_NS: u64 = 2_200_000_000;

/// What is known of a gap before its parts are.
pub(super) struct Scene<'a> {
    pub(super) measurement: &'a Measurement,
    pub(super) group: u32,
    pub(super) partition: TopicPartition,
    /// What it goes back to.
    pub(super) act: &'a PlannedAct,
    /// True where that was done to the partition's owner.
    pub(super) is_owners: bool,
    pub(super) stretch: Stretch,
    /// Who read the first record after it.
    pub(super) reader: &'a MemberMeasurement,
    /// The owner had given the partition up.
    pub(super) taken_ns: Option<u64>,
    /// The next owner had it.
    pub(super) given_ns: Option<u64>,
    /// True where the owner kept the partition all the time.
    pub(super) is_kept: bool,
}

/// A recorded happening that may end a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Act(usize),
    /// The group's coordinator was seen to know of the act.
    Noticed,
    /// The group was seen to have given up a member that was killed.
    GivenUp,
    /// Another broker was reported to lead the partition.
    Elected,
    /// The broker was no longer among the replicas in sync.
    OutOfSync,
    Stopped,
    Taken,
    Given,
    /// The owner was done with its part in a rebalance, in which it kept the partition.
    Rebalanced,
}

/// The parts of a gap, in order.
pub(super) fn parts(scene: &Scene) -> Vec<Part> {
    let Stretch { from_ns, until_ns } = scene.stretch;
    let mut parts = Vec::new();
    let mut reached_ns = from_ns;
    let mut latest = None;
    for (at_ns, mark) in marks(scene) {
        parts.push(Part {
            kind: scene.kind_until(mark, latest),
            stretch: Stretch::new(reached_ns, at_ns),
        });
        (reached_ns, latest) = (at_ns, Some(mark));
    }
    parts.push(Part {
        kind: scene.kind_of_last(latest),
        stretch: Stretch::new(reached_ns, until_ns),
    });
    parts.retain(|part| part.stretch.length_ns() > 0);
    for part in &mut parts {
        if scene.waits_for_session(part) {
            part.kind = PartKind::Detection;
        }
    }
    parts.dedup_by(|next, part| {
        let is_same = part.kind == next.kind;
        if is_same {
            part.stretch.until_ns = next.stretch.until_ns;
        }
        is_same
    });
    if let Some(times) = scene.measurement.membership {
        bound(&mut parts, PartKind::Detection, times.session_ns + times.heartbeat_ns);
    }
    bound(&mut parts, PartKind::Resuming, RESUMES_WITHIN_NS);
    let commits = scene.reader.slow_commits.clone();
    let unwritten = scene.unwritten();
    let parts = parts.into_iter();
    let parts = parts.flat_map(|part| around(scene, part, &commits, PartKind::Commit));
    let parts = parts.flat_map(|part| around(scene, part, &unwritten, PartKind::Unwritten));
    let standstills = lag::standstills(scene.measurement);
    let parts = parts.flat_map(|part| match part.kind {
        PartKind::Unexplained => around(scene, part, &standstills, PartKind::Standstill),
        _ => vec![part],
    });
    parts.collect()
}

/// Takes times in which the reader had to wait out of the part at whose end it read. What follows on the last of them leads
/// to the first record.
fn around(scene: &Scene, part: Part, waits: &[Stretch], why: PartKind) -> Vec<Part> {
    let is_last = part.stretch.until_ns == scene.stretch.until_ns;
    let may_wait = matches!(
        part.kind,
        PartKind::Unexplained | PartKind::FirstRecord | PartKind::Resuming
    );
    if !is_last || !may_wait {
        return vec![part];
    }
    let Stretch { mut from_ns, until_ns } = part.stretch;
    let (mut around, mut kind, mut waited_ns) = (Vec::new(), part.kind, 0);
    let mut add = |kind, from_ns, until_ns| {
        let stretch = Stretch::new(from_ns, until_ns);
        around.extend((from_ns < until_ns).then_some(Part { kind, stretch }));
    };
    for wait in waits {
        let (begins_ns, ends_ns) = (wait.from_ns.max(from_ns), wait.until_ns.min(until_ns));
        if begins_ns < ends_ns {
            add(kind, from_ns, begins_ns);
            add(why, begins_ns, ends_ns);
            (from_ns, kind, waited_ns) = (ends_ns, PartKind::FirstRecord, ends_ns - begins_ns);
        }
    }
    // A short wait long before the first record explains nothing.
    let is_near = until_ns.saturating_sub(from_ns) <= waited_ns;
    add(if is_near { kind } else { part.kind }, from_ns, until_ns);
    around
}

/// The happenings within a gap, in order.
fn marks(scene: &Scene) -> Vec<(u64, Mark)> {
    let m = scene.measurement;
    let mut marks: Vec<(u64, Mark)> = Vec::new();
    let acts = m.acts.iter().enumerate();
    let own =
        acts.filter(|(_, act)| act.at_ns == scene.act.at_ns && act.who == scene.act.who || scene.brings_back(act));
    marks.extend(own.map(|(number, act)| (act.at_ns, Mark::Act(number))));
    let of_group = m.members.iter().filter(|member| member.group == scene.group);
    let given_up = of_group.flat_map(|member| &member.rebalances);
    let given_up =
        given_up.filter(|rebalance| rebalance.kind != RebalanceKind::Assigned && !rebalance.partitions.is_empty());
    let after_act = given_up
        .map(|rebalance| rebalance.at_ns)
        .filter(|at_ns| *at_ns >= scene.act.at_ns);
    let inside = |at_ns: &u64| *at_ns > scene.stretch.from_ns && *at_ns < scene.stretch.until_ns;
    marks.extend(after_act.filter(inside).min().map(|at_ns| (at_ns, Mark::Stopped)));
    let reported = looks::reported(m, scene.group, scene.act);
    marks.extend(reported.noticed_ns.map(|at_ns| (at_ns, Mark::Noticed)));
    marks.extend(reported.given_up_ns.map(|at_ns| (at_ns, Mark::GivenUp)));
    marks.extend(scene.elected_ns().map(|at_ns| (at_ns, Mark::Elected)));
    marks.extend(scene.out_of_sync_ns().map(|at_ns| (at_ns, Mark::OutOfSync)));
    marks.extend(scene.taken_ns.map(|at_ns| (at_ns, Mark::Taken)));
    marks.extend(scene.given_ns.map(|at_ns| (at_ns, Mark::Given)));
    marks.extend(scene.rebalanced_ns().map(|at_ns| (at_ns, Mark::Rebalanced)));
    marks.retain(|(at_ns, _)| inside(at_ns));
    // Where the owner itself was the first to give up, that is no mark beside it.
    let taken = marks.iter().any(|(_, mark)| *mark == Mark::Taken);
    let is_first = |stopped_ns: u64| scene.taken_ns == Some(stopped_ns);
    marks.retain(|(at_ns, mark)| *mark != Mark::Stopped || !(taken && is_first(*at_ns)));
    // What others give up after the owner's own part says nothing of the owner.
    let rebalanced_ns = scene.rebalanced_ns().unwrap_or(u64::MAX);
    marks.retain(|(at_ns, mark)| *mark != Mark::Stopped || *at_ns <= rebalanced_ns);
    marks.sort_unstable();
    without_late_looks(&mut marks);
    marks
}

/// Drops what was seen of a group or of brokers only after members had acted on it.
fn without_late_looks(marks: &mut Vec<(u64, Mark)>) {
    let acted: Vec<u64> = marks
        .iter()
        .filter(|(_, mark)| matches!(mark, Mark::Stopped | Mark::Taken | Mark::Given | Mark::Rebalanced))
        .map(|(at_ns, _)| *at_ns)
        .collect();
    let is_late = |at_ns: u64| {
        acted
            .iter()
            .any(|acted_ns| (*acted_ns..*acted_ns + LOOKS_APART_NS).contains(&at_ns))
    };
    marks.retain(|(at_ns, mark)| !matches!(mark, Mark::Noticed | Mark::GivenUp) || !is_late(*at_ns));
}

impl Scene<'_> {
    /// When another broker led the partition than the one that something was done to.
    fn elected_ns(&self) -> Option<u64> {
        let roles = self.measurement.roles.as_ref().filter(|_| self.act.is_on_broker())?;
        roles.elected_ns(self.partition, self.act.at_ns)
    }

    /// When the owner was done with the last rebalance within the gap, if it kept the partition.
    fn rebalanced_ns(&self) -> Option<u64> {
        let Stretch { from_ns, until_ns } = self.stretch;
        let times = self.reader.rebalances.iter().map(|rebalance| rebalance.at_ns);
        times
            .filter(|at_ns| self.is_kept && *at_ns > from_ns && *at_ns < until_ns)
            .max()
    }

    /// True where the gap lies between the election of another leader and the first record from that: what had been fetched
    /// before was read meanwhile.
    fn follows_leader(&self) -> bool {
        let Stretch { from_ns, until_ns } = self.stretch;
        self.elected_ns()
            .is_some_and(|elected_ns| elected_ns <= from_ns && until_ns <= elected_ns + FOLLOWS_WITHIN_NS)
    }

    /// When records of the partition were sent and none was acknowledged, in order.
    fn unwritten(&self) -> Vec<Stretch> {
        let producers = self.measurement.load.iter().flat_map(|load| &load.producers);
        let delays = producers.flat_map(|producer| &producer.delays);
        let of_partition = delays.filter(|delay| delay.partition == self.partition);
        let mut stretches: Vec<Stretch> = of_partition.map(|delay| delay.delay).collect();
        stretches.sort_unstable_by_key(|stretch| stretch.from_ns);
        stretches
    }

    /// When the broker that something was done to was no longer waited for as a replica of a partition that another one led.
    fn out_of_sync_ns(&self) -> Option<u64> {
        let Participant::Broker(broker) = self.act.who else {
            return None;
        };
        let roles = self.measurement.roles.as_ref()?;
        let leads = roles.leader_at(self.partition, self.act.at_ns) == Some(broker);
        let out_of_sync_ns = roles.out_of_sync_ns(self.partition, broker, self.act.at_ns);
        // What lay there before all copies had it, as in a backlog, is handed out all the same.
        out_of_sync_ns.filter(|_| !leads && self.measurement.load.is_some())
    }

    /// True for an act that lets whoever it is go on: the resumption, or the next start.
    fn brings_back(&self, act: &PlannedAct) -> bool {
        act.at_ns > self.act.at_ns && act.who == self.act.who && matches!(act.act, Act::Resume | Act::Start)
    }

    /// What went on until a happening, after the one before it.
    fn kind_until(&self, mark: Mark, latest: Option<Mark>) -> PartKind {
        let act_of = |mark: Option<Mark>| match mark {
            Some(Mark::Act(number)) => Some(self.measurement.acts[number].act),
            _ => None,
        };
        // Whoever leaves in order may read on for a moment after the act.
        let of_owner = (latest.is_none() && self.is_owners).then_some(self.act.act);
        match (mark, act_of(latest).or(of_owner)) {
            (Mark::Act(number), _) => match self.measurement.acts[number].act {
                _ if !self.lets_go_on(number) => PartKind::BeforeAct,
                Act::Resume => PartKind::Paused,
                _ => PartKind::Absent,
            },
            (Mark::Elected, _) => PartKind::Election,
            (Mark::OutOfSync, _) => PartKind::Replication,
            (Mark::Taken, _) => PartKind::LettingGo,
            (Mark::Noticed, Some(Act::Leave)) => PartKind::Leaving,
            (Mark::Noticed | Mark::Given, Some(Act::Start)) => PartKind::Joining,
            (Mark::Noticed | Mark::GivenUp, _) | (_, Some(Act::Kill)) => PartKind::Detection,
            (Mark::Stopped | Mark::Rebalanced, _) | (Mark::Given, Some(_)) => PartKind::Rejoin,
            (Mark::Given, None) if latest == Some(Mark::Noticed) => PartKind::Rejoin,
            (Mark::Given, None) => PartKind::Division,
        }
    }

    fn lets_go_on(&self, number: usize) -> bool {
        self.brings_back(&self.measurement.acts[number])
    }

    /// True for a part of a rebalance that waited for a killed or paused member: it ended when that member's session did,
    /// which is up to a heartbeat less than the session timeout after the act.
    fn waits_for_session(&self, part: &Part) -> bool {
        let is_rebalance = matches!(part.kind, PartKind::Rejoin | PartKind::Division | PartKind::Joining);
        let Some(times) = self.measurement.membership.filter(|_| is_rebalance) else {
            return false;
        };
        let kills = self.measurement.acts.iter().filter(|act| {
            let of_group = matches!(act.who, Participant::Reader { group, .. } if group == self.group);
            of_group && matches!(act.act, Act::Kill | Act::Pause)
        });
        let Stretch { from_ns, until_ns } = part.stretch;
        let mut ends = kills.map(|act| {
            let latest_ns = act.at_ns + times.session_ns;
            (
                latest_ns.saturating_sub(times.heartbeat_ns + SWEEP_NS),
                latest_ns + SWEEP_NS,
            )
        });
        ends.any(|(earliest_ns, latest_ns)| from_ns < earliest_ns && (earliest_ns..=latest_ns).contains(&until_ns))
    }

    /// What went on until the first record.
    fn kind_of_last(&self, latest: Option<Mark>) -> PartKind {
        match latest {
            Some(Mark::Given | Mark::Elected | Mark::OutOfSync) => PartKind::FirstRecord,
            Some(Mark::Act(number)) if self.lets_go_on(number) => PartKind::FirstRecord,
            Some(Mark::Rebalanced) => PartKind::Resuming,
            _ if self.follows_leader() => PartKind::FirstRecord,
            _ => PartKind::Unexplained,
        }
    }
}

/// What of the first part of a kind is longer than it can be is unexplained.
fn bound(parts: &mut Vec<Part>, kind: PartKind, most_ns: u64) {
    let Some(place) = parts.iter().position(|part| part.kind == kind) else {
        return;
    };
    let Stretch { from_ns, until_ns } = parts[place].stretch;
    let explained_ns = from_ns.saturating_add(most_ns);
    if explained_ns < until_ns {
        parts[place].stretch.until_ns = explained_ns;
        let surplus = Part {
            kind: PartKind::Unexplained,
            stretch: Stretch::new(explained_ns, until_ns),
        };
        parts.insert(place + 1, surplus);
    }
}
