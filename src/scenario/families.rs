//! Which configurations are compared: families, and the baseline of each configuration.

use std::collections::HashMap;

use super::dataset_kinds::{keys_text, ratio_text, size_text};
use super::draft::Draft;
use super::error::{Problem, Problems, any_value, did_you_mean_value};
use super::kinds::{name_of, work_text};
use super::live::Load;
use super::load_kinds::number_text;
use super::model::{Configuration, DatasetSpec, Family, Scenario};
use super::settings::CLIENT;

/// The keys in which all configurations of a family are equal.
const FAMILY_KEYS: [&str; 9] = [
    "size",
    "keys",
    "compression",
    "compression_ratio",
    "work",
    "mode",
    "rate",
    "arrivals",
    ISOLATION,
];

/// Of existing topics consumers are given other records with each isolation level; of what is filled here the same.
const ISOLATION: &str = "isolation.level";

/// Those of them that only configurations with a load have.
const OF_LOADS: [&str; 2] = ["rate", "arrivals"];
/// Their value where there is no load.
const NO_LOAD: &str = "none";

/// What the configurations of a family have in common: the values of [`FAMILY_KEYS`].
pub(super) type Common = [String; FAMILY_KEYS.len()];

/// What a configuration has in common with its family.
pub(super) fn common(configuration: &Configuration, dataset: &DatasetSpec) -> Common {
    let load = configuration.mode.load();
    let of_load = |text: fn(&Load) -> String| load.map_or_else(|| NO_LOAD.to_owned(), text);
    [
        size_text(dataset.size),
        keys_text(dataset.keys),
        dataset.compression.as_str().to_owned(),
        ratio_text(dataset.compression_ratio),
        work_text(configuration.work),
        configuration.mode.name().to_owned(),
        of_load(|load| number_text(load.rate)),
        of_load(|load| name_of(load.arrivals).to_owned()),
        dataset
            .existing()
            .map_or(NO_LOAD, |existing| existing.isolation.as_str())
            .to_owned(),
    ]
}

/// True for a key whose values make different families.
fn splits_families(key: &str, draft: &Draft) -> bool {
    let existing = || draft.defaults.iter().any(|given| given.key == "topic");
    let is_isolation = key.strip_prefix(CLIENT) == Some(ISOLATION);
    FAMILY_KEYS.contains(&key) || key == "mib_per_second" || is_isolation && existing()
}

/// The families in order of their first configuration, and the family of each configuration.
fn group(commons: &[Common]) -> (Vec<Common>, Vec<usize>) {
    let mut numbers: HashMap<&Common, usize> = HashMap::new();
    let mut families = Vec::new();
    let family_of = |common| {
        *numbers.entry(common).or_insert_with(|| {
            families.push(common.clone());
            families.len() - 1
        })
    };
    let members = commons.iter().map(family_of).collect();
    (families, members)
}

/// The names of the families: the keys that tell them apart, with their values.
fn names(families: &[Common]) -> Vec<String> {
    // What a load is like tells families apart only where there is one.
    let said = |family: &Common, key: usize| !OF_LOADS.contains(&FAMILY_KEYS[key]) || family[key] != NO_LOAD;
    let varies = |key: &usize| {
        let mut values = families
            .iter()
            .filter(|family| said(family, *key))
            .map(|family| &family[*key]);
        let first = values.next();
        values.any(|value| Some(value) != first)
    };
    let keys: Vec<usize> = (0..FAMILY_KEYS.len()).filter(varies).collect();
    let name = |family: &Common| {
        let parts: Vec<String> = keys
            .iter()
            .filter(|key| said(family, **key))
            .map(|key| format!("{}={}", FAMILY_KEYS[*key], family[*key]))
            .collect();
        parts.join(" ")
    };
    families.iter().map(name).collect()
}

/// The least common multiple; `None` past the largest number.
pub(super) fn common_multiple(a: u64, b: u64) -> Option<u64> {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x.max(1)).checked_mul(b)
}

/// Gives each configuration its baseline. The configurations are all of the file, in its order.
pub(super) fn set_baselines(draft: &Draft, configurations: &mut [Configuration], problems: &mut Problems) {
    let Some(rule) = problems.keep(rule(draft, configurations)) else {
        return;
    };
    let combinations = configurations.len() / draft.cases.len();
    let families: Vec<usize> = configurations
        .iter()
        .map(|configuration| configuration.family)
        .collect();
    for (index, configuration) in configurations.iter_mut().enumerate() {
        let baseline = match rule {
            Rule::Case(case) => Some(case * combinations + index % combinations),
            Rule::Axis { stride, values } => Some(index - index / stride % values * stride),
            Rule::Configuration(baseline) => Some(baseline),
            Rule::Nothing => None,
        };
        let comparable = |baseline: &usize| *baseline != index && families[*baseline] == families[index];
        configuration.baseline = baseline.filter(comparable);
    }
}

/// How baselines are found.
enum Rule {
    /// This case, at equal values of the matrix.
    Case(usize),
    /// The first value of the axis with this distance between its values, all else equal.
    Axis { stride: usize, values: usize },
    /// This one for all.
    Configuration(usize),
    /// Nothing to compare with.
    Nothing,
}

fn rule(draft: &Draft, configurations: &[Configuration]) -> Result<Rule, Problem> {
    let Some((name, span)) = &draft.baseline else {
        return Ok(default_rule(draft));
    };
    let case = draft
        .cases
        .iter()
        .position(|case| case.name == *name && !name.is_empty());
    match case {
        Some(_) if draft.cases.len() == 1 => return Ok(default_rule(draft)),
        Some(case) => return Ok(Rule::Case(case)),
        None => {}
    }
    let configuration = configurations
        .iter()
        .position(|configuration| configuration.name == *name);
    configuration.map(Rule::Configuration).ok_or_else(|| {
        let cases = draft
            .cases
            .iter()
            .map(|case| case.name.as_str())
            .filter(|case| !case.is_empty());
        let names = cases
            .clone()
            .chain(configurations.iter().map(|configuration| configuration.name.as_str()));
        let some: Vec<&str> = if cases.clone().count() > 0 {
            cases.collect()
        } else {
            names.clone().take(5).collect()
        };
        let allowed = format!("must be a case or a configuration, such as {}", any_value(some));
        let message = format!("`baseline` cannot be {name:?}");
        Problem::new(span.clone(), message, allowed).maybe_help(did_you_mean_value(name, names))
    })
}

/// Several cases: the first. Else the first axis that leaves the family as it is.
fn default_rule(draft: &Draft) -> Rule {
    if draft.cases.len() > 1 {
        return Rule::Case(0);
    }
    let compares = |key: &str, values: usize| values > 1 && !splits_families(key, draft);
    let axis = draft
        .axes
        .iter()
        .position(|axis| compares(&axis.key, axis.values.len()));
    axis.map_or(Rule::Nothing, |axis| Rule::Axis {
        stride: draft.axes[axis + 1..].iter().map(|axis| axis.values.len()).product(),
        values: draft.axes[axis].values.len(),
    })
}

/// The number of comparisons that a scenario makes.
pub(super) fn comparisons(configurations: &[Configuration]) -> u32 {
    let compared = configurations
        .iter()
        .filter(|configuration| configuration.baseline.is_some());
    u32::try_from(compared.count()).unwrap_or(u32::MAX)
}

/// Blocks below which no comparison can become certain: the smallest p of a sign-flip test over n blocks is 2 / 2^n,
/// and Holm's correction multiplies it by the number of comparisons.
pub(super) fn blocks_needed(comparisons: u32) -> u32 {
    let smallest_p = |blocks: &u32| 2.0 * f64::from(comparisons) / 2_f64.powi(blocks.cast_signed());
    (1..64).find(|blocks| smallest_p(blocks) <= 0.05).unwrap_or(64)
}

/// What to say where there are fewer blocks than the verdicts need. A search for capacity has none.
pub(super) fn blocks_warning(scenario: &Scenario) -> Option<String> {
    scenario.capacity.is_none().then_some(())?;
    let comparisons = comparisons(&scenario.configurations);
    let needed = blocks_needed(comparisons);
    (comparisons > 0 && scenario.repetitions.at_most() < needed).then(|| {
        let comparisons = if comparisons == 1 {
            "1 comparison".to_owned()
        } else {
            format!("{comparisons} comparisons")
        };
        format!(
            "{} blocks are too few for a verdict on {comparisons}: at least {needed} are needed, so differences will \
             stay undecided; set repetitions = {needed} or more",
            scenario.repetitions.at_most()
        )
    })
}

/// Puts configurations into families and tells each its own; `multiples` is what the records of each must be a multiple
/// of, `None` for any.
pub(super) fn set_families(
    configurations: &mut [Configuration],
    datasets: &[DatasetSpec],
    multiples: &[Option<u64>],
) -> Vec<Family> {
    let dataset = |configuration: &Configuration| &datasets[configuration.dataset];
    let commons: Vec<Common> = configurations.iter().map(|each| common(each, dataset(each))).collect();
    let (groups, family_of) = group(&commons);
    let mut families: Vec<Family> = names(&groups).into_iter().map(Family::empty).collect();
    for (index, (configuration, number)) in configurations.iter_mut().zip(family_of).enumerate() {
        configuration.family = number;
        let family = &mut families[number];
        family.configurations.push(index);
        let multiple = multiples[index].unwrap_or(1);
        family.record_multiple = common_multiple(family.record_multiple, multiple).unwrap_or(u64::MAX);
        family.records_max = family.records_max.min(datasets[configuration.dataset].records);
    }
    for family in &mut families {
        family.records_max -= family.records_max % family.record_multiple;
    }
    families
}

/// Tells each family again how many records there are, once data sets have been seen; nothing is dealt out equally in
/// topics that exist.
pub(super) fn set_lengths(scenario: &mut Scenario) {
    for family in &mut scenario.families {
        let mut datasets = family
            .configurations
            .iter()
            .map(|&index| &scenario.datasets[scenario.configurations[index].dataset]);
        if datasets.clone().any(|dataset| dataset.existing().is_some()) {
            family.record_multiple = 1;
            family.records_max = datasets.by_ref().map(|dataset| dataset.records).min().unwrap_or(0);
        }
    }
}

impl Family {
    fn empty(name: String) -> Self {
        Family {
            name,
            configurations: Vec::new(),
            record_multiple: 1,
            records_max: u64::MAX,
        }
    }
}
