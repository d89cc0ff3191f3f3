//! Times.

use serde_json::{Value, json};

use super::kind::{Kind, Refusal};
use crate::scenario::document::{Node, number};
use toml::de::DeValue;

const MS: i64 = 1_000_000;
const WEEK: i64 = 7 * 24 * 3_600 * 1_000 * MS;

/// Length of the window of a live trial.
pub(crate) type Duration = Time<{ 100 * MS }, WEEK>;
/// Length of what goes before it.
pub(crate) type Warmup = Time<0, WEEK>;
pub(super) type BurstEvery = Time<MS, WEEK>;
pub(super) type BurstFor = Time<1, WEEK>;

/// A unit of time with its nanoseconds.
type Unit = (&'static str, u64);

/// Units of times of trials, the largest first.
const UNITS: [Unit; 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Units of work: seconds and shorter ones.
pub(super) fn units_of_work() -> &'static [Unit] {
    &UNITS[3..]
}

/// A whole number of one of the units, in nanoseconds.
pub(super) fn time_in(text: &str, units: &[Unit]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let ns = units.iter().find(|(name, _)| *name == unit)?.1;
    let plain = (1..=15).contains(&digits) && (!count.starts_with('0') || digits == 1);
    count.parse::<u64>().ok().filter(|_| plain)?.checked_mul(ns)
}

/// A time in the largest of the units in which it is a whole number.
pub(super) fn whole_text(ns: u64, units: &[Unit]) -> String {
    let unit = units.iter().find(|(_, unit)| ns.is_multiple_of(*unit));
    unit.map_or_else(String::new, |(name, unit)| format!("{}{name}", ns / unit))
}

/// A time as it stands in names: in the largest unit in which it is a whole number.
pub(crate) fn time_text(ns: u64) -> String {
    if ns == 0 {
        return "0s".to_owned();
    }
    whole_text(ns, &UNITS)
}

/// A time in nanoseconds, in a range.
pub(crate) enum Time<const MIN: i64, const MAX: i64> {}

impl<const MIN: i64, const MAX: i64> Kind for Time<MIN, MAX> {
    type Value = u64;

    fn allowed() -> String {
        let (min, max) = (time_text(MIN.unsigned_abs()), time_text(MAX.unsigned_abs()));
        format!(
            "a time from {min} to {max}: a number of seconds, or a whole number of ns, us, ms, s, min, h or d in quotes, \
             such as \"10s\""
        )
    }

    fn read(node: &Node<'_>) -> Result<u64, Refusal> {
        let ns = match node.get_ref() {
            DeValue::String(text) => time_in(text, &UNITS),
            _ => number(node).and_then(seconds),
        };
        let range = MIN.unsigned_abs()..=MAX.unsigned_abs();
        ns.filter(|ns| range.contains(ns)).ok_or_else(Refusal::of::<Self>)
    }

    fn text(value: &u64) -> String {
        time_text(*value)
    }

    fn schema() -> Value {
        json!({ "anyOf": [
            { "type": "number", "minimum": MIN as f64 / 1e9, "maximum": MAX as f64 / 1e9 },
            { "type": "string", "pattern": "^(0|[1-9][0-9]{0,14})(ns|us|ms|s|min|h|d)$" }
        ] })
    }
}

/// A time in whole milliseconds, at most so many: what Kafka has many settings in.
pub(crate) enum Milliseconds<const MAX: u64> {}

impl<const MAX: u64> Kind for Milliseconds<MAX> {
    type Value = u64;

    fn allowed() -> String {
        format!(
            "a time from 1ms to {}: a number of seconds, or a whole number of ms, s, min or h in \
             quotes, such as \"6s\"",
            time_text(MAX * 1_000_000)
        )
    }

    fn read(node: &Node<'_>) -> Result<u64, Refusal> {
        let ns = Time::<1, WEEK>::read(node)
            .ok()
            .filter(|ns| ns.is_multiple_of(1_000_000));
        let ms = ns.map(|ns| ns / 1_000_000).filter(|ms| (1..=MAX).contains(ms));
        ms.ok_or_else(Refusal::of::<Self>)
    }

    fn text(value: &u64) -> String {
        time_text(value * 1_000_000)
    }

    fn schema() -> Value {
        json!({ "anyOf": [
            { "type": "number", "minimum": 0.001, "maximum": MAX as f64 / 1e3 },
            { "type": "string", "pattern": "^[1-9][0-9]{0,14}(ns|us|ms|s|min|h)$" }
        ] })
    }
}

/// Seconds in nanoseconds; `None` for what no time can be.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to below 2^63, as is checked"
)]
fn seconds(seconds: f64) -> Option<u64> {
    let ns = (seconds * 1e9).round();
    (0.0..9.2e18).contains(&ns).then_some(ns as u64)
}
