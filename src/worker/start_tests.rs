//! How members begin and leave, on the library's own brokers: like real ones they hold a fetch that finds no record.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};

use super::consumer::Member;
use super::membership::POLL;
use super::reported::News;
use super::shared::ReporterSignal;
use crate::measure::{TopicPartition, clock};
use crate::protocol::{OffsetRange, Prepare, Secret, TopicTarget};
use crate::scenario::{Commit, Read};
use crate::testing::prepare;

/// How long a broker holds a fetch: longer than anything else here takes on a busy machine.
const HELD: Duration = Duration::from_secs(30);
/// How long a test waits for what should come at once.
const PATIENCE: Duration = Duration::from_secs(15);
const TOPIC: &str = "start";

struct Scene {
    brokers: MockCluster<'static, DefaultProducerContext>,
    partitions: i32,
}

impl Scene {
    /// A topic of which partition 0 alone has a record: the client begins to fetch the others before it.
    fn with_partitions(partitions: i32) -> Self {
        let brokers = MockCluster::new(1).unwrap();
        brokers.create_topic(TOPIC, partitions, 1).unwrap();
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", brokers.bootstrap_servers())
            .create()
            .unwrap();
        let record = BaseRecord::<str, str>::to(TOPIC).partition(0).payload("a record");
        producer.send(record).map_err(|(error, _)| error).unwrap();
        producer.flush(PATIENCE).unwrap();
        Scene { brokers, partitions }
    }

    fn prepare(&self, read: Read, manual: bool, ends: impl Fn(i32) -> i64) -> Prepare {
        let properties = [
            ("bootstrap.servers", self.brokers.bootstrap_servers()),
            ("group.id", format!("{read:?}")),
            ("auto.offset.reset", "earliest".to_owned()),
            ("enable.auto.commit", "false".to_owned()),
            ("fetch.wait.max.ms", HELD.as_millis().to_string()),
        ];
        let properties = properties.map(|(name, value)| (name.to_owned(), Secret::new(value)));
        let topics = vec![TopicTarget {
            name: TOPIC.to_owned(),
            partitions: (0..self.partitions)
                .map(|p| OffsetRange { low: 0, end: ends(p) })
                .collect(),
        }];
        let mut prepare = Prepare {
            group_id: format!("{read:?}"),
            properties: BTreeMap::from(properties),
            commit: Commit::None,
            read,
            manual,
            ..prepare(topics)
        };
        if manual {
            let all = (0..self.partitions).map(|partition| TopicPartition { topic: 0, partition });
            prepare.consumers[0].manual = all.collect();
        }
        prepare
    }
}

/// A member that holds all partitions; something is received whenever it has come to the end of one.
fn joined(prepare: &Prepare) -> (Member, Receiver<ReporterSignal>) {
    let (ended_sender, ended) = channel();
    let sink = Arc::new(|news| {
        if let News::Failed(failure) = news {
            panic!("{failure}");
        }
    });
    let member = Member::connect(prepare, 0, ended_sender, sink).unwrap();
    member.subscribe(prepare.manual).unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let held = member.assignment().unwrap();
        if !held.is_empty() {
            // A client shows its partitions before it is through with taking them over.
            assert!(
                member.shared().assigned_ns().is_some(),
                "an incomplete assignment is visible"
            );
            assert_eq!(held.len(), prepare.topics[0].partitions.len());
            return (member, ended);
        }
        assert!(Instant::now() < deadline, "no assignment");
        thread::yield_now();
    }
}

/// Reads the one record, before the broker has answered for the partitions without any.
fn begins_at_once(prepare: &Prepare) {
    let (member, ended) = joined(prepare);
    // Time for a fetch that should not be under way.
    thread::sleep(Duration::from_millis(100));
    member.start(clock::now_ns());
    let deadline = Instant::now() + PATIENCE;
    let position = || member.shared().slots()[0].position();
    while position() != Some(1) {
        // A partition with an end is reported, one without is looked at.
        let _ = ended.recv_timeout(Duration::from_millis(5));
        assert!(
            Instant::now() < deadline,
            "{:?}: the first record was held back",
            prepare.read
        );
    }
    // As the thread does that has asked a broker which holds a fetch.
    let (result, closing) = {
        member.stop();
        member.finish()
    };
    assert_eq!(result.unwrap().queued_at_start, Some(0));
    let client = closing.client();
    let left = thread::spawn(move || closing.close());
    let deadline = Instant::now() + PATIENCE;
    while !left.is_finished() {
        assert!(Instant::now() < deadline, "{:?}: leaving takes too long", prepare.read);
        thread::sleep(Duration::from_millis(5));
    }
    assert!(client.has_left(), "{:?}: the group is not left", prepare.read);
}

/// How long a member takes to leave whose membership thread has just begun to wait for an event.
fn time_to_leave(prepare: &Prepare) -> Duration {
    let (member, _ended) = joined(prepare);
    member.stop();
    let (_, closing) = member.finish();
    let asked = Instant::now();
    closing.close();
    asked.elapsed()
}

#[test]
fn a_member_leaves_without_waiting_until_the_poll_of_its_membership_thread_is_over() {
    let scene = Scene::with_partitions(2);
    let times: Vec<Duration> = thread::scope(|scope| {
        let members = [Read::Batch, Read::Poll].map(|read| {
            let prepare = scene.prepare(read, false, |_| 1);
            scope.spawn(move || time_to_leave(&prepare))
        });
        members.map(|member| member.join().unwrap()).into()
    });
    // A busy machine may hold up one of them.
    assert!(times.iter().any(|time| *time < POLL / 2), "{times:?}");
}

#[test]
fn members_of_a_group_wait_for_no_empty_partition_and_leave_while_one_is_asked_for() {
    let scene = Scene::with_partitions(8);
    thread::scope(|scope| {
        for read in [Read::Batch, Read::Poll, Read::Stream] {
            let prepare = scene.prepare(read, false, |partition| i64::from(partition == 0));
            scope.spawn(move || begins_at_once(&prepare));
        }
    });
}

#[test]
fn partitions_that_records_may_still_come_to_are_all_in_the_first_fetch() {
    let scene = Scene::with_partitions(8);
    thread::scope(|scope| {
        for (read, manual) in [(Read::Batch, false), (Read::Batch, true), (Read::Stream, true)] {
            let mut prepare = scene.prepare(read, manual, |_| i64::MAX);
            let group = format!("{read:?} {manual}");
            prepare
                .properties
                .insert("group.id".to_owned(), Secret::new(group.clone()));
            prepare.group_id = group;
            scope.spawn(move || begins_at_once(&prepare));
        }
    });
}

#[test]
fn a_large_assignment_is_reported_when_it_is_complete() {
    let scene = Scene::with_partitions(1_000);
    begins_at_once(&scene.prepare(Read::Batch, false, |_| i64::MAX));
}
