//! The kinds of value that say how records arrive: modes, rates, times and profiles.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::{DeTable, DeValue};

use super::document::entries;
use super::error::{Grouped, did_you_mean_value};
use super::kinds::{TimeUnit, name_of, time_in};
use super::live::{Load, Shape};
use super::model::PropertyValue;
use super::values::{Choice, FileValue, Node, Refusal, describes_itself, number};
use crate::load::Arrivals;

/// Producer processes of a trial.
pub(super) const PRODUCERS_MAX: i64 = 64;
/// Records per second.
pub(super) const RATE_MAX: i64 = 1_000_000_000;
/// Multiples of the rate in a profile.
const FACTOR_MAX: f64 = 1_000.0;
const STEPS_MAX: usize = 1_000;

const MS: i64 = 1_000_000;
const WEEK: i64 = 7 * 24 * 3_600 * 1_000 * MS;

/// Length of the window of a live trial.
pub(super) type Duration = Time<{ 100 * MS }, WEEK>;
/// Length of what goes before it.
pub(super) type Warmup = Time<0, WEEK>;
type BurstEvery = Time<MS, WEEK>;
type BurstFor = Time<1, WEEK>;

/// Units of times of trials, the largest first.
const UNITS: [TimeUnit; 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// What the trials of a configuration do, without the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ModeName {
    #[default]
    Backlog,
    Live,
    Mixed,
}

impl Choice for ModeName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("backlog", ModeName::Backlog),
        ("live", ModeName::Live),
        ("mixed", ModeName::Mixed),
    ];
}

impl Choice for Arrivals {
    const ALL: &'static [(&'static str, Self)] = &[("constant", Arrivals::Constant), ("poisson", Arrivals::Poisson)];
}

/// How far readers may fall behind in a search for capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lag {
    /// Not further and further.
    Bounded,
}

impl Choice for Lag {
    const ALL: &'static [(&'static str, Self)] = &[("bounded", Lag::Bounded)];
}

/// A number above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Positive<const MAX: i64>(f64);

impl<const MAX: i64> Positive<MAX> {
    pub(super) fn get(self) -> f64 {
        self.0
    }
}

impl<const MAX: i64> FileValue for Positive<MAX> {
    fn allowed() -> String {
        format!("a number above 0 and at most {}", Grouped(MAX.unsigned_abs().into()))
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let value = number(node).filter(|value| *value > 0.0 && *value <= MAX as f64);
        value.map(Positive).ok_or_else(|| Refusal::new(Self::allowed()))
    }
}

describes_itself!(Positive<MAX>, "positive", |_| {
    json_schema!({ "type": "number", "exclusiveMinimum": 0, "maximum": MAX })
}, const MAX);

/// A number above 0 as it stands in names: to the thousandth, or all its digits where it is below 1.
pub(super) fn number_text(value: f64) -> String {
    if value < 1.0 {
        return value.to_string();
    }
    ((value * 1e3).round() / 1e3).to_string()
}

/// A time in a range given in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time<const MIN: i64, const MAX: i64>(u64);

impl<const MIN: i64, const MAX: i64> Time<MIN, MAX> {
    pub(super) fn ns(self) -> u64 {
        self.0
    }
}

impl<const MIN: i64, const MAX: i64> FileValue for Time<MIN, MAX> {
    fn allowed() -> String {
        let (min, max) = (time_text(MIN.unsigned_abs()), time_text(MAX.unsigned_abs()));
        format!(
            "a time from {min} to {max}: a number of seconds, or a whole number of ns, us, ms, s, min, h or d in quotes, \
             such as \"10s\""
        )
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let ns = match node.get_ref() {
            DeValue::String(text) => time_in(text, &UNITS),
            _ => number(node).and_then(seconds),
        };
        let range = MIN.unsigned_abs()..=MAX.unsigned_abs();
        let ns = ns.filter(|ns| range.contains(ns));
        ns.map(Time).ok_or_else(|| Refusal::new(Self::allowed()))
    }
}

describes_itself!(Time<MIN, MAX>, "time", |_| {
    json_schema!({ "anyOf": [
        { "type": "number", "minimum": MIN as f64 / 1e9, "maximum": MAX as f64 / 1e9 },
        { "type": "string", "pattern": "^(0|[1-9][0-9]{0,14})(ns|us|ms|s|min|h|d)$" }
    ] })
}, const MIN, const MAX);

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

/// A time as it stands in names: in the largest unit in which it is a whole number.
pub(super) fn time_text(ns: u64) -> String {
    if ns == 0 {
        return "0s".to_owned();
    }
    let unit = UNITS.iter().find(|(_, unit)| ns.is_multiple_of(*unit));
    unit.map_or_else(String::new, |(name, unit)| format!("{}{name}", ns / unit))
}

/// The rate over time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ProfileValue(pub(super) Shape);

impl FileValue for ProfileValue {
    fn allowed() -> String {
        "\"constant\", { steps = [1, 2, 4] }, { ramp = [0.1, 2] } or { burst = 5, every = \"10s\", for = \"1s\" }: \
         multiples of the rate from 0 to 1,000, not all 0"
            .to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let refusal = |help| Refusal::new(Self::allowed()).help(help);
        let shape = match node.get_ref() {
            DeValue::String(text) if text == "constant" => Some(Shape::Constant),
            DeValue::String(text) => return Err(refusal(did_you_mean_value(text, ["constant"]))),
            DeValue::Table(table) => shape(table),
            _ => None,
        };
        shape.map(ProfileValue).ok_or_else(|| refusal(None))
    }
}

/// The profile that a table describes.
fn shape(table: &DeTable<'_>) -> Option<Shape> {
    let names: Vec<&str> = entries(table).iter().map(|entry| entry.key).collect();
    let has = |wanted: &[&str]| names.len() == wanted.len() && wanted.iter().all(|name| names.contains(name));
    if has(&["steps"]) {
        let steps = factors(table.get("steps")?)?;
        return (steps.len() <= STEPS_MAX).then_some(Shape::Steps(steps));
    }
    if has(&["ramp"]) {
        return match factors(table.get("ramp")?)?[..] {
            [from, to] => Some(Shape::Ramp { from, to }),
            _ => None,
        };
    }
    if !has(&["burst", "every", "for"]) {
        return None;
    }
    let factor = factor(table.get("burst")?)?;
    let every_ns = BurstEvery::read(table.get("every")?).ok()?.ns();
    let for_ns = BurstFor::read(table.get("for")?).ok()?.ns();
    let something_arrives = factor > 0.0 || for_ns < every_ns;
    (for_ns <= every_ns && something_arrives).then_some(Shape::Bursts {
        factor,
        every_ns,
        for_ns,
    })
}

fn factor(node: &Node<'_>) -> Option<f64> {
    number(node).filter(|factor| (0.0..=FACTOR_MAX).contains(factor))
}

/// One or more multiples, not all 0.
fn factors(node: &Node<'_>) -> Option<Vec<f64>> {
    let list: Vec<f64> = node.get_ref().as_array()?.iter().map(factor).collect::<Option<_>>()?;
    list.iter().any(|factor| *factor > 0.0).then_some(list)
}

describes_itself!(ProfileValue, "profile", |generator| {
    let factor = json_schema!({ "type": "number", "minimum": 0, "maximum": FACTOR_MAX });
    json_schema!({ "anyOf": [
        { "enum": ["constant"] },
        {
            "type": "object", "description": "One multiple after another, each for an equal share of the duration.",
            "properties": {
                "steps": { "type": "array", "minItems": 1, "maxItems": STEPS_MAX, "items": factor }
            },
            "required": ["steps"], "additionalProperties": false
        },
        {
            "type": "object", "description": "Evenly from one multiple to another.",
            "properties": { "ramp": { "type": "array", "minItems": 2, "maxItems": 2, "items": factor } },
            "required": ["ramp"], "additionalProperties": false
        },
        {
            "type": "object", "description": "Again and again a multiple for a time, and the rate itself between.",
            "properties": {
                "burst": factor,
                "every": generator.subschema_for::<BurstEvery>(),
                "for": generator.subschema_for::<BurstFor>()
            },
            "required": ["burst", "every", "for"], "additionalProperties": false
        }
    ] })
});

/// As it stands in names and tables.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Constant => f.write_str("constant"),
            Shape::Steps(factors) => {
                let factors: Vec<String> = factors.iter().map(f64::to_string).collect();
                write!(f, "steps {}", factors.join(", "))
            }
            Shape::Ramp { from, to } => write!(f, "ramp {from} to {to}"),
            Shape::Bursts {
                factor,
                every_ns,
                for_ns,
            } => {
                let (length, every) = (time_text(*for_ns), time_text(*every_ns));
                write!(f, "burst {factor} for {length} every {every}")
            }
        }
    }
}

/// As a person reads it; of a property that the environment holds only the variable's name.
impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (arrivals, duration) = (name_of(self.arrivals), time_text(self.duration_ns));
        write!(f, "{} records/s, {arrivals} arrivals", grouped_number(self.rate))?;
        if self.shape != Shape::Constant {
            write!(f, ", {}", self.shape)?;
        }
        let warmup = time_text(self.warmup_ns);
        let processes = if self.producers == 1 { "process" } else { "processes" };
        write!(
            f,
            ", for {duration} after {warmup} of warm-up, from {} producer {processes}",
            self.producers
        )?;
        for (name, value) in &self.properties {
            match value {
                PropertyValue::Literal(value) => write!(f, ", {name}={value}")?,
                PropertyValue::Environment { env } => write!(f, ", {name}=${env}")?,
                PropertyValue::File { file } => write!(f, ", {name}=@{file}")?,
            }
        }
        Ok(())
    }
}

/// A number above 0 as [`number_text`] has it, its thousands apart.
fn grouped_number(value: f64) -> String {
    let text = number_text(value);
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let whole = whole
        .parse()
        .map_or_else(|_| whole.to_owned(), |whole| Grouped(whole).to_string());
    whole + rest
}
