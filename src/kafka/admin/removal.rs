//! Deletes all topics and groups with a prefix.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::connection::{Admin, SETTLE_LIMIT};
use super::error::AdminError;

/// The default of `session.timeout.ms` and of `group.consumer.session.timeout.ms`.
pub const DEFAULT_SESSION: Duration = Duration::from_secs(45);

/// What the brokers need beyond a session to drop a member that ended without leaving.
const DROP_LIMIT: Duration = Duration::from_secs(10);

impl Admin {
    /// Deletes every topic and every group whose name starts with `prefix`, topics first, until the cluster reports none of
    /// them: its metadata may lag behind. Waits for members that ended without leaving, whose sessions are at most so long,
    /// and reports that through `report`. Returns the number of topics.
    pub async fn delete_named(
        &self,
        prefix: &str,
        session: Duration,
        report: &(dyn Fn(&str) + Sync),
    ) -> Result<usize, AdminError> {
        let session_limit = session + DROP_LIMIT;
        let begin = Instant::now();
        let mut deleted = BTreeSet::new();
        loop {
            let topics = self.topics(prefix).await?;
            self.delete_topics(&topics).await?;
            let groups = self.groups(prefix).await?;
            self.delete_groups_within(&groups, session_limit, report).await?;
            if topics.is_empty() && groups.is_empty() {
                return Ok(deleted.len());
            }
            if begin.elapsed() > session_limit + SETTLE_LIMIT {
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
