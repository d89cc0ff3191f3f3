//! What live and mixed trials say of a configuration: whether they had the load they were to have and readers that kept
//! up, and, where they did, how long records waited.

use super::live_model::{AroundCatchUp, LiveSummary, ResponseSummary};
use crate::figures::{is_meaningful, percentile_ms};
use crate::measure::latency::LatencyRecorder;
use crate::measure::{LoadJudgement, LoadMeasurement, LoadVerdict, Measurement};
use crate::scenario::Mode;
use crate::stats::{Estimate, count, median};

const NS_PER_SECOND: u64 = 1_000_000_000;

/// `None` for a configuration that reads a backlog alone. `used` are the measurements of its used trials.
pub(super) fn summarise(mode: &Mode, used: &[&Measurement]) -> Option<LiveSummary> {
    mode.load()?;
    let loads: Vec<&LoadMeasurement> = used.iter().filter_map(|m| m.load.as_ref()).collect();
    let overloaded = loads.iter().filter(|load| load.overload.is_some()).count();
    let meaningful: Vec<&Measurement> = used.iter().copied().filter(|m| is_meaningful(m)).collect();
    let judgement = judgement(&loads);
    let is_overload = judgement.as_ref().is_some_and(|j| j.verdict == LoadVerdict::Overloaded);
    Some(LiveSummary {
        load_reached: loads.iter().all(|load| load.reached),
        overloaded: overloaded * 2 > loads.len() || is_overload,
        judgement,
        trials_meaningful: count(meaningful.len()),
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
    let median_of = |figure: fn(&LoadJudgement) -> f64| median(&judged.iter().map(|j| figure(j)).collect::<Vec<f64>>());
    Some(LoadJudgement {
        verdict,
        who: fullest.who.clone(),
        fullness: median_of(|j| j.fullness)?,
        resolution: median_of(|j| j.resolution)?,
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
