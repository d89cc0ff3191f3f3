//! Kinds of value that say how records arrive: rates and profiles.

use std::fmt;

use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};

use super::kind::{Kind, Refusal};
use super::time::{BurstEvery, BurstFor, time_text};
use crate::scenario::choice::Choice as _;
use crate::scenario::document::{Node, entries, number};
use crate::scenario::model::{Load, Shape};
use crate::scenario::suggest::did_you_mean_value;
use crate::wording::with_commas;

/// Multiples of the rate in a profile.
const FACTOR_MAX: f64 = 1_000.0;
const STEPS_MAX: usize = 1_000;

/// A number above 0.
pub(crate) enum Positive<const MAX: i64> {}

impl<const MAX: i64> Kind for Positive<MAX> {
    type Value = f64;

    fn allowed() -> String {
        format!("a number above 0 and at most {}", with_commas(MAX))
    }

    fn read(node: &Node<'_>) -> Result<f64, Refusal> {
        let value = number(node).filter(|value| *value > 0.0 && *value <= MAX as f64);
        value.ok_or_else(Refusal::of::<Self>)
    }

    fn text(value: &f64) -> String {
        number_text(*value)
    }

    fn schema() -> Value {
        json!({ "type": "number", "exclusiveMinimum": 0, "maximum": MAX })
    }
}

/// A number above 0 as it stands in names: to the thousandth, or all its digits where it is below 1.
pub(crate) fn number_text(value: f64) -> String {
    if value < 1.0 {
        return value.to_string();
    }
    ((value * 1e3).round() / 1e3).to_string()
}

impl Kind for Shape {
    type Value = Shape;

    fn allowed() -> String {
        "\"constant\", { steps = [1, 2, 4] }, { ramp = [0.1, 2] } or { burst = 5, every = \"10s\", for = \"1s\" }: \
         multiples of the rate from 0 to 1,000, not all 0"
            .to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Shape, Refusal> {
        let refusal = |help| Refusal::of::<Self>().help(help);
        let shape = match node.get_ref() {
            DeValue::String(text) if text == "constant" => Some(Shape::Constant),
            DeValue::String(text) => return Err(refusal(did_you_mean_value(text, ["constant"]))),
            DeValue::Table(table) => shape(table),
            _ => None,
        };
        shape.ok_or_else(|| refusal(None))
    }

    fn text(shape: &Shape) -> String {
        shape.to_string()
    }

    fn schema() -> Value {
        let factor = json!({ "type": "number", "minimum": 0, "maximum": FACTOR_MAX });
        json!({ "anyOf": [
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
                    "every": BurstEvery::schema(),
                    "for": BurstFor::schema()
                },
                "required": ["burst", "every", "for"], "additionalProperties": false
            }
        ] })
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
    let every_ns = BurstEvery::read(table.get("every")?).ok()?;
    let for_ns = BurstFor::read(table.get("for")?).ok()?;
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
        let (arrivals, duration) = (self.arrivals.name(), time_text(self.duration_ns));
        write!(
            f,
            "{} records/s, {arrivals} arrivals",
            with_commas(number_text(self.rate))
        )?;
        if self.shape != Shape::Constant {
            write!(f, ", {}", self.shape)?;
        }
        let warmup = time_text(self.warmup_ns);
        let processes = if self.producers == 1 { "process" } else { "processes" };
        let beside = if self.is_beside { " beside the consumers" } else { "" };
        write!(
            f,
            ", for {duration} after {warmup} of warm-up, from {} producer {processes}{beside}",
            self.producers
        )?;
        for (name, value) in &self.properties {
            write!(f, ", {name}={value}")?;
        }
        Ok(())
    }
}
