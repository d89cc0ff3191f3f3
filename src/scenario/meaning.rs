//! What a configuration means, key by key, so that configurations of two files can be held against each other.

use std::fmt::Display;

use super::dataset_kinds::{keys_text, ratio_text, size_text, weights_text};
use super::existing::ExistingTopics;
use super::kinds::{commit_text, name_of, work_text};
use super::live::{Capacity, Mode};
use super::load_kinds::{number_text, time_text};
use super::masking::masked_command;
use super::model::{
    Configuration, DatasetSpec, GroupProtocol, Membership, Place, PropertyValue, Scenario, TrialLength,
};
use super::settings::TOPIC;

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
        let Some(c) = self.configurations.get(configuration) else {
            return Vec::new();
        };
        let dataset = &self.datasets[c.dataset];
        let mut all = match dataset.existing() {
            None => data(dataset).to_vec(),
            Some(existing) => there(existing, dataset),
        };
        all.extend(arrangement(c));
        all.extend(length(self, c, dataset));
        all.extend(means(c, dataset, self.places.get(c.place)));
        all.extend(
            self.cluster
                .client
                .iter()
                .map(|(name, value)| property("client.", name, value)),
        );
        // What a configuration sets holds, whatever the cluster's clients have.
        for (name, value) in &c.client.properties {
            let own = property("client.", name, value);
            all.retain(|other| other.key != own.key);
            all.push(own);
        }
        let load = c.mode.load().into_iter();
        all.extend(load.flat_map(|load| {
            load.properties
                .iter()
                .map(|(name, value)| property("producer.", name, value))
        }));
        all
    }
}

fn task(key: &str, value: impl Display) -> Meaning {
    Meaning {
        key: key.to_owned(),
        value: value.to_string(),
        part: Part::Task,
    }
}

fn mean(key: &str, value: impl Display) -> Meaning {
    Meaning {
        part: Part::Means,
        ..task(key, value)
    }
}

fn property(prefix: &str, name: &str, value: &PropertyValue) -> Meaning {
    let value = match value {
        PropertyValue::Literal(text) => text.clone(),
        PropertyValue::Environment { env } => format!("${env}"),
        PropertyValue::File { file } => format!("@{file}"),
    };
    mean(&format!("{prefix}{name}"), value)
}

fn data(dataset: &DatasetSpec) -> [Meaning; 7] {
    [
        task("topics", dataset.topics),
        task("partitions", dataset.partitions),
        task("size", size_text(dataset.size)),
        task("keys", keys_text(dataset.keys)),
        task("weights", weights_text(&dataset.weights)),
        task("compression", dataset.compression.as_str()),
        task("compression_ratio", ratio_text(dataset.compression_ratio)),
    ]
}

/// Topics that exist. What is in them may grow from run to run, and is then not the same.
fn there(existing: &ExistingTopics, dataset: &DatasetSpec) -> Vec<Meaning> {
    let last = existing.last.map_or_else(|| "all".to_owned(), |last| last.to_string());
    let partitions = task("partitions", dataset.partitions_of_all());
    vec![
        task("topic", existing.wanted.join(", ")),
        task("last", last),
        task("isolation.level", existing.isolation.as_str()),
        if existing.found.is_some() {
            partitions
        } else {
            task("partitions", "not seen yet")
        },
    ]
}

fn arrangement(c: &Configuration) -> [Meaning; 8] {
    let assignment = match c.membership {
        Membership::Manual => "manual",
        Membership::Group(_) => "group",
    };
    [
        task("groups", c.groups),
        task("processes", c.processes),
        task("consumers", c.consumers),
        task("threads", c.threads),
        task("ordering", name_of(c.ordering)),
        task("assignment", assignment),
        task("commit", commit_text(c.commit)),
        task("work", work_text(c.work)),
    ]
}

/// What makes a trial as long as it is, and the load.
fn length(scenario: &Scenario, c: &Configuration, dataset: &DatasetSpec) -> Vec<Meaning> {
    let mut all = vec![task("mode", c.mode.name())];
    match (&c.mode, scenario.trial) {
        (Mode::Backlog, TrialLength::Seconds(seconds)) => all.push(task("trial seconds", number_text(seconds))),
        (Mode::Backlog, TrialLength::Records(records)) => all.push(task("trial records", records)),
        (Mode::Backlog, TrialLength::Whole) => all.push(task("trial records", "all")),
        (Mode::Mixed(_), _) => all.push(task("records", dataset.records)),
        (Mode::Live(_), _) => {}
    }
    if let Some(load) = c.mode.load() {
        all.extend([
            task("rate", number_text(load.rate)),
            task("arrivals", name_of(load.arrivals)),
            task("profile", &load.shape),
            task("duration", time_text(load.duration_ns)),
            task("warmup", time_text(load.warmup_ns)),
        ]);
    }
    all.extend(scenario.capacity.as_ref().map(objective));
    all
}

fn objective(capacity: &Capacity) -> Meaning {
    let share = number_text(capacity.percentile * 100.0);
    task("capacity", format!("p{share} within {}", time_text(capacity.limit_ns)))
}

fn means(c: &Configuration, dataset: &DatasetSpec, place: Option<&Place>) -> Vec<Meaning> {
    let mut all = vec![
        mean("read", name_of(c.read)),
        mean("buffers", name_of(c.buffers)),
        mean("replication", dataset.replication),
    ];
    all.extend(
        dataset
            .settings
            .iter()
            .map(|(name, value)| mean(&format!("{TOPIC}{name}"), value)),
    );
    if let Membership::Group(protocol) = &c.membership {
        let (name, assignor) = match protocol {
            GroupProtocol::Classic { assignor } => ("classic", assignor),
            GroupProtocol::Consumer { assignor } => ("consumer", assignor),
        };
        all.push(mean("protocol", name));
        all.extend(assignor.as_ref().map(|assignor| mean("assignor", assignor)));
    }
    if c.client.library_defaults_only {
        all.push(mean("client", "defaults"));
    }
    if c.mode == Mode::Backlog && dataset.is_seen() {
        all.push(mean("records", dataset.records));
    }
    all.extend(c.mode.load().map(|load| mean("producers", load.producers)));
    all.extend(place.map(|place| mean("place", place_text(place))));
    all
}

fn place_text(place: &Place) -> String {
    let launcher =
        (!place.launcher.is_empty()).then(|| format!("launcher {}", masked_command(&place.launcher).join(" ")));
    let cpus = place.cpus.as_ref().map(|cpus| format!("cpus {cpus}"));
    let listener = place.listener.as_ref().map(|listener| format!("listener {listener}"));
    let parts: Vec<String> = [Some(place.name.clone()), launcher, cpus, listener]
        .into_iter()
        .flatten()
        .collect();
    parts.join(", ")
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
        let of = |part: Part, key: &str| vec![(key.to_owned(), part)];
        assert_eq!(differing("", "[dataset]\nsize = 7"), of(Part::Task, "size"));
        assert_eq!(differing("", "[consumer]\nwork = \"cpu 5us\""), of(Part::Task, "work"));
        assert_eq!(differing("", "[consumer]\nprocesses = 2"), of(Part::Task, "processes"));
        assert_eq!(differing("", "[trial]\nseconds = 2"), of(Part::Task, "trial seconds"));
        assert_eq!(
            differing("", "[trial]\nrecords = 1000"),
            of(Part::Task, "trial records")
        );
        assert_eq!(differing("", "[consumer]\nread = \"poll\""), of(Part::Means, "read"));
        let load = "[load]\nrate = 100\n";
        assert_eq!(differing(load, "[load]\nrate = 200"), of(Part::Task, "rate"));
        assert_eq!(
            differing(load, "[load]\nrate = 100\nduration = \"3s\""),
            of(Part::Task, "duration")
        );
        let client = "[consumer.client]\n\"fetch.min.bytes\" = 7";
        assert_eq!(differing("", client), of(Part::Means, "client.fetch.min.bytes"));
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
