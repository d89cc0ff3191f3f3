//! What may stand in a file beside topics that exist: they are read as they are, so nothing says what they are like.

use super::draft::Draft;
use super::error::{Problem, Problems};
use super::existing::{DataSource, ExistingTopics, Isolation};
use super::load_kinds::ModeName;
use super::model::{PropertyValue, TrialLength};
use super::settings::{CLIENT, Settings};

/// The keys that say how topics are made and filled.
const FILLING: [&str; 9] = [
    "partitions",
    "topics",
    "records",
    "size",
    "keys",
    "weights",
    "compression",
    "compression_ratio",
    "replication",
];

const ISOLATION: &str = "isolation.level";

/// The trials of a file with existing topics read all of them where it says nothing else.
pub(super) fn trial_length(draft: &Draft) -> TrialLength {
    let settings = Settings::from_given(&draft.defaults);
    if settings.reads_existing() && !draft.trial_given {
        TrialLength::Whole
    } else {
        draft.trial
    }
}

/// Where the records of a configuration come from.
pub(super) fn source(settings: &Settings<'_>, draft: &Draft) -> DataSource {
    if !settings.reads_existing() {
        return DataSource::Filled;
    }
    DataSource::Existing(ExistingTopics {
        wanted: settings.topic.to_vec(),
        last: settings.last,
        isolation: isolation(settings, draft),
        found: None,
    })
}

/// The isolation level of a configuration's consumers: its own, or that of every client, or the client library's.
fn isolation(settings: &Settings<'_>, draft: &Draft) -> Isolation {
    let own = settings.properties.get(ISOLATION).copied();
    match own.or_else(|| draft.cluster.client.get(ISOLATION)) {
        Some(PropertyValue::Literal(value)) if value == Isolation::ReadUncommitted.as_str() => {
            Isolation::ReadUncommitted
        }
        // The library refuses a value that is none.
        _ => Isolation::ReadCommitted,
    }
}

/// Checks one configuration.
pub(super) fn check(settings: &Settings<'_>, draft: &Draft, problems: &mut Problems) {
    if !settings.reads_existing() {
        if let Some(problem) = last_alone(settings) {
            problems.add(problem);
        }
        return;
    }
    for given in FILLING.iter().filter_map(|key| settings.given(key)) {
        let message = format!("`{}` cannot stand beside `topic`", given.key);
        let allowed = "must be left out: a topic that exists is read as it is";
        let help = match given.key.as_str() {
            "records" => Some("`last` reads the last offsets of each partition, and records in [trial] less of each"),
            "topics" => Some("`topic` can be a list, such as topic = [\"a\", \"b\"]"),
            _ => None,
        };
        let problem = Problem::new(given.key_span.clone(), message, allowed);
        problems.add(problem.maybe_help(help.map(str::to_owned)));
    }
    if let Some(problem) = load(settings, draft) {
        problems.add(problem);
    }
    let of_cluster = (draft.cluster.client.get(ISOLATION), None);
    let own = (
        settings.properties.get(ISOLATION).copied(),
        settings.given(&format!("{CLIENT}{ISOLATION}")),
    );
    for (value, given) in [own, of_cluster] {
        if matches!(value, Some(PropertyValue::Environment { .. })) {
            let message = "`isolation.level` decides what is there to read of an existing topic";
            let span = given.map_or(0..0, |given| given.span.clone());
            problems.add(Problem::new(
                span,
                message,
                "must be written out, not taken from the environment",
            ));
        }
    }
}

fn last_alone(settings: &Settings<'_>) -> Option<Problem> {
    let given = settings.given("last")?;
    let message = "`last` needs topics that exist";
    let problem = Problem::new(given.key_span.clone(), message, "must stand beside `topic`");
    Some(problem.help("`records` says how many records a topic is filled with"))
}

/// Nothing is written to topics that exist.
fn load(settings: &Settings<'_>, draft: &Draft) -> Option<Problem> {
    let given = settings.given("mode").filter(|_| settings.mode != ModeName::Backlog);
    let span = given
        .map(|given| given.key_span.clone())
        .or_else(|| draft.load_span.clone())?;
    let message = "records cannot arrive in topics that exist";
    let allowed = "must be left out: nothing is written to a topic that tandem did not make";
    Some(Problem::new(span, message, allowed).help("leave out `topic`, and a topic is made for each trial"))
}
