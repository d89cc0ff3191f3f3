//! Which configurations are compared: families, and the baseline of each configuration.

use std::collections::HashMap;

use super::draft::Draft;
use super::keys::{Configured, FILL_TABLE, Role, TableKeys as _, keys};
use super::model::{Configuration, DatasetSpec, Family, ISOLATION, Scenario};
use super::problem::{Problem, Problems};
use super::suggest::{any_value, did_you_mean_value};
use crate::wording::plural;

/// What the configurations of a family have in common: a key with its value, `None` where it means nothing for them.
type Common = Vec<(&'static str, Option<String>)>;

/// What a configuration has in common with others that are compared with it whatever `compare_across` names.
fn common(configured: &Configured<'_>) -> Common {
    let splitting = keys().filter(|key| matches!(key.role, Some(Role::Family | Role::Incomparable)));
    let of_keys = splitting.map(|key| (key.name, key.value(configured)));
    // Of existing topics consumers are given other records with each isolation level; of filled ones the same.
    let isolation = configured
        .existing()
        .map(|existing| existing.isolation.as_str().to_owned());
    let filling = configured.filled().map(DatasetSpec::client_text);
    of_keys.chain([(ISOLATION, isolation), (FILL_TABLE, filling)]).collect()
}

/// The distinct ones in order of their first configuration, and the index of each configuration's.
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

/// True where families differ in the key with this index.
fn varies(families: &[Common], index: usize) -> bool {
    let mut values = families.iter().filter_map(|family| family[index].1.as_ref());
    let first = values.next();
    values.any(|value| Some(value) != first)
}

/// The names of the families: the keys that tell them apart, with their values.
fn names(families: &[Common]) -> Vec<String> {
    let name = |family: &Common| {
        let keys = family.iter().enumerate();
        let varying = keys.filter(|(index, _)| varies(families, *index));
        let parts = varying.filter_map(|(_, (key, value))| Some(format!("{key}={}", value.as_ref()?)));
        parts.collect::<Vec<_>>().join(" ")
    };
    families.iter().map(name).collect()
}

/// The keys that keep configurations of a scenario from being compared, and those that `compare_across` allows.
pub(super) fn varying_keys(scenario: &Scenario) -> (Vec<&'static str>, Vec<&'static str>) {
    let commons = commons(scenario);
    let keys = commons.first().into_iter().flatten().enumerate();
    let varying = keys
        .filter(|(index, _)| varies(&commons, *index))
        .map(|(_, (key, _))| *key);
    varying.partition(|key| !is_compared_across(scenario, key))
}

fn is_compared_across(scenario: &Scenario, key: &str) -> bool {
    scenario.compare_across.iter().any(|name| name == key)
}

/// What each configuration has in common with those that are compared with it whatever `compare_across` names.
fn commons(scenario: &Scenario) -> Vec<Common> {
    let configurations = scenario.configurations.iter();
    configurations
        .map(|configuration| common(&Configured::new(scenario, configuration)))
        .collect()
}

/// What each configuration has in common with its family.
fn commons_of_families(scenario: &Scenario) -> Vec<Common> {
    let mut commons = commons(scenario);
    for common in &mut commons {
        common.retain(|(key, _)| !is_compared_across(scenario, key));
    }
    commons
}

impl Scenario {
    /// A family's configurations, those apart that differ in a key named by `compare_across`: how fast one reads says
    /// little of how fast the others do. In order, as indices into [`Scenario::configurations`].
    pub fn parts(&self, family: &Family) -> Vec<Vec<usize>> {
        if self.compare_across.is_empty() {
            return vec![family.configurations.clone()];
        }
        let configured = |index: &usize| common(&Configured::new(self, &self.configurations[*index]));
        let commons: Vec<Common> = family.configurations.iter().map(configured).collect();
        let (distinct, part_of) = group(&commons);
        let mut parts = vec![Vec::new(); distinct.len()];
        for (configuration, part) in family.configurations.iter().zip(part_of) {
            parts[part].push(*configuration);
        }
        parts
    }
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
            Rule::Axis { stride, values } => Some(first_of_axis(index, stride, values)),
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
    let (Some(name), Some(given)) = (&draft.top.baseline, draft.top.given("baseline")) else {
        return Ok(default_rule(draft, configurations));
    };
    let case = draft
        .cases
        .iter()
        .position(|case| case.name == *name && !name.is_empty());
    match case {
        Some(_) if draft.cases.len() == 1 => return Ok(default_rule(draft, configurations)),
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
        Problem::new(given.span.clone(), message, allowed).maybe_help(did_you_mean_value(name, names))
    })
}

/// Several cases: the first. Else the first axis all of whose values are of one family, all else equal.
fn default_rule(draft: &Draft, configurations: &[Configuration]) -> Rule {
    if draft.cases.len() > 1 {
        return Rule::Case(0);
    }
    let shape = |axis: usize| {
        let stride: usize = draft.axes[axis + 1..].iter().map(|axis| axis.values.len()).product();
        (stride, draft.axes[axis].values.len())
    };
    let keeps_families = |(stride, values): (usize, usize)| {
        let mut each = configurations.iter().enumerate();
        each.all(|(index, c)| c.family == configurations[first_of_axis(index, stride, values)].family)
    };
    let axes = (0..draft.axes.len()).map(shape);
    let compared = axes
        .filter(|(_, values)| *values > 1)
        .find(|shape| keeps_families(*shape));
    compared.map_or(Rule::Nothing, |(stride, values)| Rule::Axis { stride, values })
}

/// The configuration with the first value of an axis and all else as in this one.
fn first_of_axis(index: usize, stride: usize, values: usize) -> usize {
    index - index / stride % values * stride
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
    let blocks = scenario.repetitions();
    (comparisons > 0 && blocks.at_most() < needed).then(|| {
        let comparisons = plural(comparisons, "comparison");
        let key = match blocks.until() {
            None => "repetitions",
            Some(_) => "its at_most",
        };
        format!(
            "{} blocks are too few for a verdict on {comparisons}: at least {needed} are needed, so differences will \
             stay undecided; set {key} = {needed} or more",
            blocks.at_most()
        )
    })
}

/// Puts the configurations into families; `multiples` has for each of them what its records must be a multiple of,
/// `None` for any number.
pub(super) fn set_families(scenario: &mut Scenario, multiples: &[Option<u64>]) {
    let (groups, family_of) = group(&commons_of_families(scenario));
    scenario.families = names(&groups).into_iter().map(Family::empty).collect();
    let members = scenario.configurations.iter_mut().zip(family_of).zip(multiples);
    for (index, ((configuration, number), multiple)) in members.enumerate() {
        configuration.family = number;
        let family = &mut scenario.families[number];
        family.configurations.push(index);
        let multiple = common_multiple(family.record_multiple, multiple.unwrap_or(1));
        family.record_multiple = multiple.unwrap_or(u64::MAX);
        let records = scenario.datasets[configuration.dataset].records;
        family.records_max = family.records_max.min(records);
    }
    for family in &mut scenario.families {
        family.records_max -= family.records_max % family.record_multiple;
    }
}

/// Sets the lengths of families again, once existing topics were looked at; their partitions are not equal.
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
