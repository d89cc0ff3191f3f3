//! The right to fill a kept data set: the one partition of its topic of records, which a group gives to one member at a
//! time. The brokers take it from a member that has died, and give it to the next.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::coordinator::clients::client_config;
use crate::kafka::admin::Admin;
use crate::kafka::settings_cause;
use crate::secret::Secret;

/// How long the thread that keeps the membership waits for events.
const POLL: Duration = Duration::from_millis(100);

/// A member of the group that hands out the right.
pub(super) struct Claim {
    consumer: Arc<BaseConsumer>,
    ended: Arc<AtomicBool>,
    refusal: Arc<Mutex<Option<String>>>,
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
        let mut config = client_config(admin.bootstrap(), properties, client);
        config
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
        let refusal: Arc<Mutex<Option<String>>> = Arc::default();
        let thread = thread::spawn({
            let (consumer, ended, refusal) = (Arc::clone(&consumer), Arc::clone(&ended), Arc::clone(&refusal));
            move || {
                while !ended.load(Ordering::Acquire) {
                    // What it reads is of no interest, and errors that pass show by the right not coming yet.
                    if let Some(Err(error)) = consumer.poll(POLL)
                        && is_refusal(&error)
                    {
                        *refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                    }
                }
            }
        });
        Ok(Claim {
            consumer,
            ended,
            refusal,
            thread: Some(thread),
        })
    }

    /// True while this member has the right.
    pub(super) fn is_held(&self) -> bool {
        let has = self.consumer.assignment().is_ok_and(|list| list.count() > 0);
        has && !self.consumer.assignment_lost()
    }

    /// Why the right will not come however long one waits; `None` while it may.
    pub(super) fn refusal(&self) -> Option<String> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// True where a user may not be a member, or may not see the topic.
fn is_refusal(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed
                | RDKafkaErrorCode::Authentication
        )
    )
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
