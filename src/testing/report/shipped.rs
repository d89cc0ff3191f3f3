//! The shipped scenarios, each with a run made up for it.

use super::live::{UNHINDERED, live_trial};
use super::{Fixture, events, trials};
use crate::measure::Trial;
use crate::plan::{Next, Plan};
use crate::scenario::{Scenario, parse};
use crate::summary::summarise;

impl Fixture {
    /// Every scenario of scenarios/, run until its plan ends, in the order of their names.
    pub(crate) fn shipped() -> Vec<Self> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> = files
            .filter(|path| path.extension().is_some_and(|end| end == "toml"))
            .collect();
        files.sort();
        let fixture = |path: &std::path::PathBuf| {
            let name = path.file_stem().unwrap().to_string_lossy();
            let text = std::fs::read_to_string(path).unwrap();
            let scenario = parse(&name, &name, &text).unwrap_or_else(|errors| panic!("{}", errors.plain()));
            let mut fixture = Fixture::run_to_its_end(scenario, true);
            fixture.source = text;
            fixture
        };
        files.iter().map(fixture).collect()
    }

    /// A run of a scenario from its first trial to the last that its plan asks for, in which no event causes anything.
    pub(crate) fn planned(scenario: Scenario) -> Self {
        Fixture::run_to_its_end(scenario, false)
    }

    /// A run of a scenario from its first trial to the last that its plan asks for, with what its events cause or without.
    fn run_to_its_end(scenario: Scenario, with_events: bool) -> Self {
        let plan = Plan::new(scenario);
        let mut trials: Vec<Trial> = Vec::new();
        while let Next::Trial(order) = plan.next(&trials, 1) {
            // Neighbouring seeds have noise that is alike.
            let seed = order.number as usize * 7_919 % 10_007;
            let (index, number) = (order.configuration, order.number);
            let mut trial = match order.load {
                Some(_) => live_trial(&plan.scenario, order, UNHINDERED),
                None => trials::read(&plan.scenario, order, seed),
            };
            if let Some(measurement) = &mut trial.measurement
                && with_events
                && !plan.scenario.configurations[index].events.is_empty()
            {
                events::act(measurement, &plan.scenario, index, number);
            }
            trials.push(trial);
        }
        let mut fixture = Fixture::of(plan.scenario.clone(), trials);
        fixture.summary = summarise(&plan, &fixture.trials);
        fixture
    }
}
