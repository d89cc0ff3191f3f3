//! What is known of readers that speak nothing and are observed from outside: their positions are the offsets that they
//! commit, and no figure made of them is more exact than the time between two commits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::member::TopicPartition;

/// How often an observer asks for committed offsets.
pub const COMMITTED_INTERVAL: Duration = Duration::from_millis(100);

/// A window that readers are judged by has at least so many of their commits.
pub const COMMITS_PER_WINDOW: u64 = 20;

/// Readers as they are seen from outside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outside {
    /// From one commit to the next, as the committed offsets moved: nine of ten were no further apart. At least
    /// [`COMMITTED_INTERVAL`]; `None` where too few were seen.
    pub commit_interval_ns: Option<u64>,
    /// When committed offsets were seen to move, in order; recorded where something is done on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<GroupCommit>,
    /// What programs left behind when they ended, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_behind: Vec<String>,
}

/// A group's committed offset that was seen to have moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCommit {
    /// The group, from 0.
    pub group: u32,
    /// Of which partition.
    pub partition: TopicPartition,
    /// When the question went by which it was seen.
    pub at_ns: u64,
}

impl Outside {
    /// How exact times are that follow from commits.
    pub fn resolution_ns(&self) -> u64 {
        let least_ns = u64::try_from(COMMITTED_INTERVAL.as_nanos()).unwrap_or(u64::MAX);
        self.commit_interval_ns.unwrap_or(least_ns)
    }
}

/// The commit interval by the distances between commits.
pub fn commit_interval_ns(mut distances_ns: Vec<u64>) -> Option<u64> {
    distances_ns.sort_unstable();
    // The nearest rank of nine tenths.
    let rank = (distances_ns.len() * 9).div_ceil(10).checked_sub(1)?;
    let least_ns = u64::try_from(COMMITTED_INTERVAL.as_nanos()).unwrap_or(u64::MAX);
    Some(distances_ns[rank].max(least_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_interval_is_that_which_one_in_ten_exceeds_and_no_shorter_than_the_questions() {
        assert_eq!(commit_interval_ns(vec![]), None);
        let seconds = |seconds: &[u64]| seconds.iter().map(|s| s * 1_000_000_000).collect();
        assert_eq!(
            commit_interval_ns(seconds(&[1, 1, 1, 1, 1, 1, 1, 1, 2, 9])),
            Some(2_000_000_000)
        );
        assert_eq!(commit_interval_ns(vec![5]), Some(100_000_000));
    }
}
