#![allow(clippy::unwrap_used)]

use super::*;
use crate::scenario::{DatasetSpec, ExistingTopics, FoundPartition, FoundTopic, Isolation, parse};
use crate::testing::scenario;

fn errors(text: &str) -> String {
    parse("scene", "scene.toml", &format!("question = \"q\"\n{text}"))
        .unwrap_err()
        .plain()
}

fn existing(dataset: &DatasetSpec) -> &ExistingTopics {
    dataset.existing().unwrap()
}

fn found(counts: &[&[u64]]) -> FoundTopics {
    let partition = |records: &u64| FoundPartition {
        low: 5,
        end: 10 + i64::try_from(*records).unwrap(),
        records: *records,
    };
    let topic = |counts: &&[u64]| FoundTopic {
        name: "t".to_owned(),
        partitions: counts.iter().map(partition).collect(),
    };
    FoundTopics {
        topics: counts.iter().map(topic).collect(),
        bytes: counts.iter().flat_map(|counts| counts.iter()).sum::<u64>() * 250,
    }
}

#[test]
fn a_topic_a_list_and_a_pattern_are_read_completely_unless_the_trial_has_a_length() {
    let one = scenario("[dataset]\ntopic = \"orders\"");
    assert_eq!(existing(&one.datasets[0]).wanted, ["orders"]);
    assert_eq!((one.trial, one.datasets[0].is_seen()), (TrialLength::Everything, false));
    let list = scenario("[dataset]\ntopic = [\"a\", \"^b-.*\", \"a\"]\nlast = 1_000\n[trial]\nseconds = 2");
    assert_eq!(existing(&list.datasets[0]).wanted, ["a", "^b-.*"]);
    assert_eq!(existing(&list.datasets[0]).last, Some(1_000));
    assert_eq!(list.trial, TrialLength::Seconds(2.0));
    let some = scenario("[dataset]\ntopic = \"a\"\n[trial]\nrecords = 5_000_000");
    assert_eq!(some.trial, TrialLength::Records(5_000_000));
}

#[test]
fn what_is_found_makes_the_lengths_of_families_and_nothing_is_rounded() {
    let unseen = scenario("[dataset]\ntopic = \"^t\"\n[matrix]\nprocesses = [1, 3]");
    let read_topics = unseen.with_found([(0, found(&[&[7, 0], &[4]]))]).unwrap();
    let dataset = &read_topics.datasets[0];
    assert_eq!((dataset.records, dataset.topics, dataset.partitions), (11, 2, 2));
    assert_eq!((dataset.partitions_of_all(), dataset.size), (3, Size::Fixed(250)));
    assert_eq!(
        (
            read_topics.families[0].records_max,
            read_topics.families[0].record_multiple
        ),
        (11, 1)
    );
    assert!(dataset.is_seen());
    let found_topics = existing(dataset).found.as_ref().unwrap();
    assert_eq!((found_topics.offsets(), found_topics.not_delivered()), (26, 15));
}

#[test]
fn trials_that_ask_for_more_than_there_is_read_all_and_that_is_said() {
    let unseen = scenario("[dataset]\ntopic = \"a\"\n[trial]\nrecords = 5_000");
    let read_topics = unseen.with_found([(0, found(&[&[1_000, 200]]))]).unwrap();
    let warning_text = "trials were to read 5,000 records, but the topics hold 1,200: each reads all of them";
    assert!(
        read_topics.warnings.iter().any(|warning| warning == warning_text),
        "{:?}",
        read_topics.warnings
    );
    assert!(unseen.with_found([(0, found(&[&[9_000]]))]).unwrap().warnings.len() < read_topics.warnings.len());
}

#[test]
fn a_topic_without_records_cannot_be_read() {
    let unseen = scenario("[dataset]\ntopic = [\"a\", \"b\"]");
    let error = unseen.with_found([(0, found(&[&[0, 0]]))]).unwrap_err();
    assert_eq!(error.to_string(), "a, b: there is no record to read");
}

#[test]
fn members_by_hand_are_checked_against_the_partitions_that_are_found() {
    let unseen = scenario("[dataset]\ntopic = \"a\"\n[consumer]\nassignment = \"manual\"\nconsumers = 3");
    assert!(unseen.with_found([(0, found(&[&[1, 1, 1]]))]).is_ok());
    let error = unseen.with_found([(0, found(&[&[1, 1]]))]).unwrap_err().to_string();
    assert!(error.contains("3 members in a group for 2 partitions"), "{error}");
}

#[test]
fn configurations_of_another_isolation_level_read_other_records_and_are_not_compared() {
    let axis = "[matrix.client]\n\"isolation.level\" = [\"read_committed\", \"read_uncommitted\"]";
    let there = scenario(&format!(
        "[dataset]\ntopic = \"a\"\n{axis}\n[matrix]\nprocesses = [1, 2]"
    ));
    let levels: Vec<Isolation> = there
        .datasets
        .iter()
        .map(|dataset| existing(dataset).isolation)
        .collect();
    assert_eq!(levels, [Isolation::ReadCommitted, Isolation::ReadUncommitted]);
    let names: Vec<&str> = there.families.iter().map(|family| family.name.as_str()).collect();
    assert_eq!(
        names,
        ["isolation.level=read_committed", "isolation.level=read_uncommitted"]
    );
    let baselines: Vec<_> = there.configurations.iter().map(|c| c.baseline).collect();
    assert_eq!(baselines, [None, Some(0), None, Some(2)]);
    // What is filled here has no transactions: both read the same.
    let filled = scenario(axis);
    assert_eq!((filled.families.len(), filled.datasets.len()), (1, 1));
    assert_eq!(filled.configurations[1].baseline, Some(0));
}

#[test]
fn the_isolation_level_of_every_client_holds_unless_a_configuration_has_its_own() {
    let cluster = "[cluster.client]\n\"isolation.level\" = \"read_uncommitted\"\n[dataset]\ntopic = \"a\"\n";
    let isolation = |text: &str| existing(&scenario(text).datasets[0]).isolation;
    assert_eq!(isolation(cluster), Isolation::ReadUncommitted);
    let own = format!("{cluster}[consumer.client]\n\"isolation.level\" = \"read_committed\"");
    assert_eq!(isolation(&own), Isolation::ReadCommitted);
    assert_eq!(isolation("[dataset]\ntopic = \"a\""), Isolation::ReadCommitted);
}

#[test]
fn what_cannot_stand_beside_a_topic_that_exists_is_an_error() {
    let filling = "partitions = 2\ntopics = 2\nrecords = 5\nsize = 5\nkeys = \"unique\"\nweights = [1.0]\n\
                   compression = \"lz4\"\ncompression_ratio = 2\nreplication = 1";
    insta::assert_snapshot!(
        [
            errors(&format!("[dataset]\ntopic = \"orders\"\n{filling}")),
            errors("[dataset]\ntopic = \"orders\"\n[load]\nrate = 5"),
            errors("[dataset]\ntopic = \"orders\"\n[[case]]\nname = \"a\"\nmode = \"mixed\"\nrate = 5"),
            errors("[dataset]\ntopic = \"orders\"\n[matrix]\npartitions = [1, 2]"),
            errors("[dataset]\n[matrix]\ntopic = [\"a\", \"b\"]"),
            errors("[dataset]\nlast = 5"),
            errors("[dataset]\ntopic = \"a b\""),
            errors("[dataset]\ntopic = [\"a\", \"^(\"]"),
            errors("[dataset]\ntopic = []"),
            errors("[dataset]\ntopic = \"a\"\nlast = 0"),
            errors("[dataset]\ntopic = \"a\"\n[consumer.client]\n\"isolation.level\" = { env = \"LEVEL\" }"),
        ]
        .join("\n")
    );
}
