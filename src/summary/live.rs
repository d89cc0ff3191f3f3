//! What live and mixed trials say of a configuration: whether they had the load they were to have and readers that kept
//! up, and, where they did, how long records waited.

use super::configurations::count;
use super::{AroundCatchUp, LatencySummary, LiveSummary, ResponseSummary};
use crate::measure::latency::{LatencyPart, LatencyRecorder};
use crate::measure::{LoadJudgement, LoadMeasurement, LoadVerdict, Measurement};
use crate::scenario::Mode;
use crate::stats::{Estimate, mean, median};
use crate::verdict::{catch_up_seconds, is_meaningful, percentile_ms};

const NS_PER_MS: f64 = 1e6;
const NS_PER_SECOND: u64 = 1_000_000_000;

/// `None` for a configuration that reads a backlog alone. `used` are the measurements of its used trials.
pub(super) fn summarise(mode: &Mode, used: &[&Measurement]) -> Option<LiveSummary> {
    mode.load()?;
    let loads: Vec<&LoadMeasurement> = used.iter().filter_map(|m| m.load.as_ref()).collect();
    let growth: Vec<f64> = loads
        .iter()
        .filter_map(|load| Some(load.overload?.lag_growth_per_second))
        .collect();
    let each = |of: fn(&LoadMeasurement) -> f64| mean(&loads.iter().map(|load| of(load)).collect::<Vec<f64>>());
    let meaningful: Vec<&Measurement> = used.iter().copied().filter(|m| is_meaningful(m)).collect();
    let caught_up: Vec<f64> = meaningful.iter().filter_map(|m| catch_up_seconds(m)).collect();
    let judgement = judgement(&loads);
    let is_overload = judgement.as_ref().is_some_and(|j| j.verdict == LoadVerdict::Overloaded);
    Some(LiveSummary {
        offered_per_second: each(|load| load.offered_per_second),
        sent_per_second: each(|load| load.sent_per_second),
        load_reached: loads.iter().all(|load| load.reached),
        overloaded: growth.len() * 2 > loads.len() || is_overload,
        lag_growth_per_second: median(&growth),
        judgement,
        trials_meaningful: count(meaningful.len()),
        latencies: parts(&meaningful),
        catch_up_seconds: Estimate::geometric(&caught_up),
        around_catch_up: matches!(mode, Mode::Mixed(_)).then(|| around_catch_up(&meaningful)),
        capacity: None,
    })
}

/// What the trials say together: overloaded or holds where more than half of them say so. `None` where none that had
/// the load was judged.
fn judgement(loads: &[&LoadMeasurement]) -> Option<LoadJudgement> {
    // Readers that keep up with less than the load say nothing of it.
    let had_load = loads.iter().filter(|load| load.reached || load.overload.is_some());
    let judged: Vec<&LoadJudgement> = had_load.filter_map(|load| load.judgement.as_ref()).collect();
    let most = |verdict| judged.iter().filter(|j| j.verdict == verdict).count() * 2 > judged.len();
    let clear = [LoadVerdict::Overloaded, LoadVerdict::Holds];
    let verdict = clear
        .into_iter()
        .find(|verdict| most(*verdict))
        .unwrap_or(LoadVerdict::CannotSay);
    let fullest = judged.iter().max_by(|a, b| a.fullness.total_cmp(&b.fullness))?;
    let of = |figure: fn(&LoadJudgement) -> f64| median(&judged.iter().map(|j| figure(j)).collect::<Vec<f64>>());
    Some(LoadJudgement {
        verdict,
        who: fullest.who.clone(),
        fullness: of(|j| j.fullness)?,
        resolution: of(|j| j.resolution)?,
    })
}

fn around_catch_up(trials: &[&Measurement]) -> AroundCatchUp {
    let caught_up = trials.iter().filter_map(|m| {
        let load = m.load.as_ref()?;
        let after_ns = load.caught_up_ns?.saturating_sub(load.start_ns);
        Some((load, u32::try_from(after_ns / NS_PER_SECOND).unwrap_or(u32::MAX)))
    });
    let caught_up: Vec<(&LoadMeasurement, u32)> = caught_up.collect();
    let of_seconds = |wanted: fn(u32, u32) -> bool| {
        let mut percentiles: [Vec<f64>; 2] = Default::default();
        for (load, that) in &caught_up {
            let mut response = LatencyRecorder::default();
            let seconds = load.seconds.iter().filter(|second| wanted(second.second, *that));
            seconds.for_each(|second| response.merge(&second.response.unpack()));
            for (values, share) in percentiles.iter_mut().zip([0.5, 0.99]) {
                values.extend(percentile_ms(&response, share));
            }
        }
        let [p50_ms, p99_ms] = percentiles.map(|values| Estimate::geometric(&values));
        ResponseSummary { p50_ms, p99_ms }
    };
    AroundCatchUp {
        before: of_seconds(|second, that| second < that),
        after: of_seconds(|second, that| second > that),
    }
}

/// The parts of the latency over these trials; none where nobody measured it. One trial's histograms at a time: there
/// may be thousands.
fn parts(trials: &[&Measurement]) -> Vec<LatencySummary> {
    let summary = |part: LatencyPart| {
        let (mut means, mut max_ms): (Vec<f64>, Option<f64>) = (Vec::new(), None);
        let mut is_measured = false;
        let mut percentiles: [Vec<f64>; 4] = Default::default();
        for recorder in trials.iter().filter_map(|measurement| measurement.latency(part)) {
            for (values, share) in percentiles.iter_mut().zip([0.5, 0.9, 0.99, 0.999]) {
                values.extend(percentile_ms(&recorder, share));
            }
            means.extend(recorder.mean_ns().map(|ns| ns.max(1.0) / NS_PER_MS));
            max_ms = recorder
                .max_ns()
                .map(|ns| ns as f64 / NS_PER_MS)
                .into_iter()
                .chain(max_ms)
                .reduce(f64::max);
            is_measured = true;
        }
        if !is_measured {
            return None;
        }
        let [p50_ms, p90_ms, p99_ms, p999_ms] = percentiles.map(|values| Estimate::geometric(&values));
        Some(LatencySummary {
            part,
            mean_ms: Estimate::geometric(&means).map(|estimate| estimate.point),
            p50_ms,
            p90_ms,
            p99_ms,
            p999_ms,
            max_ms,
        })
    };
    LatencyPart::ALL.into_iter().filter_map(summary).collect()
}
