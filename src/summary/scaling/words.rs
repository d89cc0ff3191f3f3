//! Scaling in sentences.

use super::model::{Along, ScalingPoint, ScalingSeries};
use super::step::{Step, Worth, each};
use crate::stats::Estimate;
use crate::wording::{capitalised, plural, without_zeros};

/// A series of fewer counts has no sentence.
const COUNTS_MIN: usize = 3;

/// More series than this share one sentence.
const SENTENCES_MAX: usize = 4;

/// Whether the answer has a sentence about each series that it reports, instead of one about all of them.
pub fn has_sentence_each(series: &[ScalingSeries]) -> bool {
    series.iter().filter(|one| is_reported(one)).count() <= SENTENCES_MAX
}

fn is_reported(series: &ScalingSeries) -> bool {
    series.points.len() >= COUNTS_MIN
}

/// A sentence for the answer about each series, or one about all of many.
pub(crate) fn sentences(series: &[ScalingSeries]) -> Vec<String> {
    let reported: Vec<&ScalingSeries> = series.iter().filter(|one| is_reported(one)).collect();
    if !has_sentence_each(series) {
        let counts = || {
            reported
                .iter()
                .filter_map(|one| Some(one.recommendation.as_ref()?.count))
        };
        let nouns = reported[0].along.nouns();
        let nouns = if reported.iter().all(|one| one.along == reported[0].along) {
            nouns
        } else {
            "members or threads"
        };
        let (Some(fewest), Some(most)) = (counts().min(), counts().max()) else {
            return Vec::new();
        };
        let series = reported.len();
        let found = if fewest == most {
            most.to_string()
        } else {
            format!("from {fewest} to {most}")
        };
        return vec![format!(
            "How many {nouns} are worth having is reported for each of {series} series under Scaling: {found}."
        )];
    }
    let sentence = |one: &&ScalingSeries| {
        let text = &one.recommendation.as_ref()?.text;
        let lead = if one.name.is_empty() {
            String::new()
        } else {
            format!("With {}: ", one.name)
        };
        Some(format!("{}.", capitalised(&format!("{lead}{text}"))))
    };
    reported.iter().filter_map(sentence).collect()
}

/// `3 consumers are enough: they read 2.91 times as fast as 1 [2.88, 2.94], and a fourth adds 2 % [1, 2.9]`.
pub(super) fn recommendation(
    series: &ScalingSeries,
    here: &ScalingPoint,
    ahead: &[Step],
    last: Option<Step>,
    threshold: f64,
) -> String {
    let along = series.along;
    let are = if here.count == 1 { "is" } else { "are" };
    let number = format!("{}{} {are}", number(here.count, along), skipped(series, last));
    let speed = speed(series, here);
    let open = ahead.iter().find(|step| step.worth == Worth::Open);
    match (ahead.first(), open) {
        (Some(next), None) => {
            let (idle, and) = (idle(series, next), if speed.is_empty() { "" } else { ", and " });
            format!("{number} enough: {speed}{and}{}{idle}", adds(next, along))
        }
        (Some(_), Some(open)) => {
            let least = if here.count == series.points[0].count {
                String::new()
            } else {
                format!("at least {number} worth having: {speed}; ")
            };
            let worth = if least.is_empty() { " worth having" } else { "" };
            format!("{least}{}", left_open(open, along, worth, threshold))
        }
        (None, _) => {
            let last = last.map_or(String::new(), |step| format!("; {}", adds(&step, along)));
            let full = if along != Along::Threads && series.partitions == here.members {
                "; any more would find no partition"
            } else {
                ""
            };
            format!("{number} worth having, the most that were measured: {speed}{last}{full}")
        }
    }
}

/// `whether a fourth consumer is stays open: it adds 2 % [-1, 5], and 3 % would be worth it`.
fn left_open(step: &Step, along: Along, worth: &str, threshold: f64) -> String {
    let count = step.to.count;
    let one = count == step.from.count + 1;
    let whether = if one {
        format!("whether {} is", another(count, along))
    } else {
        format!("whether {} are", number(count, along))
    };
    let gain = gain(step, "it");
    let why = match step.ratio {
        Some(_) if step.barred => ", but trials failed, or lost or repeated records".to_owned(),
        Some(ratio) if step.doubted => format!(", but {} blocks are too few to be sure", ratio.observations),
        Some(_) => format!(", and {} % would be worth it", figure(threshold)),
        None => String::new(),
    };
    format!("{whether}{worth} stays open: {gain}{why}")
}

/// `they read 2.91 times as fast as 1 [2.88, 2.94]`; nothing for the smallest count.
fn speed(series: &ScalingSeries, here: &ScalingPoint) -> String {
    let first = &series.points[0];
    match here.speed_up.filter(|_| here.count != first.count) {
        Some(speed_up) => {
            let interval = speed_up
                .interval
                .map_or(String::new(), |(low, high)| format!(" [{low:.2}, {high:.2}]"));
            format!(
                "they read {:.2} times as fast as {}{interval}",
                speed_up.point, first.count
            )
        }
        None => String::new(),
    }
}

/// What a step adds, with its noun where one is added.
fn adds(step: &Step, along: Along) -> String {
    gain(step, &another(step.to.count, along))
}

/// `a fourth adds 2 % [-1, 5]`, or for several `6 read 4 % more than 3 [1, 7], 1.3 % for each one added`.
fn gain(step: &Step, one_more: &str) -> String {
    let added = step.to.count - step.from.count;
    let Some(ratio) = step.ratio else {
        return format!(
            "no complete block has a trial of both {} and {}",
            step.from.count, step.to.count
        );
    };
    // A step that is surely slower takes something away.
    let less = ratio.interval.is_some_and(|(_, high)| high < 1.0);
    match (added, less) {
        (1, false) => format!("{one_more} adds {}", percent(ratio)),
        (1, true) => format!("{one_more} takes away {}", percent(ratio.map(|ratio| 2.0 - ratio))),
        (_, true) => format!(
            "{} read {} less than {}",
            step.to.count,
            percent(ratio.map(|ratio| 2.0 - ratio)),
            step.from.count
        ),
        (_, false) => format!(
            "{} read {} more than {}, {} for each one added",
            step.to.count,
            percent(ratio),
            step.from.count,
            percent(each(ratio, added))
        ),
    }
}

/// Where members of the next count find no partition.
fn idle(series: &ScalingSeries, next: &Step) -> String {
    let partitions = series.partitions;
    if next.to.idle_members == 0 {
        return String::new();
    }
    format!(", since there are no more than {}", plural(partitions, "partition"))
}

/// The counts that the last step went past.
fn skipped(series: &ScalingSeries, last: Option<Step>) -> String {
    let Some(last) = last else { return String::new() };
    let between = series
        .points
        .iter()
        .filter(|p| p.count > last.from.count && p.count < last.to.count);
    let counts: Vec<String> = between.map(|point| point.count.to_string()).collect();
    if counts.is_empty() {
        return String::new();
    }
    format!(
        " (but not {}, which add too little to {})",
        counts.join(" or "),
        last.from.count
    )
}

/// `3 consumers`.
fn number(count: u32, along: Along) -> String {
    let noun = if count == 1 { along.noun() } else { along.nouns() };
    format!("{count} {noun}")
}

/// `a fourth consumer`.
fn another(count: u32, along: Along) -> String {
    const WORDS: [&str; 9] = [
        "a second",
        "a third",
        "a fourth",
        "a fifth",
        "a sixth",
        "a seventh",
        "an eighth",
        "a ninth",
        "a tenth",
    ];
    let word = usize::try_from(count)
        .ok()
        .and_then(|count| WORDS.get(count.checked_sub(2)?));
    let ordinal = word.map_or_else(|| numbered(count), |word| (*word).to_owned());
    format!("{ordinal} {}", along.noun())
}

/// `a 12th`, `an 18th`, `a 23rd`.
fn numbered(count: u32) -> String {
    let suffix = match (count % 100, count % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    let vowel = matches!(count, 11 | 18 | 80..=89);
    format!("{} {count}{suffix}", if vowel { "an" } else { "a" })
}

/// A gain from a ratio: `2 % [-1, 5]`.
fn percent(ratio: Estimate) -> String {
    let interval = ratio.interval.map_or(String::new(), |(low, high)| {
        format!(" [{}, {}]", figure(low - 1.0), figure(high - 1.0))
    });
    format!("{} %{interval}", figure(ratio.point - 1.0))
}

/// A share in percent: with a decimal below ten.
fn figure(share: f64) -> String {
    let percent = share * 100.0;
    let text = if percent.abs() < 9.95 {
        format!("{percent:.1}")
    } else {
        format!("{percent:.0}")
    };
    let text = without_zeros(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
