//! Results of several runs, each compared with the first: which configurations mean the same, what else differs, and a
//! verdict for each. The runs were made at different times, so nothing is paired. Pure.

mod differences;
mod figures;
mod matching;
mod model;
mod run;
mod sentences;
#[cfg(test)]
mod tests;
mod versus;
mod warnings;

pub use model::*;
pub use run::{CompareError, StoredRun};

use run::run_name;

/// Compares each run with the first. A single run gives a comparison without verdicts.
///
/// # Errors
/// Where a run has no configuration in common with the first, or was not made apart from it.
pub fn compare_runs(runs: &[StoredRun]) -> Result<RunComparison, CompareError> {
    let names: Vec<String> = (0..runs.len()).map(run_name).collect();
    let Some((baseline, others)) = runs.split_first() else {
        return Ok(RunComparison {
            schema_version: COMPARISON_SCHEMA_VERSION,
            ..RunComparison::default()
        });
    };
    let mut matched = Vec::with_capacity(others.len());
    for run in others {
        matched.push(matching::Matching::of(baseline, run)?);
    }
    let same: Vec<bool> = others.iter().map(|run| matching::is_same_run(baseline, run)).collect();
    let figures = figures::Figures::of(runs, &matched);
    let threshold = baseline.plan.scenario.threshold;
    let verdicts = versus::verdicts(runs, &matched, &same, threshold);
    let facts = |(index, run): (usize, &StoredRun)| {
        let same_as = (index > 0 && same[index - 1]).then(|| names[0].clone());
        figures::facts(&names[index], run, same_as)
    };
    let each = || (1..).zip(others.iter().zip(&matched));
    let mut comparison = RunComparison {
        schema_version: COMPARISON_SCHEMA_VERSION,
        question: baseline.plan.scenario.question.clone(),
        threshold,
        runs: runs.iter().enumerate().map(facts).collect(),
        answer: Vec::new(),
        caution: None,
        warnings: Vec::new(),
        differences: each()
            .flat_map(|(index, (run, matching))| differences::differences(&names[index], baseline, run, matching))
            .collect(),
        not_compared: each()
            .flat_map(|(index, (_, matching))| matching.not_compared(&names[0], &names[index]))
            .collect(),
        configurations: figures.configurations,
        figures: figures.figures,
        verdicts,
    };
    comparison.answer = sentences::answer(&comparison);
    comparison.caution = sentences::caution(&comparison);
    comparison.warnings = warnings::warnings(runs, &matched, &same, &comparison);
    Ok(comparison)
}
