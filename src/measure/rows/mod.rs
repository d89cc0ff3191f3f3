//! The account of a group's rows: what a store holds of the records that its members say they have stored. Finds records
//! without a row, rows that nothing explains, rows that no member knows of, and values that changed their length. Knows no
//! database.

mod change;
mod compared;
mod finding;
mod reach;
mod unconfirmed;

use std::collections::BTreeSet;

use self::change::{Change, MayBe, changes_of};
use self::finding::{Finding, FindingKind};
use self::reach::may_be;
use super::ledger::Reading;
use super::member::TopicPartition;
use super::stored::StoreAccount;
use super::trial::FailureKind;
use crate::wording::plural;

pub use self::compared::{Committed, Stored, StoredRun, ValuesRead};
pub use self::unconfirmed::{Records, Unconfirmed};

/// Most findings of a [`RowsAccount`]; more are only counted.
const FINDINGS_MAX: usize = 10;

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
    /// What can be wrong with rows, the worst first: how often it is, how a trial fails by it, and in words.
    fn faults(&self) -> [(u64, FailureKind, &'static str, &'static str); 4] {
        let account = &self.account;
        [
            (account.lost, FailureKind::RowsLost, "record", "without a row"),
            (
                account.altered,
                FailureKind::RowsAltered,
                "partition",
                "with other values than were read",
            ),
            (account.unexplained, FailureKind::RowsTwice, "row", "too many"),
            (
                account.outside,
                FailureKind::RowsOutside,
                "row",
                "of records that no member stored",
            ),
        ]
    }

    /// How a trial fails by it; `None` where every row is explained and no record is without one.
    pub fn failure(&self) -> Option<FailureKind> {
        let mut faults = self.faults().into_iter();
        faults.find_map(|(count, kind, ..)| (count > 0).then_some(kind))
    }

    /// What is wrong, in a sentence of counts and one for each finding.
    pub fn sentences(&self) -> Vec<String> {
        let counts: Vec<String> = self
            .faults()
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, _, noun, what)| format!("{} {what}", plural(count, noun)))
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
        let page = Page {
            partition,
            stored,
            may_be: may_be(partition, rows, stored),
        };
        books.close(&page, rows);
        books.compare_values(&page, rows);
    }
    let mut account = books.account;
    account.elsewhere = elsewhere;
    account.account.rows += elsewhere;
    account.account.outside += elsewhere;
    account
}

/// A partition, and what its rows are compared with.
struct Page<'a> {
    partition: TopicPartition,
    stored: Stored<'a>,
    /// What members may have stored of it without reporting it.
    may_be: Vec<MayBe<'a>>,
}

#[derive(Default)]
struct Books {
    account: RowsAccount,
}

impl Books {
    fn close(&mut self, page: &Page<'_>, rows: &[StoredRun]) {
        let mut now = Change::default();
        let mut from = i64::MIN;
        for (at, by) in changes_of(page.partition, rows, page.stored, &page.may_be) {
            self.stretch(page, (from, at), now);
            now = now.plus(by, 1);
            from = at;
        }
    }

    /// Offsets with equally many readings and rows.
    fn stretch(&mut self, page: &Page<'_>, (first, end): (i64, i64), now: Change) {
        let (readings, rows) = (now.readings.unsigned_abs(), now.rows.unsigned_abs());
        let unconfirmed = now.unconfirmed.unsigned_abs();
        if rows == 0 {
            let kind = match (readings > 0, now.committed > 0) {
                (true, _) => FindingKind::Lost,
                (false, true) => FindingKind::Committed,
                (false, false) => return,
            };
            // A run of an existing topic goes on over offsets without a record.
            let delivered = page.stored.delivered;
            match delivered.and_then(|delivered| delivered.of(page.partition.topic, page.partition.partition)) {
                Some(delivered) => {
                    for run in delivered.within(first, end) {
                        self.find(page, kind, (run.first, run.end));
                    }
                }
                None => self.find(page, kind, (first, end)),
            }
            return;
        }
        let count = end.abs_diff(first);
        let counts = &mut self.account.account;
        counts.rows += count * rows;
        counts.stored += count;
        counts.stored_twice += count * (rows - 1);
        if readings + unconfirmed == 0 {
            self.find(page, FindingKind::Outside, (first, end));
        }
        if rows > (readings + unconfirmed).max(1) {
            let kind = FindingKind::Twice {
                rows,
                reported: readings,
                unconfirmed,
            };
            self.find(page, kind, (first, end));
        }
    }

    /// Compares how many bytes the values of a partition have in its rows and had when they were read.
    fn compare_values(&mut self, page: &Page<'_>, rows: &[StoredRun]) {
        let (mut records, mut read) = ((0, 0), 0);
        let values = page.stored.values.iter();
        for values in values.filter(|values| values.partition == page.partition) {
            records.0 += values.records;
            if let Some(bytes) = values.bytes {
                records.1 += values.records;
                read += bytes;
            }
        }
        let (mut count, mut bytes) = (0, 0);
        for run in rows.iter().filter(|run| run.partition == page.partition) {
            count += run.end.abs_diff(run.first) * run.copies;
            bytes += run.bytes;
        }
        let expected = match records {
            (all, known) if all == known && count == all && page.may_be.is_empty() => Some(read),
            (_, known @ 1..) if page.stored.same_length => Some(read / known * count),
            _ => None,
        };
        match expected {
            Some(read) if read != bytes => {
                let kind = FindingKind::Altered { stored: bytes, read };
                self.find(page, kind, (i64::MIN, i64::MAX));
            }
            Some(_) => {}
            None => self.account.not_compared += u64::from(count > 0),
        }
    }

    /// Counts a finding, and keeps it while there are few.
    fn find(&mut self, page: &Page<'_>, kind: FindingKind, (first, end): (i64, i64)) {
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
            reading.partition == page.partition && runs.any(|run| run.first < end && first < run.end)
        };
        let members = page.stored.readings.iter().filter(read).map(|reading| reading.member);
        let may_be = page.may_be.iter().filter(|of| of.first < end && first < of.end);
        let members: BTreeSet<&str> = members.chain(may_be.map(|of| of.member)).collect();
        self.account.findings.push(Finding {
            kind,
            partition: page.partition,
            first,
            end,
            members: members.into_iter().map(str::to_owned).collect(),
        });
    }
}

#[cfg(test)]
mod builders;

#[cfg(test)]
mod killed_tests;

#[cfg(test)]
mod tests;
