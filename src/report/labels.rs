//! How configurations are named and coloured, the same in every table and chart of a report.

use std::collections::BTreeSet;

use super::format::printable;
use crate::scenario::{Configuration, Scenario};

/// The keys that set the rate of the load, which charts have an axis for.
pub(super) const RATE_KEYS: [&str; 2] = ["rate", "mib_per_second"];

/// The labels and colour slots of a scenario's configurations.
pub(super) struct Labels {
    short: Vec<String>,
    slots: Vec<usize>,
    /// What each colour slot stands for; a single one without a name where colour says nothing.
    pub(super) legend: Vec<String>,
}

impl Labels {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let short = short_names(scenario);
        let (slots, legend) = slots(scenario);
        Labels { short, slots, legend }
    }

    /// The name of a configuration among its family: without what the whole family has in common.
    pub(super) fn short(&self, configuration: usize) -> &str {
        self.short.get(configuration).map_or("", String::as_str)
    }

    /// The colour slot of a configuration.
    pub(super) fn slot(&self, configuration: usize) -> usize {
        self.slots.get(configuration).copied().unwrap_or(0)
    }
}

/// The title of a family; empty for the only one.
pub(super) fn family_title(scenario: &Scenario, family: usize) -> String {
    match scenario.families.get(family) {
        Some(family) if scenario.families.len() > 1 => printable(&family.name),
        _ => String::new(),
    }
}

fn short_names(scenario: &Scenario) -> Vec<String> {
    let mut names: Vec<String> = scenario.configurations.iter().map(|c| printable(&c.name)).collect();
    for family in &scenario.families {
        let members = || {
            family
                .configurations
                .iter()
                .filter_map(|i| Some((*i, scenario.configurations.get(*i)?)))
        };
        let varies = varying_axes(scenario, &members().map(|(_, c)| c));
        let short: Vec<(usize, String)> = members().map(|(i, c)| (i, short_name(scenario, c, &varies))).collect();
        let distinct: BTreeSet<&String> = short.iter().map(|(_, name)| name).collect();
        if distinct.len() == short.len() && short.iter().all(|(_, name)| !name.is_empty()) {
            for (i, name) in short {
                names[i] = name;
            }
        }
    }
    names
}

fn short_name(scenario: &Scenario, c: &Configuration, varies: &[usize]) -> String {
    let mut parts = vec![printable(&c.case)];
    parts.retain(|case| !case.is_empty());
    for axis in varies {
        let value = c.axis_values.get(*axis).map_or("", String::as_str);
        parts.push(printable(&format!("{}={value}", scenario.axes[*axis].key)));
    }
    parts.join(" ")
}

/// The axes that have more than one value among these configurations.
pub(super) fn varying_axes<'a>(
    scenario: &Scenario,
    configurations: &(impl Iterator<Item = &'a Configuration> + Clone),
) -> Vec<usize> {
    (0..scenario.axes.len())
        .filter(|axis| {
            configurations
                .clone()
                .filter_map(|c| c.axis_values.get(*axis))
                .collect::<BTreeSet<_>>()
                .len()
                > 1
        })
        .collect()
}

/// A slot per case; without cases, per value of the first axis that varies within a family, the rate last.
fn slots(scenario: &Scenario) -> (Vec<usize>, Vec<String>) {
    let by = |name: &dyn Fn(&Configuration) -> String| -> (Vec<usize>, Vec<String>) {
        let mut legend: Vec<String> = Vec::new();
        let slots = scenario.configurations.iter().map(|c| {
            let name = name(c);
            legend.iter().position(|known| *known == name).unwrap_or_else(|| {
                legend.push(name);
                legend.len() - 1
            })
        });
        (slots.collect(), legend)
    };
    let cases = by(&|c| printable(&c.case));
    if cases.1.len() > 1 {
        return cases;
    }
    let axis = scenario.families.iter().find_map(|family| {
        let members = family
            .configurations
            .iter()
            .filter_map(|i| scenario.configurations.get(*i));
        let varying = varying_axes(scenario, &members);
        let is_rate = |axis: &usize| RATE_KEYS.contains(&scenario.axes[*axis].key.as_str());
        let other = varying.iter().find(|axis| !is_rate(axis));
        other.or(varying.first()).copied()
    });
    match axis {
        Some(axis) => by(&|c| {
            let value = c.axis_values.get(axis).map_or("", String::as_str);
            printable(&format!("{}={value}", scenario.axes[axis].key))
        }),
        None => by(&|_| String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn a_short_name_leaves_out_what_the_family_has_in_common() {
        let fixture = Fixture::one_vs_two();
        let labels = Labels::new(&fixture.scenario);
        assert_eq!(labels.short(0), "one process, both partitions");
        assert_eq!(family_title(&fixture.scenario, 0), "work=none");
    }

    #[test]
    fn a_case_has_the_same_colour_in_every_family() {
        let fixture = Fixture::one_vs_two();
        let labels = Labels::new(&fixture.scenario);
        assert_eq!([0, 1, 2].map(|i| labels.slot(i)), [0; 3]);
        assert_eq!([3, 4, 5].map(|i| labels.slot(i)), [1; 3]);
        assert_eq!(labels.legend.len(), 4);
    }

    #[test]
    fn without_cases_colour_follows_the_first_axis_that_is_compared() {
        let fixture = Fixture::scaling();
        let labels = Labels::new(&fixture.scenario);
        assert_eq!(labels.legend, ["partitions=2", "partitions=8"]);
        assert_eq!(labels.short(15), "partitions=8 consumers=8");
    }

    #[test]
    fn names_that_would_no_longer_be_unique_are_kept_whole() {
        let mut fixture = Fixture::one_vs_two();
        for c in &mut fixture.scenario.configurations {
            c.case = "same".to_owned();
        }
        let labels = Labels::new(&fixture.scenario);
        assert_eq!(labels.short(0), "one process, both partitions work=none");
    }
}
