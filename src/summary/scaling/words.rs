//! Scaling in sentences.

use super::model::{Along, Recommendation, ScalingPoint, ScalingSeries};
use super::step::{Step, Worth, each};
use crate::stats::Estimate;
use crate::wording::{capitalised, listed, plural, without_zeros};

/// A series of fewer counts has no sentence.
const COUNTS_MIN: usize = 3;

impl ScalingSeries {
    /// Whether the answer says how many are worth having.
    pub(crate) fn is_reported(&self) -> bool {
        self.points.len() >= COUNTS_MIN && self.recommendation.is_some()
    }

    /// Whether the answer says that it is open how many are worth having.
    pub(crate) fn stays_open(&self) -> bool {
        let is_open = |found: &Recommendation| !found.certain && !found.most_measured;
        self.is_reported() && self.recommendation.as_ref().is_some_and(is_open)
    }

    /// So many members as there are partitions: any more would find none.
    fn is_full(&self, point: &ScalingPoint) -> bool {
        self.along != Along::Threads && self.partitions == point.members
    }
}

/// How many are worth having: in detail of one series, in one sentence of several.
pub(crate) fn sentences(series: &[ScalingSeries], fits: fn(&str) -> bool) -> Vec<String> {
    let reported = || series.iter().filter(|one| one.is_reported());
    let found: Vec<(&ScalingSeries, &Recommendation)> = reported()
        .filter_map(|one| Some((one, one.recommendation.as_ref()?)))
        .collect();
    match found[..] {
        [] => return Vec::new(),
        [(one, found)] => {
            let lead = if one.name.is_empty() {
                String::new()
            } else {
                format!("With {}: ", one.name)
            };
            return vec![capitalised(&format!("{lead}{}.", found.text))];
        }
        _ => {}
    }
    let one_kind = found.iter().all(|(one, _)| one.along == found[0].0.along);
    let least = |one: &ScalingSeries, found: &Recommendation| if is_all(one, found) { "" } else { "at least " };
    let alike = |(one, recommended): &(&ScalingSeries, &Recommendation)| {
        let first = found[0];
        recommended.count == first.1.count && least(one, recommended) == least(first.0, first.1)
    };
    if one_kind && found.iter().all(alike) {
        let (one, recommended) = found[0];
        let number = number(recommended.count, one.along);
        return vec![format!(
            "Worth having: {}{number} in each of {} series.",
            least(one, recommended),
            found.len()
        )];
    }
    let part = |(place, (one, recommended)): (usize, &(&ScalingSeries, &Recommendation))| {
        let count = if place == 0 || !one_kind {
            number(recommended.count, one.along)
        } else {
            recommended.count.to_string()
        };
        format!("{}{count} with {}", least(one, recommended), one.name)
    };
    let parts: Vec<String> = found.iter().enumerate().map(part).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let sentence = format!("Worth having: {}.", listed(&parts));
    let more = found.iter().filter_map(|(_, found)| found.blocks_more).max();
    let more = more.map(|more| format!("About {} would say whether more pay.", plural(more, "more block")));
    if !fits(&sentence) {
        return std::iter::once(range(&found, one_kind)).chain(more).collect();
    }
    let is_full = |(one, found): &(&ScalingSeries, &Recommendation)| {
        let mut points = one.points.iter().filter(|point| point.count == found.count);
        points.all(|point| one.is_full(point))
    };
    let full = format!("{}; more would find no partition.", sentence.trim_end_matches('.'));
    let says_full = found.iter().all(is_full) && fits(&full);
    std::iter::once(if says_full { full } else { sentence })
        .chain(more)
        .collect()
}

/// True where it is known that no more are worth having.
fn is_all(series: &ScalingSeries, found: &Recommendation) -> bool {
    let mut points = series.points.iter().filter(|point| point.count == found.count);
    found.certain || points.any(|point| series.is_full(point))
}

/// Of more series than a sentence holds.
fn range(found: &[(&ScalingSeries, &Recommendation)], one_kind: bool) -> String {
    let counts = || found.iter().map(|(_, found)| found.count);
    let nouns = if one_kind {
        found[0].0.along.nouns()
    } else {
        "members or threads"
    };
    let (fewest, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
    let number = if fewest == most {
        most.to_string()
    } else {
        format!("from {fewest} to {most}")
    };
    let least = if found.iter().all(|(one, found)| is_all(one, found)) {
        ""
    } else {
        "at least "
    };
    format!(
        "Worth having: {least}{number} {nouns}, by {} series (under Scaling).",
        found.len()
    )
}

/// `3 consumers are enough: a fourth consumer adds 2 % [1, 2.9]`. How fast they read stands beside it.
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
    let open = ahead.iter().find(|step| step.worth == Worth::Open);
    match (ahead.first(), open) {
        (Some(next), None) => {
            format!("{number} enough: {}{}", adds(next, along), idle(series, next))
        }
        (Some(_), Some(open)) if here.count == series.points[0].count => {
            left_open(open, along, " worth having", threshold)
        }
        (Some(_), Some(open)) => {
            format!(
                "at least {number} worth having; {}",
                left_open(open, along, "", threshold)
            )
        }
        (None, _) => {
            let last = last.map_or(String::new(), |step| format!(": {}", adds(&step, along)));
            let end = if series.is_full(here) {
                "and more would find no partition"
            } else {
                "the most that were measured"
            };
            format!("{number} worth having, {end}{last}")
        }
    }
}

/// `whether a fourth consumer is stays open: it adds 2 % [-1, 5], 3 % would be worth it (about 4 more blocks)`.
fn left_open(step: &Step, along: Along, worth: &str, threshold: f64) -> String {
    let count = step.to.count;
    let one = count == step.from.count + 1;
    let whether = if one {
        format!("whether {} is", another(count, along))
    } else {
        format!("whether {} are", number(count, along))
    };
    let gain = match step.ratio.filter(|_| !one) {
        Some(ratio) => format!(
            "each one added brings {}",
            percent(each(ratio, count - step.from.count))
        ),
        None => gain(step, "it"),
    };
    let why = match step.ratio {
        Some(_) if step.barred => ", but trials failed, or lost or repeated records".to_owned(),
        Some(ratio) if step.doubted => format!(", but {} blocks are too few to be sure", ratio.observations),
        Some(_) => format!(", {} % would be worth it", figure(threshold)),
        None => String::new(),
    };
    let more = step
        .blocks_more
        .map(|more| format!(" (about {})", plural(more, "more block")));
    format!("{whether}{worth} stays open: {gain}{why}{}", more.unwrap_or_default())
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
