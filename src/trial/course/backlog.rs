//! A backlog: everything is there before anybody reads, and the trial ends when all of it is read.

use std::collections::BTreeSet;

use super::{Course, Scene, Turn};
use crate::measure::{Failure, FailureKind, TopicPartition};
use crate::trial::engine::Action;
use crate::trial::limits::after;

/// Reads what lies there.
#[derive(Debug)]
pub struct Backlog {
    records: u64,
    /// From when reading begins.
    deadlines: Option<Deadlines>,
}

#[derive(Debug)]
struct Deadlines {
    /// When all must be read.
    end_ns: u64,
    /// When it counts as stalled if nothing more is read.
    stall_ns: u64,
}

impl Backlog {
    /// Reads topics with so many records.
    pub fn of(records: u64) -> Self {
        Backlog {
            records,
            deadlines: None,
        }
    }
}

impl Course for Backlog {
    fn records(&self) -> u64 {
        self.records
    }

    fn begin(&mut self, start_ns: u64, scene: &mut Scene<'_>) -> Vec<Action> {
        let limits = scene.terms.limits;
        self.deadlines = Some(Deadlines {
            end_ns: after(start_ns, limits.read),
            stall_ns: after(start_ns, limits.stall),
        });
        Vec::new()
    }

    fn wake_ns(&self) -> u64 {
        let deadlines = self.deadlines.as_ref();
        deadlines.map_or(u64::MAX, |deadlines| deadlines.end_ns.min(deadlines.stall_ns))
    }

    fn wait_until(&mut self, at_ns: u64) {
        if let Some(deadlines) = &mut self.deadlines {
            deadlines.stall_ns = deadlines.stall_ns.max(at_ns);
            deadlines.end_ns = deadlines.end_ns.max(at_ns);
        }
    }

    fn on_tick(&mut self, scene: &mut Scene<'_>) -> Result<Turn, Failure> {
        let deadlines = self.deadlines.as_ref();
        if deadlines.is_some_and(|deadlines| scene.now_ns >= deadlines.end_ns) {
            return Err(Failure {
                kind: FailureKind::Timeout,
                who: None,
                message: format!("reading took more than {} s", scene.terms.limits.read.as_secs()),
            });
        }
        if deadlines.is_some_and(|deadlines| scene.now_ns >= deadlines.stall_ns) {
            return Err(stalled(scene, &self.unread(scene)));
        }
        Ok(Turn::NOTHING)
    }

    fn on_progress(&mut self, advanced: bool, scene: &mut Scene<'_>) -> Turn {
        if let (true, Some(deadlines)) = (advanced, &mut self.deadlines) {
            let stall_ns = after(scene.now_ns, scene.terms.limits.stall);
            deadlines.stall_ns = deadlines.stall_ns.max(stall_ns);
        }
        if self.has_read_all(scene) {
            return Turn::Over;
        }
        Turn::NOTHING
    }
}

/// The failure of a trial in which nothing was read for too long. It names the members that hold what is unread.
fn stalled(scene: &Scene<'_>, unread: &BTreeSet<(usize, TopicPartition)>) -> Failure {
    let mut who: BTreeSet<String> = BTreeSet::new();
    for (group, partition) in unread {
        for (reader, consumer) in scene.cast.members_of(*group) {
            let held = scene.log.held(reader).get(consumer);
            if held.is_some_and(|held| held.contains(partition)) {
                who.insert(scene.cast.readers[reader].role.member_name(consumer));
            }
        }
    }
    let who = (!who.is_empty()).then(|| who.into_iter().collect::<Vec<_>>().join(" and "));
    let what = if scene.cast.is_observed() {
        "the group committed no offset"
    } else {
        "no record"
    };
    let message = format!(
        "{what} for {} s with {} partitions unread{}",
        scene.terms.limits.stall.as_secs(),
        unread.len(),
        unread
            .first()
            .map(|(_, partition)| format!(", such as {}", scene.terms.partition_name(*partition)))
            .unwrap_or_default()
    );
    Failure {
        kind: FailureKind::Stall,
        who,
        message,
    }
}
