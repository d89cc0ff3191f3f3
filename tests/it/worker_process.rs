//! A worker process driven by hand over the protocol, for what no run of the program does: members that come and go in
//! the middle of reading.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::producer::BaseRecord;
use tandem::measure::ledger::{Account, ExpectedRange, Reading, account};
use tandem::measure::{TopicPartition, clock};
use tandem::protocol::{
    ConsumerOrder, FromWorker, OffsetRange, Prepare, Secret, ToWorker, TopicTarget, WorkCalibration, WorkerResult,
};
use tandem::scenario::{Commit, Read, Work, WorkOrdering};

use crate::clients::{PATIENCE, client, create_topic, send};
use crate::scene::PROGRAM;
use crate::shared_cluster;

/// A topic whose partitions hold as many records each; some are tombstones, some have no key and the others one of seven.
pub fn filled_topic(name: &str, partitions: i32, records: i64) -> TopicTarget {
    keyed_topic(name, partitions, records, 7)
}

/// The same with so many keys.
pub fn keyed_topic(name: &str, partitions: i32, records: i64, keys: i64) -> TopicTarget {
    let bootstrap = shared_cluster::bootstrap();
    create_topic(&bootstrap, name, u32::try_from(partitions).unwrap());
    let keys: Vec<String> = (0..keys).map(|key| format!("key {key}")).collect();
    let places = (0..records).flat_map(|offset| (0..partitions).map(move |partition| (offset, partition)));
    let records_to_send = places.map(|(offset, partition)| {
        let mut record = BaseRecord::to(name).partition(partition);
        if offset % 5 > 0 {
            record = record.key(keys[usize::try_from(offset).unwrap() % keys.len()].as_str());
        }
        if offset % 3 > 0 {
            record = record.payload(&[b'x'; 100][..]);
        }
        record
    });
    send(&client(&bootstrap, &[]).create().unwrap(), records_to_send);
    let range = OffsetRange { low: 0, end: records };
    TopicTarget {
        name: name.to_owned(),
        partitions: (0..partitions).map(|_| range).collect(),
    }
}

/// An order for one consumer without work, commits or threads.
pub fn order(topic: &TopicTarget, client: &str, properties: &[(&str, &str)]) -> Prepare {
    let mut all = BTreeMap::from([
        ("bootstrap.servers".to_owned(), Secret::new(shared_cluster::bootstrap())),
        ("group.id".to_owned(), Secret::new(format!("{}-group", topic.name))),
        ("auto.offset.reset".to_owned(), Secret::new("earliest")),
        ("enable.auto.commit".to_owned(), Secret::new("false")),
        ("enable.auto.offset.store".to_owned(), Secret::new("false")),
        ("fetch.queue.backoff.ms".to_owned(), Secret::new("10")),
    ]);
    all.extend(
        properties
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::new(*value))),
    );
    Prepare {
        consumers: vec![ConsumerOrder {
            client_id: client.to_owned(),
            manual: Vec::new(),
        }],
        topics: vec![topic.clone()],
        group_id: format!("{}-group", topic.name),
        properties: all,
        client_properties: BTreeMap::new(),
        work: Work::None,
        store: None,
        calibration: WorkCalibration::default(),
        commit: Commit::None,
        read: Read::Batch,
        threads: 1,
        ordering: WorkOrdering::Partition,
        warmup_records: 0,
        manual: false,
        stamps: None,
        joins_late: false,
        static_membership: false,
        flow: false,
        program: None,
    }
}

/// A worker process.
pub struct Worker {
    child: Child,
    input: Arc<Mutex<Option<ChildStdin>>>,
    messages: Receiver<FromWorker>,
    /// Next offset to read of each partition, as it was reported.
    pub positions: BTreeMap<TopicPartition, i64>,
}

impl Worker {
    /// Starts a worker, which makes its consumers and reaches the cluster.
    pub fn ready(prepare: Prepare) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["worker", "consumer"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, messages) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        let input = Arc::new(Mutex::new(child.stdin.take()));
        let mut worker = Worker {
            child,
            input: Arc::clone(&input),
            messages,
            positions: BTreeMap::new(),
        };
        thread::spawn(move || {
            while input
                .lock()
                .unwrap()
                .as_mut()
                .is_some_and(|input| say(input, &ToWorker::Ping))
            {
                thread::sleep(Duration::from_secs(2));
            }
        });
        worker.wait_for(|message| matches!(message, FromWorker::Hello(_)).then_some(()));
        worker.say(&ToWorker::Prepare(Box::new(prepare)));
        worker.wait_for(|message| matches!(message, FromWorker::Ready).then_some(()));
        worker
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn say(&self, message: &ToWorker) {
        assert!(
            say(self.input.lock().unwrap().as_mut().unwrap(), message),
            "the worker is gone"
        );
    }

    /// Joins the group and waits until all its consumers together hold so many partitions.
    pub fn join(&mut self, partitions: usize) {
        self.say(&ToWorker::Subscribe);
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.say(&ToWorker::QueryAssignments { query: 0 });
            let held: usize = self.wait_for(|message| match message {
                FromWorker::Assignments { members, .. } => Some(members.iter().map(|m| m.partitions.len()).sum()),
                _ => None,
            });
            if held == partitions {
                return;
            }
            assert!(Instant::now() < deadline, "{held} of {partitions} partitions");
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn start(&self) {
        let at_ns = clock::now_ns() + 20_000_000;
        self.say(&ToWorker::Start { at_ns });
    }

    /// Takes in the positions that were reported meanwhile.
    pub fn look(&mut self) {
        while let Ok(message) = self.messages.try_recv() {
            self.note(&message);
        }
    }

    /// Ends the reading.
    pub fn stop(&mut self) -> WorkerResult {
        self.say(&ToWorker::Stop);
        *self.wait_for(|message| match message {
            FromWorker::Result(result) => Some(result.clone()),
            _ => None,
        })
    }

    /// Waits until it says why it cannot go on.
    pub fn failure(&mut self) -> String {
        self.wait_for(|message| match message {
            FromWorker::Failed { message, .. } => Some(message.clone()),
            _ => None,
        })
    }

    /// Leaves the group and ends.
    pub fn exit(mut self) {
        self.say(&ToWorker::Exit);
        *self.input.lock().unwrap() = None;
        assert!(self.child.wait().unwrap().success());
    }

    fn note(&mut self, message: &FromWorker) {
        match message {
            FromWorker::Progress { positions } => {
                for position in positions {
                    let (topic, partition) = (position.topic, position.partition);
                    let known = self.positions.entry(TopicPartition { topic, partition }).or_default();
                    *known = position.offset.max(*known);
                }
            }
            FromWorker::Failed { message, .. } => panic!("the worker failed: {message}"),
            _ => {}
        }
    }

    fn wait_for<T>(&mut self, wanted: impl Fn(&FromWorker) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.messages.recv_timeout(left).expect("the worker does not answer");
            if let Some(found) = wanted(&message) {
                return found;
            }
            self.note(&message);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Only where a test failed does it still run.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say(input: &mut ChildStdin, message: &ToWorker) -> bool {
    let mut line = serde_json::to_vec(message).unwrap();
    line.push(b'\n');
    input.write_all(&line).is_ok()
}

/// Waits until the workers together have read everything.
pub fn read_to_the_end(workers: &mut [&mut Worker], before: &BTreeMap<TopicPartition, i64>, topic: &TopicTarget) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        for worker in workers.iter_mut() {
            worker.look();
        }
        let position = |partition: i32| {
            let place = TopicPartition { topic: 0, partition };
            let known = workers.iter().filter_map(|worker| worker.positions.get(&place));
            known.chain(before.get(&place)).max().copied().unwrap_or(0)
        };
        let ranges = (0i32..).zip(&topic.partitions);
        let missing: Vec<_> = ranges
            .filter(|(partition, range)| position(*partition) < range.end)
            .collect();
        if missing.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "not read: {missing:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The account of what workers have read of a topic.
pub fn account_of(topic: &TopicTarget, results: &[(&str, &WorkerResult)]) -> Account {
    let place = |partition| TopicPartition { topic: 0, partition };
    let expected: Vec<_> = (0i32..)
        .zip(&topic.partitions)
        .map(|(partition, range)| ExpectedRange {
            partition: place(partition),
            low: range.low,
            end: range.end,
        })
        .collect();
    let mut names = Vec::new();
    for (worker, result) in results {
        for (number, member) in result.members.iter().enumerate() {
            names.push((format!("{worker} {number}"), member));
        }
    }
    let readings: Vec<_> = names
        .iter()
        .flat_map(|(name, member)| member.partitions.iter().map(move |read| (name, read)))
        .map(|(name, read)| Reading {
            member: name,
            partition: place(read.partition),
            runs: read.runs.as_deref().unwrap(),
            was_killed: false,
        })
        .collect();
    account(&expected, &readings)
}
