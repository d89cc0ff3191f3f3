//! The warming pass: reads a data set once, unmeasured, so that its first counted trial finds it in the page cache.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::Message;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::kafka::{names, settings_cause};
use crate::protocol::TopicTarget;
use crate::scenario::Scenario;
use crate::secret::Secret;

/// Without a record for this long the pass is given up; it is a convenience, not a measurement.
const PATIENCE: Duration = Duration::from_secs(20);

/// What names a client that reads the data of a run without being measured: the group that the scenario fixes, which may
/// be the only one that it has a right to, or a name of the run's own.
pub(super) fn group(scenario: &Scenario, run: &str) -> String {
    let fixed = scenario.configurations.iter().find_map(|c| c.group.clone());
    fixed.unwrap_or_else(|| names::warming(run))
}

/// Reads everything in `topics` once, in which every offset holds a record. Blocks. `group` names the client; no group is
/// joined and nothing committed.
pub fn pass(
    bootstrap: &str,
    properties: &BTreeMap<String, Secret>,
    group: &str,
    topics: &[TopicTarget],
    interrupted: &AtomicBool,
) -> Result<(), String> {
    let mut config = ClientConfig::new();
    for (name, value) in properties {
        config.set(name, value.reveal());
    }
    config
        .set("bootstrap.servers", bootstrap)
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("check.crcs", "false")
        .set("fetch.queue.backoff.ms", "10")
        .set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = config.create().map_err(|error| settings_cause(&error))?;
    let mut list = TopicPartitionList::new();
    let mut open: BTreeMap<(String, i32), i64> = BTreeMap::new();
    for topic in topics {
        for (partition, range) in (0i32..).zip(&topic.partitions).filter(|(_, range)| !range.is_empty()) {
            list.add_partition_offset(&topic.name, partition, Offset::Offset(range.low))
                .map_err(|e| e.to_string())?;
            open.insert((topic.name.clone(), partition), range.end - 1);
        }
    }
    consumer.assign(&list).map_err(|error| error.to_string())?;
    let mut latest = Instant::now();
    while !open.is_empty() {
        if interrupted.load(Ordering::Relaxed) {
            return Ok(());
        }
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(record)) => {
                latest = Instant::now();
                let last = open.values().any(|last| *last == record.offset());
                if last {
                    let key = (record.topic().to_owned(), record.partition());
                    if open.get(&key).is_some_and(|last| *last <= record.offset()) {
                        open.remove(&key);
                    }
                }
            }
            Some(Err(error)) if latest.elapsed() <= PATIENCE => eprintln!("warming: {error}"),
            Some(Err(_)) | None if latest.elapsed() > PATIENCE => {
                return Err(format!(
                    "no record for {} s with {} partitions to go",
                    PATIENCE.as_secs(),
                    open.len()
                ));
            }
            Some(Err(_)) | None => {}
        }
    }
    Ok(())
}
