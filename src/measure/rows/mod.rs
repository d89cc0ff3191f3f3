//! The account of a group's rows: what a store holds of the records that its members say they have stored. Finds records
//! without a row, rows that nothing explains, rows that no member knows of, and values that changed their length. Knows no
//! database.

mod finding;
mod unconfirmed;

use std::collections::{BTreeMap, BTreeSet};

use self::finding::{Finding, FindingKind};
use super::delivered::DeliveredTopics;
use super::ledger::Reading;
use super::member::TopicPartition;
use super::stored::StoreAccount;
use super::trial::FailureKind;
use crate::wording::plural;

pub use self::unconfirmed::{Tries, Unconfirmed};

/// Most findings of a [`RowsAccount`]; more are only counted.
const FINDINGS_MAX: usize = 10;

/// Consecutive offsets of a partition with equally many rows each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredRun {
    /// The partition.
    pub partition: TopicPartition,
    /// First offset.
    pub first: i64,
    /// One past the last.
    pub end: i64,
    /// Rows of each, at least 1.
    pub copies: u64,
    /// Bytes of the values of all these rows.
    pub bytes: u64,
}

/// How many bytes the values have that a member read of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValuesRead {
    /// The partition.
    pub partition: TopicPartition,
    /// Records, each as often as it was read.
    pub records: u64,
    /// Bytes of their values; `None` where that is not known.
    pub bytes: Option<u64>,
}

/// Offsets of a partition that a group has committed to Kafka: from the first that was to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The partition.
    pub partition: TopicPartition,
    /// The first offset.
    pub low: i64,
    /// What is committed: one past the last.
    pub end: i64,
}

/// What the rows of a group are compared with.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// What its members report as stored.
    pub readings: &'a [Reading<'a>],
    /// What is committed to Kafka: all of it must be stored.
    pub committed: &'a [Committed],
    /// Which offsets of existing topics hold a record; `None` where every offset does.
    pub delivered: Option<&'a DeliveredTopics>,
    /// What they may have stored without reporting it.
    pub unconfirmed: &'a [Unconfirmed<'a>],
    /// What the values had that they read.
    pub values: &'a [ValuesRead],
    /// True if all values have the same length.
    pub same_length: bool,
}

/// The rows of a group, compared with what its members report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowsAccount {
    /// The counts.
    pub account: StoreAccount,
    /// Rows in topics or partitions that the trial does not read; part of those outside.
    pub elsewhere: u64,
    /// Partitions whose values could not be compared, because their rows are not exactly the records that were read.
    pub not_compared: u64,
    findings: Vec<Finding>,
    more_findings: u64,
}

impl RowsAccount {
    /// How a trial fails by it; `None` where every row is explained and no record is without one.
    pub fn failure(&self) -> Option<FailureKind> {
        let StoreAccount {
            lost,
            unexplained,
            altered,
            outside,
            ..
        } = self.account;
        [
            (lost, FailureKind::RowsLost),
            (altered, FailureKind::RowsAltered),
            (unexplained, FailureKind::RowsTwice),
            (outside, FailureKind::RowsOutside),
        ]
        .into_iter()
        .find_map(|(count, kind)| (count > 0).then_some(kind))
    }

    /// What is wrong, in a sentence of counts and one for each finding.
    pub fn sentences(&self) -> Vec<String> {
        let StoreAccount {
            lost,
            unexplained,
            altered,
            outside,
            ..
        } = self.account;
        let counts = [
            (lost, "record", "without a row"),
            (altered, "partition", "with other values than were read"),
            (unexplained, "row", "too many"),
            (outside, "row", "of records that no member stored"),
        ];
        let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(count, noun, what)| format!("{} {what}", plural(count, noun)))
            .collect();
        let elsewhere = (self.elsewhere > 0).then(|| {
            format!(
                "{} in partitions that the trial does not read",
                plural(self.elsewhere, "row")
            )
        });
        let more = (self.more_findings > 0).then(|| format!("and {} more", self.more_findings));
        let findings = self.findings.iter().map(Finding::to_string);
        [counts.join(", ")]
            .into_iter()
            .chain(elsewhere)
            .chain(findings)
            .chain(more)
            .collect()
    }

    /// The members that the findings name.
    pub fn members(&self) -> BTreeSet<&str> {
        self.findings
            .iter()
            .flat_map(|finding| &finding.members)
            .map(String::as_str)
            .collect()
    }
}

/// Compares the rows of a group with what its members report. A record has as many rows as it was reported, or one if they
/// take each other's place, and what a member may have stored without reporting it may be there too. Time is n log n in the
/// number of runs.
pub fn account(rows: &[StoredRun], stored: Stored<'_>, elsewhere: u64) -> RowsAccount {
    let partitions = rows.iter().map(|run| run.partition);
    let partitions = partitions.chain(stored.readings.iter().map(|reading| reading.partition));
    let partitions: BTreeSet<_> = partitions
        .chain(stored.committed.iter().map(|committed| committed.partition))
        .collect();
    let mut books = Books::default();
    for partition in partitions {
        books.close(partition, rows, stored);
        books.compare_values(partition, rows, stored);
    }
    let mut account = books.account;
    account.elsewhere = elsewhere;
    account.account.rows += elsewhere;
    account.account.outside += elsewhere;
    account
}

/// What changes at an offset: readings, rows and what else may be stored, as they begin or end there.
#[derive(Debug, Clone, Copy, Default)]
struct Change {
    readings: i64,
    unconfirmed: i64,
    rows: i64,
    committed: i64,
}

#[derive(Default)]
struct Books {
    account: RowsAccount,
}

impl Books {
    fn close(&mut self, partition: TopicPartition, rows: &[StoredRun], stored: Stored<'_>) {
        let mut changes: BTreeMap<i64, Change> = BTreeMap::new();
        let mut change = |first: i64, end: i64, by: Change| {
            if first < end {
                let begin = changes.entry(first).or_default();
                *begin = begin.plus(by, 1);
                let finish = changes.entry(end).or_default();
                *finish = finish.plus(by, -1);
            }
        };
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let readings = stored.readings.iter().filter(|reading| reading.partition == partition);
        for run in readings.flat_map(|reading| reading.runs) {
            let by = Change {
                readings: 1,
                ..Change::default()
            };
            change(run.first, run.end, by);
        }
        for may_be in stored.unconfirmed.iter().filter(|may_be| may_be.partition == partition) {
            let by = Change {
                unconfirmed: signed(may_be.copies),
                ..Change::default()
            };
            change(may_be.first, may_be.end, by);
        }
        for run in rows.iter().filter(|run| run.partition == partition) {
            let by = Change {
                rows: signed(run.copies),
                ..Change::default()
            };
            change(run.first, run.end, by);
        }
        let committed = stored.committed.iter();
        for committed in committed.filter(|committed| committed.partition == partition) {
            let by = Change {
                committed: 1,
                ..Change::default()
            };
            change(committed.low, committed.end, by);
        }
        let mut now = Change::default();
        let mut from = i64::MIN;
        for (at, by) in changes {
            self.stretch((partition, from, at), now, stored);
            now = now.plus(by, 1);
            from = at;
        }
    }

    /// Offsets with equally many readings and rows.
    fn stretch(&mut self, (partition, first, end): (TopicPartition, i64, i64), now: Change, stored: Stored<'_>) {
        let (readings, rows) = (now.readings.unsigned_abs(), now.rows.unsigned_abs());
        let unconfirmed = now.unconfirmed.unsigned_abs();
        if rows == 0 {
            let kind = match (readings > 0, now.committed > 0) {
                (true, _) => FindingKind::Lost,
                (false, true) => FindingKind::Committed,
                (false, false) => return,
            };
            // A run of an existing topic goes on over offsets without a record.
            let delivered = stored
                .delivered
                .and_then(|delivered| delivered.of(partition.topic, partition.partition));
            match delivered {
                Some(delivered) => {
                    let missing: Vec<_> = delivered.within(first, end).collect();
                    for run in missing {
                        self.find(kind, (partition, run.first, run.end), stored);
                    }
                }
                None => self.find(kind, (partition, first, end), stored),
            }
            return;
        }
        let count = end.abs_diff(first);
        let counts = &mut self.account.account;
        counts.rows += count * rows;
        counts.stored += count;
        counts.stored_twice += count * (rows - 1);
        let place = (partition, first, end);
        if readings + unconfirmed == 0 {
            self.find(FindingKind::Outside, place, stored);
        }
        if rows > (readings + unconfirmed).max(1) {
            let kind = FindingKind::Twice {
                rows,
                reported: readings,
                unconfirmed,
            };
            self.find(kind, place, stored);
        }
    }

    /// Compares how many bytes the values of a partition have in its rows and had when they were read.
    fn compare_values(&mut self, partition: TopicPartition, rows: &[StoredRun], stored: Stored<'_>) {
        let (mut records, mut read) = ((0, 0), 0);
        for values in stored.values.iter().filter(|values| values.partition == partition) {
            records.0 += values.records;
            if let Some(bytes) = values.bytes {
                records.1 += values.records;
                read += bytes;
            }
        }
        let (mut count, mut bytes) = (0, 0);
        for run in rows.iter().filter(|run| run.partition == partition) {
            count += run.end.abs_diff(run.first) * run.copies;
            bytes += run.bytes;
        }
        let is_certain = stored.unconfirmed.iter().all(|may_be| may_be.partition != partition);
        let expected = match records {
            (all, known) if all == known && count == all && is_certain => Some(read),
            (_, known @ 1..) if stored.same_length => Some(read / known * count),
            _ => None,
        };
        match expected {
            Some(read) if read != bytes => {
                let kind = FindingKind::Altered { stored: bytes, read };
                self.find(kind, (partition, i64::MIN, i64::MAX), stored);
            }
            Some(_) => {}
            None => self.account.not_compared += u64::from(count > 0),
        }
    }

    /// Counts a finding, and keeps it while there are few.
    fn find(&mut self, kind: FindingKind, (partition, first, end): (TopicPartition, i64, i64), stored: Stored<'_>) {
        let (counts, count) = (&mut self.account.account, end.abs_diff(first));
        match kind {
            FindingKind::Lost | FindingKind::Committed => counts.lost += count,
            FindingKind::Twice {
                rows,
                reported,
                unconfirmed,
            } => counts.unexplained += count * (rows - (reported + unconfirmed).max(1)),
            FindingKind::Altered { .. } => counts.altered += 1,
            FindingKind::Outside => counts.outside += count,
        }
        if self.account.findings.len() == FINDINGS_MAX {
            self.account.more_findings += 1;
            return;
        }
        let read = |reading: &&Reading<'_>| {
            let mut runs = reading.runs.iter();
            reading.partition == partition && runs.any(|run| run.first < end && first < run.end)
        };
        let unconfirmed = stored.unconfirmed.iter();
        let unconfirmed =
            unconfirmed.filter(|may_be| may_be.partition == partition && may_be.first < end && first < may_be.end);
        let members = stored.readings.iter().filter(read).map(|reading| reading.member);
        let members: BTreeSet<&str> = members.chain(unconfirmed.map(|may_be| may_be.member)).collect();
        self.account.findings.push(Finding {
            kind,
            partition,
            first,
            end,
            members: members.into_iter().map(str::to_owned).collect(),
        });
    }
}

impl Change {
    fn plus(self, by: Change, sign: i64) -> Self {
        Change {
            readings: self.readings + sign * by.readings,
            unconfirmed: self.unconfirmed + sign * by.unconfirmed,
            rows: self.rows + sign * by.rows,
            committed: self.committed + sign * by.committed,
        }
    }
}

#[cfg(test)]
mod tests;
