//! What was run at several rates, all else equal: the points of response time against rate.

use std::collections::{BTreeMap, BTreeSet};

use super::arrivals::{LiveTrial, ms};
use crate::figures::{FigureId, Statistic};
use crate::measure::latency::{LatencyPart, LatencyRecorder};
use crate::measure::{Status, TrialKind};
use crate::report::input::ReportInput;
use crate::report::labels::{Labels, family_title, is_rate, varying_axes};
use crate::stats::Estimate;
use crate::summary::ConfigurationSummary;
use crate::wording::grouped;

/// Whether a point has figures, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    KeptUp,
    Overloaded,
    LoadNotReached,
}

/// A configuration at one rate. Figures in milliseconds.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) configuration: usize,
    pub(super) rate: f64,
    pub(super) p50: Option<Estimate>,
    pub(super) p99: Option<Estimate>,
    pub(super) state: State,
}

/// What was run at several rates, all else equal.
pub(super) struct Series {
    pub(super) family: String,
    pub(super) name: String,
    pub(super) points: Vec<Point>,
}

impl Series {
    pub(super) fn kept_up(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|p| p.state == State::KeptUp)
    }

    pub(super) fn overloaded(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|p| p.state == State::Overloaded)
    }

    /// The points that are drawn. Of the rates at which the readers fell behind, only those up to the first above all
    /// others: searches begin far above, which would squeeze the rest.
    pub(super) fn drawn(&self) -> impl Iterator<Item = &Point> {
        let highest = self.kept_up().map(|p| p.rate).fold(0.0, f64::max);
        let above = self.overloaded().map(|p| p.rate).filter(|rate| *rate > highest);
        let end = above.fold(f64::INFINITY, f64::min);
        self.points.iter().filter(move |p| p.rate <= end)
    }

    pub(super) fn rates(&self) -> BTreeSet<u64> {
        self.points.iter().map(|p| p.rate.to_bits()).collect()
    }
}

/// All series of the scenario in its order, their points by rate.
pub(super) fn series(input: &ReportInput, labels: &Labels) -> Vec<Series> {
    let scenario = input.scenario;
    let points = input.by_family().filter_map(|c| {
        let mut axes = varying_axes(scenario, c.family);
        axes.retain(|axis| !is_rate(scenario, *axis));
        let configuration = scenario.configurations.get(c.configuration)?;
        let name = match scenario.name_by(configuration, &axes) {
            name if name.is_empty() => labels.short(c.configuration).to_owned(),
            name => name,
        };
        Some(((without_rate(input, c), name), points(input, c)))
    });
    let series = grouped(points).into_iter().map(|((family, name), points)| {
        let mut points: Vec<Point> = points.into_iter().flatten().collect();
        points.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        Series { family, name, points }
    });
    series.collect()
}

/// The family's title without the rate, where the rate tells families apart.
fn without_rate(input: &ReportInput, c: &ConfigurationSummary) -> String {
    let scenario = input.scenario;
    let configuration = &scenario.configurations[c.configuration];
    let rate_axes = (0..scenario.axes.len()).filter(|axis| is_rate(scenario, *axis));
    let rates: Vec<String> = rate_axes.map(|axis| scenario.axis_value(configuration, axis)).collect();
    let title = family_title(scenario, c.family);
    let parts = title
        .split_whitespace()
        .filter(|part| !rates.iter().any(|rate| rate == part));
    parts.collect::<Vec<_>>().join(" ")
}

/// The points of a configuration: one, or one for each rate that a search for its capacity tried.
fn points(input: &ReportInput, c: &ConfigurationSummary) -> Vec<Point> {
    if input.scenario.capacity.is_some() {
        return searched(input, c.configuration);
    }
    let Some(live) = &c.live else { return Vec::new() };
    let Some(rate) = c.point(FigureId::OfferedPerSecond) else {
        return Vec::new();
    };
    let response = |statistic| FigureId::Latency(LatencyPart::Response, statistic);
    let state = match c.point(response(Statistic::Max)) {
        _ if live.overloaded => State::Overloaded,
        Some(_) => State::KeptUp,
        None if live.load_reached => State::Overloaded,
        None => State::LoadNotReached,
    };
    vec![Point {
        configuration: c.configuration,
        rate,
        p50: c.estimate(response(Statistic::P50)),
        p99: c.estimate(response(Statistic::P99)),
        state,
    }]
}

/// A point for each rate of a search: of the longer trials at it, or of the search's where there are none; overloaded
/// where any trial was.
fn searched(input: &ReportInput, configuration: usize) -> Vec<Point> {
    let mut by_rate: BTreeMap<u64, Vec<LiveTrial>> = BTreeMap::new();
    let kinds = [TrialKind::Search, TrialKind::Counted];
    let complete = input.trials_of(configuration).filter(|t| t.status == Status::Complete);
    let live = complete
        .filter(|t| kinds.contains(&t.order.kind))
        .filter_map(LiveTrial::of);
    for live in live {
        by_rate.entry(live.rate().to_bits()).or_default().push(live);
    }
    let point = |(rate, trials): (u64, Vec<LiveTrial>)| {
        let fell_behind = |t: &LiveTrial| t.load.overload.is_some() || t.load.unread > 0;
        let of_kind = |kind: TrialKind| -> Vec<LatencyRecorder> {
            let meaningful = trials
                .iter()
                .filter(|t| t.trial.order.kind == kind && t.load.is_meaningful());
            meaningful.filter_map(LiveTrial::response).collect()
        };
        let longer = of_kind(TrialKind::Counted);
        let responses = if longer.is_empty() {
            of_kind(TrialKind::Search)
        } else {
            longer
        };
        let state = match () {
            () if trials.iter().any(fell_behind) => State::Overloaded,
            () if !responses.is_empty() => State::KeptUp,
            () => State::LoadNotReached,
        };
        let percentile = |share: f64| {
            let each: Vec<f64> = responses
                .iter()
                .filter_map(|r| Some(ms(r.percentile_ns(share)?.max(1))))
                .collect();
            Estimate::geometric(&each)
        };
        Point {
            configuration,
            rate: f64::from_bits(rate),
            p50: percentile(0.5),
            p99: percentile(0.99),
            state,
        }
    };
    by_rate.into_iter().map(point).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::figures::RESPONSE_P99;
    use crate::testing::report::Fixture;

    fn of(fixture: &Fixture) -> Vec<Series> {
        series(&fixture.input(), &Labels::new(&fixture.scenario))
    }

    #[test]
    fn configurations_that_differ_in_rate_only_are_one_series() {
        let all = of(&Fixture::latency());
        assert_eq!(
            all.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
            ["one process", "two processes"]
        );
        assert!(
            all.iter()
                .all(|s| s.points.len() == 3 && s.points.is_sorted_by_key(|p| p.rate.to_bits()))
        );
        assert_eq!(all[0].points[2].state, State::Overloaded);
        assert!(
            all[1]
                .points
                .iter()
                .all(|p| p.state == State::KeptUp && p.p99.unwrap().interval.is_some())
        );
    }

    #[test]
    fn families_that_only_the_rate_tells_apart_are_one_chart() {
        let mut fixture = Fixture::latency();
        let one = fixture.scenario.families[0].clone();
        fixture.scenario.families = (0..3)
            .map(|rate| {
                let name = format!("rate={}", fixture.scenario.axes[0].values[rate]);
                let configurations = vec![rate, rate + 3];
                crate::scenario::Family {
                    name,
                    configurations,
                    ..one.clone()
                }
            })
            .collect();
        for c in &mut fixture.summary.configurations {
            c.family = c.configuration % 3;
        }
        let all = of(&fixture);
        assert_eq!(all.len(), 2);
        assert!(all.iter().all(|s| s.family.is_empty() && s.rates().len() == 3));
    }

    #[test]
    fn every_rate_of_a_search_is_a_point_and_far_too_high_ones_are_not_drawn() {
        let all = of(&Fixture::capacity());
        for series in &all {
            let overloaded: Vec<f64> = series.overloaded().map(|p| p.rate).collect();
            let drawn: Vec<f64> = series.drawn().map(|p| p.rate).collect();
            assert!(overloaded.len() > 1 && series.rates().len() == series.points.len());
            assert_eq!(drawn.last(), overloaded.first(), "{drawn:?}");
        }
    }

    #[test]
    fn the_point_at_a_capacity_has_the_p99_of_the_results() {
        let fixture = Fixture::capacity();
        for c in &fixture.summary.configurations {
            let live = c.live.as_ref().unwrap();
            let Some(rate) = live.capacity.and_then(|found| found.per_second) else {
                continue;
            };
            let Some(in_results) = c.estimate(RESPONSE_P99) else {
                continue;
            };
            let point = searched(&fixture.input(), c.configuration)
                .into_iter()
                .find(|p| p.rate.total_cmp(&rate).is_eq())
                .unwrap();
            assert_eq!(point.p99.map(|e| e.point), Some(in_results.point));
        }
    }

    #[test]
    fn a_load_that_was_never_reached_is_no_point_of_its_rate() {
        let mut fixture = Fixture::latency();
        let c = &mut fixture.summary.configurations[1];
        c.figures
            .set(FigureId::Latency(LatencyPart::Response, Statistic::Max), None);
        c.live.as_mut().unwrap().load_reached = false;
        assert_eq!(of(&fixture)[0].points[1].state, State::LoadNotReached);
    }
}
