//! What keeps the figures from being trusted, most serious first.

mod live;
mod subject;

use std::collections::{BTreeMap, BTreeSet};

use self::subject::{about, named};
use super::model::ConfigurationSummary;
use crate::figures::{FigureId, read_seconds};
use crate::measure::{FlagKind, Status, Trial, TrialKind};
use crate::plan::{FAILURES_IN_A_ROW, Plan};
use crate::scenario::{Mode, TrialLength};
use crate::stats::median;

/// Trials that take less than this share of the time asked for are too short.
const SHORT_SHARE: f64 = 0.25;

/// What a flag means for the figures, of so many trials; `None` of flags that have warnings of their own.
fn meaning(kind: FlagKind, trials: usize) -> Option<String> {
    let were = if trials == 1 { "was" } else { "were" };
    let meaning = match kind {
        FlagKind::Disturbed => return Some(format!("{were} disturbed by other programs on the machine")),
        FlagKind::Limited => {
            "reached a limit, a CPU quota or the memory for the page cache; what they read is what it allows"
        }
        FlagKind::LateStart => "had a member that waited long for its first record",
        FlagKind::Removed => {
            "read less than the others, because the cluster had removed records from the topics meanwhile"
        }
        FlagKind::Redelivered => "had records read again after a change of owner",
        FlagKind::NotObserved => "had something that the worker could not observe",
        // Trials of the first three are excluded with the flag as the reason.
        FlagKind::BrokersChanged
        | FlagKind::Standstill
        | FlagKind::Rebalance
        | FlagKind::Throttled
        | FlagKind::LoadNotReached
        | FlagKind::Overloaded
        | FlagKind::CannotSay
        | FlagKind::Unread
        | FlagKind::DeliveryErrors => return None,
    };
    Some(meaning.to_owned())
}

pub(super) fn warnings(
    plan: &Plan,
    trials: &[Trial],
    summaries: &[ConfigurationSummary],
    complete: bool,
) -> Vec<String> {
    let counted: Vec<&Trial> = trials.iter().filter(|t| t.order.kind == TrialKind::Counted).collect();
    let of_each = |found: &dyn Fn(&ConfigurationSummary) -> Vec<String>| {
        let all = summaries.iter();
        let warnings = all.flat_map(|summary| found(summary).into_iter().map(|what| (summary.configuration, what)));
        about(&plan.scenario, warnings)
    };
    let mut warnings = of_each(&|summary| unaccounted(summary).into_iter().collect());
    warnings.extend(of_each(&|summary| failures(summary, &counted).into_iter().collect()));
    if plan.scenario.capacity.is_some() {
        warnings.extend(of_each(&|summary| {
            search_failures(summary, trials).into_iter().collect()
        }));
    }
    warnings.extend(given_up(plan, trials));
    if !complete {
        let progress = plan.progress(trials);
        let missing = progress.trials_planned - progress.trials_done;
        warnings.push(format!(
            "The run is not complete: {missing} of {} trials have not been run.",
            progress.trials_planned
        ));
    }
    warnings.extend(of_each(&|summary| exclusions(summary, &counted).into_iter().collect()));
    warnings.extend(of_each(&|summary| live::warnings(plan, summary, trials)));
    warnings.extend(short_trials(plan, summaries, &counted));
    warnings.extend(split_blocks(plan, trials));
    warnings.extend(FlagKind::ALL.iter().filter_map(|kind| flagged(*kind, &counted)));
    warnings.extend(throttled(&counted));
    warnings
}

/// What a quota held back, which says more of the cluster's rules than of its consumers.
fn throttled(counted: &[&Trial]) -> Option<String> {
    let milliseconds = counted.iter().filter_map(|trial| {
        let clients = trial
            .measurement
            .iter()
            .flat_map(|m| &m.members)
            .filter_map(|m| m.client);
        let ns: u64 = clients.map(|client| client.throttled_ns).sum();
        (ns > 0).then_some(ns as f64 / 1e6)
    });
    let milliseconds: Vec<f64> = milliseconds.collect();
    let typical = median(&milliseconds)?;
    Some(format!(
        "The cluster throttled these clients (quota) in {} of {} counted trials: {typical:.0} ms per trial (median over \
         these trials, all members together). What they read is what the quota allows.",
        milliseconds.len(),
        counted.len()
    ))
}

fn unaccounted(summary: &ConfigurationSummary) -> Option<String> {
    let mut parts = Vec::new();
    for (id, what) in [
        (FigureId::Lost, "were lost"),
        (FigureId::Duplicated, "were counted twice"),
    ] {
        let records = summary.count(id);
        if records > 0 {
            parts.push(format!("{records} records {what}"));
        }
    }
    (!parts.is_empty()).then(|| parts.join(" and "))
}

fn failures(summary: &ConfigurationSummary, counted: &[&Trial]) -> Option<String> {
    let kinds = failure_kinds(trials_of(summary, counted))?;
    let (failed, run) = (summary.trials_failed, run_of(summary));
    Some(format!("{failed} of {run} counted trials failed ({kinds})"))
}

/// Trials of a search that failed said nothing of their rates.
fn search_failures(summary: &ConfigurationSummary, trials: &[Trial]) -> Option<String> {
    let search: Vec<&Trial> = trials.iter().filter(|t| t.order.kind == TrialKind::Search).collect();
    let own: Vec<&Trial> = trials_of(summary, &search).collect();
    let kinds = failure_kinds(own.iter().copied())?;
    let failed = own.iter().filter(|t| matches!(t.status, Status::Failed(_))).count();
    Some(format!(
        "{failed} of {} trials of the search failed ({kinds})",
        own.len()
    ))
}

/// `reading stalled 2x, a worker died 1x`; `None` where nothing failed.
fn failure_kinds<'a>(trials: impl Iterator<Item = &'a Trial>) -> Option<String> {
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    for trial in trials {
        if let Status::Failed(failure) = &trial.status {
            *kinds.entry(failure.kind.describe()).or_default() += 1;
        }
    }
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|(kind, times)| format!("{kind} {times}x"))
        .collect();
    (!kinds.is_empty()).then(|| kinds.join(", "))
}

fn given_up(plan: &Plan, trials: &[Trial]) -> Option<String> {
    let skipped = plan.skipped(trials);
    (!skipped.is_empty()).then(|| {
        let names = named(&plan.scenario, &skipped);
        format!("Given up after {FAILURES_IN_A_ROW} failures in a row: {names}.")
    })
}

fn exclusions(summary: &ConfigurationSummary, counted: &[&Trial]) -> Option<String> {
    let mut reasons = trials_of(summary, counted).filter_map(|t| match &t.status {
        Status::Excluded { reason } => Some((t.order.number, reason)),
        _ => None,
    });
    reasons.next().map(|(number, reason)| {
        let excluded = summary.trials_excluded;
        format!(
            "{excluded} of {} counted trials left out (trial {number}: {reason})",
            run_of(summary)
        )
    })
}

/// Trials much shorter than asked for, of all configurations together.
fn short_trials(plan: &Plan, summaries: &[ConfigurationSummary], counted: &[&Trial]) -> Vec<String> {
    let TrialLength::Seconds(wanted_s) = plan.scenario.trial else {
        return Vec::new();
    };
    let short = summaries.iter().filter_map(|summary| {
        let typical_s = typical_seconds(plan, summary, counted)?;
        (typical_s < wanted_s * SHORT_SHARE)
            .then(|| (why_short(plan, summary, counted), summary.configuration, typical_s))
    });
    let short: Vec<(&str, usize, f64)> = short.collect();
    let reasons: BTreeSet<&str> = short.iter().map(|(why, _, _)| *why).collect();
    let warnings = reasons.into_iter().flat_map(|why| {
        let own = || short.iter().filter(|(reason, _, _)| *reason == why);
        let times = || own().map(|(_, _, seconds)| *seconds);
        let ends = [times().fold(f64::INFINITY, f64::min), times().fold(0.0, f64::max)];
        let [least, most] = ends.map(|seconds| format!("{seconds:.2}"));
        let took = if least == most {
            least
        } else {
            format!("{least} to {most}")
        };
        let what = format!("trials took {took} s, much less than the {wanted_s} s wanted{why}");
        let about_it: Vec<(usize, String)> = own().map(|(_, index, _)| (*index, what.clone())).collect();
        about(&plan.scenario, about_it)
    });
    warnings.collect()
}

/// The median read time of a configuration's backlogs.
fn typical_seconds(plan: &Plan, summary: &ConfigurationSummary, counted: &[&Trial]) -> Option<f64> {
    let is_backlog = plan.scenario.configurations[summary.configuration].mode == Mode::Backlog;
    let used = trials_of(summary, counted).filter(|trial| trial.is_used() && is_backlog);
    let times: Vec<f64> = used.filter_map(|t| t.measurement.as_ref()).map(read_seconds).collect();
    median(&times)
}

/// What keeps trials from being as long as they should be; empty where that is not the number of records.
fn why_short(plan: &Plan, summary: &ConfigurationSummary, counted: &[&Trial]) -> &'static str {
    let records_max = plan.scenario.families[summary.family].records_max;
    if trials_of(summary, counted).map(|t| t.order.records).max() != Some(records_max) {
        return "";
    }
    match plan.scenario.datasets[plan.scenario.configurations[summary.configuration].dataset].existing() {
        None => "; the data set has no more records, so set dataset.records higher",
        Some(_) => "; the topics hold no more records",
    }
}

fn split_blocks(plan: &Plan, trials: &[Trial]) -> Option<String> {
    let split: Vec<String> = (0..plan.blocks(trials))
        .filter(|&block| plan.is_split(trials, block))
        .map(|block| (block + 1).to_string())
        .collect();
    let (blocks, was, takes) = match split.len() {
        0 => return None,
        1 => ("Block", "was split over two sessions", "takes"),
        _ => ("Blocks", "were split over sessions", "take"),
    };
    Some(format!(
        "{blocks} {} {was} and {takes} no part in comparisons.",
        split.join(", ")
    ))
}

fn flagged(kind: FlagKind, counted: &[&Trial]) -> Option<String> {
    let number = counted.iter().filter(|trial| trial.is_flagged(kind)).count();
    let meaning = meaning(kind, number).filter(|_| number > 0)?;
    Some(format!("{number} of {} counted trials {meaning}.", counted.len()))
}

/// The counted trials of a configuration.
fn trials_of<'a>(summary: &ConfigurationSummary, counted: &[&'a Trial]) -> impl Iterator<Item = &'a Trial> {
    let configuration = summary.configuration;
    counted
        .iter()
        .copied()
        .filter(move |t| t.order.configuration == configuration)
}

/// Counted trials that have ended.
fn run_of(summary: &ConfigurationSummary) -> u32 {
    summary.trials_used + summary.trials_failed + summary.trials_excluded
}
