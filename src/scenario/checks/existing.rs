//! What may stand in a file beside topics that exist: they are read as they are, so nothing says what they are like.

use crate::scenario::draft::Draft;
use crate::scenario::keys::{CLIENT, FILL, Settings, Table, TableKeys as _};
use crate::scenario::kinds::ModeName;
use crate::scenario::model::{ISOLATION, PropertyValue};
use crate::scenario::problem::{Problem, Problems};

/// Checks one configuration.
pub(crate) fn check(settings: &Settings, draft: &Draft, problems: &mut Problems) {
    if !settings.reads_existing() {
        if let Some(problem) = last_alone(settings) {
            problems.add(problem);
        }
        return;
    }
    for given in settings.all_given().values().filter(|given| is_filling(&given.key)) {
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
        settings.properties.get(ISOLATION),
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

/// True for a key that says how topics are made and filled.
fn is_filling(key: &str) -> bool {
    let of_dataset = Settings::key_in(Table::Dataset, key).is_some() && !["topic", "last"].contains(&key);
    of_dataset || key.starts_with(FILL)
}

fn last_alone(settings: &Settings) -> Option<Problem> {
    let given = settings.given("last")?;
    let message = "`last` needs topics that exist";
    let problem = Problem::new(given.key_span.clone(), message, "must stand beside `topic`");
    Some(problem.help("`records` says how many records a topic is filled with"))
}

/// Nothing is written to topics that exist.
fn load(settings: &Settings, draft: &Draft) -> Option<Problem> {
    let given = settings
        .given("mode")
        .filter(|_| settings.mode_name() != ModeName::Backlog);
    let span = given
        .map(|given| given.key_span.clone())
        .or_else(|| draft.load_span.clone())?;
    let message = "records cannot arrive in topics that exist";
    let allowed = "must be left out: nothing is written to a topic that tandem did not make";
    Some(Problem::new(span, message, allowed).help("leave out `topic`, and a topic is made for each trial"))
}
