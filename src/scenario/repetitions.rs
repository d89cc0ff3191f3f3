//! How many counted blocks a run has: a number, or as many as it takes until something is decided.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::document::{Entry, entries};
use super::draft::Draft;
use super::error::{Problem, Problems, did_you_mean_value};
use super::families::{blocks_needed, comparisons};
use super::model::Configuration;
use super::values::{FileValue, Node, Refusal, Whole, describes_itself};

/// Blocks of a run whose number is fixed beforehand.
type Blocks = Whole<1, 10_000>;

/// Blocks at which a run goes on no longer; fewer than the first number would have no look at all.
type AtMost = Whole<FIRST_LOOK_MIN, 1_000>;

/// No look is made before this block, however few comparisons there are.
const FIRST_LOOK_MIN: i64 = 6;

/// Where the scenario does not say it.
const AT_MOST: u32 = 40;

const KEYS: [&str; 2] = ["until", "at_most"];

/// Counted blocks of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Repetitions {
    /// So many.
    Fixed(u32),
    /// Block by block until something holds.
    Until {
        /// What it goes on for.
        until: Until,
        /// Blocks after which it ends all the same.
        at_most: u32,
    },
}

/// What a run goes on for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// Every comparison of the scenario's own question is faster, slower or same.
    Decided,
    /// Half of every such comparison's interval, on the log scale, is at most that of a ratio of 1 + this share.
    HalfWidth(f64),
}

impl fmt::Display for Repetitions {
    /// `10`, or `until decided, at most 40`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.until() {
            Some(until) => write!(f, "until {until}, at most {}", self.at_most()),
            None => write!(f, "{}", self.at_most()),
        }
    }
}

impl Repetitions {
    /// The blocks that there can be, those for split ones not counted.
    pub fn at_most(self) -> u32 {
        match self {
            Repetitions::Fixed(blocks) => blocks,
            Repetitions::Until { at_most, .. } => at_most,
        }
    }

    /// What the run goes on for, where its number of blocks is not fixed.
    pub fn until(self) -> Option<Until> {
        match self {
            Repetitions::Fixed(_) => None,
            Repetitions::Until { until, .. } => Some(until),
        }
    }

    /// Until this holds, for so many blocks at most or the usual number.
    pub(super) fn until_holds(until: Until, at_most: Option<u32>) -> Self {
        Repetitions::Until {
            until,
            at_most: at_most.unwrap_or(AT_MOST),
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Until::Decided => f.write_str("every comparison is decided"),
            Until::HalfWidth(share) => {
                let percent = (share * 1e5).round() / 1e3;
                write!(f, "every interval is within {percent} % of its middle")
            }
        }
    }
}

impl std::str::FromStr for Until {
    type Err = String;

    /// `decided`, or a percentage such as `1%`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "decided" {
            return Ok(Until::Decided);
        }
        let digits = |part: &str, most| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let plain = |number: &&str| match number.split_once('.') {
            None => digits(number, 2),
            Some((whole, fraction)) => digits(whole, 2) && digits(fraction, 6),
        };
        let number = text.strip_suffix('%').filter(plain);
        let percent = number.and_then(|number| number.parse::<f64>().ok());
        percent
            .filter(|percent| (0.1..=50.0).contains(percent))
            .map(|percent| Until::HalfWidth(percent / 100.0))
            .ok_or_else(|| ALLOWED_UNTIL.to_owned())
    }
}

const ALLOWED_UNTIL: &str = "\"decided\", or a half-width from 0.1% to 50% such as \"1%\"";

/// The value of `repetitions` in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RepetitionsValue(pub(super) Repetitions);

impl FileValue for RepetitionsValue {
    fn allowed() -> String {
        format!(
            "{}, or {{ until = \"decided\", at_most = {AT_MOST} }}",
            Blocks::allowed()
        )
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let Some(table) = node.get_ref().as_table() else {
            let blocks = Blocks::read(node).map_err(|refusal| Refusal {
                allowed: Self::allowed(),
                ..refusal
            })?;
            return Ok(RepetitionsValue(Repetitions::Fixed(blocks.small())));
        };
        let (mut until, mut at_most) = (None, AT_MOST);
        for entry in entries(table) {
            match entry.key {
                "until" => until = Some(read_until(&entry)?),
                "at_most" => at_most = at(&entry, AtMost::read(entry.value))?.small(),
                unknown => {
                    return Err(Refusal {
                        span: Some(entry.key_span),
                        allowed: "a table of `until` and `at_most`".to_owned(),
                        help: did_you_mean_value(unknown, KEYS),
                    });
                }
            }
        }
        let none = || Refusal::new(format!("a table with `until`: {ALLOWED_UNTIL}"));
        let until = until.ok_or_else(none)?;
        Ok(RepetitionsValue(Repetitions::Until { until, at_most }))
    }
}

fn read_until(entry: &Entry<'_>) -> Result<Until, Refusal> {
    let text = entry.value.get_ref().as_str();
    let help = || text.and_then(|text| did_you_mean_value(text, ["decided"]));
    let read = text.and_then(|text| text.parse().ok());
    at(entry, read.ok_or_else(|| Refusal::new(ALLOWED_UNTIL).help(help())))
}

/// A refusal of a part of the table, at its own place and with its own name.
fn at<T>(entry: &Entry<'_>, read: Result<T, Refusal>) -> Result<T, Refusal> {
    read.map_err(|refusal| Refusal {
        span: refusal.span.or_else(|| Some(entry.value.span())),
        allowed: format!("a table whose `{}` is {}", entry.key, refusal.allowed),
        ..refusal
    })
}

describes_itself!(RepetitionsValue, "repetitions", |generator| {
    let blocks = generator.subschema_for::<Blocks>();
    let at_most = generator.subschema_for::<AtMost>();
    json_schema!({ "anyOf": [blocks, {
        "type": "object",
        "properties": {
            "until": { "type": "string", "pattern": "^(decided|[0-9]{1,2}(\\.[0-9]{1,6})?%)$" },
            "at_most": at_most,
        },
        "required": ["until"],
        "additionalProperties": false,
    }] })
});

/// Checks that a run which goes on until something holds has something to look at, and a block at which to look.
pub(super) fn check(draft: &Draft, configurations: &[Configuration], problems: &mut Problems) {
    if let Some((message, allowed)) = obstacle(draft.repetitions, draft.capacity.is_some(), configurations) {
        problems.add(Problem::new(draft.repetitions_span.clone(), message, allowed));
    }
}

/// What keeps a run from going on until something holds, and what is allowed.
pub(super) fn obstacle(
    repetitions: Repetitions,
    is_search: bool,
    configurations: &[Configuration],
) -> Option<(String, String)> {
    let Repetitions::Until { at_most, .. } = repetitions else {
        return None;
    };
    let comparisons = comparisons(configurations);
    let first = first_look(comparisons);
    if is_search {
        let message = "a search for capacity does not go on until something is decided";
        let allowed = "must be left out: the search decides how many trials there are";
        return Some((message.to_owned(), allowed.to_owned()));
    }
    if comparisons == 0 {
        let message = "nothing is compared, so nothing can be decided";
        let allowed = "must be a number of blocks, or the scenario needs two configurations to compare";
        return Some((message.to_owned(), allowed.to_owned()));
    }
    let message = format!("`at_most` cannot be {at_most} with {comparisons} comparisons");
    let allowed = format!("must be at least {first}: before that there is nothing to look at");
    (at_most < first).then_some((message, allowed))
}

/// The block before which no look of such a run can decide so many comparisons.
fn first_look(comparisons: u32) -> u32 {
    blocks_needed(comparisons).max(FIRST_LOOK_MIN.unsigned_abs().try_into().unwrap_or(u32::MAX))
}
