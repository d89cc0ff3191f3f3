//! Existing topics: whatever is in them, each trial reads exactly what Kafka's own tools read, and leaves topics and groups
//! as they were.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tandem::kafka::admin::Admin;
use tandem::measure::{Trial, TrialKind};
use tokio::runtime::Runtime;

use crate::clients::{self, PATIENCE, administer, client};
use crate::kafka_tools::{console_consumer, offsets, producer_performance};
use crate::scene::{HELD_FETCHES, Scene, assert_no_held_fetch, read_once, undisturbed, wait_until};
use crate::shared_cluster::{bootstrap, names};

/// A topic of the test on the shared broker; deleted with this.
struct Topic {
    name: String,
}

impl Topic {
    fn new(name: &str, partitions: u32, configs: &[(&str, &str)]) -> Self {
        let name = format!("existing-{name}-{}", std::process::id());
        administer(&bootstrap(), async |admin| {
            admin.create_topic(&name, partitions, 1, configs).await.unwrap();
        });
        Topic { name }
    }

    /// First offset and end of each partition.
    fn watermarks(&self, partitions: i32) -> Vec<(i64, i64)> {
        administer(&bootstrap(), async |admin: &Admin| {
            let mut watermarks = Vec::new();
            for partition in 0..partitions {
                watermarks.push(admin.watermarks(&self.name, partition).await.unwrap());
            }
            watermarks
        })
    }

    /// Start of the names of all that a run on it makes.
    fn prefix(&self) -> String {
        format!("bench-{}-", self.name)
    }

    /// A scenario that reads it: one trial each of one process and of two.
    fn scenario(&self, dataset: &str, more: &str) -> String {
        format!(
            "question = 'Is all of it read?'\nrepetitions = 1\nwarmup_blocks = 0\n[cluster]\nprefix = '{}'\n[dataset]\ntopic = \
             '{}'\n{dataset}\n[matrix]\nprocesses = [1, 2]\n{more}",
            self.prefix(),
            self.name
        )
    }

    /// Checks that nothing that runs on it have made is left.
    #[track_caller]
    fn assert_nothing_left(&self) {
        assert_eq!(names(&self.prefix()), (Vec::new(), Vec::new()));
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        // After a failure the topic goes with the broker.
        if std::thread::panicking() {
            return;
        }
        administer(&bootstrap(), async |admin| {
            let _ = admin.delete_topics(std::slice::from_ref(&self.name)).await;
        });
    }
}

/// Checks that every trial read exactly once what is to be read, and so many records.
#[track_caller]
fn each_reads(trials: &[Trial], records: u64) {
    assert!(!trials.is_empty());
    for trial in trials {
        read_once(trial);
        let measurement = trial.measurement.as_ref().unwrap();
        assert_eq!(measurement.records(), records, "{}", trial.configuration_name);
    }
}

fn not_delivered(trials: &[Trial]) -> Vec<u64> {
    trials
        .iter()
        .map(|trial| trial.measurement.as_ref().unwrap().not_delivered)
        .collect()
}

#[test]
fn a_topic_that_kafkas_own_tool_has_filled_is_read_completely_and_left_as_it_was() {
    let topic = Topic::new("filled", 3, &[]);
    producer_performance(&bootstrap(), &topic.name, 50_000, &[]);
    let before = offsets(&bootstrap(), &topic.name);
    let there = before
        .iter()
        .map(|(first, end)| u64::try_from(end - first).unwrap())
        .sum::<u64>();
    assert_eq!(there, 50_000);
    let scene = Scene::on_shared_cluster();
    scene.scenario(topic.scenario("", ""));
    scene.run(&[]).exits(0);
    let trials = scene.trials();
    assert_eq!(trials.len(), 2);
    each_reads(&trials, 50_000);
    assert_eq!(not_delivered(&trials), [0, 0]);
    let bytes = trials[0].measurement.as_ref().unwrap().bytes();
    assert_eq!(bytes, 50_000 * 100);
    assert_eq!(offsets(&bootstrap(), &topic.name), before);
    topic.assert_nothing_left();
}

/// Checks that Kafka's own consumer reads as many records.
#[track_caller]
fn the_console_consumer_agrees(topic: &str, isolation: &str, records: u64) {
    assert_eq!(
        console_consumer(&bootstrap(), topic, isolation).len() as u64,
        records,
        "{isolation}"
    );
}

/// The trials of configurations with these words in their name.
fn trials_of(trials: &[Trial], words: &str) -> Vec<Trial> {
    let found = trials.iter().filter(|trial| trial.configuration_name.contains(words));
    found.cloned().collect()
}

fn producer(more: &[(&str, &str)]) -> BaseProducer {
    client(&bootstrap(), &[&[("linger.ms", "5")][..], more].concat())
        .create()
        .unwrap()
}

/// Sends records with these keys to a partition and waits until they are there.
fn send(producer: &BaseProducer, topic: &str, partition: i32, keys: impl Iterator<Item = u64>) {
    let keys: Vec<String> = keys.map(|key| key.to_string()).collect();
    let record = |key| {
        BaseRecord::to(topic)
            .partition(partition)
            .key(key)
            .payload(&b"0123456789"[..])
    };
    clients::send(producer, keys.iter().map(|key| record(key.as_str())));
}

fn administrator() -> AdminClient<DefaultClientContext> {
    client(&bootstrap(), &[]).create().unwrap()
}

/// Deletes what lies before these offsets, as retention does.
fn delete_before(topic: &Topic, offsets: &[(i32, i64)]) {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        list.add_partition_offset(&topic.name, *partition, Offset::Offset(*offset))
            .unwrap();
    }
    let options = AdminOptions::new();
    let deleted = Runtime::new()
        .unwrap()
        .block_on(administrator().delete_records(&list, &options));
    for partition in deleted.unwrap().elements() {
        partition.error().unwrap();
    }
}

#[test]
fn of_transactions_each_isolation_level_reads_what_kafkas_own_consumer_is_given() {
    let topic = Topic::new("transactions", 2, &[]);
    let producer = producer(&[("transactional.id", &topic.name)]);
    let limit = PATIENCE;
    producer.init_transactions(limit).unwrap();
    for (records, commits) in [(1_000, true), (700, false), (300, true), (200, false)] {
        producer.begin_transaction().unwrap();
        for partition in 0..2 {
            send(&producer, &topic.name, partition, 0..records);
        }
        if commits {
            producer.commit_transaction(limit).unwrap();
        } else {
            producer.abort_transaction(limit).unwrap();
        }
    }
    // Left open: readers of committed records come no further.
    producer.begin_transaction().unwrap();
    send(&producer, &topic.name, 0, 0..50);
    let before = topic.watermarks(2);
    let scene = Scene::on_shared_cluster();
    let levels = "[matrix.client]\n'isolation.level' = ['read_committed', 'read_uncommitted']";
    scene.scenario(topic.scenario("", levels));
    scene.run(&[]).exits(0);
    let trials = scene.trials();
    let committed = trials_of(&trials, "read_committed");
    each_reads(&committed, 2 * 1_300);
    // The records that were aborted and four markers; trials end with the last record and see two transactions less.
    assert_eq!(not_delivered(&committed), [2 * (700 + 2); 2]);
    let uncommitted = trials_of(&trials, "read_uncommitted");
    each_reads(&uncommitted, 2 * 2_200 + 50);
    the_console_consumer_agrees(&topic.name, "read_committed", 2_600);
    the_console_consumer_agrees(&topic.name, "read_uncommitted", 4_450);
    let page = std::fs::read_to_string(scene.out().join("report.md")).unwrap();
    assert!(page.contains("so they are no loss"), "{page}");
    assert_eq!(topic.watermarks(2), before);
    topic.assert_nothing_left();
    producer.abort_transaction(limit).unwrap();
}

/// How many committed records a topic of one partition has.
fn committed_records(topic: &str) -> u64 {
    let settings = [("enable.partition.eof", "true"), ("isolation.level", "read_committed")];
    let consumer: BaseConsumer = clients::consumer(&bootstrap(), "counting", &settings);
    let mut partition = TopicPartitionList::new();
    partition.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&partition).unwrap();
    let mut records = 0;
    loop {
        match consumer.poll(PATIENCE).expect("a record or the end") {
            Ok(_) => records += 1,
            Err(KafkaError::PartitionEOF(_)) => return records,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn of_a_compacted_topic_what_is_left_is_read() {
    let configs = [
        ("cleanup.policy", "compact"),
        ("segment.ms", "100"),
        ("min.cleanable.dirty.ratio", "0.01"),
        ("min.compaction.lag.ms", "0"),
    ];
    let topic = Topic::new("compacted", 1, &configs);
    let cleaner = AlterConfig::new(ResourceSpecifier::Broker(1)).set("log.cleaner.backoff.ms", "200");
    let options = AdminOptions::new();
    let altered = Runtime::new()
        .unwrap()
        .block_on(administrator().alter_configs([&cleaner], &options));
    assert!(altered.unwrap().iter().all(Result::is_ok));
    let plain = producer(&[]);
    for round in 0..5 {
        send(
            &plain,
            &topic.name,
            0,
            (0..2_000).filter(|key| round == 0 || key % 3 != 0),
        );
        sleep(Duration::from_millis(150));
    }
    // The last offsets hold no record for readers of committed ones either: an aborted transaction and its marker.
    let aborting = producer(&[("transactional.id", &topic.name)]);
    aborting.init_transactions(PATIENCE).unwrap();
    aborting.begin_transaction().unwrap();
    send(&aborting, &topic.name, 0, 5_000..5_100);
    aborting.abort_transaction(PATIENCE).unwrap();
    let (_, end) = topic.watermarks(1)[0];
    assert!(end > 7_000, "{end}");
    // The last round lies in a segment that is never cleaned.
    wait_until("the cleaner", || committed_records(&topic.name) < 3_400);
    // Nothing changes in many of the cleaner's pauses.
    wait_until("the end of the cleaner", || {
        let before = committed_records(&topic.name);
        sleep(Duration::from_secs(3));
        committed_records(&topic.name) == before
    });
    let left = committed_records(&topic.name);
    let scene = Scene::on_shared_cluster();
    scene.scenario(topic.scenario("", ""));
    scene.run(&[]).exits(0);
    each_reads(&scene.trials(), left);
    assert!(not_delivered(&scene.trials()).iter().all(|gaps| *gaps > 3_000));
    // What a trial stores of it is not a run for each gap.
    for trial in scene.trials() {
        let members = trial.measurement.unwrap().members;
        let runs = members.iter().flat_map(|member| &member.partitions);
        assert!(
            runs.map(|partition| partition.runs.as_ref().unwrap().len())
                .sum::<usize>()
                < 10
        );
    }
    the_console_consumer_agrees(&topic.name, "read_committed", left);
    topic.assert_nothing_left();
}

#[test]
fn topics_of_unlike_numbers_of_partitions_and_empty_ones_are_read_together() {
    let (wide, narrow) = (Topic::new("unlike-wide", 3, &[]), Topic::new("unlike-narrow", 1, &[]));
    let plain = producer(&[]);
    send(&plain, &wide.name, 0, 0..3_000);
    send(&plain, &wide.name, 2, 0..1_000);
    send(&plain, &narrow.name, 0, 0..500);
    let scene = Scene::on_shared_cluster();
    let pattern = format!("^existing-unlike-.*-{}$", std::process::id());
    let text = wide
        .scenario("", "")
        .replace(&format!("'{}'", wide.name), &format!("'{pattern}'"));
    scene.scenario(&text);
    scene.run(&[]).exits(0);
    each_reads(&scene.trials(), 4_500);
    // A trial of fewer records reads the same share of every partition.
    let half = Scene::on_shared_cluster();
    half.scenario(format!("{text}\n[trial]\nrecords = 2_250"));
    half.run(&[]).exits(0);
    each_reads(&half.trials(), 2_250);
    for trial in half.trials() {
        let members = trial.measurement.unwrap().members;
        let mut records: Vec<u64> = members.iter().flat_map(|m| &m.partitions).map(|p| p.records).collect();
        records.retain(|records| *records > 0);
        records.sort_unstable();
        assert_eq!(records, [250, 500, 1_500]);
    }
    assert_eq!(wide.watermarks(3), [(0, 3_000), (0, 0), (0, 1_000)]);
    wide.assert_nothing_left();
}

#[test]
fn no_trial_waits_for_the_empty_partitions_of_a_topic() {
    let topic = Topic::new("one-of-five", 5, &[]);
    send(&producer(&[]), &topic.name, 2, 0..600);
    let scene = Scene::on_shared_cluster();
    scene.scenario(topic.scenario("", HELD_FETCHES));
    let ended = scene.run(&[]).exits(0);
    each_reads(&scene.trials(), 600);
    assert_no_held_fetch(&ended, &scene.trials());
    topic.assert_nothing_left();
}

#[test]
fn only_the_last_offsets_are_read_with_last() {
    let topic = Topic::new("last", 2, &[]);
    let plain = producer(&[]);
    send(&plain, &topic.name, 0, 0..3_000);
    send(&plain, &topic.name, 1, 0..400);
    let scene = Scene::on_shared_cluster();
    scene.scenario(topic.scenario("last = 1_000", ""));
    scene.run(&[]).exits(0);
    each_reads(&scene.trials(), 1_400);
    topic.assert_nothing_left();
}

#[test]
fn what_was_deleted_before_the_run_is_not_missed() {
    let topic = Topic::new("deleted", 2, &[]);
    producer_performance(&bootstrap(), &topic.name, 20_000, &[]);
    let first: Vec<i64> = topic.watermarks(2).iter().map(|(_, end)| end / 3).collect();
    delete_before(&topic, &[(0, first[0]), (1, first[1])]);
    let before = topic.watermarks(2);
    assert_eq!(before[0].0, first[0]);
    let there: i64 = before.iter().map(|(first, end)| end - first).sum();
    let scene = Scene::on_shared_cluster();
    scene.scenario(topic.scenario("", ""));
    scene.run(&[]).exits(0);
    each_reads(&scene.trials(), u64::try_from(there).unwrap());
    assert_eq!(topic.watermarks(2), before);
    topic.assert_nothing_left();
}

#[test]
fn records_deleted_while_they_are_read_are_reported_and_are_no_loss() {
    let topic = Topic::new("vanishing", 2, &[]);
    let plain = producer(&[("batch.num.messages", "100")]);
    for partition in 0..2 {
        send(&plain, &topic.name, partition, 0..20_000);
    }
    let scene = Scene::on_shared_cluster();
    // Slow, and with little fetched ahead, so that the deletion finds most of it unread.
    let text = format!(
        "question = 'q'\nrepetitions = 2\nwarmup_blocks = 0\n[cluster]\nprefix = '{}'\n[dataset]\ntopic = '{}'\n\
         [consumer]\nwork = 'wait 200us'\n[consumer.client]\n'queued.min.messages' = 1\n'queued.max.messages.kbytes' = 1\n\
         'fetch.message.max.bytes' = 4000\n",
        topic.prefix(),
        topic.name
    );
    scene.scenario(&text);
    let run = scene.spawn_run(&["--stall-limit", "60"]);
    wait_until("a group", || !names(&topic.prefix()).1.is_empty());
    sleep(Duration::from_secs(2));
    // Most of one partition, all of the other.
    delete_before(&topic, &[(0, 19_000), (1, 20_000)]);
    run.end().exits(0);
    let trials = scene.trials();
    assert_eq!(trials.len(), 2);
    let figures: Vec<(u64, u64)> = (trials.iter())
        .map(|trial| {
            let measurement = trial.measurement.as_ref().unwrap();
            assert_eq!((measurement.lost, measurement.duplicated), (0, 0), "{:?}", trial.status);
            assert!(
                trial.flags.iter().any(|flag| flag.kind.as_str() == "removed"),
                "{:?}",
                trial.flags
            );
            (measurement.records(), measurement.removed)
        })
        .collect();
    assert_eq!(figures[0].0 + figures[0].1, 40_000);
    assert!(figures[0].0 > 1_000 && figures[0].1 > 1_000, "{figures:?}");
    // The next trial reads what is left.
    assert_eq!(figures[1], (1_000, 39_000));
    let page = std::fs::read_to_string(scene.out().join("report.md")).unwrap();
    assert!(page.contains("the cluster had removed records"), "{page}");
    topic.assert_nothing_left();
}

#[test]
fn a_topic_that_grows_is_read_to_where_it_ended_when_the_run_began_and_so_is_a_resumed_run() {
    let topic = Topic::new("growing", 2, &[]);
    let plain = producer(&[]);
    for partition in 0..2 {
        send(&plain, &topic.name, partition, 0..5_000);
    }
    let stop = AtomicBool::new(false);
    let scene = Scene::on_shared_cluster();
    scene.scenario(topic.scenario("", "").replace("repetitions = 1", "repetitions = 3"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                send(&plain, &topic.name, 0, 0..10);
                sleep(Duration::from_millis(20));
            }
        });
        let mut run = scene.spawn_run(&[]);
        run.wait_for("block 1");
        run.signal(Signal::SIGINT);
        run.end().exits(130);
        let begun = scene.trials().len();
        assert!(begun < 6, "it was over already");
        scene.resume().exits(0);
        stop.store(true, Ordering::Relaxed);
    });
    let trials = scene.trials();
    let records = trials[0].measurement.as_ref().unwrap().records();
    assert!((10_000..12_000).contains(&records), "{records}");
    assert!(topic.watermarks(1)[0].1 > i64::try_from(records).unwrap() - 5_000);
    each_reads(&trials, records);
    topic.assert_nothing_left();
}

#[test]
fn a_pilot_finds_how_much_of_a_topic_takes_so_long() {
    undisturbed(|time| {
        let topic = Topic::new(&format!("pilot-{time}"), 2, &[]);
        producer_performance(&bootstrap(), &topic.name, 40_000, &[]);
        let scene = Scene::on_shared_cluster();
        scene.scenario(topic.scenario("", "[consumer]\nwork = 'wait 50us'\n[trial]\nseconds = 0.4"));
        scene.run(&[]).exits(0);
        let trials = scene.trials();
        let of_kind = |kind| trials.iter().filter(move |trial| trial.order.kind == kind);
        assert_eq!(of_kind(TrialKind::Pilot).count(), 1);
        let counted: Vec<u64> = of_kind(TrialKind::Counted).map(|trial| trial.order.records).collect();
        assert!(
            counted.iter().all(|records| (1_000..39_000).contains(records)),
            "{counted:?}"
        );
        for trial in &trials {
            read_once(trial);
            assert_eq!(trial.measurement.as_ref().unwrap().records(), trial.order.records);
        }
        topic.assert_nothing_left();
    });
}

#[test]
fn a_topic_that_cannot_be_read_is_one_clear_error_that_leaves_nothing() {
    let topic = Topic::new("misspelt", 2, &[]);
    let scene = Scene::on_shared_cluster();
    let with = |name: &str| {
        topic
            .scenario("", "")
            .replace(&format!("'{}'", topic.name), &format!("'{name}'"))
    };
    let misspelt = topic.name.replace("misspelt", "mispelt");
    scene.scenario(with(&misspelt));
    let nearest = format!("did you mean {}", topic.name);
    let ended = scene.run(&[]).exits(2).says(&nearest);
    ended.says(&format!("there is no topic {misspelt} on "));
    scene.scenario(with("^existing-nothing-.*"));
    scene.run(&[]).exits(2).says("matches ^existing-nothing-.*");
    scene.scenario(with(&topic.name));
    scene.run(&[]).exits(2).says("there is no record to read");
    let alone = Scene::new();
    alone.scenario(with(&topic.name));
    alone.run(&[]).exits(2).says("--cluster local");
    alone.tandem(&["plan", "scene.toml"]).exits(2).says("--cluster local");
    let plan = alone
        .tandem(&["plan", "scene.toml", "--bootstrap", &bootstrap()])
        .exits(0);
    plan.prints("not known before the topics are seen");
    assert!(!scene.out().exists());
    topic.assert_nothing_left();
}
