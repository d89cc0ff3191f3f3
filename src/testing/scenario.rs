//! Scenarios with cases and axes of any kind, for tests of what plans, measures and sums up.

use super::configuration::{arrangement, dataset, scenario};
use crate::plan::Plan;
use crate::scenario::*;

/// A matrix key: its name, and each value with what it changes.
pub(crate) type AxisValues<'a> = &'a [(&'a str, Change)];

/// What a value of a matrix key does to a configuration.
pub(crate) type Change = fn(&mut Configuration);

/// Builds a scenario as the parser would.
pub(crate) struct ScenarioBuilder {
    cases: Vec<(String, u32, u32)>,
    axes: Vec<(Axis, Vec<Change>)>,
    pub(crate) dataset: DatasetSpec,
    pub(crate) record_multiple: u64,
    pub(crate) repetitions: u32,
    /// What the run goes on for, `repetitions` blocks at most.
    pub(crate) until: Option<Until>,
    /// Whether configurations leave the blocks whose comparisons have stopped.
    pub(crate) leaving: bool,
    pub(crate) warmup_blocks: u32,
    pub(crate) seed: u64,
    pub(crate) trial: TrialLength,
}

impl ScenarioBuilder {
    /// Two partitions, a million records, one second, ten blocks.
    pub(crate) fn new() -> Self {
        ScenarioBuilder {
            cases: Vec::new(),
            axes: Vec::new(),
            dataset: DatasetSpec {
                partitions: 2,
                ..dataset()
            },
            record_multiple: 2,
            repetitions: 10,
            until: None,
            leaving: true,
            warmup_blocks: 1,
            seed: 7,
            trial: TrialLength::Seconds(1.0),
        }
    }

    /// `[[case]]` with this many processes and consumers in each.
    pub(crate) fn case(mut self, name: &str, processes: u32, consumers: u32) -> Self {
        self.cases.push((name.to_owned(), processes, consumers));
        self
    }

    /// `[matrix] key = [...]`. The key `work` makes families.
    pub(crate) fn axis(mut self, key: &str, values: AxisValues<'_>) -> Self {
        let axis = Axis {
            key: key.to_owned(),
            values: values.iter().map(|(name, _)| (*name).to_owned()).collect(),
        };
        self.axes
            .push((axis, values.iter().map(|(_, change)| *change).collect()));
        self
    }

    pub(crate) fn plan(self) -> Plan {
        Plan::new(self.build())
    }

    pub(crate) fn build(mut self) -> Scenario {
        if self.cases.is_empty() {
            self.cases.push((String::new(), 1, 1));
        }
        let mut configurations = Vec::new();
        for (case, processes, consumers) in &self.cases {
            let mut combinations = vec![(arrangement(case, *processes, *consumers), Vec::new())];
            for (axis, changes) in &self.axes {
                let combine = |(base, chosen): (Configuration, Vec<usize>)| {
                    (0..changes.len()).map(move |value| {
                        let (mut next, mut chosen) = (base.clone(), chosen.clone());
                        changes[value](&mut next);
                        next.axis_values.push(axis.values[value].clone());
                        if axis.values.len() > 1 {
                            let part = format!("{}={}", axis.key, axis.values[value]);
                            next.name = format!("{} {part}", next.name).trim().to_owned();
                        }
                        chosen.push(value);
                        (next, chosen)
                    })
                };
                combinations = combinations.into_iter().flat_map(combine).collect();
            }
            configurations.extend(combinations.into_iter().map(|(configuration, _)| configuration));
        }
        let families = self.families(&mut configurations);
        let here = scenario("");
        Scenario {
            question: "Which is faster?".to_owned(),
            seed: self.seed,
            repetitions: match self.until {
                None => Repetitions::Fixed(self.repetitions),
                Some(until) => Repetitions::Until {
                    until,
                    at_most: self.repetitions,
                    leaving: self.leaving,
                },
            },
            warmup_blocks: self.warmup_blocks,
            trial: self.trial,
            cluster: ClusterSpec {
                source: ClusterSource::Bootstrap("localhost:9092".to_owned()),
                ..here.cluster
            },
            keys_in_use: self.axes.iter().map(|(axis, _)| axis.key.clone()).collect(),
            axes: self.axes.into_iter().map(|(axis, _)| axis).collect(),
            configurations,
            families,
            datasets: vec![self.dataset],
            warnings: Vec::new(),
            ..here
        }
    }

    /// Families by the value of `work`; the first configuration of a family is the baseline of the others.
    fn families(&self, configurations: &mut [Configuration]) -> Vec<Family> {
        let work = self.axes.iter().position(|(axis, _)| axis.key == "work");
        let mut families: Vec<Family> = Vec::new();
        for (index, configuration) in configurations.iter_mut().enumerate() {
            let name = work.map_or(String::new(), |axis| {
                format!("work={}", configuration.axis_values[axis])
            });
            let found = families.iter().position(|f| f.name == name).unwrap_or(families.len());
            if found == families.len() {
                families.push(Family {
                    name,
                    configurations: Vec::new(),
                    record_multiple: self.record_multiple,
                    records_max: self.dataset.records,
                });
            }
            configuration.family = found;
            configuration.baseline = families[found].configurations.first().copied();
            configuration.key_values.clone_from(&configuration.axis_values);
            families[found].configurations.push(index);
        }
        families
    }
}

/// `one-vs-two` with two cases and no matrix.
pub(crate) fn one_and_two() -> ScenarioBuilder {
    ScenarioBuilder::new()
        .case("one process, both partitions", 1, 1)
        .case("two processes, one partition each", 2, 1)
}

/// `one-vs-two` with two kinds of work.
pub(crate) fn one_and_two_with_work() -> ScenarioBuilder {
    one_and_two().axis(
        "work",
        &[
            ("none", |c| c.work = Work::None),
            ("wait 200us", |c| c.work = Work::Wait { ns: 200_000 }),
        ],
    )
}
