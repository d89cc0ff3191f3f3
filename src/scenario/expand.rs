//! From a draft to the scenario: every combination, its name, the data sets, families and warnings.

use std::collections::{BTreeSet, HashMap};

use super::capacity;
use super::checks;
use super::draft::{Draft, DraftCase};
use super::error::{Grouped, Problem, Problems};
use super::existing_checks as existing;
use super::families::{self, common_multiple};
use super::kinds::{Assignment, ClientDefaults, Protocol, name_of};
use super::load_kinds::ModeName;
use super::load_warnings;
use super::loads;
use super::model::{
    Axis, ClientSettings, Configuration, DatasetSpec, GroupProtocol, Membership, PropertyValue, Scenario,
};
use super::polls;
use super::repetitions;
use super::settings::{Given, Settings};
use super::threads;
use super::variants::{Variant, Variants};

/// Configurations of one scenario.
const CONFIGURATIONS_MAX: u128 = 10_000;
/// Records that rounding up may add without being asked for.
const ROUNDING_MAX: u64 = 1_000_000;

/// Builds the scenario; `None` where there are problems.
pub(super) fn expand(name: &str, draft: &Draft, problems: &mut Problems) -> Option<Scenario> {
    if let Some(problem) = too_many(draft) {
        problems.add(problem);
        return None;
    }
    let combinations: Vec<Combination<'_>> = combinations(name, draft);
    let named: Vec<(&str, &Settings<'_>)> = combinations
        .iter()
        .map(|each| (each.name.as_str(), &each.settings))
        .collect();
    check(&named, draft, problems);
    check_names(&combinations, problems);
    let rounding = problems.keep(Rounding::of(&combinations, draft))?;
    let keys_in_use = keys_in_use(draft);
    let (mut configurations, datasets) = configurations(&combinations, &keys_in_use, draft, rounding.records);
    let multiples: Vec<Option<u64>> = combinations.iter().map(Combination::record_multiple).collect();
    let families = families::set_families(&mut configurations, &datasets, &multiples);
    families::set_baselines(draft, &mut configurations, problems);
    repetitions::check(draft, &configurations, problems);
    if !problems.is_empty() {
        return None;
    }
    let mut scenario = Scenario {
        name: name.to_owned(),
        question: draft.question.clone(),
        seed: draft.seed,
        repetitions: draft.repetitions,
        warmup_blocks: draft.warmup_blocks,
        threshold: draft.threshold,
        trial: existing::trial_length(draft),
        cluster: draft.cluster.clone(),
        places: draft.places.clone(),
        axes: axes(draft),
        keys_in_use,
        configurations,
        families,
        datasets,
        capacity: capacity::of(draft),
        variants: Variants::default(),
        warnings: rounding.warning.into_iter().collect(),
    };
    scenario.warnings.extend(threads::warnings(&named));
    let of_load = load_warnings::warnings(&named, draft, scenario.capacity.as_ref());
    scenario.warnings.extend(of_load);
    scenario.warnings.extend(polls::warning(&scenario.configurations));
    scenario.warnings.extend(families::blocks_warning(&scenario));
    Some(scenario)
}

/// Checks each configuration, and all of them together.
fn check(named: &[(&str, &Settings<'_>)], draft: &Draft, problems: &mut Problems) {
    for (name, settings) in named {
        checks::check(name, settings, draft, problems);
        existing::check(settings, draft, problems);
    }
    if named.iter().any(|(_, settings)| settings.mode == ModeName::Backlog) {
        checks::check_trial(draft, problems);
    }
    loads::check_all(named, draft, problems);
    capacity::check(named, draft, problems);
}

/// Counts before anything is built: a matrix multiplies fast.
fn too_many(draft: &Draft) -> Option<Problem> {
    let values = draft.axes.iter().map(|axis| axis.values.len() as u128);
    let count = values.fold(draft.cases.len() as u128, u128::saturating_mul);
    (count > CONFIGURATIONS_MAX).then(|| {
        let span = draft
            .axes
            .first()
            .map_or(draft.cases[0].span.clone(), |axis| axis.key_span.clone());
        let message = format!("cases and matrix make {} configurations", Grouped(count));
        Problem::new(
            span,
            message,
            format!("must be at most {}", Grouped(CONFIGURATIONS_MAX)),
        )
        .help("each runs once per block; leave out values, or split the question over several files")
    })
}

/// A case with one value of each axis.
struct Combination<'a> {
    case: &'a DraftCase,
    values: Vec<&'a Given>,
    settings: Settings<'a>,
    name: String,
}

impl Combination<'_> {
    /// What the number of records must be a multiple of; `None` where partitions are not equal anyway, and where nothing
    /// is filled before the trial.
    fn record_multiple(&self) -> Option<u64> {
        let filled = self.settings.mode != ModeName::Live && !self.settings.reads_existing();
        (filled && self.settings.partitions_are_equal()).then(|| self.settings.partitions_total())
    }
}

/// Every combination in the order of the file: cases outermost, the last axis fastest.
fn combinations<'a>(name: &str, draft: &'a Draft) -> Vec<Combination<'a>> {
    let mut all = Vec::new();
    for case in &draft.cases {
        let mut rows: Vec<Vec<&Given>> = vec![Vec::new()];
        for axis in &draft.axes {
            let longer = |row: Vec<&'a Given>| {
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
fn settings<'a>(draft: &'a Draft, case: &'a DraftCase, values: &[&'a Given]) -> Settings<'a> {
    let given = draft.defaults.iter().chain(values.iter().copied()).chain(&case.given);
    let mut settings = Settings::from_given(given);
    if draft.load_span.is_some() && settings.given("mode").is_none() {
        settings.mode = ModeName::Live;
    }
    settings
}

/// The case's name, then ` key=value` for each axis with several values; the scenario's name where that is nothing.
fn configuration_name(scenario: &str, case: &DraftCase, draft: &Draft, values: &[&Given]) -> String {
    let varying = draft.axes.iter().zip(values).filter(|(axis, _)| axis.values.len() > 1);
    let parts = varying.map(|(axis, value)| format!("{}={}", axis.key, value.setting.text()));
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
        let wanted = Settings::from_given(&draft.defaults).records;
        let totals: BTreeSet<u64> = combinations.iter().filter_map(Combination::record_multiple).collect();
        let multiple = totals
            .iter()
            .try_fold(1, |multiple, total| common_multiple(multiple, *total));
        let records = multiple.and_then(|multiple| wanted.checked_next_multiple_of(multiple));
        let fits = |records: &u64| *records <= wanted.saturating_mul(2) || records - wanted <= ROUNDING_MAX;
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
                Grouped(wanted.into())
            );
            let allowed = format!("partitions over all topics are {listed}{dots}; their common multiple is too large");
            return Err(
                Problem::new(span, message, allowed).help("use numbers that divide each other, such as 1, 2, 4, 8")
            );
        };
        let warning = (records != wanted).then(|| {
            let (wanted, made) = (Grouped(wanted.into()), Grouped(records.into()));
            format!(
                "{wanted} records are rounded up to {made}, so that all partitions are equal in every configuration"
            )
        });
        Ok(Rounding { records, warning })
    }
}

/// The keys that the file sets anywhere, in its order.
fn keys_in_use(draft: &Draft) -> Vec<String> {
    let cases = draft.cases.iter().flat_map(|case| &case.given);
    let given = draft
        .defaults
        .iter()
        .chain(draft.axes.iter().flat_map(|axis| &axis.values))
        .chain(cases);
    let mut keys: Vec<(usize, &str)> = given.map(|given| (given.key_span.start, given.key.as_str())).collect();
    keys.sort_unstable();
    let mut seen = BTreeSet::new();
    keys.into_iter()
        .filter(|(_, key)| seen.insert(*key))
        .map(|(_, key)| key.to_owned())
        .collect()
}

fn axes(draft: &Draft) -> Vec<Axis> {
    let axis = |axis: &super::draft::DraftAxis| Axis {
        key: axis.key.clone(),
        values: axis.values.iter().map(|value| value.setting.text()).collect(),
    };
    draft.axes.iter().map(axis).collect()
}

/// The configurations, without families and baselines, and the data sets that they read.
fn configurations(
    combinations: &[Combination<'_>],
    keys_in_use: &[String],
    draft: &Draft,
    records: u64,
) -> (Vec<Configuration>, Vec<DatasetSpec>) {
    let mut datasets: Vec<DatasetSpec> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut configurations = Vec::with_capacity(combinations.len());
    for combination in combinations {
        let settings = &combination.settings;
        let filled = settings.mode != ModeName::Live && !settings.reads_existing();
        let records = if filled { records } else { 0 };
        let dataset = dataset(&combination.settings, draft, records);
        // By its text, since floats have no hash.
        let index = *known.entry(format!("{dataset:?}")).or_insert_with(|| {
            datasets.push(dataset);
            datasets.len() - 1
        });
        configurations.push(configuration(combination, keys_in_use, draft, (index, records)));
    }
    (configurations, datasets)
}

fn dataset(settings: &Settings<'_>, draft: &Draft, records: u64) -> DatasetSpec {
    DatasetSpec {
        source: existing::source(settings, draft),
        topics: settings.topics,
        partitions: settings.partitions,
        records,
        size: settings.size,
        keys: settings.keys,
        weights: settings.weights.to_vec(),
        compression: settings.compression,
        compression_ratio: settings.compression_ratio,
        replication: settings.replication,
        settings: settings
            .of_topic
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

fn configuration(
    combination: &Combination<'_>,
    keys_in_use: &[String],
    draft: &Draft,
    (dataset, records): (usize, u64),
) -> Configuration {
    let settings = &combination.settings;
    let value = |key: &String| match key.as_str() {
        // As many as lie there, rounded up.
        "records" => records.to_string(),
        key => settings.text(key),
    };
    let property = |(name, value): (&&str, &&PropertyValue)| ((*name).to_owned(), (*value).clone());
    Configuration {
        name: combination.name.clone(),
        case: combination.case.name.clone(),
        axis_values: combination.values.iter().map(|value| value.setting.text()).collect(),
        key_values: keys_in_use.iter().map(value).collect(),
        family: 0,
        dataset,
        baseline: None,
        groups: settings.groups,
        group: settings.group.map(str::to_owned),
        processes: settings.processes,
        consumers: settings.consumers,
        membership: membership(settings),
        commit: settings.commit,
        work: settings.work,
        buffers: settings.buffers,
        read: settings.read,
        threads: settings.threads,
        ordering: settings.ordering,
        place: draft
            .places
            .iter()
            .position(|place| place.name == settings.place)
            .unwrap_or(0),
        client: ClientSettings {
            library_defaults_only: settings.client_defaults == ClientDefaults::Library,
            properties: settings.properties.iter().map(property).collect(),
        },
        mode: settings.mode(),
        variant: Variant::default(),
    }
}

fn membership(settings: &Settings<'_>) -> Membership {
    let assignor = settings.assignor.map(|assignor| name_of(assignor).to_owned());
    match (settings.assignment, settings.protocol) {
        (Assignment::Manual, _) => Membership::Manual,
        (Assignment::Group, Protocol::Classic) => Membership::Group(GroupProtocol::Classic { assignor }),
        (Assignment::Group, Protocol::Consumer) => Membership::Group(GroupProtocol::Consumer { assignor }),
    }
}
