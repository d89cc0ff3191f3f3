//! What live and mixed trials say of a configuration: whether they had the load they were to have and readers that kept
//! up, and, where they did, how long records waited.

use std::borrow::Cow;

use super::configurations::count;
use super::{LatencySummary, LiveSummary};
use crate::measure::latency::{Latencies, LatencyPart, LatencyRecorder};
use crate::measure::{LoadMeasurement, Measurement};
use crate::scenario::Mode;
use crate::stats::{Estimate, mean, median};
use crate::verdict::{catch_up_seconds, is_meaningful, percentile_ms};

const NS_PER_MS: f64 = 1e6;

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
    let latencies: Vec<Cow<Latencies>> = meaningful.iter().filter_map(|m| m.latencies()).collect();
    let caught_up: Vec<f64> = meaningful.iter().filter_map(|m| catch_up_seconds(m)).collect();
    Some(LiveSummary {
        offered_per_second: each(|load| load.offered_per_second),
        sent_per_second: each(|load| load.sent_per_second),
        load_reached: loads.iter().all(|load| load.reached),
        overloaded: growth.len() * 2 > loads.len(),
        lag_growth_per_second: median(&growth),
        trials_meaningful: count(meaningful.len()),
        latencies: parts(&latencies),
        catch_up_seconds: Estimate::geometric(&caught_up),
        capacity: None,
    })
}

fn parts(trials: &[Cow<Latencies>]) -> Vec<LatencySummary> {
    let Some(all) = Latencies::merged(trials.iter().map(AsRef::as_ref)) else {
        return Vec::new();
    };
    let summary = |part: LatencyPart| {
        let of_trials: Vec<&LatencyRecorder> = trials.iter().map(|latencies| latencies.part(part)).collect();
        let percentile = |share| {
            let each: Vec<f64> = of_trials.iter().filter_map(|l| percentile_ms(l, share)).collect();
            Estimate::geometric(&each)
        };
        LatencySummary {
            part,
            mean_ms: all.part(part).mean_ns().map(|ns| ns / NS_PER_MS),
            p50_ms: percentile(0.5),
            p90_ms: percentile(0.9),
            p99_ms: percentile(0.99),
            p999_ms: percentile(0.999),
            max_ms: all.part(part).max_ns().map(|ns| ns as f64 / NS_PER_MS),
        }
    };
    LatencyPart::ALL.into_iter().map(summary).collect()
}
