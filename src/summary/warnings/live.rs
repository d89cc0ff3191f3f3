//! What keeps the figures of live and mixed trials from being trusted.

use std::collections::BTreeMap;

use crate::figures::is_meaningful;
use crate::measure::latency::{LatencyPart, LatencyRecorder};
use crate::measure::objective::{Outcome, holds};
use crate::measure::{LoadMeasurement, LoadVerdict, Measurement, Status, Trial, TrialKind, percent};
use crate::plan::Plan;
use crate::scenario::{Capacity, Mode};
use crate::stats::median;
use crate::summary::model::ConfigurationSummary;
use crate::verdict::{Metric, figure};
use crate::wording::{plural, thousands};

/// Where the 99th percentile of the producers' lateness is above this share of that of the response time, the tail is
/// the producers' as much as the readers'.
const LATENESS_SHARE: f64 = 0.25;
/// Where the clocks of two hosts were compared less exactly than this, or than this share of the median response time, it
/// is said beside the figures.
const CLOCK_BOUND_NS: f64 = 1e6;
const CLOCK_BOUND_SHARE: f64 = 0.1;
/// The fewest records of which ten lie beyond the 99th percentile.
const RECORDS_FOR_P99: &str = "1,000";

/// Most serious first; nothing for a configuration that reads a backlog alone. `trials` are all of the run.
pub(super) fn warnings(plan: &Plan, summary: &ConfigurationSummary, trials: &[Trial]) -> Vec<String> {
    let mode = &plan.scenario.configurations[summary.configuration].mode;
    if mode.load().is_none() {
        return Vec::new();
    }
    let capacity = plan.scenario.capacity.as_ref();
    let is_meant = |trial: &&Trial| match trial.order.kind {
        TrialKind::Counted => true,
        TrialKind::Search => capacity.is_some(),
        TrialKind::Pilot | TrialKind::Warmup => false,
    };
    let trials = trials.iter().filter(is_meant);
    let trials: Vec<&Trial> = trials
        .filter(|t| t.order.configuration == summary.configuration)
        .collect();
    let ended = trials.iter().filter(|trial| trial.status == Status::Complete);
    let used: Vec<(&Measurement, &LoadMeasurement)> = ended
        .filter_map(|trial| {
            let measurement = trial.measurement.as_ref()?;
            Some((measurement, measurement.load.as_ref()?))
        })
        .collect();
    // A search is made of trials that do not hold, so there only what decides nothing is worth a warning.
    let of_readers = match capacity {
        Some(wanted) => vec![undecided(wanted, &used)],
        None => vec![
            not_reached(&used),
            overloaded(&used),
            cannot_say(&used),
            unread(&used),
            never_caught_up(mode, &used),
            too_few_records(mode, &used),
        ],
    };
    let of_readers = of_readers.into_iter().chain([committed(&used)]);
    let of_load = [
        delivery_errors(&trials),
        out_of_range(&used),
        late_producers(&used),
        inexact_clocks(&used),
    ];
    of_readers.chain(of_load).flatten().collect()
}

type Used<'a> = [(&'a Measurement, &'a LoadMeasurement)];

/// `3 of 8 trials`.
fn share(number: usize, used: &Used) -> String {
    format!("{number} of {} trials", used.len())
}

/// What a program that speaks nothing commits is exact to the time between two commits.
fn committed(used: &Used) -> Option<String> {
    let exact = used.iter().filter_map(|(measurement, load)| {
        let interval_ns = measurement.outside.as_ref()?.commit_interval_ns?;
        Some((interval_ns, interval_ns as f64 / load.window_ns().max(1) as f64))
    });
    let exact: Vec<(u64, f64)> = exact.collect();
    let interval_ns = exact.iter().map(|(interval_ns, _)| *interval_ns).max()?;
    let widest = exact.iter().map(|(_, share)| *share).fold(0.0, f64::max);
    Some(format!(
        "its positions are the offsets that it commits, every {:.1} s: times are exact to that, and rates to {} % of the \
         shortest window",
        interval_ns as f64 / 1e9,
        percent(widest)
    ))
}

fn not_reached(used: &Used) -> Option<String> {
    let late: Vec<&LoadMeasurement> = used.iter().map(|u| u.1).filter(|load| !load.reached).collect();
    let share_sent = |load: &LoadMeasurement| load.sent_per_second / load.offered_per_second;
    let worst = late.iter().min_by(|a, b| share_sent(a).total_cmp(&share_sent(b)))?;
    Some(format!(
        "the load was not reached in {} (at worst {} of {} records/s were sent), which take no part in latencies",
        share(late.len(), used),
        per_second(worst.sent_per_second),
        per_second(worst.offered_per_second)
    ))
}

fn overloaded(used: &Used) -> Option<String> {
    let growth = used
        .iter()
        .filter_map(|(_, load)| Some(load.overload?.lag_growth_per_second));
    let growth: Vec<f64> = growth.collect();
    Some(format!(
        "overloaded in {}, which take no part in latencies: the lag grew by {} records/s",
        share(growth.len(), used),
        per_second(median(&growth)?)
    ))
}

fn cannot_say(used: &Used) -> Option<String> {
    // Where something is done on purpose, the lag grows and shrinks because of that: a longer window says no more.
    let undisturbed = used.iter().filter(|(measurement, _)| measurement.acts.is_empty());
    let judged = undisturbed.filter_map(|(_, load)| {
        let is_unsure = load.verdict() == LoadVerdict::CannotSay;
        load.judgement.as_ref().filter(|_| is_unsure)
    });
    let resolutions: Vec<f64> = judged.map(|judgement| judgement.resolution).collect();
    Some(format!(
        "whether the readers keep up cannot be said in {}: their windows show no growth of the lag below {} % of what \
         arrives; set load.duration higher",
        share(resolutions.len(), used),
        percent(median(&resolutions)?)
    ))
}

fn unread(used: &Used) -> Option<String> {
    let trials = used.iter().filter(|(_, load)| load.unread > 0).count();
    let records: u64 = used.iter().map(|(_, load)| load.unread).sum();
    (records > 0).then(|| {
        format!(
            "{} had not been read when the time for draining was over, in {}, which take no part in latencies",
            plural(records, "record"),
            share(trials, used)
        )
    })
}

fn never_caught_up(mode: &Mode, used: &Used) -> Option<String> {
    let never = used.iter().filter(|(_, load)| load.caught_up_ns.is_none()).count();
    (matches!(mode, Mode::Mixed(_)) && never > 0)
        .then(|| format!("the readers did not catch up in {}", share(never, used)))
}

fn undecided(wanted: &Capacity, used: &Used) -> Option<String> {
    let decides = |m: &Measurement| holds(m, wanted.response_limit()) != Outcome::NotDecided;
    let without = used.iter().filter(|(m, _)| !decides(m)).count();
    (without > 0).then(|| {
        format!(
            "{} have too few records for the percentile that the objective names, or windows too short to say whether \
             the readers keep up, and count as not run; set load.duration higher",
            share(without, used)
        )
    })
}

/// Response times from a producer to a reader on another host are as wrong as the comparison of their clocks.
fn inexact_clocks(used: &Used) -> Option<String> {
    let inexact = used.iter().filter_map(|(measurement, _)| {
        let median_ns = measurement.latency(LatencyPart::Response)?.percentile_ns(0.5)? as f64;
        let bound_ns = measurement.response_bound_ns() as f64;
        (bound_ns > CLOCK_BOUND_NS.min(median_ns * CLOCK_BOUND_SHARE)).then_some((bound_ns / 1e6, median_ns / 1e6))
    });
    let inexact: Vec<(f64, f64)> = inexact.collect();
    let (bound_ms, median_ms) = inexact.iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(format!(
        "response times may be wrong by {bound_ms:.3} ms in {} (median {median_ms:.3} ms), because the clocks of two hosts \
         were compared no better; figures below that are left out",
        share(inexact.len(), used)
    ))
}

/// Over all counted trials, whatever became of them.
fn delivery_errors(trials: &[&Trial]) -> Option<String> {
    let mut causes: BTreeMap<&str, u64> = BTreeMap::new();
    let loads = trials.iter().filter_map(|t| t.measurement.as_ref()?.load.as_ref());
    let (mut lost, mut affected) = (0, 0);
    for load in loads {
        lost += load.refused + load.failed;
        affected += usize::from(load.refused + load.failed > 0);
        for error in &load.errors {
            *causes.entry(&error.cause).or_default() += error.records;
        }
    }
    let causes: Vec<String> = causes
        .iter()
        .map(|(cause, records)| format!("{cause} {records}x"))
        .collect();
    let causes = if causes.is_empty() {
        String::new()
    } else {
        format!(" ({})", causes.join(", "))
    };
    (lost > 0).then(|| {
        format!(
            "{} could not be delivered to the cluster, in {affected} of {} trials{causes}",
            plural(lost, "record"),
            trials.len()
        )
    })
}

/// Latencies that no histogram holds. They stand at their end of every percentile.
fn out_of_range(used: &Used) -> Option<String> {
    let of_trials = used.iter().filter_map(|(m, _)| m.latencies());
    let latencies = of_trials.reduce(|mut all, of_trial| {
        all.merge(&of_trial);
        all
    })?;
    let mut warnings = Vec::new();
    for part in LatencyPart::ALL {
        let (latency, name) = (latencies.part(part), name(part));
        if latency.negative() > 0 {
            let records = plural(latency.negative(), "record");
            warnings.push(format!(
                "{records} with a {name} below zero, counted as 0: a clock or a stamp is wrong"
            ));
        }
        if latency.overflow() > 0 {
            let records = plural(latency.overflow(), "record");
            warnings.push(format!(
                "{records} with a {name} above 10 minutes, counted as 10 minutes"
            ));
        }
    }
    (!warnings.is_empty()).then(|| warnings.join("; "))
}

fn name(part: LatencyPart) -> &'static str {
    match part {
        LatencyPart::ProducerDelay => "producer delay",
        LatencyPart::Transit => "transit time",
        LatencyPart::Queued => "queueing time",
        LatencyPart::Work => "working time",
        LatencyPart::Response => "response time",
    }
}

fn late_producers(used: &Used) -> Option<String> {
    let pairs = used.iter().filter(|(m, _)| is_meaningful(m)).filter_map(|(m, load)| {
        let mut lateness = LatencyRecorder::default();
        load.producers
            .iter()
            .for_each(|producer| lateness.merge(&producer.lateness));
        let late_ms = lateness.percentile_ns(0.99)? as f64 / 1e6;
        let response_ms = m.latency(LatencyPart::Response)?.percentile_ns(0.99)? as f64 / 1e6;
        Some((late_ms, response_ms))
    });
    let late: Vec<(f64, f64)> = pairs
        .filter(|(late_ms, response_ms)| *late_ms > response_ms * LATENESS_SHARE)
        .collect();
    let worst = late.iter().max_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)))?;
    Some(format!(
        "the slowest records were late from the producers on in {}: at worst p99 of the producers' lateness was {:.2} \
         ms where p99 of the response time was {:.2} ms",
        share(late.len(), used),
        worst.0,
        worst.1
    ))
}

fn too_few_records(mode: &Mode, used: &Used) -> Option<String> {
    // Of a program that speaks nothing there is none, however many records there are.
    let meaningful = || used.iter().filter(|(m, _)| is_meaningful(m) && m.outside.is_none());
    let without = meaningful()
        .filter(|(m, _)| figure(Metric::RESPONSE_P99, m, false).is_none())
        .count();
    (matches!(mode, Mode::Live(_)) && without > 0).then(|| {
        format!(
            "{} have fewer than the {RECORDS_FOR_P99} records that a p99 takes, so their p99 is not compared; set \
             load.duration higher",
            share(without, used)
        )
    })
}

/// `1,234`; below ten with a decimal.
fn per_second(number: f64) -> String {
    if number.abs() < 10.0 && number.fract() != 0.0 {
        format!("{number:.1}")
    } else {
        thousands(number)
    }
}
