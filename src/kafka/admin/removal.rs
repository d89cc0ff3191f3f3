//! Deletes all topics and groups with a prefix.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::connection::{Admin, SETTLE_LIMIT};
use super::error::AdminError;

/// How long a member that ended without leaving may stay in its group: the default of `session.timeout.ms` and of
/// `group.consumer.session.timeout.ms`, 45 s, and what the brokers need to act on it.
const SESSION_LIMIT: Duration = Duration::from_secs(55);

impl Admin {
    /// Deletes every topic and every group whose name starts with `prefix`, topics first, until the cluster reports none of
    /// them: its metadata may lag behind. Waits for members that ended without leaving, and reports that through `report`.
    /// Returns the number of topics.
    pub async fn delete_named(&self, prefix: &str, report: &(dyn Fn(&str) + Sync)) -> Result<usize, AdminError> {
        let begin = Instant::now();
        let mut deleted = BTreeSet::new();
        loop {
            let topics = self.topics(prefix).await?;
            self.delete_topics(&topics).await?;
            let groups = self.groups(prefix).await?;
            self.delete_groups_within(&groups, SESSION_LIMIT, report).await?;
            if topics.is_empty() && groups.is_empty() {
                return Ok(deleted.len());
            }
            if begin.elapsed() > SESSION_LIMIT + SETTLE_LIMIT {
                let left = [topics, groups].concat().join(", ");
                return Err(AdminError::refused(
                    format!("delete what starts with {prefix}"),
                    &format!("{left} still there after {} s", begin.elapsed().as_secs()),
                ));
            }
            deleted.extend(topics);
        }
    }
}
