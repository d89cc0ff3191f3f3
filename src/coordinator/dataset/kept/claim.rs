//! The right to fill a kept data set: the one partition of its topic of records, which a group gives to one member at a
//! time. The brokers take it from a member that has died, and give it to the next.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::kafka::admin::Admin;
use crate::kafka::settings_cause;
use crate::secret::Secret;

/// How long the thread that keeps the membership waits for events.
const POLL: Duration = Duration::from_millis(100);

/// A member of the group that hands out the right.
pub(super) struct Claim {
    consumer: Arc<BaseConsumer>,
    ended: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Claim {
    /// Joins the group; [`Claim::is_held`] says when the right is there.
    pub(super) fn join(
        admin: &Admin,
        properties: &BTreeMap<String, Secret>,
        group: &str,
        topic: &str,
        client: &str,
    ) -> Result<Self, String> {
        let mut config = ClientConfig::new();
        for (name, value) in properties {
            config.set(name, value.reveal());
        }
        config
            .set("bootstrap.servers", admin.bootstrap())
            .set("client.id", client)
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "latest")
            // Whoever has the partition keeps it when others join.
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", "10000")
            .set("heartbeat.interval.ms", "1000");
        let consumer: BaseConsumer = config.create().map_err(|error| settings_cause(&error))?;
        consumer.subscribe(&[topic]).map_err(|error| error.to_string())?;
        let (consumer, ended) = (Arc::new(consumer), Arc::new(AtomicBool::new(false)));
        let thread = thread::spawn({
            let (consumer, ended) = (Arc::clone(&consumer), Arc::clone(&ended));
            move || {
                while !ended.load(Ordering::Acquire) {
                    // What it reads is of no interest, and errors show by the right not coming.
                    let _ = consumer.poll(POLL);
                }
            }
        });
        Ok(Claim {
            consumer,
            ended,
            thread: Some(thread),
        })
    }

    /// True while this member has the right.
    pub(super) fn is_held(&self) -> bool {
        let has = self.consumer.assignment().is_ok_and(|list| list.count() > 0);
        has && !self.consumer.assignment_lost()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // It only polls; the consumer leaves its group when it is dropped after that.
            let _ = thread.join();
        }
    }
}
