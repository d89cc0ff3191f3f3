//! A group that the scenario fixes: the user's, which must be empty before it is used, starts at the trial's first
//! records, and stays when the run ends.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::clients::client_config;
use crate::kafka::admin::{Admin, AdminError};
use crate::kafka::settings_cause;
use crate::measure::GroupMember;
use crate::protocol::TopicTarget;
use crate::secret::Secret;

/// How long members of the trial before may take to leave: a killed one stays for the length of its session.
const LEAVE_LIMIT: Duration = Duration::from_secs(60);

/// Pause between two looks at a group whose members are leaving.
const PAUSE: Duration = Duration::from_millis(100);

/// Why a fixed group cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// Somebody else is in it.
    #[error(
        "the group {group} has members: {members}; end them, or name another group in [consumer]: in this one they \
         would take part in the measurement"
    )]
    Occupied {
        /// The group.
        group: String,
        /// Client ids and hosts.
        members: String,
    },
    /// A trial before has left members that do not go.
    #[error("members of an earlier trial are still in the group {group}: {members}")]
    NotLeft {
        /// The group.
        group: String,
        /// Client ids and hosts.
        members: String,
    },
    /// The cluster does not say who is in it.
    #[error(transparent)]
    Cluster(#[from] AdminError),
    /// Its committed positions cannot be set.
    #[error("the positions of the group {group} cannot be set to the first records of the trial: {cause}")]
    Positions {
        /// The group.
        group: String,
        /// What the broker or the client says.
        cause: String,
    },
}

/// Checks that nobody is in the group. Members whose client ids begin with `own` are of a trial before, and are waited
/// for.
pub async fn wait_until_empty(admin: &Admin, group: &str, own: &str) -> Result<(), GroupError> {
    let deadline = tokio::time::Instant::now() + LEAVE_LIMIT;
    loop {
        let (ours, others): (Vec<GroupMember>, Vec<GroupMember>) = admin
            .describe_group(group)
            .await?
            .members
            .into_iter()
            .partition(|member| member.client_id.starts_with(own));
        if !others.is_empty() {
            return Err(GroupError::Occupied {
                group: group.to_owned(),
                members: list_of_members(&others),
            });
        }
        if ours.is_empty() {
            return Ok(());
        }
        if tokio::time::Instant::now() > deadline {
            return Err(GroupError::NotLeft {
                group: group.to_owned(),
                members: list_of_members(&ours),
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// `orders-1 at 10.0.0.7, orders-2 at 10.0.0.8`.
pub fn list_of_members(members: &[GroupMember]) -> String {
    let each = members.iter().map(|member| {
        // Brokers write the address behind a stroke.
        let host = member.host.trim_start_matches('/');
        format!("{} at {host}", member.client_id)
    });
    each.collect::<Vec<_>>().join(", ")
}

/// Commits the first offset of every partition that is to be read, over what trials before have committed: a member
/// that gets a partition in the middle of a trial goes on from what is committed. The group must be empty.
pub async fn reset(
    admin: &Admin,
    properties: &BTreeMap<String, Secret>,
    group: &str,
    topics: &[TopicTarget],
) -> Result<(), GroupError> {
    let failed = |cause: String| GroupError::Positions {
        group: group.to_owned(),
        cause,
    };
    let mut config = client_config(admin.bootstrap(), properties, "tandem-positions");
    config.set("group.id", group).set("enable.auto.commit", "false");
    let mut positions = TopicPartitionList::new();
    for topic in topics {
        for (partition, range) in (0i32..).zip(&topic.partitions) {
            let added = positions.add_partition_offset(&topic.name, partition, Offset::Offset(range.low));
            added.map_err(|error| failed(error.to_string()))?;
        }
    }
    let commit = move || {
        let consumer: BaseConsumer = config.create().map_err(|error| settings_cause(&error))?;
        let committed = consumer.commit(&positions, CommitMode::Sync);
        committed.map_err(|error| error.to_string())
    };
    let ended = tokio::task::spawn_blocking(commit).await;
    ended.map_err(|error| failed(error.to_string()))?.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_named_by_client_and_host() {
        let member = |id: &str, host: &str| GroupMember {
            client_id: id.into(),
            host: host.into(),
            assignment: Vec::new(),
            target: None,
        };
        let members = [member("orders-1", "/10.0.0.7"), member("orders-2", "10.0.0.8")];
        assert_eq!(list_of_members(&members), "orders-1 at 10.0.0.7, orders-2 at 10.0.0.8");
    }
}
