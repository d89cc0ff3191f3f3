//! From a draft to the scenario: every combination, its name, the data sets, families and warnings.

use std::collections::{BTreeSet, HashMap};

use super::across;
use super::apps;
use super::checks;
use super::draft::{Draft, DraftAxis, DraftCase};
use super::families::{self, common_multiple};
use super::keys::{Configured, Default, EVENT, Given, Setting, Settings, TableKeys as _, events_text, keys};
use super::kinds::{Assignment, ClientDefaults, ModeName, Protocol};
use super::model::{
    AppSpec, Axis, ClientSettings, Configuration, DataSource, DatasetSpec, ExistingTopics, GroupProtocol, ISOLATION,
    Isolation, Membership, PropertyValue, Scenario, Variant, Variants,
};
use super::problem::{Problem, Problems};
use super::settings::is_load_key;
use crate::wording::with_commas;

/// Records that rounding up may add without being asked for.
const ROUNDING_MAX: u64 = 1_000_000;

/// Builds the scenario; `None` where there are problems.
pub(super) fn expand(name: &str, draft: &Draft, problems: &mut Problems) -> Option<Scenario> {
    if let Some(problem) = checks::too_many(draft) {
        problems.add(problem);
        return None;
    }
    let combinations: Vec<Combination<'_>> = combinations(name, draft);
    let named: Vec<(&str, &Settings)> = combinations
        .iter()
        .map(|each| (each.name.as_str(), &each.settings))
        .collect();
    checks::check(&named, draft, problems);
    check_names(&combinations, problems);
    let rounding = problems.keep(Rounding::of(&combinations, draft))?;
    let apps = apps::of(combinations.iter().map(|each| &each.settings), draft);
    let (configurations, datasets) = configurations(&combinations, draft, &apps, rounding.records);
    if let Some(problem) = checks::one_name(draft, &datasets) {
        problems.add(problem);
    }
    let metric = checks::metric(draft, &configurations, &apps, problems);
    let mut scenario = Scenario {
        name: name.to_owned(),
        question: draft.top.question.clone().unwrap_or_default(),
        seed: draft.top.seed,
        repetitions: draft.top.repetitions,
        warmup_blocks: draft.top.warmup_blocks,
        threshold: checks::share(draft),
        metric,
        requirements: checks::requirements(draft, &configurations, problems),
        trial: draft.trial_length(),
        cluster: draft.cluster.clone(),
        apps,
        places: draft.places.clone(),
        axes: draft.axes.iter().map(axis).collect(),
        keys_in_use: keys_in_use(draft),
        configurations,
        compare_across: draft.top.compare_across.clone().unwrap_or_default(),
        families: Vec::new(),
        datasets,
        capacity: draft.search(),
        store: draft.store(),
        variants: Variants::default(),
        warnings: rounding.warning.into_iter().collect(),
    };
    let multiples: Vec<Option<u64>> = combinations.iter().map(Combination::record_multiple).collect();
    across::check(draft, problems);
    families::set_families(&mut scenario, &multiples);
    families::set_baselines(draft, &mut scenario.configurations, problems);
    checks::check_repetitions(draft, &scenario.configurations, problems);
    if !problems.is_empty() {
        return None;
    }
    set_key_values(&mut scenario, &combinations);
    scenario.warnings.extend(checks::warnings(&named, draft, &scenario));
    scenario.warnings.extend(across::warning(&scenario));
    scenario.warnings.extend(families::blocks_warning(&scenario));
    Some(scenario)
}

/// A case with one value of each axis.
struct Combination<'a> {
    case: &'a DraftCase,
    values: Vec<&'a Setting<Settings>>,
    settings: Settings,
    name: String,
}

impl Combination<'_> {
    /// What the number of records must be a multiple of; `None` where partitions are not equal anyway, and where nothing
    /// is filled before the trial.
    fn record_multiple(&self) -> Option<u64> {
        let equal = self.settings.is_filled() && self.settings.partitions_are_equal();
        equal.then(|| self.settings.partitions_total())
    }
}

/// Every combination in the order of the file: cases outermost, the last axis fastest.
fn combinations<'a>(name: &str, draft: &'a Draft) -> Vec<Combination<'a>> {
    let mut all = Vec::new();
    for case in &draft.cases {
        let mut rows: Vec<Vec<&Setting<Settings>>> = vec![Vec::new()];
        for axis in &draft.axes {
            let longer = |row: Vec<&'a Setting<Settings>>| {
                axis.values
                    .iter()
                    .map(move |value| row.iter().copied().chain([value]).collect::<Vec<_>>())
            };
            rows = rows.into_iter().flat_map(longer).collect();
        }
        all.extend(rows.into_iter().map(|values| Combination {
            case,
            settings: settings(draft, case, &values),
            name: configuration_name(name, case, draft, &values),
            values,
        }));
    }
    all
}

/// The settings of a combination: a file with a `[load]` is live unless it says otherwise.
fn settings(draft: &Draft, case: &DraftCase, values: &[&Setting<Settings>]) -> Settings {
    let given = draft
        .defaults
        .iter()
        .chain(values.iter().copied())
        .chain(&case.settings);
    let mut settings = Settings::from_settings(given);
    if draft.load_span.is_some() {
        settings.mode.get_or_insert(ModeName::Live);
    }
    settings
}

/// The case's name, then ` key=value` for each axis with several values; the scenario's name where that is nothing.
fn configuration_name(scenario: &str, case: &DraftCase, draft: &Draft, values: &[&Setting<Settings>]) -> String {
    let varying = draft.axes.iter().zip(values).filter(|(axis, _)| axis.values.len() > 1);
    let parts = varying.map(|(axis, value)| format!("{}={}", axis.key, value.text));
    let parts: Vec<String> = Some(case.name.clone())
        .filter(|name| !name.is_empty())
        .into_iter()
        .chain(parts)
        .collect();
    if parts.is_empty() {
        scenario.to_owned()
    } else {
        parts.join(" ")
    }
}

/// Names are what `--only` and later comparisons go by, so no two may be equal.
fn check_names(combinations: &[Combination<'_>], problems: &mut Problems) {
    let mut names = BTreeSet::new();
    for combination in combinations {
        if !names.insert(&combination.name) {
            let message = format!("there are two configurations with the name {:?}", combination.name);
            let allowed = "this case's name with values of the matrix is like another's";
            problems.add(Problem::new(combination.case.span.clone(), message, allowed));
        }
    }
}

/// The number of records of every data set of the file.
struct Rounding {
    records: u64,
    warning: Option<String>,
}

impl Rounding {
    /// Rounds up so that the records can be dealt out equally in every combination.
    fn of(combinations: &[Combination<'_>], draft: &Draft) -> Result<Self, Problem> {
        let given = draft.default_settings().records;
        let totals: BTreeSet<u64> = combinations.iter().filter_map(Combination::record_multiple).collect();
        let multiple = totals
            .iter()
            .try_fold(1, |multiple, total| common_multiple(multiple, *total));
        let records = multiple.and_then(|multiple| given.checked_next_multiple_of(multiple));
        let fits = |records: &u64| *records <= given.saturating_mul(2) || records - given <= ROUNDING_MAX;
        let Some(records) = records.filter(fits) else {
            let span = draft
                .axes
                .iter()
                .find(|axis| axis.key == "partitions" || axis.key == "topics");
            let span = span.map_or(0..0, |axis| axis.key_span.clone());
            let listed: Vec<String> = totals.iter().take(8).map(u64::to_string).collect();
            let (listed, dots) = (listed.join(", "), if totals.len() > 8 { ", ..." } else { "" });
            let message = format!(
                "{} records cannot be dealt out equally to all partitions",
                with_commas(given)
            );
            let allowed = format!("partitions over all topics are {listed}{dots}; their common multiple is too large");
            return Err(
                Problem::new(span, message, allowed).help("use numbers that divide each other, such as 1, 2, 4, 8")
            );
        };
        let warning = (records != given).then(|| {
            let (given, made) = (with_commas(given), with_commas(records));
            format!("{given} records are rounded up to {made}, so that all partitions are equal in every configuration")
        });
        Ok(Rounding { records, warning })
    }
}

/// The keys that the file sets anywhere, in its order.
fn keys_in_use(draft: &Draft) -> Vec<String> {
    let given = draft.defaults.iter().chain(draft.varying());
    let mut keys: Vec<(usize, &str)> = given.map(|given| (given.key_span.start, given.key.as_str())).collect();
    keys.sort_unstable();
    let mut listed = BTreeSet::new();
    keys.into_iter()
        .filter(|(_, key)| listed.insert(*key))
        .map(|(_, key)| key.to_owned())
        .collect()
}

fn axis(axis: &DraftAxis) -> Axis {
    Axis {
        key: axis.key.clone(),
        values: axis.values.iter().map(|value| value.text.clone()).collect(),
    }
}

/// The configurations, without families, baselines and values of keys, and the data sets that they read.
fn configurations(
    combinations: &[Combination<'_>],
    draft: &Draft,
    apps: &[AppSpec],
    records: u64,
) -> (Vec<Configuration>, Vec<DatasetSpec>) {
    let mut datasets: Vec<DatasetSpec> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut configurations = Vec::with_capacity(combinations.len());
    for combination in combinations {
        let records = if combination.settings.is_filled() { records } else { 0 };
        let dataset = dataset(&combination.settings, draft, records);
        // By its text, since floats have no hash.
        let index = *known.entry(format!("{dataset:?}")).or_insert_with(|| {
            datasets.push(dataset);
            datasets.len() - 1
        });
        configurations.push(configuration(combination, draft, apps, index));
    }
    (configurations, datasets)
}

fn dataset(settings: &Settings, draft: &Draft, records: u64) -> DatasetSpec {
    DatasetSpec {
        source: source(settings, draft),
        name: settings.name.clone(),
        topics: settings.topics,
        partitions: settings.partitions,
        records,
        size: settings.size,
        keys: settings.keys,
        weights: settings.weights.clone(),
        compression: settings.compression,
        compression_ratio: settings.compression_ratio,
        replication: settings.replication,
        settings: settings.of_topics.clone(),
        client: Some(&settings.fill_properties)
            .filter(|_| settings.is_filled())
            .cloned()
            .unwrap_or_default(),
    }
}

/// Where the records of a configuration come from.
fn source(settings: &Settings, draft: &Draft) -> DataSource {
    let Some(topics) = &settings.topic else {
        return DataSource::Filled;
    };
    DataSource::Existing(ExistingTopics {
        wanted: topics.clone(),
        last: settings.last,
        isolation: isolation(settings, draft),
        found: None,
    })
}

/// The isolation level of a configuration's consumers: its own, or that of every client, or the client library's.
fn isolation(settings: &Settings, draft: &Draft) -> Isolation {
    let own = settings.properties.get(ISOLATION);
    match own.or_else(|| draft.cluster.client.get(ISOLATION)) {
        Some(PropertyValue::Literal(value)) if value == Isolation::ReadUncommitted.as_str() => {
            Isolation::ReadUncommitted
        }
        // The library refuses a value that is none.
        _ => Isolation::ReadCommitted,
    }
}

fn configuration(combination: &Combination<'_>, draft: &Draft, apps: &[AppSpec], dataset: usize) -> Configuration {
    let settings = &combination.settings;
    // One that nothing has was an error before.
    let app = apps.iter().position(|app| app.name == settings.app).unwrap_or(0);
    // One that nothing has was an error before.
    let place = |name: &String| draft.places.iter().position(|place| place.name == *name).unwrap_or(0);
    Configuration {
        name: combination.name.clone(),
        case: combination.case.name.clone(),
        axis_values: combination.values.iter().map(|value| value.text.clone()).collect(),
        key_values: Vec::new(),
        family: 0,
        dataset,
        baseline: None,
        groups: settings.groups,
        group: settings.group.clone(),
        processes: settings.processes,
        consumers: settings.consumers,
        membership: membership(settings),
        is_static: settings.is_static,
        session_timeout_ms: settings.session_timeout_ms,
        heartbeat_ms: settings.heartbeat_ms,
        commit: settings.commit,
        work: settings.work,
        store_batch: settings.store_batch,
        buffers: settings.buffers,
        read: settings.read,
        threads: settings.threads,
        ordering: settings.ordering,
        warmup_records: settings.warmup_records,
        app,
        places: settings.places.iter().map(place).collect(),
        client: ClientSettings {
            library_defaults_only: settings.client == ClientDefaults::Library,
            properties: apps::properties(settings, &apps[app]),
        },
        mode: settings.mode(),
        events: settings.events.iter().map(|placed| placed.event.clone()).collect(),
        variant: Variant::default(),
    }
}

fn membership(settings: &Settings) -> Membership {
    let assignor = settings.assignor;
    match (settings.assignment, settings.protocol) {
        (Assignment::Manual, _) => Membership::Manual,
        (Assignment::Group, Protocol::Classic) => Membership::Group(GroupProtocol::Classic { assignor }),
        (Assignment::Group, Protocol::Consumer) => Membership::Group(GroupProtocol::Consumer { assignor }),
    }
}

/// Gives each configuration the values of the keys in use.
fn set_key_values(scenario: &mut Scenario, combinations: &[Combination<'_>]) {
    let pairs = scenario.configurations.iter().zip(combinations);
    let values = pairs.map(|(configuration, combination)| {
        let configured = Configured::new(scenario, configuration);
        let value = |key: &String| key_value(key, &combination.settings, &configured);
        scenario.keys_in_use.iter().map(value).collect()
    });
    let values: Vec<Vec<String>> = values.collect();
    for (configuration, values) in scenario.configurations.iter_mut().zip(values) {
        configuration.key_values = values;
    }
}

/// The value of a key as text: what the file says, or what follows from the other keys, or the default.
fn key_value(key: &str, settings: &Settings, configured: &Configured<'_>) -> String {
    const NOBODY_SET_IT: &str = "default";
    if configured.load().is_none() && is_load_key(key) {
        return "none".to_owned();
    }
    if key == "records" {
        // The file's number may have been rounded up.
        return configured.dataset.records.to_string();
    }
    if key == EVENT {
        return events_text(configured.configuration.events.iter());
    }
    if let Some(Given { text, .. }) = settings.given(key) {
        return text.clone();
    }
    let Some(declared) = keys().find(|declared| declared.name == key && declared.role.is_some()) else {
        return NOBODY_SET_IT.to_owned();
    };
    declared.value(configured).unwrap_or_else(|| match declared.default {
        Default::Value(text) => text(),
        Default::Required | Default::Absent(_) => NOBODY_SET_IT.to_owned(),
    })
}
