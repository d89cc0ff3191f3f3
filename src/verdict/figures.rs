//! The figures of one trial that comparisons are made of.

use std::collections::BTreeSet;

use super::model::Metric;
use crate::figures::{catch_up_seconds, is_meaningful, percentile_ms, read_seconds, stopwatch_seconds};
use crate::measure::latency::LatencyPart;
use crate::measure::{Measurement, Status, Trial, TrialKind};
use crate::scenario::Mode;

/// The 99th percentile of the response time of a meaningful trial whose sample carries it, milliseconds.
pub fn response_p99_ms(measurement: &Measurement) -> Option<f64> {
    let response = is_meaningful(measurement).then(|| measurement.latency(LatencyPart::Response))??;
    percentile_ms(&response, 0.99)
}

/// What a trial has of a metric, in its unit: deliveries of all groups per second of either time, milliseconds of a
/// percentile, seconds of catching up. `None` where it has no figure that may be compared.
pub fn figure(metric: Metric, measurement: &Measurement) -> Option<f64> {
    match metric {
        Metric::ReadTime => Some(measurement.records() as f64 / read_seconds(measurement)),
        Metric::Stopwatch => Some(measurement.records() as f64 / stopwatch_seconds(measurement)),
        Metric::ResponseP99 => response_p99_ms(measurement),
        Metric::CatchUp => is_meaningful(measurement).then(|| catch_up_seconds(measurement))?,
    }
}

/// How fast a trial was by a metric: records of each group per second by either time, or the inverse of a length of
/// time. `None` where it has no figure that may be compared.
pub fn speed(metric: Metric, records: u64, measurement: &Measurement) -> Option<f64> {
    let records = || {
        let groups = measurement
            .members
            .iter()
            .map(|member| u64::from(member.group) + 1)
            .max();
        // Those that the cluster had removed were not read.
        let is_whole = measurement.removed == 0;
        (if is_whole {
            records
        } else {
            measurement.records() / groups.unwrap_or(1)
        }) as f64
    };
    match metric {
        Metric::ReadTime => Some(records() / read_seconds(measurement)),
        Metric::Stopwatch => Some(records() / stopwatch_seconds(measurement)),
        Metric::ResponseP99 | Metric::CatchUp => figure(metric, measurement).map(f64::recip),
    }
}

/// True where the readers of some used trial did not do what the others' figures presume: they fell behind, left
/// records unread, or, in a mixed trial, never caught up. Figures without these trials flatter the configuration.
pub fn fell_behind(mode: &Mode, trials: &[Trial], configuration: usize) -> bool {
    let used = trials
        .iter()
        .filter(|t| t.is_used() && t.order.configuration == configuration);
    let mut loads = used.filter_map(|t| t.measurement.as_ref()?.load.as_ref());
    let mixed = matches!(mode, Mode::Mixed(_));
    loads.any(|load| load.overload.is_some() || load.unread > 0 || (mixed && load.caught_up_ns.is_none()))
}

/// True where trials of a configuration failed, or lost or doubled records: those of the figures, those of a search, or
/// those of the warm-up blocks. Only a pilot decides nothing but how much is read.
pub fn is_tainted(trials: &[Trial], configuration: usize) -> bool {
    let unaccounted = |m: &Measurement| m.lost > 0 || m.duplicated > 0;
    let tainted = |t: &Trial| matches!(t.status, Status::Failed(_)) || t.measurement.as_ref().is_some_and(unaccounted);
    let mut its = trials
        .iter()
        .filter(|t| t.order.kind != TrialKind::Pilot && t.order.configuration == configuration);
    its.any(tainted)
}

/// Counted blocks whose trials are of more than one session, so that the machine may have changed between them: they
/// take no part in paired comparisons.
pub fn split_blocks(trials: &[Trial]) -> BTreeSet<u32> {
    let counted = trials.iter().filter(|t| t.order.kind == TrialKind::Counted);
    let sessions: BTreeSet<(u32, u32)> = counted.map(|t| (t.order.block, t.session)).collect();
    let blocks: Vec<u32> = sessions.into_iter().map(|(block, _)| block).collect();
    blocks
        .windows(2)
        .filter(|two| two[0] == two[1])
        .map(|two| two[0])
        .collect()
}
