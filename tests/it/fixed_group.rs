//! A group that the scenario names: nobody else is in it, every trial reads everything, and it stays the user's.

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};
use tandem::measure::Status;

use crate::clients::{PATIENCE, consumer, create_topic, member};
use crate::scenario::Scenario;
use crate::scene::{Scene, read_once};
use crate::shared_cluster::{bootstrap, names};

fn scenario(prefix: &str, group: &str) -> Scenario {
    let trials = Scenario::reading(4_000).repetitions(2).warmup_blocks(1).prefix(prefix);
    let named = trials.consumer(&format!("group = '{group}'"));
    named.tables("[matrix]\nprocesses = [1, 2]")
}

fn in_group(group: &str) -> BaseConsumer {
    consumer(&bootstrap(), group, &[])
}

/// Positions of the partitions of a topic that a group has committed.
fn committed(group: &str, topic: &str) -> Vec<Offset> {
    let mut list = TopicPartitionList::new();
    (0..2).for_each(|partition| {
        list.add_partition(topic, partition);
    });
    let found = in_group(group).committed_offsets(list, PATIENCE).unwrap();
    found.elements().iter().map(TopicPartitionListElem::offset).collect()
}

#[test]
fn every_trial_reads_everything_in_the_one_group_which_stays() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(scenario("fixed-a-", "the-users-a").consumer("commit = 'per-batch'"));
    scene.run(&["--keep-data"]).exits(0);
    let trials = scene.trials();
    assert!(trials.len() >= 6, "{}", trials.len());
    trials.iter().for_each(read_once);
    let (topics, groups) = names("fixed-a-");
    assert_eq!(groups, Vec::<String>::new());
    assert_eq!(names("the-users-a").1, ["the-users-a"]);
    let data = topics.iter().find(|topic| !topic.ends_with("about")).unwrap();
    assert_eq!(
        committed("the-users-a", data),
        [Offset::Offset(2_000), Offset::Offset(2_000)]
    );

    // What is committed is left where a run commits nothing, and is not where it begins.
    let mut elsewhere = TopicPartitionList::new();
    elsewhere.add_partition_offset(data, 0, Offset::Offset(1_234)).unwrap();
    in_group("the-users-a").commit(&elsewhere, CommitMode::Sync).unwrap();
    scene.scenario(scenario("fixed-a-", "the-users-a"));
    std::fs::remove_dir_all(scene.out()).unwrap();
    scene.run(&["--keep-data"]).exits(0).says("nothing filled");
    scene.trials().iter().for_each(read_once);
    assert_eq!(
        committed("the-users-a", data),
        [Offset::Offset(1_234), Offset::Offset(2_000)]
    );
}

#[test]
fn one_group_serves_both_protocols_and_records_that_arrive() {
    let scene = Scene::on_shared_cluster();
    let trials = Scenario::reading(4_000)
        .repetitions(2)
        .prefix("fixed-b-")
        .consumer("group = 'the-users-b'");
    let backlog = trials.tables("[load]\nmode = 'backlog'\nrate = 2000\nduration = '1s'\nwarmup = '0s'");
    scene.scenario(
        backlog
            .case("classic", "")
            .case("consumer", "protocol = 'consumer'")
            .case("live", "mode = 'live'"),
    );
    scene.run(&[]).exits(0);
    scene.trials().iter().for_each(|trial| {
        assert!(!matches!(trial.status, Status::Failed(_)), "{trial:?}");
    });
    assert_eq!(names("fixed-b-"), (Vec::new(), Vec::new()));
}

#[test]
fn a_group_with_members_is_refused_and_they_are_named() {
    let scene = Scene::on_shared_cluster();
    create_topic(&bootstrap(), "fixed-c-orders", 1);
    let owner = member(&bootstrap(), "the-users-c", "the-owner", "fixed-c-orders");
    scene.scenario(scenario("fixed-c-", "the-users-c"));
    scene
        .run(&[])
        .exits(2)
        .says("the group the-users-c has members: the-owner at 127.0.0.1");
    assert!(!scene.out().exists());
    let doctor = |scene: &Scene| scene.tandem(&["doctor", "scene.toml", "--bootstrap", &bootstrap()]);
    doctor(&scene)
        .exits(1)
        .prints("the group the-users-c has members: the-owner");
    drop(owner);
    doctor(&scene).exits(0);
    // It is the user's.
    assert_eq!(names("the-users-c").1, ["the-users-c"]);
    assert_eq!(names("fixed-c-").0, ["fixed-c-orders"]);
}

#[test]
fn several_groups_cannot_share_a_fixed_name() {
    let scene = Scene::new();
    let text = scenario("fixed-d-", "the-users-d").to_string();
    scene.scenario(text.replace("processes = [1, 2]", "groups = [1, 2]"));
    scene
        .tandem(&["plan", "scene.toml"])
        .exits(2)
        .says("a fixed `group` cannot be several groups");
}
