//! The columns of live and mixed trials: load, latency by part, and capacity. Empty wherever no records arrived.

use super::optional;
use crate::measure::latency::LatencyPart;
use crate::measure::{LoadJudgement, Trial};
use crate::stats::Estimate;
use crate::summary::{CapacitySummary, ConfigurationSummary, LatencySummary, Summary};

const NS_PER_MS: f64 = 1e6;

/// What stands of each part of the latency: percentiles by their share, and the maximum.
const STATISTICS: [(&str, Option<f64>); 5] = [
    ("p50", Some(0.5)),
    ("p90", Some(0.9)),
    ("p99", Some(0.99)),
    ("p999", Some(0.999)),
    ("max", None),
];

/// The cells of a trial or of a configuration.
#[derive(Debug, Clone, Default)]
pub(super) struct LoadCells {
    offered_per_second: Option<f64>,
    sent_per_second: Option<f64>,
    load_reached: Option<bool>,
    overloaded: Option<bool>,
    judgement: Option<LoadJudgement>,
    /// The [`STATISTICS`] of each part, in milliseconds; empty where there are none.
    latencies_ms: Vec<[Option<f64>; STATISTICS.len()]>,
    capacity: Option<CapacitySummary>,
}

impl LoadCells {
    /// The names of the columns, in the order of [`LoadCells::cells`].
    pub(super) fn names() -> Vec<String> {
        let load = [
            "offered_per_second",
            "sent_per_second",
            "load_reached",
            "overloaded",
            "load_verdict",
            "load_resolution",
            "load_fullness",
        ];
        let capacity = [
            "capacity_per_second",
            "capacity_per_second_low",
            "capacity_per_second_high",
        ];
        let latencies = LatencyPart::ALL
            .iter()
            .flat_map(|part| STATISTICS.map(|(name, _)| format!("{}_{name}_ms", part.name())));
        let names = load.into_iter().map(str::to_owned).chain(latencies);
        names.chain(capacity.map(str::to_owned)).collect()
    }

    /// Of the used trials of a configuration; latencies of the meaningful ones alone.
    pub(super) fn of_summary(summary: &ConfigurationSummary) -> LoadCells {
        let Some(live) = &summary.live else {
            return LoadCells::default();
        };
        // Without a trial nothing was reached or overloaded.
        let seen = live.offered_per_second.is_some();
        let point = |estimate: Option<Estimate>| estimate.map(|e| e.point);
        let part = |l: &LatencySummary| {
            [
                point(l.p50_ms),
                point(l.p90_ms),
                point(l.p99_ms),
                point(l.p999_ms),
                l.max_ms,
            ]
        };
        LoadCells {
            offered_per_second: live.offered_per_second,
            sent_per_second: live.sent_per_second,
            load_reached: seen.then_some(live.load_reached),
            overloaded: seen.then_some(live.overloaded),
            judgement: live.judgement.clone(),
            latencies_ms: live.latencies.iter().map(part).collect(),
            capacity: live.capacity,
        }
    }

    /// Of one trial, as it was; the capacity is that of its configuration.
    pub(super) fn of_trial(summary: &Summary, trial: &Trial) -> LoadCells {
        let capacity = summary
            .configurations
            .iter()
            .find(|c| c.configuration == trial.order.configuration)
            .and_then(|c| c.live.as_ref()?.capacity);
        let measurement = trial.measurement.as_ref();
        let Some((measurement, load)) = measurement.and_then(|m| Some((m, m.load.as_ref()?))) else {
            return LoadCells {
                capacity,
                ..LoadCells::default()
            };
        };
        let latencies = measurement.latencies();
        let of_part = |part| {
            let latency = latencies.as_ref()?.part(part);
            let ns = |share: Option<f64>| share.map_or(latency.max_ns(), |share| latency.percentile_ns(share));
            Some(STATISTICS.map(|(_, share)| ns(share).map(|ns| ns as f64 / NS_PER_MS)))
        };
        LoadCells {
            offered_per_second: Some(load.offered_per_second),
            sent_per_second: Some(load.sent_per_second),
            load_reached: Some(load.reached),
            overloaded: Some(load.overload.is_some()),
            judgement: load.judgement.clone(),
            latencies_ms: LatencyPart::ALL.into_iter().filter_map(of_part).collect(),
            capacity,
        }
    }

    /// The values, empty where there is none.
    pub(super) fn cells(&self) -> Vec<String> {
        let flag = |value: Option<bool>| value.map_or(String::new(), |value| value.to_string());
        let mut cells = vec![
            optional(self.offered_per_second),
            optional(self.sent_per_second),
            flag(self.load_reached),
            flag(self.overloaded),
        ];
        let judgement = self.judgement.as_ref();
        cells.push(judgement.map_or(String::new(), |j| j.verdict.as_str().to_owned()));
        cells.push(optional(judgement.map(|j| j.resolution)));
        cells.push(optional(judgement.map(|j| j.fullness)));
        for part in 0..LatencyPart::ALL.len() {
            let values = self.latencies_ms.get(part).copied().unwrap_or_default();
            cells.extend(values.map(optional));
        }
        let capacity = self.capacity.as_ref();
        cells.push(optional(capacity.and_then(|c| c.per_second)));
        cells.push(optional(capacity.and_then(|c| c.low)));
        cells.push(optional(capacity.and_then(|c| c.high)));
        cells
    }
}
