//! The producer of load, driven over its protocol against a real broker: what the schedule wants is sent, late where
//! it must be, and every record is accounted for.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rdkafka::consumer::Consumer;
use rdkafka::{Message, Offset, TopicPartitionList};
use tandem::load::{Arrivals, Profile, Schedule, Stamp};
use tandem::measure::clock;
use tandem::protocol::{FromWorker, LoadTopic, PrepareProducer, ProducerProgress, ProducerResult, Secret, ToWorker};
use tandem::scenario::{Keys, Size};

use crate::clients::{consumer, create_topic, delete_topic};
use crate::scene::{PROGRAM, signal, undisturbed};
use crate::shared_cluster::{self, Shared};

const SECOND: u64 = 1_000_000_000;
/// Records per second of the tests.
const RATE: f64 = 5_000.0;
/// How long a producer may be silent before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A producer process and what it says.
struct Producer {
    process: Child,
    input: Option<ChildStdin>,
    said: Receiver<FromWorker>,
    progress: ProducerProgress,
}

impl Producer {
    fn start() -> Self {
        let mut process = Command::new(PROGRAM)
            .args(["worker", "producer"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, said) = channel();
        let output = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || {
            for line in output.lines() {
                let message = serde_json::from_str(&line.unwrap()).unwrap();
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut producer = Producer {
            input: process.stdin.take(),
            process,
            said,
            progress: ProducerProgress::default(),
        };
        assert!(matches!(producer.hear(), FromWorker::Hello(_)));
        producer
    }

    /// A producer that has reached the cluster.
    fn prepared(order: PrepareProducer) -> Self {
        let mut producer = Producer::start();
        producer.tell(&ToWorker::PrepareProducer(Box::new(order)));
        let said = producer.hear();
        assert_eq!(said, FromWorker::Ready);
        producer
    }

    fn tell(&mut self, message: &ToWorker) {
        let line = serde_json::to_string(message).unwrap();
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Starts it a little later than now, and gives that time.
    fn begin(&mut self) -> u64 {
        let at_ns = clock::now_ns() + 20_000_000;
        self.tell(&ToWorker::Start { at_ns });
        at_ns
    }

    /// The next message that is no progress.
    fn hear(&mut self) -> FromWorker {
        loop {
            match self.said.recv_timeout(PATIENCE).expect("the producer is silent") {
                FromWorker::ProducerProgress(progress) => self.progress = progress,
                other => return other,
            }
        }
    }

    /// Follows it, showing that somebody is there, until it has finished or a time has passed.
    fn follow(&mut self, limit: Duration) {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline && !self.progress.finished {
            self.tell(&ToWorker::Ping);
            match self.said.recv_timeout(Duration::from_millis(200)) {
                Ok(FromWorker::ProducerProgress(progress)) => self.progress = progress,
                Ok(other) => panic!("{other:?}"),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("the producer has ended"),
            }
        }
    }

    /// Its result.
    fn stop(&mut self) -> ProducerResult {
        self.tell(&ToWorker::Stop);
        match self.hear() {
            FromWorker::ProducerResult(result) => *result,
            other => panic!("{other:?}"),
        }
    }

    /// Closes its input and expects it to end in order.
    fn ends(mut self) {
        self.input = None;
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        // Only where a test failed is it still there.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn order(bootstrap: &str, topic: &str, arrivals: Arrivals, seconds: u64) -> PrepareProducer {
    let profile = Profile::Constant { rate: RATE };
    PrepareProducer {
        client_id: format!("producer-of-{topic}"),
        topics: vec![LoadTopic {
            name: topic.to_owned(),
            partitions: 2,
        }],
        properties: BTreeMap::from(
            [
                ("bootstrap.servers", bootstrap),
                ("linger.ms", "0"),
                ("enable.idempotence", "true"),
            ]
            .map(|(name, value)| (name.to_owned(), Secret::new(value))),
        ),
        schedule: Schedule::new(arrivals, profile, seconds * SECOND, 5).unwrap(),
        warmup_ns: 0,
        producer: 0,
        producers: 1,
        size: Size::Fixed(100),
        keys: Keys::None,
        seed: 5,
        stamp_offset_ns: 0,
    }
}

/// Every stamp of a topic with its partition, in the order of the partitions' offsets.
fn stamps(bootstrap: &str, topic: &str) -> Vec<(i32, Stamp)> {
    let consumer = consumer(bootstrap, "stamps", &[]);
    let mut all = Vec::new();
    for partition in 0..2 {
        let (low, high) = consumer.fetch_watermarks(topic, partition, PATIENCE).unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(low))
            .unwrap();
        consumer.assign(&list).unwrap();
        for _ in low..high {
            let message = consumer.poll(PATIENCE).expect("a record").unwrap();
            let value = message.payload().unwrap();
            assert_eq!(value.len(), 100);
            all.push((partition, Stamp::of_value(value).unwrap()));
        }
    }
    all
}

/// Checks that what came of each record is known and that it is this.
fn assert_all_acknowledged(result: &ProducerResult, due: u64) {
    let ProducerResult {
        due: got,
        sent,
        refused,
        acknowledged,
        failed,
        ..
    } = result;
    assert_eq!([*got, *sent, *acknowledged], [due; 3], "{:?}", result.errors);
    assert_eq!([*refused, *failed], [0, 0], "{:?}", result.errors);
    assert_eq!(
        result
            .partitions
            .iter()
            .map(|partition| partition.acknowledged)
            .sum::<u64>(),
        due
    );
    assert_eq!(result.series.counts.iter().sum::<u64>(), due);
    assert_eq!((result.lateness.count(), result.lateness.negative()), (due, 0));
}

fn milliseconds(ns: Option<u64>) -> f64 {
    ns.unwrap() as f64 / 1e6
}

#[test]
fn every_record_of_a_schedule_is_sent_at_its_time_and_acknowledged() {
    let bootstrap = shared_cluster::bootstrap();
    for (arrivals, topic) in [
        (Arrivals::Constant, "load-constant"),
        (Arrivals::Poisson, "load-poisson"),
    ] {
        create_topic(&bootstrap, topic, 2);
        let order = order(&bootstrap, topic, arrivals, 3);
        let times: Vec<u64> = order.schedule.times_of(0, 1).unwrap().collect();
        let mut producer = Producer::prepared(order);
        let start_ns = producer.begin();
        producer.follow(Duration::from_secs(20));
        assert!(producer.progress.finished, "{:?}", producer.progress);
        let result = producer.stop();
        assert_all_acknowledged(&result, times.len() as u64);
        let stamps = stamps(&bootstrap, topic);
        assert_eq!(stamps.len(), times.len());
        for (partition, stamp) in &stamps {
            let sequence = usize::try_from(stamp.sequence).unwrap();
            assert_eq!(stamp.intended_ns, start_ns + times[sequence], "record {sequence}");
            assert!(stamp.sent_ns >= stamp.intended_ns && stamp.producer == 0);
            assert_eq!(sequence % 2, usize::try_from(*partition).unwrap());
        }
        for reported in &result.partitions {
            let read = stamps
                .iter()
                .filter(|(partition, _)| *partition == reported.partition)
                .count();
            assert_eq!(
                (reported.acknowledged, reported.highest_offset),
                (read as u64, Some(i64::try_from(read).unwrap() - 1))
            );
        }
        let p99 = milliseconds(result.lateness.percentile_ns(0.99));
        let usage = result.window.as_ref().unwrap();
        eprintln!(
            "{topic}: {} records, late by p50 {:.3} ms, p99 {p99:.3} ms, max {:.3} ms; CPU {:.2} s of {:.2} s",
            result.sent,
            milliseconds(result.lateness.percentile_ns(0.5)),
            milliseconds(result.lateness.max_ns()),
            usage.cpu_ns as f64 / 1e9,
            usage.wall_ns as f64 / 1e9,
        );
        producer.ends();
        delete_topic(&bootstrap, topic);
    }
}

#[test]
fn a_producer_stopped_for_a_second_sends_its_records_late_and_leaves_none_out() {
    undisturbed(|time| {
        let (bootstrap, topic) = (shared_cluster::bootstrap(), format!("load-suspended-{time}"));
        let topic = topic.as_str();
        create_topic(&bootstrap, topic, 2);
        let order = order(&bootstrap, topic, Arrivals::Constant, 4);
        let mut producer = Producer::prepared(order);
        let start_ns = producer.begin();
        let pid = producer.process.id();
        thread::sleep(Duration::from_millis(1_020));
        signal(pid, Signal::SIGSTOP);
        thread::sleep(Duration::from_secs(1));
        signal(pid, Signal::SIGCONT);
        producer.follow(Duration::from_secs(20));
        let result = producer.stop();
        assert_all_acknowledged(&result, 20_000);
        // The 5,000 records of that second waited for half a second in the mean, from the time when they should have gone.
        let max = milliseconds(result.lateness.max_ns());
        assert!((900.0..1_500.0).contains(&max), "max {max} ms");
        let stamps = stamps(&bootstrap, topic);
        let mut late: Vec<u64> = (stamps.iter())
            .map(|(_, stamp)| stamp.sent_ns - stamp.intended_ns)
            .filter(|late_ns| *late_ns > 100_000_000)
            .collect();
        late.sort_unstable();
        assert!((4_000..6_500).contains(&late.len()), "{} records late", late.len());
        let median = milliseconds(Some(late[late.len() / 2]));
        assert!((450.0..800.0).contains(&median), "median of the late {median} ms");
        let mut intended: Vec<u64> = stamps.iter().map(|(_, stamp)| stamp.intended_ns - start_ns).collect();
        intended.sort_unstable();
        assert!(intended.into_iter().eq((0..20_000).map(|number| number * 200_000)));
        producer.ends();
        delete_topic(&bootstrap, topic);
    });
}

#[test]
fn a_producer_whose_broker_goes_away_ends_at_exit_and_counts_errors_by_cause() {
    let cluster = Shared::start("load");
    let (bootstrap, topic) = (cluster.bootstrap(), "load-lost");
    create_topic(&bootstrap, topic, 2);
    let mut order = order(&bootstrap, topic, Arrivals::Constant, 60);
    // A small queue, so that it is full before the end.
    let queue = ("queue.buffering.max.messages".to_owned(), Secret::new("2000"));
    order.properties.extend([queue]);
    let mut producer = Producer::prepared(order);
    producer.begin();
    let began = Instant::now();
    // A busy machine may take its time for the first acknowledgement.
    while producer.progress.acknowledged == 0 && began.elapsed() < Duration::from_secs(20) {
        producer.follow(Duration::from_secs(1));
    }
    assert!(producer.progress.acknowledged > 0, "{:?}", producer.progress);
    cluster.broker().kill().unwrap();
    producer.follow(Duration::from_secs(2));
    let (stopped, ran) = (Instant::now(), began.elapsed());
    let result = producer.stop();
    assert!(stopped.elapsed() < Duration::from_secs(12), "{:?}", stopped.elapsed());
    assert!(
        result.failed > 0 && result.refused > 0 && result.queue_full_ns > 0,
        "{result:?}"
    );
    assert_eq!(result.due, result.sent + result.refused);
    assert_eq!(result.sent, result.acknowledged + result.failed);
    let blamed: u64 = result.errors.iter().map(|error| error.records).sum();
    assert_eq!(blamed, result.refused + result.failed);
    let causes: Vec<&str> = result.errors.iter().map(|error| error.cause.as_str()).collect();
    for wanted in ["queue was full", "Purged"] {
        assert!(
            causes.iter().any(|cause| cause.contains(wanted)),
            "{wanted}: {causes:?}"
        );
    }
    // All that was intended until the order to stop: what waited for the client counts from its intended time on.
    let intended = ran.as_secs_f64() * RATE;
    let share = result.due as f64 / intended;
    assert!((0.85..1.7).contains(&share), "{} due of {intended}", result.due);
    producer.ends();
}

#[test]
fn what_cannot_be_sent_is_refused_before_the_start_with_the_reason() {
    let (bootstrap, topic) = (shared_cluster::bootstrap(), "load-refused");
    create_topic(&bootstrap, topic, 2);
    let good = || order(&bootstrap, topic, Arrivals::Constant, 1);
    let mut short = good();
    short.size = Size::Fixed(23);
    let mut nowhere = good();
    nowhere.topics[0].partitions = 3;
    let mut unknown = good();
    unknown.properties.insert("linger.ns".into(), Secret::new("hunter2"));
    for (order, wanted) in [
        (short, "at least 24"),
        (nowhere, "2 partitions, not the 3"),
        (unknown, "linger.ns"),
    ] {
        let mut producer = Producer::start();
        producer.tell(&ToWorker::PrepareProducer(Box::new(order)));
        let FromWorker::Failed { message, .. } = producer.hear() else {
            panic!("it was taken");
        };
        assert!(message.contains(wanted) && !message.contains("hunter2"), "{message}");
        assert_eq!(producer.process.wait().unwrap().code(), Some(1));
    }
    delete_topic(&bootstrap, topic);
}
