//! Permanent errors of the client end a trial, or the first reading, at once, and are named.

use rdkafka::producer::BaseRecord;
use tandem::measure::FailureKind;

use crate::clients::{administer, client, create_topic, send};
use crate::scene::{Scene, failure};
use crate::shared_cluster::bootstrap;

/// Runs one trial, which must fail by the word of a worker, and returns its message.
fn given_up(text: &str) -> String {
    let scene = Scene::on_shared_cluster();
    scene.scenario(format!("question = '?'\nrepetitions = 1\nwarmup_blocks = 0\n{text}"));
    scene.run(&[]).exits(1);
    scene.assert_no_processes();
    let trials = scene.trials();
    let found = failure(&trials[0]);
    assert_eq!(found.kind, FailureKind::WorkerFailed, "{found:?}");
    found.message.clone()
}

/// Limits of a client, as its properties.
fn limits(bytes: u64) -> String {
    format!(
        "'message.max.bytes' = {bytes}\n'fetch.max.bytes' = {bytes}\n'receive.message.max.bytes' = {}\n",
        bytes + 512
    )
}

#[test]
fn an_answer_beyond_what_the_client_accepts_ends_the_trial_by_the_name_of_the_limit() {
    let text = format!(
        "[dataset]\nrecords = 4\nsize = 200_000\n[trial]\nrecords = 4\n[consumer.client]\n{}",
        limits(100_000)
    );
    let message = given_up(&text);
    assert!(message.contains("increase receive.message.max.bytes"), "{message}");
}

#[test]
fn a_session_shorter_than_the_brokers_allow_ends_the_trial_by_the_name_of_their_limits() {
    let text = "[dataset]\nrecords = 1_000\n[trial]\nrecords = 1_000\n[consumer.client]\n'session.timeout.ms' = 1000\n\
                'heartbeat.interval.ms' = 300\n";
    let message = given_up(text);
    assert!(message.contains("group.min.session.timeout.ms"), "{message}");
}

/// An existing topic with one record of two million bytes that compresses well.
struct Inflated {
    name: String,
}

impl Inflated {
    fn new(name: &str) -> Self {
        let name = format!("inflated-{name}-{}", std::process::id());
        create_topic(&bootstrap(), &name, 1);
        let settings = [("compression.type", "zstd"), ("message.max.bytes", "4000000")];
        let producer = client(&bootstrap(), &settings).create().unwrap();
        let value = vec![0; 2_000_000];
        send(&producer, [BaseRecord::to(&name).payload(&value[..])].into_iter());
        Inflated { name }
    }

    /// A scenario of two trials of the topic, with these properties of all clients.
    fn scenario(&self, more: &str) -> String {
        format!(
            "question = '?'\nrepetitions = 2\nwarmup_blocks = 0\n[dataset]\ntopic = '{}'\n[cluster.client]\n{}{more}",
            self.name,
            limits(1_000_000)
        )
    }

    fn delete(&self) {
        administer(&bootstrap(), async |admin| {
            // On a busy machine the answer may come too late; what became of the topic is what counts.
            let _ = admin.delete_topics(std::slice::from_ref(&self.name)).await;
        });
    }
}

impl Drop for Inflated {
    fn drop(&mut self) {
        // After a failure the topic goes with the broker.
        if std::thread::panicking() {
            return;
        }
        self.delete();
    }
}

#[test]
fn the_first_reading_accepts_what_the_consumers_accept_and_names_the_limit_where_they_do_not() {
    let topic = Inflated::new("limit");
    let scene = Scene::on_shared_cluster();
    scene.scenario(topic.scenario(""));
    let refused = scene.run(&[]).exits(2).says(&topic.name);
    refused.says("raise receive.message.max.bytes");
    assert!(!scene.out().exists());
    scene.scenario(topic.scenario(&format!("[consumer.client]\n{}", limits(4_000_000))));
    scene.run(&[]).exits(0);
    assert_eq!(scene.trials()[0].measurement.as_ref().unwrap().records(), 1);
}

#[test]
fn a_topic_that_is_deleted_between_trials_ends_the_run_by_its_name() {
    let topic = Inflated::new("deleted");
    let scene = Scene::on_shared_cluster();
    let client = format!("[consumer.client]\n{}", limits(4_000_000));
    let waiting = "[consumer]\nwork = 'wait 500ms'\n";
    let text = topic.scenario(&format!("{client}{waiting}"));
    scene.scenario(text.replace("repetitions = 2", "repetitions = 50"));
    // The trial that loses its topic does not wait long for the missing records.
    let run = scene.spawn_run(&["--join-limit", "10", "--stall-limit", "5"]);
    let stored = || std::fs::read_dir(scene.out().join("trials")).is_ok_and(|files| files.count() > 0);
    crate::scene::wait_until("a trial", stored);
    topic.delete();
    let ended = run.end().exits(1);
    let gone = format!("{} is no longer there", topic.name);
    ended.says(&gone).says("the rest was not run");
}

#[test]
fn replication_is_held_against_the_brokers_that_are_there() {
    let scene = Scene::on_shared_cluster();
    scene.scenario("question = '?'\n[dataset]\nrecords = 1_000\nreplication = 2\n[trial]\nrecords = 1_000\n");
    scene
        .run(&[])
        .exits(2)
        .says("replication = 2 in [dataset]")
        .says("has 1;");
    assert!(!scene.out().exists());
}
