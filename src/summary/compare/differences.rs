//! What differs between two runs beside their figures.

use super::matching::{Matching, differing};
use super::model::{Area, RunDifference};
use super::run::StoredRun;
use crate::scenario::{Meaning, Part};

/// Environment first, then the means of the clients, then how the run was made.
pub(super) fn differences(
    name: &str,
    baseline: &StoredRun,
    run: &StoredRun,
    matching: &Matching,
) -> Vec<RunDifference> {
    let difference = |area, what: String, baseline: String, value: String| RunDifference {
        run: name.to_owned(),
        area,
        what,
        baseline,
        value,
        configurations: Vec::new(),
    };
    let environment = baseline.environment.differences(run.environment).into_iter();
    let mut all: Vec<RunDifference> = environment
        .map(|d| difference(Area::Environment, d.what, d.before, d.now))
        .collect();
    all.extend(
        settings(baseline, run, matching)
            .into_iter()
            .map(|((what, before, now), configurations)| RunDifference {
                configurations,
                ..difference(Area::Settings, what, before, now)
            }),
    );
    let made = run_values(baseline).into_iter().zip(run_values(run));
    let made = made.filter(|((_, before), (_, now))| before != now);
    all.extend(made.map(|((what, before), (_, now))| difference(Area::Run, what.to_owned(), before, now)));
    all
}

/// A key with both values.
type Setting = (String, String, String);

/// Settings that differ, each with the configurations of which it is to be said: none for all that are compared.
fn settings(baseline: &StoredRun, run: &StoredRun, matching: &Matching) -> Vec<(Setting, Vec<String>)> {
    let mut found: Vec<(Setting, Vec<String>)> = Vec::new();
    for &(first, other) in &matching.pairs {
        let (before, now) = (effective(baseline, first), effective(run, other));
        for setting in differing(&before, &now, Part::Means) {
            let name = baseline.plan.scenario.configurations[first].name.clone();
            match found.iter_mut().find(|(known, _)| *known == setting) {
                Some((_, names)) => names.push(name),
                None => found.push((setting, vec![name])),
            }
        }
    }
    for (_, names) in &mut found {
        if names.len() == matching.pairs.len() {
            names.clear();
        }
    }
    found
}

/// What a configuration means, with the client settings that tandem gave it beside those of the file. A setting that
/// neither gave is the library's default.
fn effective(run: &StoredRun, configuration: usize) -> Vec<Meaning> {
    let mut all = run.plan.scenario.meaning(configuration);
    for setting in &run.environment.client().deviations {
        let key = if setting.name.starts_with("producer.") {
            setting.name.clone()
        } else {
            format!("client.{}", setting.name)
        };
        if all.iter().all(|meaning| meaning.key != key) {
            all.push(Meaning {
                key,
                value: setting.value.clone(),
                part: Part::Means,
            });
        }
    }
    all
}

/// What says how the run was made and nothing of a trial.
fn run_values(run: &StoredRun) -> [(&'static str, String); 8] {
    let scenario = &run.plan.scenario;
    let of_search =
        |value: fn(&crate::scenario::Capacity) -> String| scenario.capacity.as_ref().map_or_else(String::new, value);
    [
        ("scenario", scenario.name.clone()),
        ("blocks", scenario.repetitions().to_string()),
        ("warm-up blocks", scenario.warmup_blocks.to_string()),
        ("seed", scenario.seed.to_string()),
        (
            "metric",
            scenario
                .metric
                .map_or(String::new(), |chosen| chosen.figure.figure().name.clone()),
        ),
        ("threshold", format!("{} %", scenario.threshold * 100.0)),
        (
            "precision of the search",
            of_search(|capacity| capacity.precision.to_string()),
        ),
        ("rules for leaving trials out", run.plan.exclusion.sentences().join(" ")),
    ]
}
