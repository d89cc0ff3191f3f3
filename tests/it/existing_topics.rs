//! Topics that exist: whatever is in them, each trial reads exactly what Kafka's own tools are given, and leaves topic,
//! topics and groups as they were.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use tandem::kafka::admin::Admin;
use tandem::measure::Trial;

use crate::kafka_tools::{offsets, producer_performance};
use crate::scene::{Scene, read_once};
use crate::shared_cluster::{bootstrap, names};

/// A topic of its own on the broker that the tests share; deleted with this.
struct Topic {
    name: String,
    runtime: tokio::runtime::Runtime,
    admin: Admin,
}

impl Topic {
    fn new(name: &str, partitions: i32, configs: &[(&str, &str)]) -> Self {
        let name = format!("existing-{name}-{}", std::process::id());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let admin = runtime.block_on(Admin::connect(&bootstrap(), &BTreeMap::new())).unwrap();
        let partitions = u32::try_from(partitions).unwrap();
        runtime.block_on(admin.create_topic(&name, partitions, 1, configs)).unwrap();
        Topic { name, runtime, admin }
    }

    /// First offset and end of each partition.
    fn watermarks(&self, partitions: i32) -> Vec<(i64, i64)> {
        let of = |partition| self.runtime.block_on(self.admin.watermarks(&self.name, partition)).unwrap();
        (0..partitions).map(of).collect()
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
        let _ = self.runtime.block_on(self.admin.delete_topics(&[self.name.clone()]));
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
    trials.iter().map(|trial| trial.measurement.as_ref().unwrap().not_delivered).collect()
}

#[test]
fn a_topic_that_kafkas_own_tool_has_filled_is_read_whole_and_left_as_it_was() {
    let topic = Topic::new("filled", 3, &[]);
    producer_performance(&bootstrap(), &topic.name, 50_000, &[]);
    let before = offsets(&bootstrap(), &topic.name);
    let there = before.iter().map(|(first, end)| u64::try_from(end - first).unwrap()).sum::<u64>();
    assert_eq!(there, 50_000);
    let scene = Scene::on_shared_cluster();
    scene.scenario(&topic.scenario("", ""));
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
