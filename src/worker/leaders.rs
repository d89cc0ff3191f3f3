//! The brokers that a member fetches from: connected to before it joins, and the client's threads for them woken at the
//! start. Knows nothing of groups and assignments.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use rdkafka::metadata::MetadataTopic;

use super::client::MemberClient;
use super::settings::ANSWER_LIMIT;
use super::shared::MemberShared;
use super::threads::spawn;

/// How long the cluster may take to describe the topics: of a thousand members fifty ask at a time.
const METADATA_LIMIT: Duration = Duration::from_secs(20);

/// One partition for each broker that leads any of the trial's: its topic and number.
pub(super) struct Leaders(Vec<(String, i32)>);

impl Leaders {
    /// Asks for the topics' metadata and connects the client to every leader. A client connects only where it has a
    /// question, so without this the connections would be made after the start.
    pub(super) fn reach(client: &MemberClient, shared: &MemberShared) -> Result<Self, String> {
        let mut leaders = BTreeMap::new();
        for topic in shared.topic_names() {
            let metadata = client
                .fetch_metadata(topic, METADATA_LIMIT)
                .map_err(|error| format!("the cluster did not answer: {error}"))?;
            let found = metadata.topics().iter().find(|t| t.name() == topic);
            let partitions = found.map(MetadataTopic::partitions).unwrap_or_default();
            for partition in partitions.iter().filter(|p| p.leader() >= 0) {
                leaders
                    .entry(partition.leader())
                    .or_insert_with(|| (topic.to_owned(), partition.id()));
            }
        }
        if leaders.is_empty() {
            return Err(format!(
                "no partition of {} has a leader",
                shared.topic_names().join(", ")
            ));
        }
        let leaders = Leaders(leaders.into_values().collect());
        thread::scope(|scope| {
            for (topic, partition) in &leaders.0 {
                scope.spawn(move || ask(client, topic, *partition));
            }
        });
        Ok(leaders)
    }

    /// Wakes the client's thread for each leader, which would first finish a sleep of up to a second without a question.
    /// Returns at once; the answers are of no interest, and come only after a fetch that a broker holds.
    pub(super) fn wake(&self, client: &MemberClient) {
        for (topic, partition) in self.0.iter().cloned() {
            let client = client.clone();
            let woken = spawn("wake".to_owned(), move || ask(&client, &topic, partition));
            if let Err(error) = woken {
                eprintln!("{error}");
            }
        }
    }
}

/// Asks a leader for the watermarks of a partition.
fn ask(client: &MemberClient, topic: &str, partition: i32) {
    if let Err(error) = client.fetch_watermarks(topic, partition, ANSWER_LIMIT) {
        eprintln!("the leader of {topic} [{partition}] did not answer: {error}");
    }
}
