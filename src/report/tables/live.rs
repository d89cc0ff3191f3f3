//! The tables of live and mixed configurations. Where latencies would mean nothing, words stand in place of figures.

use super::super::ReportInput;
use super::super::format::{UNKNOWN, duration, figure_text, or_unknown, rate, significant, thousands};
use super::super::labels::{Labels, family_title};
use super::{Table, comparison, is_baseline, mode, of_family, per_family, trials_suffix, verdict};
use crate::figures::{FigureId, RESPONSE_P99, Statistic, Unit, Value};
use crate::measure::latency::LatencyPart;
use crate::measure::{Trial, TrialKind};
use crate::scenario::{Capacity, Mode};
use crate::stats::Estimate;
use crate::summary::{CapacitySummary, ConfigurationSummary, LiveSummary, Metric};

/// Of one family: its capacities, or how long records waited and how soon backlogs were gone.
pub(super) fn results(input: &ReportInput, labels: &Labels, family: usize) -> Vec<Table> {
    match &input.scenario.capacity {
        Some(wanted) => vec![capacities(input, labels, family, wanted)],
        None => vec![
            response_times(input, labels, family),
            catching_up(input, labels, family),
        ],
    }
}

/// The live or mixed configurations of a family with what is known of their load.
fn with_load<'a>(
    input: &ReportInput<'a>,
    family: usize,
    wanted: fn(&Mode) -> bool,
) -> impl Iterator<Item = (&'a ConfigurationSummary, &'a LiveSummary)> + use<'a> {
    let input = *input;
    of_family(&input, family)
        .filter(move |c| mode(&input, c).is_some_and(wanted))
        .filter_map(|c| Some((c, c.live.as_ref()?)))
}

fn caption(input: &ReportInput, family: usize, what: &str) -> String {
    let mut letters = what.chars();
    let begin = letters
        .next()
        .map_or(String::new(), |first| first.to_uppercase().to_string());
    match family_title(input.scenario, family) {
        title if title.is_empty() => format!("{begin}{}", letters.as_str()),
        title => format!("{title}: {what}"),
    }
}

fn response_times(input: &ReportInput, labels: &Labels, family: usize) -> Table {
    let headers = [
        "configuration",
        "#offered",
        "load",
        "#p50",
        "#p99\u{a0}[95\u{a0}%]",
        "#p99.9",
        "#max",
        "verdict",
        "#trials",
    ];
    let live = with_load(input, family, |mode| matches!(mode, Mode::Live(_)));
    let rows = live.map(|(c, live)| {
        let mut row = vec![
            labels.short(c.configuration).to_owned(),
            or_unknown(c.point(FigureId::OfferedPerSecond), rate),
            load_cell(live),
        ];
        row.extend(response_cells(c, live));
        row.push(verdict_cell(input, c, live, Metric::ResponseP99));
        row.push(trials_cell(c, live));
        row
    });
    let what = caption(input, family, "response time of records as they arrive");
    Table::new(what, &headers, rows.collect())
}

/// Whether the load is held, with the smallest growth of the lag that would have shown.
fn load_cell(live: &LiveSummary) -> String {
    let Some(judgement) = &live.judgement else {
        return if live.overloaded { "overloaded" } else { UNKNOWN }.to_owned();
    };
    let verdict = judgement.verdict.as_str().replace('-', " ");
    format!("{verdict}\u{a0}(to\u{a0}{}\u{a0}%)", judgement.resolution_percent())
}

fn catching_up(input: &ReportInput, labels: &Labels, family: usize) -> Table {
    let headers = [
        "configuration",
        "#arriving",
        "#no lag after\u{a0}[95\u{a0}%]",
        "verdict",
        "#p99\u{a0}before",
        "#p50\u{a0}after",
        "#p99\u{a0}after",
        "#trials",
    ];
    let mixed = with_load(input, family, |mode| matches!(mode, Mode::Mixed(_)));
    let rows = mixed.map(|(c, live)| {
        let caught_up = c
            .estimate(FigureId::CatchUpSeconds)
            .filter(|_| obstacle(c, live).is_none());
        let mut row = vec![
            labels.short(c.configuration).to_owned(),
            or_unknown(c.point(FigureId::OfferedPerSecond), rate),
            caught_up.map_or_else(|| UNKNOWN.to_owned(), |e| time_estimate(&e, 1.0)),
            verdict_cell(input, c, live, Metric::CatchUp),
        ];
        let around = live.around_catch_up.as_ref().filter(|_| obstacle(c, live).is_none());
        let ms = |estimate: Option<Estimate>| or_unknown(estimate.map(|e| e.point), |ms| duration(ms / 1e3));
        row.push(ms(around.and_then(|around| around.before.p99_ms)));
        row.push(ms(around.and_then(|around| around.after.p50_ms)));
        row.push(ms(around.and_then(|around| around.after.p99_ms)));
        row.push(trials_cell(c, live));
        row
    });
    let what = caption(
        input,
        family,
        "catching up while more arrives, and response times before and after",
    );
    Table::new(what, &headers, rows.collect())
}

fn capacities(input: &ReportInput, labels: &Labels, family: usize, wanted: &Capacity) -> Table {
    let headers = [
        "configuration",
        "#holds",
        "#fails from",
        "confirmed",
        "#p99\u{a0}there",
        "load",
        "#search trials",
        "#longer trials",
    ];
    let searched = with_load(input, family, |mode| mode.load().is_some());
    let rows = searched.map(|(c, live)| {
        let per_second = |rate: Option<f64>| or_unknown(rate, |rate| format!("{} /s", whole(rate)));
        let found = live.capacity.as_ref();
        let there = found
            .filter(|found| found.confirmed)
            .and_then(|_| c.point(RESPONSE_P99));
        let tried = |kind| {
            let of = |t: &&Trial| (t.order.kind, t.order.configuration) == (kind, c.configuration);
            input.trials.iter().filter(of).count().to_string()
        };
        vec![
            labels.short(c.configuration).to_owned(),
            per_second(found.and_then(|found| found.per_second)),
            per_second(found.and_then(|found| found.high)),
            found.map_or(UNKNOWN, confirmed).to_owned(),
            or_unknown(there, |ms| duration(ms / 1e3)),
            load_cell(live),
            tried(TrialKind::Search),
            tried(TrialKind::Counted),
        ]
    });
    let percentile = (wanted.percentile * 1e9).round() / 1e7;
    let limit_ms = wanted.limit_ns as f64 / 1e6;
    let what = format!("records per second within p{percentile} {limit_ms} ms");
    Table::new(caption(input, family, &what), &headers, rows.collect())
}

fn confirmed(found: &CapacitySummary) -> &'static str {
    match (found.per_second, found.confirmed) {
        (None, _) if found.limited_by_load => "load not reached",
        (None, _) => "nothing held",
        (Some(_), _) if found.limited_by_load => "at least: the producers were the limit",
        (Some(_), true) => "yes",
        (Some(_), false) => "no",
    }
}

/// The parts of the latency of every configuration that has any.
pub(in crate::report) fn latencies(input: &ReportInput) -> Vec<Table> {
    let labels = Labels::new(input.scenario);
    let headers = [
        "configuration",
        "part",
        "#mean",
        "#p50",
        "#p90",
        "#p99",
        "#p99.9",
        "#max",
    ];
    per_family(input, |family| {
        let shown = with_load(input, family, |mode| mode.load().is_some());
        let rows = shown
            .filter(|(c, live)| obstacle(c, live).is_none())
            .flat_map(|(c, _)| {
                let name = labels.short(c.configuration).to_owned();
                let is_measured = |part: &LatencyPart| c.point(FigureId::Latency(*part, Statistic::Max)).is_some();
                LatencyPart::ALL.into_iter().filter(is_measured).map(move |part| {
                    let cells = Statistic::ALL.map(|statistic| {
                        figure_text(Unit::Milliseconds, c.figures.get(FigureId::Latency(part, statistic)))
                    });
                    [name.clone(), part.name().replace('_', " ")]
                        .into_iter()
                        .chain(cells)
                        .collect()
                })
            });
        Table::new(family_title(input.scenario, family), &headers, rows.collect())
    })
}

/// What is said in place of figures that would mean nothing.
fn obstacle(c: &ConfigurationSummary, live: &LiveSummary) -> Option<String> {
    if live.overloaded {
        let growth = c.point(FigureId::LagGrowth).unwrap_or(0.0);
        return Some(format!("overloaded: lag grows by {}", rate(growth)));
    }
    if live.trials_meaningful > 0 {
        return None;
    }
    Some(
        match (c.point(FigureId::SentPerSecond), c.point(FigureId::OfferedPerSecond)) {
            (Some(sent), Some(offered)) if !live.load_reached => {
                format!("load not reached: {} of {} /s", whole(sent), whole(offered))
            }
            (Some(_), _) => "unread records".to_owned(),
            (None, _) => UNKNOWN.to_owned(),
        },
    )
}

/// Median, p99 with its interval, p99.9 and maximum of the response time.
fn response_cells(c: &ConfigurationSummary, live: &LiveSummary) -> [String; 4] {
    let has_figures = obstacle(c, live).is_none();
    [Statistic::P50, Statistic::P99, Statistic::P999, Statistic::Max].map(|statistic| {
        let id = FigureId::Latency(LatencyPart::Response, statistic);
        let value = c.figures.get(id).filter(|_| has_figures);
        match value {
            Some(Value::Estimate(estimate)) if id == RESPONSE_P99 => time_estimate(&estimate, 1e-3),
            value => figure_text(Unit::Milliseconds, value),
        }
    })
}

/// A length of time with its interval in the same unit: `5.62 ms [5.10, 6.20]`. `unit_s` is that of the estimate.
fn time_estimate(estimate: &Estimate, unit_s: f64) -> String {
    let seconds = estimate.point * unit_s;
    let text = match duration(seconds) {
        // Minutes and seconds side by side leave an interval no unit.
        long if long.contains("min") || long.contains('h') => format!("{seconds:.0} s"),
        text => text,
    };
    let (Some((low, high)), Some((shown, unit))) = (estimate.interval, text.split_once(' ')) else {
        return text;
    };
    let decimals = shown.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let factor = match unit {
        "µs" => 1e6,
        "ms" => 1e3,
        _ => 1.0,
    };
    let number = |value: f64| format!("{:.decimals$}", value * unit_s * factor);
    format!("{text} [{}, {}]", number(low), number(high))
}

fn verdict_cell(input: &ReportInput, c: &ConfigurationSummary, live: &LiveSummary, metric: Metric) -> String {
    if let Some(obstacle) = obstacle(c, live) {
        return obstacle;
    }
    match comparison(input, c.configuration, metric) {
        Some(compared) if compared.ratio.is_none() => no_verdict(input, compared.baseline),
        Some(compared) => verdict(input, compared),
        None if is_baseline(input, c.configuration) => "baseline".to_owned(),
        None => UNKNOWN.to_owned(),
    }
}

/// Why there is nothing to compare with.
fn no_verdict(input: &ReportInput, baseline: usize) -> String {
    let baseline = input
        .summary
        .configurations
        .iter()
        .find(|c| c.configuration == baseline);
    match baseline.and_then(|c| Some((c, c.live.as_ref()?))) {
        Some((_, live)) if live.overloaded => "baseline overloaded".to_owned(),
        Some((c, live)) if obstacle(c, live).is_some() => "baseline has no figure".to_owned(),
        _ => "no figures to compare".to_owned(),
    }
}

/// Trials in the latencies of those planned, and what became of the others.
fn trials_cell(c: &ConfigurationSummary, live: &LiveSummary) -> String {
    format!("{} of {}{}", live.trials_meaningful, c.trials_planned, trials_suffix(c))
}

/// A rate to the record, where its digits are the answer.
fn whole(rate: f64) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is not negative and far below 2^64"
    )]
    let rounded = rate.round() as u64;
    if rate < 99.5 {
        significant(rate, 3)
    } else {
        thousands(rounded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_stands_in_the_unit_and_with_the_decimals_of_its_figure() {
        let shown = |point, low, high, unit_s| {
            let estimate = Estimate {
                point,
                interval: Some((low, high)),
                observations: 8,
            };
            time_estimate(&estimate, unit_s)
        };
        assert_eq!(shown(5.62, 5.1, 6.204, 1e-3), "5.62 ms [5.10, 6.20]");
        assert_eq!(shown(0.85, 0.8, 1.2, 1e-3), "850 µs [800, 1200]");
        assert_eq!(shown(12.34, 9.99, 14.0, 1.0), "12.3 s [10.0, 14.0]");
        assert_eq!(shown(125.0, 118.2, 131.0, 1.0), "125 s [118, 131]");
        let alone = Estimate {
            point: 41.2,
            interval: None,
            observations: 1,
        };
        assert_eq!(time_estimate(&alone, 1e-3), "41.2 ms");
    }
}
