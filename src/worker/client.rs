//! A member's consumer of either kind: polled by a thread of its own, or read as a stream. What the worker asks of
//! it is the same.

use std::future::Future;
use std::iter;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, StreamConsumer};
use rdkafka::error::KafkaResult;
use rdkafka::metadata::Metadata;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::membership::MemberContext;
use super::offsets::{commit, store};
use super::reader::{CommitError, Consumption, Offsets, Place, begin_close, has_closed, make_known};
use super::shared::MemberShared;
use super::threads::spawn;

/// Pause between two looks at a client that closes.
const CLOSE_PAUSE: Duration = Duration::from_millis(1);

/// A consumer that several threads use.
#[derive(Clone)]
pub(super) enum MemberClient {
    /// Its membership is served by a thread, its records come by private queues.
    Polled(Arc<BaseConsumer<MemberContext>>),
    /// Whoever reads the stream also serves the membership.
    Streamed(Arc<StreamConsumer<MemberContext>>),
}

/// The same call on a consumer of either kind.
macro_rules! on_either {
    ($client:expr, $consumer:ident => $call:expr) => {
        match $client {
            MemberClient::Polled($consumer) => $call,
            MemberClient::Streamed($consumer) => $call,
        }
    };
}

impl MemberClient {
    pub(super) fn subscribe(&self, topics: &[&str]) -> KafkaResult<()> {
        on_either!(self, consumer => consumer.subscribe(topics))
    }

    pub(super) fn assign(&self, list: &TopicPartitionList) -> KafkaResult<()> {
        on_either!(self, consumer => consumer.assign(list))
    }

    pub(super) fn assignment(&self) -> KafkaResult<TopicPartitionList> {
        on_either!(self, consumer => consumer.assignment())
    }

    pub(super) fn pause(&self, list: &TopicPartitionList) -> KafkaResult<()> {
        on_either!(self, consumer => consumer.pause(list))
    }

    pub(super) fn resume(&self, list: &TopicPartitionList) -> KafkaResult<()> {
        on_either!(self, consumer => consumer.resume(list))
    }

    /// Makes a partition known to the client before it is assigned.
    pub(super) fn make_known(&self, topic: &str, partition: i32) -> Result<(), String> {
        on_either!(self, consumer => make_known(&**consumer, topic, partition))
    }

    /// Leaves the group and serves what that asks for, whoever else still uses the client: a question to a broker that
    /// holds a fetch is answered only after that. While `is_served`, another thread serves it.
    pub(super) fn leave(&self, is_served: impl Fn() -> bool) {
        if !on_either!(self, consumer => begin_close(&**consumer)) {
            return;
        }
        while !self.has_left() {
            match self {
                _ if is_served() => thread::sleep(CLOSE_PAUSE),
                MemberClient::Polled(consumer) => drop(consumer.poll(CLOSE_PAUSE)),
                MemberClient::Streamed(consumer) => {
                    let _ = pin!(consumer.recv()).poll(&mut Context::from_waker(Waker::noop()));
                    thread::sleep(CLOSE_PAUSE);
                }
            }
        }
    }

    /// True once the group is left.
    pub(super) fn has_left(&self) -> bool {
        on_either!(self, consumer => has_closed(&**consumer))
    }

    pub(super) fn fetch_metadata(&self, topic: &str, limit: Duration) -> KafkaResult<Metadata> {
        on_either!(self, consumer => consumer.fetch_metadata(Some(topic), limit))
    }

    pub(super) fn fetch_watermarks(&self, topic: &str, partition: i32, limit: Duration) -> KafkaResult<(i64, i64)> {
        on_either!(self, consumer => consumer.fetch_watermarks(topic, partition, limit))
    }
}

/// Commits and pauses for a member's readers.
pub(super) struct MemberConsumption {
    client: MemberClient,
    shared: Arc<MemberShared>,
    /// Slots whose end is reached, for the thread that pauses them.
    ended: Sender<usize>,
}

impl MemberConsumption {
    /// Starts the thread that pauses what is at its end; it ends with this.
    pub(super) fn new(client: MemberClient, shared: Arc<MemberShared>) -> Result<Self, String> {
        let (ended, slots) = channel();
        let pausing = (client.clone(), Arc::clone(&shared));
        spawn("pause".to_owned(), move || pause_ended(&pausing.0, &pausing.1, &slots))?;
        Ok(MemberConsumption { client, shared, ended })
    }
}

/// Pauses partitions whose end is reached, as many at once as have ended meanwhile.
fn pause_ended(client: &MemberClient, shared: &MemberShared, slots: &Receiver<usize>) {
    while let Ok(first) = slots.recv() {
        let mut list = TopicPartitionList::new();
        for index in iter::once(first).chain(slots.try_iter()) {
            let slot = &shared.slots()[index];
            list.add_partition(shared.topic_of(slot), slot.partition.partition);
        }
        if let Err(error) = client.pause(&list) {
            eprintln!("cannot pause finished partitions: {error}");
        }
    }
}

impl Offsets for MemberConsumption {
    fn commit(&self, places: &[Place]) -> Result<(), CommitError> {
        on_either!(&self.client, consumer => commit(&**consumer, &self.shared, places))
    }

    fn store(&self, places: &[Place]) -> Result<(), CommitError> {
        on_either!(&self.client, consumer => store(&**consumer, &self.shared, places))
    }
}

impl Consumption for MemberConsumption {
    /// What is fetched beyond the end is not counted, but costs the other partitions. The library answers a pause from
    /// its main thread, for which the reader must not wait.
    fn end(&self, slot: usize) {
        // That thread is gone only when it panicked, which was printed.
        let _ = self.ended.send(slot);
    }
}
