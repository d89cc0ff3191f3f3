//! What is wrong with the rows of a partition, in words.

use std::fmt;

use crate::measure::member::{TopicPartition, partition_name};
use crate::wording::{plural, with_commas};

/// What is wrong with consecutive offsets of a partition, or with all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) kind: FindingKind,
    pub(super) partition: TopicPartition,
    pub(super) first: i64,
    pub(super) end: i64,
    pub(super) members: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FindingKind {
    /// Reported as stored, without a row.
    Lost,
    /// Committed to Kafka, without a row, and reported by nobody.
    Committed,
    /// With so many rows, where so many were reported and so many more may have been written.
    Twice { rows: u64, reported: u64, unconfirmed: u64 },
    /// With a row, and reported by nobody.
    Outside,
    /// All rows of the partition, whose values have so many bytes instead of those of what was read.
    Altered { stored: u64, read: u64 },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, is_one) = (partition_name(self.partition), self.end.abs_diff(self.first) == 1);
        let members = self.members.join(" and ");
        if let FindingKind::Altered { stored, read } = self.kind {
            let [stored, read] = [stored, read].map(with_commas);
            return write!(
                f,
                "the values in the rows of {place}, which {members} read, have {stored} bytes instead of {read}"
            );
        }
        if is_one {
            write!(f, "offset {} of {place} ", self.first)?;
        } else {
            write!(f, "offsets {} to {} of {place} ", self.first, self.end - 1)?;
        }
        let (was, has) = if is_one { ("was", "has") } else { ("were", "have") };
        match self.kind {
            FindingKind::Lost => write!(f, "{was} reported as stored by {members} and {has} no row"),
            FindingKind::Committed => write!(f, "{was} committed to Kafka and {has} no row"),
            FindingKind::Twice {
                rows,
                reported,
                unconfirmed,
            } => {
                let each = if is_one { "" } else { " each" };
                let rows = plural(rows, "row");
                match unconfirmed {
                    0 => write!(f, "{has} {rows}{each}, and {members} wrote {reported}"),
                    more => write!(
                        f,
                        "{has} {rows}{each}, and {members} wrote {reported}, and perhaps {more} more without reporting it"
                    ),
                }
            }
            FindingKind::Outside => write!(f, "{has} a row, and no member reported to have stored it"),
            FindingKind::Altered { .. } => Ok(()),
        }
    }
}
