//! What a configuration means, key by key, so that configurations of two files can be compared.

use std::fmt::Display;

use super::keys::{Configured, EVENT, FILL, Key, Role, TOPIC, Table, events_text, keys};
use super::kinds::{number_text, time_text};
use super::model::{Capacity, ISOLATION, Mode, ResponseLimit, Scenario, TrialLength};

/// What a key is for, where configurations of two runs are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What is done, with what arrangement of consumers, and how long a trial is. Where it differs, figures say nothing
    /// about each other.
    Task,
    /// By what means: client settings, place, replication. Two runs may be compared for just such a difference.
    Means,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// As in the scenario file; properties are prefixed with `client.` or `producer.`, as in a matrix.
    pub key: String,
    /// As it stands in names of configurations; of a secret only the variable's name.
    pub value: String,
    /// What it is for.
    pub part: Part,
}

impl Scenario {
    /// What a configuration means, in the order of the documentation; nothing for one that does not exist. Means that
    /// nobody set are left out.
    pub fn meaning(&self, configuration: usize) -> Vec<Meaning> {
        let Some(configuration) = self.configurations.get(configuration) else {
            return Vec::new();
        };
        let configured = Configured::new(self, configuration);
        let mut all: Vec<Meaning> = keys().filter_map(|key| of_key(key, &configured)).collect();
        all.extend(beside_keys(&configured));
        let settings = configured.dataset.settings.iter();
        all.extend(settings.map(|(name, value)| mean(format!("{TOPIC}{name}"), value)));
        let of_filling = configured.dataset.client.iter();
        all.extend(of_filling.map(|(name, value)| task(format!("{FILL}{name}"), value)));
        // What a configuration sets holds, whatever the cluster's clients have.
        let mut properties = self.cluster.client.clone();
        properties.extend(configuration.client.properties.clone());
        all.extend(
            properties
                .iter()
                .map(|(name, value)| mean(format!("client.{name}"), value)),
        );
        let of_brokers = self.cluster_of(configuration).broker.iter();
        all.extend(of_brokers.map(|(name, value)| mean(format!("broker.{name}"), value)));
        let of_producers = configured.load().into_iter().flat_map(|load| &load.properties);
        all.extend(of_producers.map(|(name, value)| mean(format!("producer.{name}"), value)));
        all
    }
}

fn task(key: impl Into<String>, value: impl Display) -> Meaning {
    Meaning {
        key: key.into(),
        value: value.to_string(),
        part: Part::Task,
    }
}

fn mean(key: impl Into<String>, value: impl Display) -> Meaning {
    Meaning {
        part: Part::Means,
        ..task(key, value)
    }
}

fn of_key(key: &Key, configured: &Configured<'_>) -> Option<Meaning> {
    let name = match key.tables {
        // `records` stands in [dataset] too.
        [Table::Trial] => format!("trial {}", key.name),
        // `kind` and `write` say nothing by themselves.
        [Table::Store] => format!("store {}", key.name),
        _ => key.name.to_owned(),
    };
    match key.role? {
        Role::Task | Role::Family | Role::Incomparable => Some(task(name, key.value(configured)?)),
        Role::Means => Some(mean(name, key.value(configured)?)),
        Role::Alternative => None,
    }
}

/// What no single key says.
fn beside_keys(configured: &Configured<'_>) -> Vec<Meaning> {
    let mut all = Vec::new();
    if configured.trial() == Some(TrialLength::Everything) {
        all.push(task("trial records", "all"));
    }
    let events = &configured.configuration.events;
    if !events.is_empty() {
        all.push(task(EVENT, events_text(events.iter())));
    }
    // The backlog of a mixed trial is a part of the task.
    if let Mode::Mixed(_) = configured.configuration.mode {
        all.push(task("records", configured.dataset.records));
    }
    if let Some(existing) = configured.existing() {
        all.push(task(ISOLATION, existing.isolation.as_str()));
        // Topics that exist may grow from run to run.
        let partitions = match existing.found {
            Some(_) => configured.dataset.partitions_of_all().to_string(),
            None => "not seen yet".to_owned(),
        };
        all.push(task("partitions", partitions));
    }
    all.extend(configured.scenario.capacity.as_ref().map(objective));
    all
}

fn objective(capacity: &Capacity) -> Meaning {
    let text = match capacity.limit {
        Some(ResponseLimit { percentile, limit_ns }) => {
            format!("p{} within {}", number_text(percentile * 100.0), time_text(limit_ns))
        }
        None => "lag bounded".to_owned(),
    };
    task("capacity", text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn meaning(text: &str) -> Vec<Meaning> {
        parse("scene", "scene.toml", &format!("question = \"q\"\n{text}"))
            .unwrap()
            .meaning(0)
    }

    fn differing(one: &str, other: &str) -> Vec<(String, Part)> {
        let (one, other) = (meaning(one), meaning(other));
        let missing = |m: &&Meaning| !one.contains(m);
        other.iter().filter(missing).map(|m| (m.key.clone(), m.part)).collect()
    }

    #[test]
    fn what_is_done_is_the_task_and_by_what_it_is_done_are_means() {
        let only = |part: Part, key: &str| vec![(key.to_owned(), part)];
        assert_eq!(differing("", "[dataset]\nsize = 7"), only(Part::Task, "size"));
        assert_eq!(
            differing("", "[consumer]\nwork = \"cpu 5us\""),
            only(Part::Task, "work")
        );
        assert_eq!(
            differing("", "[consumer]\nprocesses = 2"),
            only(Part::Task, "processes")
        );
        assert_eq!(differing("", "[trial]\nseconds = 2"), only(Part::Task, "trial seconds"));
        assert_eq!(
            differing("", "[trial]\nrecords = 1000"),
            only(Part::Task, "trial records")
        );
        assert_eq!(differing("", "[consumer]\nread = \"poll\""), only(Part::Means, "read"));
        let load = "[load]\nrate = 100\n";
        assert_eq!(differing(load, "[load]\nrate = 200"), only(Part::Task, "rate"));
        assert_eq!(
            differing(load, "[load]\nrate = 100\nduration = \"3s\""),
            only(Part::Task, "duration")
        );
        let client = "[consumer.client]\n\"fetch.min.bytes\" = 7";
        assert_eq!(differing("", client), only(Part::Means, "client.fetch.min.bytes"));
    }

    #[test]
    fn what_says_nothing_of_a_trial_has_no_meaning_here() {
        assert_eq!(differing("", "seed = 7\nrepetitions = 30\nthreshold = 0.1"), Vec::new());
        assert!(
            parse("scene", "scene.toml", "question = \"q\"")
                .unwrap()
                .meaning(9)
                .is_empty()
        );
    }
}
