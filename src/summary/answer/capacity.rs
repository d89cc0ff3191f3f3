//! The answer of a search for capacity: how many records per second each configuration holds within the objective.

use super::load::rate;
use super::numbers::SENTENCES_MAX;
use super::writer::Writer;
use crate::scenario::Capacity;
use crate::summary::live_model::CapacitySummary;
use crate::wording::capitalised;

impl Writer<'_> {
    /// A baseline and the configurations that belong to it, each with its capacity.
    pub(super) fn about_capacity(&self, baseline: usize, wanted: &Capacity) -> String {
        let belongs = |c: &usize| self.configuration(*c).baseline == Some(baseline);
        let others: Vec<usize> = (0..self.summaries.len()).filter(belongs).collect();
        let found = |c: usize| self.summaries[c].live.as_ref().and_then(|live| live.capacity);
        let clause_of = |c: usize, first: bool| {
            let name = self.label(c, &[]);
            found(c).map_or(format!("{name} has no answer"), |found| {
                clause(&name, &found, wanted, first)
            })
        };
        let mut parts = vec![clause_of(baseline, true)];
        if others.len() <= SENTENCES_MAX {
            parts.extend(others.iter().map(|&c| clause_of(c, false)));
        } else {
            let per_second = |c: &usize| found(*c).and_then(|found| found.per_second).unwrap_or(0.0);
            let best = others.iter().max_by(|a, b| per_second(a).total_cmp(&per_second(b)));
            let best = best.map(|&c| format!("{}, the most of the {} others", clause_of(c, false), others.len()));
            parts.extend(best);
        }
        format!("{}.", capitalised(&parts.join("; ")))
    }
}

/// `"one member" holds 940 records/s within p99 50 ms [940, 970]`; what the first has said the others need not.
fn clause(name: &str, found: &CapacitySummary, wanted: &Capacity, first: bool) -> String {
    let within = if first { objective(wanted) } else { String::new() };
    let Some(per_second) = found.per_second else {
        return match found.high {
            Some(high) if found.limited_by_load => format!(
                "{name} has no answer: it does not hold {} records/s{within}, and no lower load was reached",
                rate(high)
            ),
            Some(high) => format!(
                "{name} holds no rate that was tried{within}, down to {} records/s",
                rate(high)
            ),
            None if found.limited_by_load => format!("{name} has no answer, since no load was reached"),
            None => format!("{name} has no answer, since no trial decides it"),
        };
    };
    let confirmed = if found.confirmed {
        ""
    } else {
        " (not confirmed by a longer trial)"
    };
    let per_second = rate(per_second);
    match (found.low, found.high) {
        (Some(low), Some(high)) => {
            let (low, high) = (rate(low), rate(high));
            let (least, sent) = if found.limited_by_load {
                ("at least ", ", the most that the producers could send")
            } else {
                ("", "")
            };
            format!("{name} holds {least}{per_second} records/s{within} [{low}, {high}]{sent}{confirmed}")
        }
        _ if found.limited_by_load => format!(
            "{name} holds at least {per_second} records/s{within}, the most that the producers could send{confirmed}"
        ),
        _ => format!("{name} holds at least {per_second} records/s{within}, the highest rate tried{confirmed}"),
    }
}

/// ` within p99 50 ms`.
fn objective(wanted: &Capacity) -> String {
    let percentile = (wanted.percentile * 1e9).round() / 1e7;
    format!(" within p{percentile} {} ms", wanted.limit_ns as f64 / 1e6)
}
