//! The accounts of a trial: what each group read, compared with what it was to read.

use std::collections::BTreeMap;

use crate::measure::ledger::{self, ExpectedRange, Finding, FindingKind, Reading, Repeats};
use crate::measure::{Failure, FailureKind, MemberMeasurement, OffsetRun, TopicPartition};
use crate::protocol::{Capability, OffsetRange, partitions_of};
use crate::trial::cast::AnyActor;
use crate::trial::course::Ended;

/// The accounts of all groups together.
#[derive(Default)]
pub(super) struct Accounts {
    pub(super) lost: u64,
    pub(super) duplicated: u64,
    pub(super) redelivered: u64,
    /// Offsets of which it is not known whether they were read.
    pub(super) not_observed: u64,
    /// Offsets that hold no record for readers.
    pub(super) not_delivered: u64,
    /// Records that the cluster had removed.
    pub(super) removed: u64,
    /// Where records are lost, of all groups.
    pub(super) lost_between: BTreeMap<TopicPartition, (i64, i64)>,
    /// Records that arrived and were not read by the end of the draining.
    pub(super) unread: u64,
    /// Records that each group was to read.
    pub(super) expected: u64,
    pub(super) failure: Option<Failure>,
}

/// Compares what each group read with what it was to read.
pub(super) fn accounts(ended: &Ended<'_>, members: &[MemberMeasurement]) -> Accounts {
    let mut sum = Accounts::default();
    for group in 0..ended.terms.groups.len() {
        let of_group = |member: &&MemberMeasurement| member.group as usize == group;
        let members: Vec<&MemberMeasurement> = members.iter().filter(of_group).collect();
        let mut readers = ended.cast.readers.iter();
        let has_ledger = readers.all(|reader| reader.role.group != group || reader.can(Capability::Ledger));
        let due = ended.course.due(ended, &members);
        (sum.expected, sum.unread) = (due.records, sum.unread + due.unread);
        let account = if ended.cast.is_observed() {
            // What a program commits says nothing of what it read twice or passed over.
            ledger::Account::default()
        } else if has_ledger {
            by_ledger(ended, &due.ranges, &members)
        } else if !ended.terms.script.steps.is_empty() {
            // Counts do not tell what was read again after a planned act from what was lost or doubled.
            ledger::Account::default()
        } else {
            by_count(ended, &members)
        };
        sum.lost += account.lost;
        sum.duplicated += account.duplicated;
        sum.redelivered += account.redelivered;
        sum.not_observed += account.not_observed;
        sum.not_delivered += account.not_delivered;
        for (partition, (first, end)) in &account.lost_between {
            let between = sum.lost_between.entry(*partition).or_insert((*first, *end));
            *between = (between.0.min(*first), between.1.max(*end));
        }
        sum.removed += account.removed + ended.course.removed_before();
        if sum.failure.is_none() {
            sum.failure = failure_of(group, &account, &members);
        }
    }
    sum
}

/// Compares the offsets read with the offsets there are.
fn by_ledger(ended: &Ended<'_>, expected: &[ExpectedRange], members: &[&MemberMeasurement]) -> ledger::Account {
    let names: Vec<String> = members.iter().map(|member| member.name()).collect();
    let readings: Vec<Reading<'_>> = members
        .iter()
        .zip(&names)
        .flat_map(|(member, name)| Reading::of_member(member, name))
        .collect();
    let (course, reference) = (ended.course, ended.course.reference(ended.log));
    let mut account = ledger::account_by(course.repeats(), reference, expected, &readings);
    // Where offsets are missing or doubled, the ledger says more than the counts could.
    if account.lost == 0 && account.duplicated == 0 && account.outside == 0 {
        let counted = members.iter().flat_map(|member| &member.partitions);
        for (reading, counted) in readings.iter().zip(counted) {
            contradiction(&mut account, reading, counted.records);
        }
    }
    account
}

/// The rates rest on what a member counted: it must be as much as its ledger holds.
fn contradiction(account: &mut ledger::Account, reading: &Reading<'_>, counted: u64) {
    let length = |run: &OffsetRun| u64::try_from(run.end.saturating_sub(run.first)).unwrap_or(0);
    let noted = reading.runs.iter().map(length).fold(0, u64::saturating_add);
    if noted == counted {
        return;
    }
    account.lost = account.lost.saturating_add(noted.saturating_sub(counted));
    account.duplicated = account.duplicated.saturating_add(counted.saturating_sub(noted));
    account.findings.push(Finding {
        kind: FindingKind::Contradiction {
            counted,
            in_ledger: noted,
        },
        partition: reading.partition,
        members: vec![reading.member.to_owned()],
    });
}

/// Without a ledger only the number of records of each partition is known.
fn by_count(ended: &Ended<'_>, members: &[&MemberMeasurement]) -> ledger::Account {
    let mut counts: BTreeMap<TopicPartition, u64> = ended.terms.partitions().into_iter().map(|p| (p, 0)).collect();
    for read in members.iter().flat_map(|member| &member.partitions) {
        let count = counts.entry(read.topic_partition()).or_default();
        *count = count.saturating_add(read.records);
    }
    let ranges: BTreeMap<TopicPartition, OffsetRange> = partitions_of(&ended.terms.topics).collect();
    let mut account = ledger::Account::default();
    for (partition, read) in counts {
        let range = ranges.get(&partition).copied().unwrap_or_default();
        let (expected, removed) = ended.course.counts_of(partition, range, ended.log);
        account.not_delivered += range.len() - expected;
        account.removed += removed.min(expected.saturating_sub(read));
        if read <= expected && read + removed >= expected {
            continue;
        }
        account.lost = account.lost.saturating_add(expected.saturating_sub(read + removed));
        if read < expected {
            account.lost_between.insert(partition, (range.low, range.end));
        }
        let again = match ended.course.repeats() {
            Repeats::Fault => &mut account.duplicated,
            Repeats::Allowed => &mut account.redelivered,
        };
        *again = again.saturating_add(read.saturating_sub(expected));
        let readers = members.iter().filter(|member| {
            let mut partitions = member.partitions.iter();
            partitions.any(|read| read.topic_partition() == partition)
        });
        account.findings.push(Finding {
            kind: FindingKind::Count { read, expected },
            partition,
            members: readers.map(|member| member.name()).collect(),
        });
    }
    account
}

/// The failure that an account shows. Records read again after a change of owner are noted, and are no failure.
fn failure_of(group: usize, account: &ledger::Account, members: &[&MemberMeasurement]) -> Option<Failure> {
    let kind = if account.lost > 0 {
        FailureKind::Lost
    } else if account.duplicated > 0 || account.outside > 0 {
        FailureKind::Duplicated
    } else {
        return None;
    };
    let found = |name: &String| account.findings.iter().any(|finding| finding.members.contains(name));
    let named: Vec<String> = members.iter().map(|member| member.name()).filter(found).collect();
    let message = format!(
        "group {}: {} lost, {} counted twice, {} outside of the trial: {}",
        group + 1,
        account.lost,
        account.duplicated,
        account.outside,
        account.sentences().join("; ")
    );
    Some(Failure {
        kind,
        who: (!named.is_empty()).then(|| named.join(" and ")),
        message,
    })
}
