//! Reads the tables of a scenario file into a draft: every value valid by itself, the combinations not yet looked at.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeTable;

use super::axes::{check_aliases, check_together, properties, read_matrix, read_settings};
use super::capacity::{self, DraftCapacity};
use super::client::{self, Clients};
use super::document::{Entry, entries, table, tables};
use super::error::{Problem, Problems};
use super::keys::{Brokers, Records, Seed, Table, Threshold, TrialSeconds, WarmupBlocks, unknown_key};
use super::kinds::{Bootstrap, Prefix, Processors, Version};
use super::model::{ClusterSource, ClusterSpec, DEFAULT_KAFKA_VERSION, Place, PropertyValue, TrialLength};
use super::repetitions::{Repetitions, RepetitionsValue};
use super::settings::Given;
use super::values::{Command, FileValue, Formed, Line};

/// The file's tables, each value valid by itself.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) question: String,
    pub(super) seed: u64,
    pub(super) repetitions: Repetitions,
    /// Where it was given.
    pub(super) repetitions_span: Range<usize>,
    pub(super) warmup_blocks: u32,
    pub(super) threshold: f64,
    pub(super) baseline: Option<(String, Range<usize>)>,
    pub(super) trial: TrialLength,
    /// Where the trial's length was given.
    pub(super) trial_span: Range<usize>,
    /// Whether it was.
    pub(super) trial_given: bool,
    pub(super) cluster: ClusterSpec,
    pub(super) places: Vec<Place>,
    /// Of `[dataset]`, `[consumer]` and `[load]`.
    pub(super) defaults: Vec<Given>,
    /// The header of `[load]`, where there is one: its configurations are live unless they say otherwise.
    pub(super) load_span: Option<Range<usize>>,
    pub(super) capacity: Option<DraftCapacity>,
    /// Those of `repetitions` and `warmup_blocks` that were given.
    pub(super) blocks_given: Vec<&'static str>,
    pub(super) axes: Vec<DraftAxis>,
    /// At least one; unnamed where the file has none.
    pub(super) cases: Vec<DraftCase>,
}

/// A key of `[matrix]`.
#[derive(Debug)]
pub(super) struct DraftAxis {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    /// At least one.
    pub(super) values: Vec<Given>,
}

/// A `[[case]]`.
#[derive(Debug, Default)]
pub(super) struct DraftCase {
    pub(super) name: String,
    pub(super) span: Range<usize>,
    pub(super) given: Vec<Given>,
}

/// Reads the whole document; the draft is to be used only where no problem was added.
pub(super) fn read(document: &DeTable<'_>, problems: &mut Problems) -> Draft {
    let mut draft = Draft {
        question: String::new(),
        seed: 1,
        repetitions: Repetitions::Fixed(10),
        repetitions_span: 0..0,
        warmup_blocks: 1,
        threshold: 0.03,
        baseline: None,
        trial: TrialLength::Seconds(1.0),
        trial_span: 0..0,
        trial_given: false,
        cluster: ClusterSpec::default(),
        places: vec![place("here".to_owned())],
        defaults: Vec::new(),
        load_span: None,
        capacity: None,
        blocks_given: Vec::new(),
        axes: Vec::new(),
        cases: Vec::new(),
    };
    if !document.iter().any(|(key, _)| key.get_ref() == "question") {
        let allowed = "must begin with one, such as question = \"Do two processes read faster than one?\"";
        problems.add(Problem::new(0..0, "the scenario has no `question`", allowed));
    }
    for entry in entries(document) {
        read_top(&entry, &mut draft, problems);
    }
    let blocks = ["repetitions", "warmup_blocks"].into_iter();
    draft.blocks_given = blocks.filter(|key| document.contains_key(*key)).collect();
    check_together(&draft, problems);
    if draft.cases.is_empty() {
        draft.cases.push(DraftCase::default());
    }
    draft
}

fn place(name: String) -> Place {
    Place {
        name,
        launcher: Vec::new(),
        cpus: None,
        listener: None,
    }
}

fn read_top(entry: &Entry<'_>, draft: &mut Draft, problems: &mut Problems) {
    match entry.key {
        "question" => set(&mut draft.question, value::<Line>(entry, problems).map(|line| line.0)),
        "seed" => set(&mut draft.seed, value::<Seed>(entry, problems).map(Seed::get)),
        "repetitions" => {
            draft.repetitions_span = entry.value.span();
            let read = value(entry, problems).map(|RepetitionsValue(repetitions)| repetitions);
            set(&mut draft.repetitions, read);
        }
        "warmup_blocks" => set(
            &mut draft.warmup_blocks,
            value(entry, problems).map(WarmupBlocks::small),
        ),
        "threshold" => set(&mut draft.threshold, value(entry, problems).map(Threshold::get)),
        "baseline" => draft.baseline = value::<Line>(entry, problems).map(|line| (line.0, entry.value.span())),
        "case" => read_cases(entry, draft, problems),
        "place" => read_places(entry, draft, problems),
        _ => {
            let Some(known) = Table::SINGLE.into_iter().find(|table| table.name() == entry.key) else {
                problems.add(unknown_key(entry, Table::Top));
                return;
            };
            let Some(table) = problems.keep(table(entry)) else {
                return;
            };
            match known {
                Table::Trial => read_trial(entry, table, draft, problems),
                Table::Cluster => read_cluster(table, draft, problems),
                Table::Matrix => draft.axes = read_matrix(table, problems),
                Table::Capacity => draft.capacity = Some(capacity::read(entry, table, problems)),
                Table::Load => {
                    draft.load_span = Some(entry.key_span.clone());
                    draft.defaults.extend(read_settings(table, Table::Load, problems));
                }
                known => draft.defaults.extend(read_settings(table, known, problems)),
            }
        }
    }
}

pub(super) fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// The entry's value as a `T`, or one problem more.
pub(super) fn value<T: FileValue>(entry: &Entry<'_>, problems: &mut Problems) -> Option<T> {
    problems.keep(T::read(entry.value).map_err(|refusal| refusal.problem(entry.key, entry.value)))
}

fn read_trial(header: &Entry<'_>, table: &DeTable<'_>, draft: &mut Draft, problems: &mut Problems) {
    draft.trial_span = header.key_span.clone();
    let mut given = Vec::new();
    for entry in entries(table) {
        let length = match entry.key {
            "seconds" => value(&entry, problems).map(|seconds: TrialSeconds| TrialLength::Seconds(seconds.get())),
            "records" => value(&entry, problems).map(|records: Records| TrialLength::Records(records.get())),
            _ => {
                problems.add(unknown_key(&entry, Table::Trial));
                continue;
            }
        };
        set(&mut draft.trial, length);
        draft.trial_span = entry.value.span();
        draft.trial_given = true;
        given.push(entry.key_span);
    }
    if let [_, second] = &given[..] {
        let allowed = "must have one of the two: `seconds` or `records`";
        problems.add(Problem::new(
            second.clone(),
            "[trial] has both `seconds` and `records`",
            allowed,
        ));
    }
}

fn read_cluster(table: &DeTable<'_>, draft: &mut Draft, problems: &mut Problems) {
    let (mut brokers, mut version, mut bootstrap) = (None, None, None);
    let mut local = Vec::new();
    for entry in entries(table) {
        match entry.key {
            "brokers" => brokers = value(&entry, problems).map(Brokers::small),
            "version" => version = value::<Formed<Version>>(&entry, problems).map(|version| version.0),
            "bootstrap" => bootstrap = value::<Formed<Bootstrap>>(&entry, problems).map(|bootstrap| bootstrap.0),
            "prefix" => {
                set(
                    &mut draft.cluster.prefix,
                    value::<Formed<Prefix>>(&entry, problems).map(|prefix| prefix.0),
                );
            }
            "client" => draft.cluster.client = read_cluster_client(&entry, problems),
            _ => problems.add(unknown_key(&entry, Table::Cluster)),
        }
        if matches!(entry.key, "brokers" | "version") {
            local.push((entry.key.to_owned(), entry.key_span));
        }
    }
    if table.contains_key("bootstrap") {
        for (key, span) in local {
            let message = format!("`{key}` cannot stand beside `bootstrap`");
            let allowed = "must be left out: with `bootstrap`, a running cluster is used and no broker is started";
            problems.add(Problem::new(span, message, allowed));
        }
    }
    if let Some(bootstrap) = bootstrap {
        draft.cluster.source = ClusterSource::Bootstrap(bootstrap);
    } else {
        draft.cluster.source = ClusterSource::Local {
            brokers: brokers.unwrap_or(1),
            version: version.unwrap_or_else(|| DEFAULT_KAFKA_VERSION.to_owned()),
        };
    }
}

fn read_cluster_client(entry: &Entry<'_>, problems: &mut Problems) -> BTreeMap<String, PropertyValue> {
    let table = problems.keep(table(entry));
    let properties = table
        .map(|table| properties(table, Clients::All, problems))
        .unwrap_or_default();
    check_aliases(
        properties.iter().map(|entry| (entry.key, entry.key_span.clone())),
        problems,
    );
    let pair = |entry: Entry<'_>| Some((entry.key.to_owned(), client::read_value(entry.key, entry.value)));
    let read = properties.into_iter().filter_map(pair);
    read.filter_map(|(name, value)| problems.keep(value).map(|value| (name, value)))
        .collect()
}

fn read_places(entry: &Entry<'_>, draft: &mut Draft, problems: &mut Problems) {
    for (table, span) in problems.keep(tables(entry)).unwrap_or_default() {
        let mut read = place(String::new());
        for entry in entries(table) {
            match entry.key {
                "name" => {
                    set(&mut read.name, value::<Line>(&entry, problems).map(|line| line.0));
                    if draft.places.iter().any(|place| place.name == read.name) {
                        let message = format!("there are two places with the name {:?}", read.name);
                        problems.add(Problem::new(
                            entry.value.span(),
                            message,
                            "must differ; `here` is this machine",
                        ));
                    }
                }
                "launcher" => set(
                    &mut read.launcher,
                    value::<Command>(&entry, problems).map(|command| command.0),
                ),
                "cpus" => read.cpus = value::<Formed<Processors>>(&entry, problems).map(|cpus| cpus.0),
                "listener" => read.listener = value::<Line>(&entry, problems).map(|line| line.0),
                _ => problems.add(unknown_key(&entry, Table::Place)),
            }
        }
        if !table.contains_key("name") {
            problems.add(Problem::new(
                span,
                "this place has no `name`",
                "must have one, such as name = \"other\"",
            ));
        }
        draft.places.push(read);
    }
}

fn read_cases(entry: &Entry<'_>, draft: &mut Draft, problems: &mut Problems) {
    for (table, span) in problems.keep(tables(entry)).unwrap_or_default() {
        let mut case = DraftCase {
            span: span.clone(),
            ..DraftCase::default()
        };
        match entries(table).iter().find(|entry| entry.key == "name") {
            Some(entry) => {
                case.span = entry.value.span();
                set(&mut case.name, value::<Line>(entry, problems).map(|line| line.0));
            }
            None => problems.add(Problem::new(
                span,
                "this case has no `name`",
                "must have one, such as name = \"two\"",
            )),
        }
        if !case.name.is_empty() && draft.cases.iter().any(|other| other.name == case.name) {
            let message = format!("there are two cases with the name {:?}", case.name);
            problems.add(Problem::new(
                case.span.clone(),
                message,
                "must differ from the other cases' names",
            ));
        }
        case.given = read_settings(table, Table::Case, problems);
        draft.cases.push(case);
    }
}
