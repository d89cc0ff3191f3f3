//! Reads the tables of a scenario file into a draft.

use toml::de::DeTable;

use super::apps::{kinds, read_apps};
use super::cluster::{self, Instead};
use super::events::read_events;
use super::keys::read_keys;
use super::places::{place, read_places};
use super::properties::check_aliases;
use super::settings::{read_matrix, read_settings};
use crate::scenario::document::{Entry, entries, table, tables};
use crate::scenario::draft::{Draft, DraftCapacity, DraftCase, DraftRequirement, DraftStore};
use crate::scenario::keys::{
    CLIENT, CapacityKeys, CaseKeys, FILL, PRODUCER, PlaceKeys, RequireKeys, StoreKeys, Table, TableKeys as _, TopKeys,
    TrialKeys, unknown_key,
};
use crate::scenario::kinds::Lag;
use crate::scenario::model::{AppSpec, HERE, ResponseLimit};
use crate::scenario::problem::{Problem, Problems};

/// An objective: its key, the share of records that must be within the limit, and the limit in milliseconds.
type Objective = (&'static str, f64, fn(&CapacityKeys) -> Option<f64>);

/// The objectives of `[capacity]`, of which it must have one.
const OBJECTIVES: [Objective; 4] = [
    ("p50_ms", 0.5, |keys| keys.p50_ms),
    ("p90_ms", 0.9, |keys| keys.p90_ms),
    ("p99_ms", 0.99, |keys| keys.p99_ms),
    ("p999_ms", 0.999, |keys| keys.p999_ms),
];

const NS_PER_MS: f64 = 1e6;

/// The keys of the objectives of `[capacity]`.
pub(crate) fn objectives() -> impl Iterator<Item = &'static str> {
    OBJECTIVES.into_iter().map(|(name, ..)| name)
}

/// Reads the document, with the cluster of the command line if that names one. The draft may be used only if no problem
/// was added.
pub(crate) fn read(document: &DeTable<'_>, instead: Option<&Instead>, problems: &mut Problems) -> Draft {
    let mut draft = Draft {
        top: TopKeys::default(),
        trial: TrialKeys::default(),
        trial_header: None,
        cluster: cluster::spec(None, instead, problems),
        places: vec![place(HERE.to_owned(), PlaceKeys::default())],
        apps: vec![AppSpec::tandem()],
        kinds: kinds(document),
        defaults: Vec::new(),
        load_span: None,
        store: None,
        capacity: None,
        requirements: Vec::new(),
        axes: Vec::new(),
        cases: Vec::new(),
    };
    if !document.contains_key("question") {
        let allowed = "must begin with one, such as question = \"Do two processes read faster than one?\"";
        problems.add(Problem::new(0..0, "the scenario has no `question`", allowed));
    }
    for entry in entries(document) {
        read_top(&entry, &mut draft, instead, problems);
    }
    if draft.cases.is_empty() {
        draft.cases.push(DraftCase::default());
    }
    check_together(&draft, problems);
    draft
}

fn read_top(entry: &Entry<'_>, draft: &mut Draft, instead: Option<&Instead>, problems: &mut Problems) {
    if draft.top.read_entry(Table::Top, entry, problems) {
        return;
    }
    match Table::named(entry.key) {
        Some(Table::Case) => return read_cases(entry, draft, problems),
        Some(Table::Place) => return read_places(entry, draft, problems),
        Some(Table::App) => return read_apps(entry, draft, problems),
        Some(Table::Require) => return read_requirements(entry, draft, problems),
        Some(Table::Event) => return draft.defaults.extend(read_events(entry, Table::Event, problems)),
        Some(_) => {}
        None => return problems.add(unknown_key(entry, Table::Top)),
    }
    let Some(table) = problems.keep(table(entry)) else {
        return;
    };
    match Table::named(entry.key) {
        Some(Table::Trial) => read_trial(entry, table, draft, problems),
        Some(Table::Cluster) => draft.cluster = cluster::spec(Some(table), instead, problems),
        Some(Table::Matrix) => draft.axes = read_matrix(table, &draft.kinds, problems),
        Some(Table::Store) => draft.store = Some(read_store(entry, table, problems)),
        Some(Table::Capacity) => draft.capacity = Some(read_capacity(entry, table, problems)),
        Some(known) => {
            if known == Table::Load {
                draft.load_span = Some(entry.key_span.clone());
            }
            let settings = read_settings(table, known, &draft.kinds, problems);
            draft.defaults.extend(settings);
        }
        None => {}
    }
}

fn read_trial(header: &Entry<'_>, table: &DeTable<'_>, draft: &mut Draft, problems: &mut Problems) {
    draft.trial = read_keys(table, Table::Trial, problems);
    draft.trial_header = Some(header.key_span.clone());
    let lengths = entries(table).into_iter();
    let second = lengths
        .filter(|entry| TrialKeys::key_in(Table::Trial, entry.key).is_some())
        .nth(1);
    if let Some(second) = second {
        let message = "[trial] has both `seconds` and `records`";
        let allowed = "must have one of the two: `seconds` or `records`";
        problems.add(Problem::new(second.key_span, message, allowed));
    }
}

fn read_store(header: &Entry<'_>, table: &DeTable<'_>, problems: &mut Problems) -> DraftStore {
    let keys: StoreKeys = read_keys(table, Table::Store, problems);
    if !table.contains_key("kind") {
        let allowed = "must have one, such as kind = \"postgres\"";
        problems.add(Problem::new(header.key_span.clone(), "[store] has no `kind`", allowed));
    }
    DraftStore {
        span: header.key_span.clone(),
        keys,
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a limit is ten minutes at most"
)]
fn read_capacity(header: &Entry<'_>, table: &DeTable<'_>, problems: &mut Problems) -> DraftCapacity {
    let keys: CapacityKeys = read_keys(table, Table::Capacity, problems);
    let is_objective = |entry: &Entry<'_>| objectives().any(|name| name == entry.key);
    let given: Vec<Entry<'_>> = entries(table).into_iter().filter(is_objective).collect();
    match &given[..] {
        // Where nothing shows how long records take, none is needed.
        [] | [_] => {}
        [first, second, ..] => {
            let message = format!("[capacity] has both `{}` and `{}`", first.key, second.key);
            let problem = Problem::new(second.key_span.clone(), message, "must have one objective");
            problems.add(problem);
        }
    }
    // It has one value; a second one must be carried to the search.
    let Lag::Bounded = keys.lag;
    let objective = OBJECTIVES
        .iter()
        .find_map(|(_, percentile, limit)| Some((*percentile, limit(&keys)?)));
    DraftCapacity {
        span: header.key_span.clone(),
        keys,
        limit: objective.map(|(percentile, limit_ms)| ResponseLimit {
            percentile,
            limit_ns: (limit_ms * NS_PER_MS).round() as u64,
        }),
        limit_span: given.first().map(|entry| entry.key_span.clone()),
    }
}

fn read_requirements(entry: &Entry<'_>, draft: &mut Draft, problems: &mut Problems) {
    for (table, span) in problems.keep(tables(entry)).unwrap_or_default() {
        let keys: RequireKeys = read_keys(table, Table::Require, problems);
        draft.requirements.push(DraftRequirement { keys, span });
    }
}

fn read_cases(entry: &Entry<'_>, draft: &mut Draft, problems: &mut Problems) {
    for (table, span) in problems.keep(tables(entry)).unwrap_or_default() {
        let mut keys = CaseKeys::default();
        match entries(table).iter().find(|entry| entry.key == "name") {
            Some(entry) => {
                keys.read_entry(Table::Case, entry, problems);
            }
            None => {
                let allowed = "must have one, such as name = \"two\"";
                problems.add(Problem::new(span.clone(), "this case has no `name`", allowed));
            }
        }
        let span = keys.given("name").map_or(span, |given| given.span.clone());
        let name = keys.name.unwrap_or_default();
        if !name.is_empty() && draft.cases.iter().any(|other| other.name == name) {
            let message = format!("there are two cases with the name {name:?}");
            let allowed = "must differ from the other cases' names";
            problems.add(Problem::new(span.clone(), message, allowed));
        }
        draft.cases.push(DraftCase {
            name,
            span,
            settings: read_settings(table, Table::Case, &draft.kinds, problems),
        });
    }
}

/// Checks what takes all tables: a key in the matrix and in a case, a property under two names.
fn check_together(draft: &Draft, problems: &mut Problems) {
    let in_matrix = |key: &str| draft.axes.iter().any(|axis| axis.key == key);
    let settings = draft.cases.iter().flat_map(|case| &case.settings);
    for setting in settings.filter(|setting| in_matrix(&setting.key)) {
        let name = setting.key.strip_prefix(CLIENT).unwrap_or(&setting.key);
        let message = format!("`{name}` stands in [matrix] and in this case");
        let allowed = "must stand in one of them: the matrix gives each case all its values";
        problems.add(Problem::new(setting.key_span.clone(), message, allowed));
    }
    for start in [CLIENT, FILL, PRODUCER] {
        let settings = draft.defaults.iter().chain(draft.varying());
        let names = settings.filter_map(|given| Some((given.key.strip_prefix(start)?, given.key_span.clone())));
        check_aliases(names, problems);
    }
}
