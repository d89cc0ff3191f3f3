//! What planned acts cost, in sentences.

use super::facts::{Facts, fits};
use crate::summary::changes::{ActSummary, ChangesSummary, PartSummary, part_in_words};
use crate::summary::numbers::time;
use crate::wording::{capitalised, listed, plural, thousands};

/// A part of a gap is named from this share on.
const PART_MIN: f64 = 0.05;
/// Parts that a sentence names.
const PARTS_MAX: usize = 2;

impl Facts<'_> {
    /// What the worst planned act costs, in the configuration with the longest gap; the table has the others.
    pub(super) fn about_changes(&self) -> Vec<String> {
        let configurations = 0..self.names.scenario.configurations.len();
        let with_acts: Vec<usize> = configurations
            .filter(|index| self.names.summaries[*index].changes.is_some())
            .collect();
        let common = self.names.common(&with_acts);
        let sentence = |index: &usize| {
            let worst = self.names.summaries[*index].changes.as_ref()?.worst()?;
            let who = (with_acts.len() > 1).then(|| self.names.label(*index, &common));
            Some(cost(who.as_deref(), worst))
        };
        let gap_ms = |index: usize| {
            let worst = self.names.summaries[index]
                .changes
                .as_ref()
                .and_then(ChangesSummary::worst);
            worst.map_or(0.0, |act| act.gap_ms)
        };
        let longest = with_acts.iter().max_by(|a, b| gap_ms(**a).total_cmp(&gap_ms(**b)));
        let mut sentences: Vec<String> = longest.and_then(sentence).into_iter().collect();
        if with_acts.len() > 1 {
            let others = plural(with_acts.len() - 1, "other");
            sentences.push(format!("The table says the same of {others}."));
        }
        sentences
    }
}

/// The longest parts of the gap that an act costs, the longest first.
fn parts_in_words(act: &ActSummary) -> Vec<String> {
    let mut parts: Vec<PartSummary> = Vec::new();
    for part in &act.parts {
        match parts.iter_mut().find(|same| same.kind == part.kind) {
            Some(same) => same.ms += part.ms,
            None => parts.push(part.clone()),
        }
    }
    parts.retain(|part| part.ms >= PART_MIN * act.gap_ms);
    parts.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    let words = |part: &PartSummary| {
        let setting = part.setting.as_ref().map(|setting| {
            let value = setting.ms.map_or_else(String::new, |ms| format!(" = {}", time(ms)));
            format!(" ({}{value})", setting.name)
        });
        format!(
            "{} {}{}",
            time(part.ms),
            part_in_words(part.kind),
            setting.unwrap_or_default()
        )
    };
    parts.iter().take(PARTS_MAX).map(words).collect()
}

/// `When process 2 is killed, a partition is not read for 6.93 s [6.8, 7.1 s]: 5.9 s until it was noticed
/// (session.timeout.ms = 6 s), 1 s to divide the partitions anew.`
fn cost(who: Option<&str>, act: &ActSummary) -> String {
    let (lowest, highest) = (time(act.range_ms.0), time(act.range_ms.1));
    let range = if lowest == highest {
        String::new()
    } else {
        format!(" [{lowest}, {highest}]")
    };
    let subject = who.map_or_else(String::new, |who| format!("{who}: "));
    if act.gap_ms == 0.0 {
        return capitalised(&format!("{subject}when {}, every partition is read on.", act.what));
    }
    let parts = parts_in_words(act);
    let redelivered = match act.redelivered {
        0 => String::new(),
        records => format!("; {} records come again", thousands(records as f64)),
    };
    let error = act
        .resolution_ms
        .map_or_else(String::new, |resolution_ms| format!(" ± {}", time(resolution_ms)));
    let gap = format!("{}{error}", time(act.gap_ms));
    let sentence = |range: &str, named: usize, more: &str| {
        let named: Vec<&str> = parts.iter().take(named).map(String::as_str).collect();
        let why = if named.is_empty() {
            String::new()
        } else {
            format!(": {}", listed(&named))
        };
        let what = &act.what;
        capitalised(&format!(
            "{subject}when {what}, a partition is not read for {gap}{range}{why}{more}."
        ))
    };
    // What does not fit stands in the table.
    let shorter = [
        sentence(&range, PARTS_MAX, &redelivered),
        sentence(&range, PARTS_MAX, ""),
        sentence(&range, 1, ""),
        sentence("", 1, ""),
    ];
    let fitting = shorter.into_iter().find(|sentence| fits(sentence));
    fitting.unwrap_or_else(|| sentence("", 0, ""))
}
