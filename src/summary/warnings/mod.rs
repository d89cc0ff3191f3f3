//! What keeps the figures from being trusted, most serious first.

mod live;
mod subject;

use std::collections::BTreeMap;

use self::subject::{named, of_each};
use super::model::ConfigurationSummary;
use super::quality::RunQuality;
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
        FlagKind::StoreRetried => {
            "tried transactions again because the store was away or refused them; that time is in their figures"
        }
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
    quality: &RunQuality,
    complete: bool,
) -> Vec<String> {
    let counted: Vec<&Trial> = trials.iter().filter(|t| t.order.kind == TrialKind::Counted).collect();
    let about = |found: &dyn Fn(&ConfigurationSummary) -> Option<String>| {
        of_each(&plan.scenario, summaries, |summary| {
            found(summary).into_iter().collect()
        })
    };
    let mut warnings = about(&unaccounted);
    warnings.extend(about(&|summary| failures(summary, &counted)));
    if plan.scenario.capacity.is_some() {
        warnings.extend(about(&|summary| search_failures(summary, trials)));
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
    warnings.extend(about(&|summary| exclusions(summary, &counted)));
    let of_loads = |summary: &ConfigurationSummary| live::warnings(plan, summary, trials);
    warnings.extend(of_each(&plan.scenario, summaries, of_loads));
    warnings.extend(about(&|summary| short_trials(plan, summary, &counted)));
    warnings.extend(split_blocks(plan, trials));
    // Where most trials were disturbed, the answer begins with that.
    let is_said = |kind: FlagKind| kind == FlagKind::Disturbed && quality.disturbed().is_some();
    let flags = FlagKind::ALL.iter().filter(|kind| !is_said(**kind));
    warnings.extend(flags.filter_map(|kind| flagged(*kind, &counted)));
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

fn short_trials(plan: &Plan, summary: &ConfigurationSummary, counted: &[&Trial]) -> Option<String> {
    let TrialLength::Seconds(wanted_s) = plan.scenario.trial else {
        return None;
    };
    let configuration = &plan.scenario.configurations[summary.configuration];
    if configuration.mode != Mode::Backlog || plan.scenario.app_of(configuration).silent().is_some() {
        return None;
    }
    let used = trials_of(summary, counted).filter(|t| t.is_used());
    let times: Vec<f64> = used.filter_map(|t| t.measurement.as_ref()).map(read_seconds).collect();
    median(&times).filter(|&s| s < wanted_s * SHORT_SHARE)?;
    let family = &plan.scenario.families[summary.family];
    let why = if trials_of(summary, counted).map(|t| t.order.records).max() == Some(family.records_max) {
        match plan.scenario.datasets[plan.scenario.configurations[summary.configuration].dataset].existing() {
            None => "; the data set has no more records, so set dataset.records higher",
            Some(_) => "; the topics hold no more records",
        }
    } else {
        ""
    };
    Some(format!(
        "trials took less than {} % of the {wanted_s} s wanted{why}",
        SHORT_SHARE * 100.0
    ))
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
