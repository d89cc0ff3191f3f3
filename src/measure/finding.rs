//! What is wrong with the reading of a group, as values; the sentences are made here and nowhere else.

use std::fmt;

use super::member::{TopicPartition, partition_name};

/// One thing that is wrong: who read what of a partition, and how it differs from what was to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong, and with how much.
    pub kind: FindingKind,
    /// The partition.
    pub partition: TopicPartition,
    /// The members concerned: those that read the records, or where offsets are lost those that read the partition.
    pub members: Vec<String>,
}

/// How a reading can be wrong. Offsets go from the first up to but not including the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingKind {
    /// Nobody read these offsets.
    Lost(i64, i64),
    /// One owner read these offsets twice.
    Duplicated(i64, i64),
    /// Two owners read these offsets.
    Redelivered(i64, i64),
    /// These offsets were read and were not to be.
    Outside(i64, i64),
    /// So many records were read where there are so many; which offsets is not known.
    Count {
        /// Records read.
        read: u64,
        /// Records there are.
        expected: u64,
    },
    /// A member counted another number of records than its ledger holds.
    Contradiction {
        /// As counted.
        counted: u64,
        /// By its ledger.
        in_ledger: u64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = partition_name(self.partition);
        let offsets = |first: i64, end: i64| match end - first {
            1 => format!("offset {first} of {place} was"),
            _ => format!("offsets {first} to {} of {place} were", end - 1),
        };
        let members = self.members.join(" and by ");
        match self.kind {
            FindingKind::Lost(first, end) if self.members.is_empty() => {
                write!(f, "{} never read; no member read the partition", offsets(first, end))
            }
            FindingKind::Lost(first, end) => {
                write!(
                    f,
                    "{} never read; the partition was read by {members}",
                    offsets(first, end)
                )
            }
            FindingKind::Duplicated(first, end) => write!(f, "{} read twice by {members}", offsets(first, end)),
            FindingKind::Redelivered(first, end) if self.members.len() == 1 => {
                write!(f, "{} read by {members} under two assignments", offsets(first, end))
            }
            FindingKind::Redelivered(first, end) => write!(f, "{} read by {members}", offsets(first, end)),
            FindingKind::Outside(first, end) => {
                write!(
                    f,
                    "{} read by {members} although outside what was to be read",
                    offsets(first, end)
                )
            }
            FindingKind::Count { read, expected } => {
                let readers = match self.members.as_slice() {
                    [] => "nobody".to_owned(),
                    members => members.join(" and "),
                };
                write!(
                    f,
                    "{read} records of {place} were read where there are {expected} (by {readers})"
                )
            }
            FindingKind::Contradiction { counted, in_ledger } => write!(
                f,
                "{counted} records of {place} were counted by {members}, whose ledger holds {in_ledger}"
            ),
        }
    }
}
