//! Reads the tables of a scenario file into a draft: every value valid by itself, the combinations not yet looked at.

use std::ops::Range;

use toml::de::DeTable;

use super::axes::{check_together, read_matrix, read_settings};
use super::capacity::{self, DraftCapacity};
use super::cluster::{self, DraftCluster, Instead};
use super::document::{Entry, entries, table, tables};
use super::error::{Problem, Problems};
use super::keys::{Records, Seed, Table, Threshold, TrialSeconds, WarmupBlocks, unknown_key};
use super::kinds::Processors;
use super::model::{ClusterSpec, Place, TrialLength};
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

/// Reads the whole document, with another cluster than it names where the command line does; the draft is to be used
/// only where no problem was added.
pub(super) fn read(document: &DeTable<'_>, instead: Option<&Instead>, problems: &mut Problems) -> Draft {
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
    let mut given = DraftCluster::default();
    for entry in entries(document) {
        read_top(&entry, &mut draft, &mut given, problems);
    }
    draft.cluster = given.spec(instead, problems);
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

fn read_top(entry: &Entry<'_>, draft: &mut Draft, given: &mut DraftCluster, problems: &mut Problems) {
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
                Table::Cluster => *given = cluster::read(table, problems),
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
