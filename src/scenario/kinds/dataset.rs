//! Kinds of value that describe a data set: sizes, keys, weights, and topics that exist.

use regex::Regex;
use serde_json::{Value, json};
use toml::de::DeValue;

use super::basic::{Count, Decimal, Integer};
use super::kind::{Kind, Refusal};
use crate::scenario::document::{Node, entries, number};
use crate::scenario::model::{Keys, PATTERN_START, Size};
use crate::scenario::suggest::did_you_mean_value;

/// Bytes of a record's value: what a broker takes with its default settings, with room for the record's overhead.
const SIZE_MAX: i64 = 1_000_000;
const KEYS_MAX: i64 = 1_000_000_000;
/// Bytes of a topic's name, as Kafka allows them.
const TOPIC_BYTES_MAX: usize = 249;
const PATTERN_BYTES_MAX: usize = 1_000;
const WEIGHT_SUM_ERROR: f64 = 1e-6;

type Bytes = Count<1, SIZE_MAX>;

impl Kind for Size {
    type Value = Size;

    fn allowed() -> String {
        let bytes = Bytes::allowed();
        format!("{bytes} (bytes), {{ min = 100, max = 1000 }} or {{ median = 300, sigma = 1.0, max = 10000 }}")
    }

    fn read(node: &Node<'_>) -> Result<Size, Refusal> {
        let DeValue::Table(table) = node.get_ref() else {
            return Bytes::read(node).map(Size::Fixed).map_err(|inner| Refusal {
                allowed: Self::allowed(),
                ..inner
            });
        };
        let bytes = |name: &str| table.get(name).and_then(|node| Bytes::read(node).ok());
        let names: Vec<&str> = entries(table).iter().map(|entry| entry.key).collect();
        let has = |wanted: &[&str]| names.len() == wanted.len() && wanted.iter().all(|name| names.contains(name));
        let sigma = table
            .get("sigma")
            .and_then(number)
            .filter(|sigma| (0.0..=5.0).contains(sigma));
        let size = match (bytes("min"), bytes("median"), sigma, bytes("max")) {
            (Some(min), None, None, Some(max)) if min <= max && has(&["min", "max"]) => Size::Uniform { min, max },
            (None, Some(median), Some(sigma), Some(max)) if median <= max && has(&["median", "sigma", "max"]) => {
                Size::LogNormal { median, sigma, max }
            }
            _ => return Err(Refusal::of::<Self>()),
        };
        Ok(size)
    }

    fn text(size: &Size) -> String {
        match size {
            Size::Fixed(bytes) => bytes.to_string(),
            Size::Uniform { min, max } => format!("{min} to {max}"),
            Size::LogNormal { median, sigma, max } => format!("median {median} sigma {sigma} max {max}"),
        }
    }

    fn schema() -> Value {
        let bytes = Bytes::schema();
        json!({ "anyOf": [
            bytes,
            {
                "type": "object", "description": "Any size from min to max, equally likely.",
                "properties": { "min": bytes, "max": bytes },
                "required": ["min", "max"], "additionalProperties": false
            },
            {
                "type": "object", "description": "A log-normal distribution, cut at max.",
                "properties": {
                    "median": bytes, "sigma": { "type": "number", "minimum": 0, "maximum": 5 }, "max": bytes
                },
                "required": ["median", "sigma", "max"], "additionalProperties": false
            }
        ] })
    }
}

impl Kind for Keys {
    type Value = Keys;

    fn allowed() -> String {
        "\"none\", \"unique\", or { zipf = exponent from 0 to 10, count = number of keys }".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Keys, Refusal> {
        let refusal = |help| Refusal::of::<Self>().help(help);
        let keys = match node.get_ref() {
            DeValue::String(text) => match &**text {
                "none" => Keys::None,
                "unique" => Keys::Unique,
                other => return Err(refusal(did_you_mean_value(other, ["none", "unique"]))),
            },
            DeValue::Table(table) if table.len() == 2 => {
                let exponent = table
                    .get("zipf")
                    .and_then(number)
                    .filter(|value| (0.0..=10.0).contains(value));
                let count = table
                    .get("count")
                    .and_then(|node| Integer::<1, KEYS_MAX>::read(node).ok());
                let zipf = |(exponent, count)| Keys::Zipf { exponent, count };
                exponent.zip(count).map(zipf).ok_or_else(|| refusal(None))?
            }
            _ => return Err(refusal(None)),
        };
        Ok(keys)
    }

    fn text(keys: &Keys) -> String {
        match keys {
            Keys::None => "none".to_owned(),
            Keys::Unique => "unique".to_owned(),
            Keys::Zipf { exponent, count } => format!("zipf {exponent} of {count}"),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [
            { "enum": ["none", "unique"] },
            {
                "type": "object", "description": "count keys; the k-th is drawn with weight 1 / k^zipf.",
                "properties": {
                    "zipf": { "type": "number", "minimum": 0, "maximum": 10 },
                    "count": Integer::<1, KEYS_MAX>::schema()
                },
                "required": ["zipf", "count"], "additionalProperties": false
            }
        ] })
    }
}

/// How many times shorter a compressor makes the values; `None` for text.
pub(crate) enum Ratio {}

type Shorter = Decimal<1_000, 20_000>;

impl Kind for Ratio {
    type Value = Option<f64>;

    fn allowed() -> String {
        Shorter::allowed()
    }

    fn read(node: &Node<'_>) -> Result<Option<f64>, Refusal> {
        Shorter::read(node).map(Some)
    }

    fn text(ratio: &Option<f64>) -> String {
        ratio.map_or_else(|| "text".to_owned(), |ratio| ratio.to_string())
    }

    fn schema() -> Value {
        Shorter::schema()
    }
}

/// Topics that exist: names, and patterns of names.
pub(crate) enum Topics {}

impl Topics {
    /// A name as Kafka allows it, or a pattern that can be read.
    fn fits(text: &str) -> bool {
        if text.starts_with(PATTERN_START) {
            return text.len() <= PATTERN_BYTES_MAX && Regex::new(text).is_ok();
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        (1..=TOPIC_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed) && text != "." && text != ".."
    }
}

impl Kind for Topics {
    type Value = Vec<String>;

    fn allowed() -> String {
        "the name of a topic, a pattern of names that begins with ^, such as \"^orders-.*\", or a list of these"
            .to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Vec<String>, Refusal> {
        let items = match node.get_ref() {
            DeValue::Array(list) if !list.is_empty() => list.iter().collect(),
            _ => vec![node],
        };
        let topic = |item: &Node<'_>| {
            let text = item.get_ref().as_str().filter(|text| Self::fits(text));
            text.map(str::to_owned).ok_or_else(|| Refusal::of::<Self>().at(item))
        };
        let mut topics = Vec::with_capacity(items.len());
        for item in items {
            let topic = topic(item)?;
            // Twice the same is once.
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        }
        Ok(topics)
    }

    fn text(topics: &Vec<String>) -> String {
        topics.join(", ")
    }

    fn schema() -> Value {
        let topic = json!({ "type": "string", "pattern": "^([A-Za-z0-9._-]{1,249}|\\^.{0,999})$" });
        json!({ "anyOf": [
            topic,
            { "type": "array", "minItems": 1, "items": topic }
        ] })
    }
}

/// Share of each partition.
pub(crate) enum Weights {}

impl Kind for Weights {
    type Value = Vec<f64>;

    fn allowed() -> String {
        "\"equal\", or a list with the share of each partition, all above 0 and together 1, such as [0.9, 0.1]"
            .to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Vec<f64>, Refusal> {
        let refusal = |help| Refusal::of::<Self>().help(help);
        let list = match node.get_ref() {
            DeValue::String(text) if text == "equal" => return Ok(Vec::new()),
            DeValue::Array(list) if !list.is_empty() => list,
            _ => return Err(refusal(None)),
        };
        let share = |item: &Node<'_>| {
            let share = number(item).filter(|share| *share > 0.0 && *share <= 1.0);
            share.ok_or_else(|| refusal(None).at(item))
        };
        let weights: Vec<f64> = list.iter().map(share).collect::<Result<_, _>>()?;
        let sum: f64 = weights.iter().sum();
        if (sum - 1.0).abs() > WEIGHT_SUM_ERROR {
            return Err(refusal(Some(format!(
                "these shares sum to {}",
                (sum * 1e6).round() / 1e6
            ))));
        }
        Ok(weights)
    }

    fn text(weights: &Vec<f64>) -> String {
        if weights.is_empty() {
            return "equal".to_owned();
        }
        let shares: Vec<String> = weights.iter().map(f64::to_string).collect();
        format!("[{}]", shares.join(", "))
    }

    fn schema() -> Value {
        json!({ "anyOf": [
            { "enum": ["equal"] },
            {
                "type": "array", "minItems": 1,
                "items": { "type": "number", "exclusiveMinimum": 0, "maximum": 1 }
            }
        ] })
    }
}
