//! How configurations are named and coloured, the same in every table and chart of a report.

use std::collections::BTreeSet;

use crate::scenario::{Configuration, Scenario};

/// The keys that set the rate of the load, which charts have an axis for.
const RATE_KEYS: [&str; 2] = ["rate", "mib_per_second"];

/// The labels and colour slots of a scenario's configurations.
pub(super) struct Labels {
    short: Vec<String>,
    slots: Vec<usize>,
    /// What each colour slot stands for; a single one without a name where all configurations have one colour.
    pub(super) legend: Vec<String>,
}

impl Labels {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let (slots, legend) = colour_slots(scenario);
        Labels {
            short: short_names(scenario),
            slots,
            legend,
        }
    }

    /// The name of a configuration within its family: without what all of the family has in common.
    pub(super) fn short(&self, configuration: usize) -> &str {
        self.short.get(configuration).map_or("", String::as_str)
    }

    /// The colour slots of all configurations.
    pub(super) fn slots(&self) -> &[usize] {
        &self.slots
    }

    /// The configurations that have this colour slot.
    pub(super) fn of_slot(&self, slot: usize) -> Vec<usize> {
        (0..self.slots.len()).filter(|c| self.slots[*c] == slot).collect()
    }

    /// The colour slot of a configuration.
    pub(super) fn slot(&self, configuration: usize) -> usize {
        self.slots.get(configuration).copied().unwrap_or(0)
    }
}

/// The title of a family; empty for the only one.
pub(super) fn family_title(scenario: &Scenario, family: usize) -> String {
    match scenario.families.get(family) {
        Some(family) if scenario.families.len() > 1 => family.name.clone(),
        _ => String::new(),
    }
}

fn short_names(scenario: &Scenario) -> Vec<String> {
    let mut names: Vec<String> = (0..scenario.configurations.len())
        .map(|c| scenario.shown_name(c))
        .collect();
    for (number, family) in scenario.families.iter().enumerate() {
        let varies = varying_axes(scenario, number);
        let members = family.configurations.iter();
        let members = members.filter_map(|i| Some((*i, scenario.configurations.get(*i)?)));
        let short: Vec<(usize, String)> = members.map(|(i, c)| (i, scenario.name_by(c, &varies))).collect();
        let distinct: BTreeSet<&String> = short.iter().map(|(_, name)| name).collect();
        if distinct.len() == short.len() && short.iter().all(|(_, name)| !name.is_empty()) {
            for (i, name) in short {
                names[i] = name;
            }
        }
    }
    names
}

/// The axes that have more than one value within a family.
pub(super) fn varying_axes(scenario: &Scenario, family: usize) -> Vec<usize> {
    let members = scenario
        .families
        .get(family)
        .map_or(&[][..], |family| &family.configurations);
    let members: Vec<&Configuration> = members.iter().filter_map(|i| scenario.configurations.get(*i)).collect();
    let varies = |axis: &usize| {
        let values = members.iter().filter_map(|c| c.axis_values.get(*axis));
        values.collect::<BTreeSet<_>>().len() > 1
    };
    (0..scenario.axes.len()).filter(varies).collect()
}

pub(super) fn is_rate(scenario: &Scenario, axis: usize) -> bool {
    RATE_KEYS.contains(&scenario.axes[axis].key.as_str())
}

/// A colour per case; without cases, per value of the first axis that varies within a family, the rate last.
fn colour_slots(scenario: &Scenario) -> (Vec<usize>, Vec<String>) {
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
    let cases = by(&|c| c.case.clone());
    if cases.1.len() > 1 {
        return cases;
    }
    let axis = (0..scenario.families.len()).find_map(|family| {
        let varying = varying_axes(scenario, family);
        let other = varying.iter().find(|axis| !is_rate(scenario, **axis));
        other.or(varying.first()).copied()
    });
    match axis {
        Some(axis) => by(&|c| scenario.axis_value(c, axis)),
        None => by(&|_| String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

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
    fn names_that_would_no_longer_be_unique_are_not_shortened() {
        let mut fixture = Fixture::one_vs_two();
        for c in &mut fixture.scenario.configurations {
            c.case = "same".to_owned();
        }
        let labels = Labels::new(&fixture.scenario);
        assert_eq!(labels.short(0), "same work=none");
    }
}
