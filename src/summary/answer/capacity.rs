//! The answer of a search for capacity: how many records per second each configuration holds within the objective.

use super::facts::{Facts, at_most_three, distinct, fits};
use super::names::Common;
use crate::scenario::{Capacity, ResponseLimit};
use crate::summary::live_model::CapacitySummary;
use crate::summary::numbers::{rate, times};
use crate::wording::capitalised;

/// A configuration by its name, with what the search found.
type Found = (String, CapacitySummary);

impl Facts<'_> {
    /// A sentence for each baseline and what belongs to it, and what bounds the answers.
    pub(super) fn about_capacity(&self, wanted: &Capacity) -> Vec<String> {
        let configurations = 0..self.names.summaries.len();
        let is_searched = |c: &usize| self.names.configuration(*c).mode.load().is_some();
        let searched: Vec<usize> = configurations.filter(is_searched).collect();
        let is_baseline = |c: &&usize| self.names.configuration(**c).baseline.is_none();
        let groups = searched.iter().filter(is_baseline).map(|&baseline| {
            let belongs = |c: &&usize| **c == baseline || self.names.configuration(**c).baseline == Some(baseline);
            let group: Vec<usize> = searched.iter().filter(belongs).copied().collect();
            let common = if group.len() > 1 {
                self.names.common(&group)
            } else {
                Common::default()
            };
            let found = |c: usize| {
                Some((
                    self.names.label(c, &common),
                    self.names.summaries[c].live.as_ref()?.capacity?,
                ))
            };
            let all: Vec<Found> = group.iter().filter_map(|&c| found(c)).collect();
            (self.names.context(&group, &common), all)
        });
        let groups: Vec<(String, Vec<Found>)> = groups.collect();
        let conclusions = groups
            .iter()
            .filter_map(|(context, all)| conclusion(context, all, wanted));
        let mut sentences: Vec<String> = conclusions.collect();
        let all: Vec<&Found> = groups.iter().flat_map(|(_, all)| all).collect();
        let bounds = [
            (
                sent_at_most as fn(&CapacitySummary) -> bool,
                "The producers could send no more, so this is a lower bound",
            ),
            (is_highest, "This is the highest rate tried, so a lower bound"),
            (is_unconfirmed, "Not confirmed by a longer trial"),
        ];
        sentences.extend(bounds.iter().filter_map(|(holds, what)| {
            let names = distinct(
                all.iter()
                    .filter(|(_, found)| holds(found))
                    .map(|(name, _)| name.clone()),
            );
            (!names.is_empty()).then(|| format!("{what}: {}.", at_most_three(&names)))
        }));
        sentences.extend(without_answer(&all));
        if wanted.is_quick && !sentences.is_empty() {
            sentences.push(format!(
                "A quick look, to {} %: no rate was tried a second time.",
                (wanted.precision * 100.0).round()
            ));
        }
        if sentences.is_empty() {
            sentences.push("No answer: no trial can be used.".to_owned());
        }
        sentences
    }
}

fn sent_at_most(found: &CapacitySummary) -> bool {
    found.per_second.is_some() && found.limited_by_load
}

fn is_highest(found: &CapacitySummary) -> bool {
    found.per_second.is_some() && found.high.is_none() && !found.limited_by_load
}

fn is_unconfirmed(found: &CapacitySummary) -> bool {
    found.per_second.is_some() && !found.confirmed
}

/// `"one" holds 875 records/s within p99 50 ms, "two" 1,875 (2.14 times as many)`, or of many the first and the most.
fn conclusion(context: &str, all: &[Found], wanted: &Capacity) -> Option<String> {
    let held: Vec<(&String, f64)> = all
        .iter()
        .filter_map(|(name, found)| Some((name, found.per_second?)))
        .collect();
    let (first, others) = held.split_first()?;
    let context = if context.is_empty() {
        String::new()
    } else {
        format!("{context} ")
    };
    let (name, per_second) = (first.0, rate(first.1));
    let lead = match wanted.limit {
        Some(ResponseLimit { percentile, limit_ns }) => {
            let (percentile, limit_ms) = ((percentile * 1e9).round() / 1e7, limit_ns as f64 / 1e6);
            format!("{context}{name} holds {per_second} records/s within p{percentile} {limit_ms} ms")
        }
        None => format!("{context}{name} keeps up with {per_second} records/s"),
    };
    let clause = |(name, per_second): &(&String, f64)| {
        let ratio = per_second / first.1;
        let compared = if (ratio - 1.0).abs() < 0.005 {
            "as many".to_owned()
        } else if ratio > 1.0 {
            format!("{} as many", times(ratio))
        } else {
            format!("{} fewer", times(ratio.recip()))
        };
        format!(", {name} {} ({compared})", rate(*per_second))
    };
    let text = format!("{lead}{}.", others.iter().map(clause).collect::<String>());
    if fits(&text) {
        return Some(capitalised(&text));
    }
    let most = others.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(capitalised(&format!(
        "{lead}{}, the most of {}.",
        clause(most),
        held.len()
    )))
}

/// Configurations of which nothing is known but that they do not hold some rate, or not even that.
fn without_answer(all: &[&Found]) -> Vec<String> {
    let without = || all.iter().filter(|(_, found)| found.per_second.is_none());
    let none_held = without()
        .filter(|(_, found)| !found.limited_by_load)
        .filter_map(|(name, found)| {
            let high = rate(found.high?);
            Some(format!(
                "{name} holds no rate that was tried, down to {high} records/s."
            ))
        });
    let no_answer = |why: &str, wanted: fn(&CapacitySummary) -> bool| {
        let names: Vec<String> = without()
            .filter(|(_, found)| wanted(found))
            .map(|(name, _)| name.clone())
            .collect();
        (!names.is_empty()).then(|| format!("No answer for {}: {why}.", at_most_three(&names)))
    };
    let unreached = no_answer("the producers did not reach a rate that might be held", |found| {
        found.limited_by_load
    });
    let undecided = no_answer("no trial decides it", |found| {
        !found.limited_by_load && found.high.is_none()
    });
    none_held.chain(unreached).chain(undecided).collect()
}
