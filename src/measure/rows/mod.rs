//! The account of a group's rows: what a store holds of the records that its members say they have stored. Finds records
//! without a row, rows that nothing explains, and rows that no member knows of. Knows no database.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::delivered::DeliveredTopics;
use super::ledger::Reading;
use super::member::{TopicPartition, partition_name};
use super::stored::StoreAccount;
use super::trial::FailureKind;
use crate::wording::plural;

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
    /// Rows of transactions that were tried again: each may have been committed before, without an answer.
    pub tried_again: u64,
}

/// The rows of a group, compared with what its members report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowsAccount {
    /// The counts.
    pub account: StoreAccount,
    /// Rows in topics or partitions that the trial does not read; part of those outside.
    pub elsewhere: u64,
    findings: Vec<Finding>,
    more_findings: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    kind: FindingKind,
    partition: TopicPartition,
    first: i64,
    end: i64,
    members: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FindingKind {
    /// Reported as stored, without a row.
    Lost,
    /// Committed to Kafka, without a row, and reported by nobody.
    Committed,
    /// With so many rows, where so many are explained.
    Twice { rows: u64, explained: u64 },
    /// With a row, and reported by nobody.
    Outside,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, is_one) = (partition_name(self.partition), self.end - self.first == 1);
        if is_one {
            write!(f, "offset {} of {place} ", self.first)?;
        } else {
            write!(f, "offsets {} to {} of {place} ", self.first, self.end - 1)?;
        }
        let (was, has) = if is_one { ("was", "has") } else { ("were", "have") };
        let members = self.members.join(" and by ");
        match self.kind {
            FindingKind::Lost => write!(f, "{was} reported as stored by {members} and {has} no row"),
            FindingKind::Committed => write!(f, "{was} committed to Kafka and {has} no row"),
            FindingKind::Twice { rows, explained } => {
                let each = if is_one { "" } else { " each" };
                write!(f, "{has} {rows} rows{each}, and {members} wrote {explained}")
            }
            FindingKind::Outside => write!(f, "{has} a row, and no member reported to have stored it"),
        }
    }
}

impl RowsAccount {
    /// How a trial fails by it; `None` where every row is explained and no record is without one.
    pub fn failure(&self) -> Option<FailureKind> {
        let StoreAccount {
            lost,
            unexplained,
            outside,
            ..
        } = self.account;
        match (lost, unexplained, outside) {
            (0, 0, 0) => None,
            (0, 0, _) => Some(FailureKind::RowsOutside),
            (0, _, _) => Some(FailureKind::RowsTwice),
            (_, _, _) => Some(FailureKind::RowsLost),
        }
    }

    /// What is wrong, in a sentence of counts and one for each finding.
    pub fn sentences(&self) -> Vec<String> {
        let StoreAccount {
            lost,
            unexplained,
            outside,
            ..
        } = self.account;
        let counts = [
            (lost, "record", "without a row"),
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
/// take each other's place; of a partition of which a killed process read, more may be stored than anybody reported. Time is
/// n log n in the number of runs.
pub fn account(rows: &[StoredRun], stored: Stored<'_>, elsewhere: u64) -> RowsAccount {
    let partitions = rows.iter().map(|run| run.partition);
    let partitions = partitions.chain(stored.readings.iter().map(|reading| reading.partition));
    let partitions: BTreeSet<_> = partitions
        .chain(stored.committed.iter().map(|committed| committed.partition))
        .collect();
    let mut books = Books::default();
    for partition in partitions {
        books.close(partition, rows, stored);
    }
    let mut account = books.account;
    // A retried transaction explains rows of its own only, wherever they are.
    let StoreAccount {
        unexplained, outside, ..
    } = &mut account.account;
    let explained_twice = stored.tried_again.min(*unexplained);
    *unexplained -= explained_twice;
    *outside -= (stored.tried_again - explained_twice).min(*outside);
    account.elsewhere = elsewhere;
    account.account.rows += elsewhere;
    account.account.outside += elsewhere;
    account
}

/// What changes at an offset: readings and rows that begin or end there.
#[derive(Debug, Clone, Copy, Default)]
struct Change {
    readings: i64,
    rows: i64,
    committed: i64,
}

#[derive(Default)]
struct Books {
    account: RowsAccount,
}

impl Books {
    fn close(&mut self, partition: TopicPartition, rows: &[StoredRun], stored: Stored<'_>) {
        let of_partition = || stored.readings.iter().filter(|reading| reading.partition == partition);
        let was_killed = of_partition().any(|reading| reading.was_killed);
        let mut changes: BTreeMap<i64, Change> = BTreeMap::new();
        let mut change = |first: i64, end: i64, by: Change| {
            if first < end {
                let begin = changes.entry(first).or_default();
                *begin = begin.plus(by, 1);
                let finish = changes.entry(end).or_default();
                *finish = finish.plus(by, -1);
            }
        };
        for run in of_partition().flat_map(|reading| reading.runs) {
            change(
                run.first,
                run.end,
                Change {
                    readings: 1,
                    ..Change::default()
                },
            );
        }
        for run in rows.iter().filter(|run| run.partition == partition) {
            let rows = i64::try_from(run.copies).unwrap_or(i64::MAX);
            change(
                run.first,
                run.end,
                Change {
                    rows,
                    ..Change::default()
                },
            );
        }
        for committed in stored
            .committed
            .iter()
            .filter(|committed| committed.partition == partition)
        {
            change(
                committed.low,
                committed.end,
                Change {
                    committed: 1,
                    ..Change::default()
                },
            );
        }
        let mut now = Change::default();
        let mut from = i64::MIN;
        for (at, by) in changes {
            self.stretch((partition, from, at), now, stored, was_killed);
            now = now.plus(by, 1);
            from = at;
        }
    }

    /// Offsets with equally many readings and rows.
    fn stretch(
        &mut self,
        (partition, first, end): (TopicPartition, i64, i64),
        now: Change,
        stored: Stored<'_>,
        was_killed: bool,
    ) {
        let (readings, rows) = (now.readings.unsigned_abs(), now.rows.unsigned_abs());
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
        if was_killed {
            return;
        }
        if readings == 0 {
            self.find(FindingKind::Outside, (partition, first, end), stored);
        }
        let explained = readings.max(1);
        if rows > explained {
            self.find(
                FindingKind::Twice {
                    rows,
                    explained: readings,
                },
                (partition, first, end),
                stored,
            );
        }
    }

    /// Counts a finding, and keeps it while there are few.
    fn find(&mut self, kind: FindingKind, (partition, first, end): (TopicPartition, i64, i64), stored: Stored<'_>) {
        let (counts, count) = (&mut self.account.account, end.abs_diff(first));
        match kind {
            FindingKind::Lost | FindingKind::Committed => counts.lost += count,
            FindingKind::Twice { rows, explained } => counts.unexplained += count * (rows - explained.max(1)),
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
        let members: BTreeSet<&str> = stored
            .readings
            .iter()
            .filter(read)
            .map(|reading| reading.member)
            .collect();
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
            rows: self.rows + sign * by.rows,
            committed: self.committed + sign * by.committed,
        }
    }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
