//! What keeps the figures of compared runs from being trusted.

use super::matching::Matching;
use super::model::{Measure, RunComparison};
use super::run::StoredRun;
use crate::figures::By;
use crate::measure::limits::core_figure;
use crate::measure::{FlagKind, TrialKind};
use crate::stats::median;
use crate::verdict::Metric;
use crate::wording::{listed, plural};

/// Record counts that differ by a larger share are reported.
const RECORDS_SHARE: f64 = 0.1;
/// More disturbed trials than this share are reported.
const DISTURBED_SHARE: f64 = 0.1;

pub(super) fn warnings(
    runs: &[StoredRun],
    matched: &[Matching],
    same: &[bool],
    comparison: &RunComparison,
) -> Vec<String> {
    let mut all: Vec<String> = until_decided(runs, comparison).into_iter().collect();
    all.extend(other_metrics(runs, comparison));
    for (run, facts) in runs
        .iter()
        .zip(&comparison.runs)
        .filter(|(_, facts)| facts.same_as.is_none())
    {
        let name = &facts.name;
        if !facts.complete {
            all.push(format!("{name} is not complete: trials of its plan were not run."));
        }
        if facts.trials_failed > 0 {
            all.push(format!("In {name} {} failed.", plural(facts.trials_failed, "trial")));
        }
        let disturbed = run
            .trials
            .iter()
            .filter(|t| t.is_used() && t.is_flagged(FlagKind::Disturbed))
            .count();
        if disturbed as f64 > DISTURBED_SHARE * facts.trials_used as f64 {
            all.push(format!(
                "In {name} other programs or the hypervisor disturbed {disturbed} of {}.",
                plural(facts.trials_used, "trial")
            ));
        }
    }
    let baseline = &runs[0];
    let each = runs.iter().zip(&comparison.runs).skip(1).zip(matched).zip(same);
    for (((run, facts), matching), _) in each.filter(|(_, same)| !**same) {
        let name = &facts.name;
        if is_other_machine(baseline, run) {
            all.push(format!(
                "A and {name} were made on different machines, and a verdict may be about these."
            ));
        }
        all.extend(other_counts(name, baseline, run, matching, comparison));
        let left_out = comparison
            .not_compared
            .iter()
            .filter(|other| other.run == *name)
            .count();
        if left_out > 0 {
            let left_out = plural(left_out, "configuration");
            all.push(format!("{left_out} of A and {name} cannot be compared; see below."));
        }
    }
    all
}

/// Runs that went on until something was decided, in one sentence.
fn until_decided(runs: &[StoredRun], comparison: &RunComparison) -> Option<String> {
    let each = runs.iter().zip(&comparison.runs);
    let went_on =
        each.filter(|(run, facts)| facts.same_as.is_none() && run.plan.scenario.repetitions().until().is_some());
    let names: Vec<&str> = went_on.map(|(_, facts)| facts.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} {} made until something was decided: what a run stops at is a little more extreme than the truth, and \
             between runs more differences are found than there are (docs/compare.md). Use a fixed number of repetitions \
             for runs to be compared.",
            listed(&names),
            if names.len() == 1 { "was" } else { "were" }
        )
    })
}

/// Why the runs are not compared by the figure that a scenario names.
fn other_metrics(runs: &[StoredRun], comparison: &RunComparison) -> Option<String> {
    let measures = comparison.measures();
    let is_used = |figure| {
        measures
            .iter()
            .filter_map(|m| m.metric())
            .any(|metric| metric.figure() == figure)
    };
    let mut chosen = runs.iter().filter_map(|run| run.plan.scenario.metric);
    let figure = chosen.find(|chosen| !is_used(chosen.figure))?.figure;
    let can_be_zero = figure
        .comparing()
        .is_some_and(|comparing| comparing.by == By::Difference);
    let why = if can_be_zero {
        "can be 0 and has no ratio"
    } else {
        "is not the metric of all of them"
    };
    let name = &figure.figure().name;
    (!measures.contains(&Measure::Capacity)).then(|| format!("The runs are not compared by `{name}`, since it {why}."))
}

fn is_other_machine(one: &StoredRun, other: &StoredRun) -> bool {
    let machine = |run: &StoredRun| {
        let e = run.environment;
        (
            e.host.clone(),
            e.processor.clone(),
            core_figure(e.usable_cores()),
            e.memory_bytes,
        )
    };
    machine(one) != machine(other)
}

/// Backlogs of which much more was read in one run: a pilot finds the number, and a start weighs less in a longer trial.
fn other_counts(
    name: &str,
    baseline: &StoredRun,
    run: &StoredRun,
    matching: &Matching,
    comparison: &RunComparison,
) -> Option<String> {
    let reads = |pair: &&(usize, usize)| {
        let configuration = &baseline.plan.scenario.configurations[pair.0].name;
        let by_time = Measure::Metric(Metric::READ_TIME);
        comparison.figure("A", configuration, by_time).is_some()
    };
    let count = |run: &StoredRun, configuration: usize| {
        let is_counted =
            |t: &&crate::measure::Trial| t.order.kind == TrialKind::Counted && t.order.configuration == configuration;
        let counts: Vec<f64> = run
            .trials
            .iter()
            .filter(is_counted)
            .map(|t| t.order.records as f64)
            .collect();
        median(&counts).filter(|count| *count > 0.0)
    };
    let counts = matching.pairs.iter().filter(reads).filter_map(|(first, other)| {
        let (before, now) = (count(baseline, *first)?, count(run, *other)?);
        ((now / before).ln().abs() > RECORDS_SHARE.ln_1p()).then_some((*first, before, now))
    });
    let (configuration, before, now) =
        counts.max_by(|a, b| (a.2 / a.1).ln().abs().total_cmp(&(b.2 / b.1).ln().abs()))?;
    Some(format!(
        "Trials are not of one length: {} reads {before:.0} records in A and {now:.0} in {name}, as pilots found. Give \
         [trial] records to read the same.",
        baseline.plan.scenario.configurations[configuration].name
    ))
}
