//! The figures of one trial that comparisons are made of.

use std::collections::BTreeSet;

use super::model::Metric;
use crate::figures::{Better, By, comparable, read_seconds, stopwatch_seconds};
use crate::measure::{Measurement, Status, Trial, TrialKind};
use crate::scenario::Mode;

/// What a trial has of a metric, in its unit; for the built-in times of a backlog the deliveries of all groups per second
/// of either. `None` where it has no figure that may be compared.
pub fn figure(metric: Metric, measurement: &Measurement, has_work: bool) -> Option<f64> {
    match seconds_of_backlog(metric, measurement) {
        Some(seconds) => Some(measurement.records() as f64 / seconds),
        None => comparable(metric.figure(), measurement, has_work),
    }
}

/// What two trials of a block are compared by, so that their difference is that of [`super::Effect`]: the figure itself
/// where differences are compared, else the logarithm of how good a trial was. The times of a backlog count for each
/// record of a group, since trials that were cut short read fewer. `None` where it has no figure that may be compared.
pub fn compared_value(metric: Metric, trial: &Trial, has_work: bool) -> Option<f64> {
    let measurement = trial.measurement.as_ref()?;
    let good = match seconds_of_backlog(metric, measurement) {
        Some(seconds) => records_of_a_group(trial.order.records, measurement) / seconds,
        None => {
            let figure = comparable(metric.figure(), measurement, has_work)?;
            match (metric.comparing().by, metric.comparing().better) {
                (By::Difference, _) => return Some(figure),
                (By::Ratio, Better::Less) => figure.recip(),
                (By::Ratio, Better::More | Better::Neither) => figure,
            }
        }
    };
    Some(good.ln()).filter(|log| log.is_finite())
}

/// The time of a trial, where the metric is one of reading a backlog.
fn seconds_of_backlog(metric: Metric, measurement: &Measurement) -> Option<f64> {
    match metric {
        Metric::READ_TIME => Some(read_seconds(measurement)),
        Metric::STOPWATCH => Some(stopwatch_seconds(measurement)),
        _ => None,
    }
}

fn records_of_a_group(ordered: u64, measurement: &Measurement) -> f64 {
    let groups = measurement
        .members
        .iter()
        .map(|member| u64::from(member.group) + 1)
        .max();
    // Those that the cluster had removed were not read.
    let is_whole = measurement.removed == 0;
    (if is_whole {
        ordered
    } else {
        measurement.records() / groups.unwrap_or(1)
    }) as f64
}

/// True if the readers of a used trial fell behind, left records unread, or never caught up (mixed). The figures
/// exclude such trials and so are too good.
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
