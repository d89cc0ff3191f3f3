//! How many counted blocks a run has: a number, or as many as it takes until something is decided.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Blocks at which a run ends that says until when it goes on, and not for how many blocks at most.
pub(crate) const AT_MOST: u32 = 40;

/// Counted blocks where nothing is compared, so that nothing can be decided.
pub(crate) const DESCRIBING: u32 = 10;

/// What [`Until`] takes, in words that follow "must be".
pub(crate) const ALLOWED_UNTIL: &str = "\"decided\", or a half-width from 0.1% to 50% such as \"1%\"";

/// No look is made before this block, however few comparisons there are.
pub(crate) const FIRST_LOOK_MIN: u32 = 6;

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
        /// True where each comparison stops by itself when this holds for it, and its configurations leave the blocks;
        /// false in runs stored before there was such a rule.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        leaving: bool,
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

    /// True where configurations leave the blocks whose comparisons have stopped.
    pub fn leaving(self) -> bool {
        matches!(self, Repetitions::Until { leaving: true, .. })
    }

    /// Until this holds, for so many blocks at most.
    pub(crate) const fn until_holds(until: Until, at_most: u32) -> Self {
        Repetitions::Until {
            until,
            at_most,
            leaving: true,
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
            Some((integer, fraction)) => digits(integer, 2) && digits(fraction, 6),
        };
        let number = text.strip_suffix('%').filter(plain);
        let percent = number.and_then(|number| number.parse::<f64>().ok());
        percent
            .filter(|percent| (0.1..=50.0).contains(percent))
            .map(|percent| Until::HalfWidth(percent / 100.0))
            .ok_or_else(|| ALLOWED_UNTIL.to_owned())
    }
}
