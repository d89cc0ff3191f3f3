//! Properties of the producers that fill data sets: what they make of a scenario, and which are refused.

use super::{said, scenario};
use crate::scenario::Scenario;

fn families(scenario: &Scenario) -> Vec<&str> {
    scenario.families.iter().map(|family| family.name.as_str()).collect()
}

#[test]
fn they_make_another_data_set_whichever_of_their_names_is_used() {
    let long = scenario("[dataset.client]\n'queue.buffering.max.ms' = 5\n'batch.size' = 16_384");
    let short = scenario("[dataset.client]\n'linger.ms' = 5\n'batch.size' = 16_384");
    assert_eq!(long.datasets, short.datasets);
    assert_eq!(
        short.keys_in_use,
        ["dataset.client.linger.ms", "dataset.client.batch.size"]
    );
    assert_eq!(short.configurations[0].key_values, ["5", "16384"]);
    let without = scenario("");
    assert_ne!(without.datasets, short.datasets);
    // What was stored before has the same hash as what has none.
    assert!(!serde_json::to_string(&without.datasets).unwrap().contains("client"));
}

#[test]
fn they_split_families_as_compression_does_unless_these_are_compared_across() {
    let matrix = "[matrix]\n'dataset.client.batch.size' = [16_384, 1_000_000]\nconsumers = [1, 2]";
    let apart = scenario(matrix);
    assert_eq!(
        families(&apart),
        ["dataset.client=batch.size 16384", "dataset.client=batch.size 1000000"]
    );
    assert_eq!(apart.datasets.len(), 2);
    let names: Vec<&str> = apart.configurations.iter().map(|each| each.name.as_str()).collect();
    assert_eq!(names[1], "dataset.client.batch.size=16384 consumers=2");
    let baselines: Vec<Option<usize>> = apart.configurations.iter().map(|each| each.baseline).collect();
    assert_eq!(baselines, [None, Some(0), None, Some(2)]);
    let across = scenario(&format!("compare_across = ['dataset.client']\n{matrix}"));
    assert_eq!(families(&across), [""]);
    let case = scenario("[[case]]\nname = 'a'\n[[case]]\nname = 'b'\n'dataset.client.linger.ms' = 0");
    assert_eq!(
        families(&case),
        ["dataset.client=default", "dataset.client=queue.buffering.max.ms 0"]
    );
}

#[test]
fn they_mean_nothing_to_live_configurations() {
    let text = "[load]\nrate = 10\n[dataset.client]\n'batch.size' = 16_384\n[matrix]\nmode = ['live', 'mixed']";
    let scenario = scenario(text);
    let client = |index: usize| &scenario.datasets[scenario.configurations[index].dataset].client;
    assert!(client(0).is_empty() && client(1).len() == 1);
}

#[test]
fn what_the_filling_needs_cannot_be_set_and_errors_say_why() {
    insta::assert_snapshot!(said(&[
        "[dataset.client]\n'acks' = 1",
        "[dataset.client]\n'enable.idempotence' = false",
        "[dataset.client]\n'partitioner' = 'random'",
        "[dataset.client]\n'compression.type' = 'lz4'",
        "[dataset.client]\n'transactional.id' = 'a'",
        "[dataset.client]\n'fetch.min.bytes' = 1",
        "[dataset.client]\n'sasl.password' = 'hunter2'",
        "[dataset.client]\n'buffer.memory' = 1",
        "[dataset.client]\n'batch.size' = 0",
        "[dataset.client]\n'batch.size' = { env = 'BATCH' }",
        "[dataset.client]\nbatch.size = 5",
        "[dataset]\n'batch.size' = 5",
        "[dataset.client]\n'linger.ms' = 5\n'queue.buffering.max.ms' = 6",
        "[matrix]\ndataset.client.batch.size = [5]",
        "[matrix]\n'dataset.client.batch.size' = 5",
        "[matrix]\n'dataset.client.batch.size' = [5, 5]",
        "[dataset]\ntopic = 'orders'\n[dataset.client]\n'batch.size' = 5",
        "[load]\nrate = 10\n[dataset.client]\n'batch.size' = 5",
    ]));
}
