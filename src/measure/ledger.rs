//! The account of a group's reading: what its members read, as runs of offsets, against what was to be read. Finds
//! records lost, counted twice by one owner, or read again after a change of owner, and names who.

use std::collections::{BTreeMap, BTreeSet};

pub use super::finding::{Finding, FindingKind};
pub use super::member::partition_name;

use super::delivered::{DeliveredRun, DeliveredTopics};
use super::member::{MemberMeasurement, OffsetRun, TopicPartition};

/// Most findings of an [`Account`]; more are only counted.
const FINDINGS_MAX: usize = 20;

/// What a group was to read of a partition: offsets from `low` up to but not including `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedRange {
    /// The partition.
    pub partition: TopicPartition,
    /// First offset.
    pub low: i64,
    /// One past the last.
    pub end: i64,
}

/// What one member of the group read of one partition.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The member, as it is to be named.
    pub member: &'a str,
    /// The partition.
    pub partition: TopicPartition,
    /// What it read, in any order.
    pub runs: &'a [OffsetRun],
    /// True where its process was killed: it may have read more next to each run, before its first report or after its last.
    pub was_killed: bool,
}

impl<'a> Reading<'a> {
    /// What a member read of each of its partitions; `name` is the member's.
    pub fn of_member(member: &'a MemberMeasurement, name: &'a str) -> impl Iterator<Item = Reading<'a>> {
        member.partitions.iter().map(move |read| Reading {
            member: name,
            partition: read.topic_partition(),
            runs: read.runs.as_deref().unwrap_or_default(),
            was_killed: member.was_killed,
        })
    }
}

/// What a group read, compared with what it was to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// Offsets that no member read. For existing topics, only those that the first reading received and the cluster
    /// still delivers.
    pub lost: u64,
    /// Records that nobody read and the cluster no longer has.
    pub removed: u64,
    /// Offsets that hold no record for readers, and were not read.
    pub not_delivered: u64,
    /// Offsets of which it is not known whether they were read: a member that was killed may have read them.
    pub not_observed: u64,
    /// Readings of an offset beyond the first by the same owner: one member under one assignment.
    pub duplicated: u64,
    /// Owners of an offset beyond the first.
    pub redelivered: u64,
    /// Readings outside the expected range, or of a partition that was not to be read.
    pub outside: u64,
    /// Where offsets are lost: from the first one to one past the last one of each partition.
    pub lost_between: BTreeMap<TopicPartition, (i64, i64)>,
    /// What is wrong; the first ones where there are many.
    pub findings: Vec<Finding>,
    /// Findings beyond these.
    pub more_findings: u64,
}

impl Account {
    /// True where every expected offset was read once and nothing else.
    pub fn is_exact(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.redelivered == 0 && self.outside == 0
    }

    /// What is wrong, a sentence for each finding, and how many more there are.
    pub fn sentences(&self) -> Vec<String> {
        let more = (self.more_findings > 0).then(|| format!("and {} more", self.more_findings));
        self.findings.iter().map(Finding::to_string).chain(more).collect()
    }

    /// Counts what a finding says of offsets, and keeps it while there are few.
    fn add(&mut self, kind: FindingKind, partition: TopicPartition, members: &[&str]) {
        let (total, first, end) = match kind {
            FindingKind::Lost(first, end) => (&mut self.lost, first, end),
            FindingKind::Duplicated(first, end) => (&mut self.duplicated, first, end),
            FindingKind::Redelivered(first, end) => (&mut self.redelivered, first, end),
            FindingKind::Outside(first, end) => (&mut self.outside, first, end),
            FindingKind::Count { .. } | FindingKind::Contradiction { .. } => return,
        };
        *total = total.saturating_add(length(first, end));
        if self.findings.len() == FINDINGS_MAX {
            self.more_findings += 1;
            return;
        }
        self.findings.push(Finding {
            kind,
            partition,
            members: members.iter().map(|member| (*member).to_owned()).collect(),
        });
    }
}

/// The reference for the account of existing topics, in which a missing offset need not be a record.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// The offsets that the cluster delivered when they were read first.
    pub delivered: &'a DeliveredTopics,
    /// Those that it delivers still, as far as it was asked again; `None` where it was not.
    pub still: Option<&'a DeliveredTopics>,
}

/// Whether one owner may read a record twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// The second reading counts as duplicated.
    Fault,
    /// The cluster may deliver a record again: every further reading counts as redelivered.
    Allowed,
}

/// Compares what the members of one group read with what the group was to read.
///
/// An offset's owner is a member under one assignment (epoch). For an offset read r times by o owners,
/// `duplicated` grows by r - o and `redelivered` by o - 1. Time is n log n in the number of runs, whatever their
/// length.
pub fn account(expected: &[ExpectedRange], readings: &[Reading<'_>]) -> Account {
    account_by(Repeats::Fault, None, expected, readings)
}

/// The same by the rules of a course. On topics that tandem did not fill there is a reference: lost is what the cluster
/// delivered in the first reading, delivers still, and nobody read; what was read although it was not delivered then counts
/// as outside.
pub fn account_by(
    repeats: Repeats,
    reference: Option<Reference<'_>>,
    expected: &[ExpectedRange],
    readings: &[Reading<'_>],
) -> Account {
    let ranges: BTreeMap<TopicPartition, ExpectedRange> = expected.iter().map(|e| (e.partition, *e)).collect();
    let mut by_partition: BTreeMap<TopicPartition, Vec<Piece>> =
        ranges.keys().map(|&partition| (partition, Vec::new())).collect();
    for (member, reading) in readings.iter().enumerate() {
        let pieces = by_partition.entry(reading.partition).or_default();
        pieces.extend(reading.runs.iter().filter(|run| run.first < run.end).map(|run| Piece {
            first: run.first,
            end: run.end,
            owner: Owner {
                member,
                epoch: run.epoch,
            },
        }));
    }
    let mut books = Books {
        account: Account::default(),
        readings,
        killed: readings.iter().filter(|reading| reading.was_killed).collect(),
        reference,
        repeats,
    };
    for (partition, pieces) in by_partition {
        let (low, end) = ranges.get(&partition).map_or((0, 0), |range| (range.low, range.end));
        books.close(partition, low, end, pieces);
    }
    books.account
}

/// A member under one assignment. A member is identified by its name, so the index may be that of any of its readings.
#[derive(Debug, Clone, Copy)]
struct Owner {
    member: usize,
    epoch: u32,
}

/// A run with its owner.
#[derive(Debug, Clone, Copy)]
struct Piece {
    first: i64,
    end: i64,
    owner: Owner,
}

/// The account being made.
struct Books<'a> {
    account: Account,
    readings: &'a [Reading<'a>],
    /// Those of members that were killed.
    killed: Vec<&'a Reading<'a>>,
    reference: Option<Reference<'a>>,
    repeats: Repeats,
}

impl Books<'_> {
    fn close(&mut self, partition: TopicPartition, low: i64, end: i64, pieces: Vec<Piece>) {
        let mut inside = Vec::with_capacity(pieces.len());
        for piece in pieces {
            // What lies before the range, in it and after it.
            let (before, after) = (piece.end.min(low.min(end)), piece.first.max(end.max(low)));
            self.outside(partition, piece.first, before, piece.owner);
            self.outside(partition, after, piece.end, piece.owner);
            let cut = Piece {
                first: piece.first.max(low),
                end: piece.end.min(end),
                owner: piece.owner,
            };
            if cut.first < cut.end {
                inside.push(cut);
            }
        }
        let blocks = self.merge_owners(partition, inside);
        let union = self.merge_all(partition, blocks);
        let mut next = low;
        for piece in &union {
            self.missing(partition, next, piece.first);
            self.unforeseen(partition, *piece);
            next = piece.end;
        }
        self.missing(partition, next, end);
    }

    /// Offsets that nobody read: lost, removed by the cluster, or never there.
    fn missing(&mut self, partition: TopicPartition, first: i64, end: i64) {
        let touches = |run: &OffsetRun| run.end == first || run.first == end;
        let mut killed = self.killed.iter().filter(|reading| reading.partition == partition);
        if killed.any(|reading| reading.runs.iter().any(touches)) {
            self.account.not_observed += length(first, end);
            return;
        }
        let Some(reference) = self.reference else {
            self.lost(partition, first, end);
            return;
        };
        self.account.not_delivered += length(first, end);
        let Some(delivered) = reference.delivered.of(partition.topic, partition.partition) else {
            return;
        };
        let still = reference
            .still
            .map(|still| still.of(partition.topic, partition.partition));
        for run in delivered.within(first, end) {
            self.account.not_delivered -= run.count();
            match still {
                None => self.lost(partition, run.first, run.end),
                Some(still) => {
                    let kept = still.into_iter().flat_map(|still| still.within(run.first, run.end));
                    let kept: Vec<_> = kept.collect();
                    let left: u64 = kept.iter().map(DeliveredRun::count).sum();
                    self.account.removed += run.count() - left;
                    for run in kept {
                        self.lost(partition, run.first, run.end);
                    }
                }
            }
        }
    }

    /// Offsets that were read although the cluster had not delivered them before.
    fn unforeseen(&mut self, partition: TopicPartition, piece: Piece) {
        let Some(reference) = self.reference else { return };
        let Some(delivered) = reference.delivered.of(partition.topic, partition.partition) else {
            return;
        };
        let mut next = piece.first;
        for run in delivered.within(piece.first, piece.end) {
            self.outside(partition, next, run.first, piece.owner);
            next = run.end;
        }
        self.outside(partition, next, piece.end, piece.owner);
    }

    /// Each owner's pieces merged, what overlaps among them counted as repeated.
    fn merge_owners(&mut self, partition: TopicPartition, mut pieces: Vec<Piece>) -> Vec<Piece> {
        let readings = self.readings;
        let key = |owner: Owner| (readings[owner.member].member, owner.epoch);
        pieces.sort_by(|a, b| (key(a.owner), a.first, a.end).cmp(&(key(b.owner), b.first, b.end)));
        let mut merged: Vec<Piece> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match merged.last_mut() {
                Some(last) if key(last.owner) == key(piece.owner) && piece.first <= last.end => {
                    let again = piece.end.min(last.end);
                    last.end = last.end.max(piece.end);
                    self.repeated(partition, piece.first, again, piece.owner);
                }
                _ => merged.push(piece),
            }
        }
        merged
    }

    /// All owners' pieces merged, what overlaps among them counted as redelivered.
    fn merge_all(&mut self, partition: TopicPartition, mut pieces: Vec<Piece>) -> Vec<Piece> {
        pieces.sort_by_key(|piece| (piece.first, piece.end));
        let mut merged: Vec<Piece> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match merged.last_mut() {
                Some(last) if piece.first <= last.end => {
                    let again = piece.end.min(last.end);
                    self.redelivered(partition, piece.first, again, [last.owner, piece.owner]);
                    if piece.end > last.end {
                        // The owner kept is the one whose piece reaches furthest: it holds all that can overlap next.
                        last.end = piece.end;
                        last.owner = piece.owner;
                    }
                }
                _ => merged.push(piece),
            }
        }
        merged
    }

    fn lost(&mut self, partition: TopicPartition, first: i64, end: i64) {
        if length(first, end) == 0 {
            return;
        }
        let between = self.account.lost_between.entry(partition).or_insert((first, end));
        *between = (between.0.min(first), between.1.max(end));
        let readings = self.readings.iter();
        let of_partition = readings.filter(|r| r.partition == partition && !r.runs.is_empty());
        let readers: BTreeSet<&str> = of_partition.map(|reading| reading.member).collect();
        let readers: Vec<&str> = readers.into_iter().collect();
        self.account.add(FindingKind::Lost(first, end), partition, &readers);
    }

    fn repeated(&mut self, partition: TopicPartition, first: i64, end: i64, owner: Owner) {
        let kind = match self.repeats {
            Repeats::Fault => FindingKind::Duplicated(first, end),
            Repeats::Allowed => FindingKind::Redelivered(first, end),
        };
        self.read(kind, partition, length(first, end), &[owner]);
    }

    fn redelivered(&mut self, partition: TopicPartition, first: i64, end: i64, owners: [Owner; 2]) {
        self.read(
            FindingKind::Redelivered(first, end),
            partition,
            length(first, end),
            &owners,
        );
    }

    fn outside(&mut self, partition: TopicPartition, first: i64, end: i64, owner: Owner) {
        self.read(
            FindingKind::Outside(first, end),
            partition,
            length(first, end),
            &[owner],
        );
    }

    /// Offsets that these owners read, where there are any.
    fn read(&mut self, kind: FindingKind, partition: TopicPartition, offsets: u64, owners: &[Owner]) {
        if offsets > 0 {
            let mut members: Vec<&str> = owners.iter().map(|owner| self.readings[owner.member].member).collect();
            members.dedup();
            self.account.add(kind, partition, &members);
        }
    }
}

/// Offsets from `first` up to but not including `end`.
fn length(first: i64, end: i64) -> u64 {
    u64::try_from(end.saturating_sub(first)).unwrap_or(0)
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
