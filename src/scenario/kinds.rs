//! The kinds of value that only scenarios have: work, commits, sizes, keys, weights, versions.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use super::document::entries;
use super::error::did_you_mean;
use super::model::{Buffers, Commit, Compression, Keys, Read, Size, Work};
use super::values::{Choice, FileValue, Form, Node, Refusal, Whole, describes_itself, number};

/// Partitions of a topic, and of a data set.
pub(super) const PARTITIONS_MAX: i64 = 10_000;
/// Bytes of a record's value: what a broker takes with its default settings, with room for the record's overhead.
pub(super) const SIZE_MAX: i64 = 1_000_000;
/// Records of a data set.
pub(super) const RECORDS_MAX: i64 = 100_000_000_000;
const KEYS_MAX: i64 = 1_000_000_000;
const WORK_NS_MAX: u64 = 10_000_000_000;
const WEIGHT_SUM_ERROR: f64 = 1e-6;

impl Choice for Compression {
    const ALL: &'static [(&'static str, Self)] = &[
        ("none", Compression::None),
        ("gzip", Compression::Gzip),
        ("snappy", Compression::Snappy),
        ("lz4", Compression::Lz4),
        ("zstd", Compression::Zstd),
    ];
}

impl Choice for Buffers {
    const ALL: &'static [(&'static str, Self)] = &[("each", Buffers::Each), ("total", Buffers::Total)];
}

impl Choice for Read {
    const ALL: &'static [(&'static str, Self)] = &[("batch", Read::Batch), ("poll", Read::Poll)];
}

/// Who gives members their partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assignment {
    Group,
    Manual,
}

impl Choice for Assignment {
    const ALL: &'static [(&'static str, Self)] = &[("group", Assignment::Group), ("manual", Assignment::Manual)];
}

/// The group protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Classic,
    Consumer,
}

impl Choice for Protocol {
    const ALL: &'static [(&'static str, Self)] = &[("classic", Protocol::Classic), ("consumer", Protocol::Consumer)];
}

/// The rule by which partitions are given to members; which ones a protocol has is checked with the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assignor {
    Range,
    RoundRobin,
    CooperativeSticky,
    Uniform,
}

impl Choice for Assignor {
    const ALL: &'static [(&'static str, Self)] = &[
        ("range", Assignor::Range),
        ("roundrobin", Assignor::RoundRobin),
        ("cooperative-sticky", Assignor::CooperativeSticky),
        ("uniform", Assignor::Uniform),
    ];
}

/// Whether tandem's own client settings are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientDefaults {
    Tandem,
    Library,
}

impl Choice for ClientDefaults {
    const ALL: &'static [(&'static str, Self)] = &[
        ("tandem", ClientDefaults::Tandem),
        ("defaults", ClientDefaults::Library),
    ];
}

/// The name that a choice has in the file.
pub(super) fn name_of<C: Choice + PartialEq>(choice: C) -> &'static str {
    C::ALL
        .iter()
        .find(|(_, other)| *other == choice)
        .map_or("", |(name, _)| name)
}

/// A version of Apache Kafka that tandem can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version;

impl Form for Version {
    const ALLOWED: &'static str = "a version of Apache Kafka from 3.9.0 to 4.x in quotes, such as \"4.3.1\"";
    const PATTERN: &'static str = r"^(3\.9|4\.(0|[1-9][0-9]?))\.(0|[1-9][0-9]?)$";

    fn fits(text: &str) -> bool {
        let number = |part: &str| {
            let plain = matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
            (plain && (part == "0" || !part.starts_with('0')))
                .then(|| part.parse::<u32>().ok())
                .flatten()
        };
        let parts: Vec<Option<u32>> = text.split('.').map(number).collect();
        matches!(parts[..], [Some(3), Some(9), Some(_)] | [Some(4), Some(_), Some(_)])
    }
}

/// The start of names of topics and groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prefix;

impl Form for Prefix {
    const ALLOWED: &'static str =
        "1 to 100 of the characters that topics' names may have: letters, digits, `.`, `_`, `-`";
    const PATTERN: &'static str = "^[A-Za-z0-9._-]{1,100}$";

    fn fits(text: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        (1..=100).contains(&text.len()) && text.bytes().all(allowed)
    }
}

/// Addresses of brokers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bootstrap;

impl Form for Bootstrap {
    const ALLOWED: &'static str = "one or more host:port, with commas between them";
    const PATTERN: &'static str = r"^[^\s,]+:[0-9]{1,5}(,[^\s,]+:[0-9]{1,5})*$";

    fn fits(text: &str) -> bool {
        text.split(',').all(|address| {
            let Some((host, port)) = address.rsplit_once(':') else {
                return false;
            };
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            let port = digits && port.parse::<u16>().is_ok_and(|port| port > 0);
            port && !host.is_empty() && !host.contains(char::is_whitespace)
        })
    }
}

/// Processors, as `taskset -c` takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Processors;

impl Form for Processors {
    const ALLOWED: &'static str = "processors in quotes as `taskset -c` takes them, such as \"0\", \"0,2\" or \"0-3\"";
    const PATTERN: &'static str = "^[0-9]{1,4}(-[0-9]{1,4})?(,[0-9]{1,4}(-[0-9]{1,4})?)*$";

    fn fits(text: &str) -> bool {
        let number = |part: &str| {
            let plain = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| part.parse::<u32>().ok()).flatten()
        };
        text.split(',').all(|range| match range.split_once('-') {
            None => number(range).is_some(),
            Some((first, last)) => matches!((number(first), number(last)), (Some(a), Some(b)) if a <= b),
        })
    }
}

/// What is done with each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WorkValue(pub(super) Work);

impl FileValue for WorkValue {
    fn allowed() -> String {
        "`none`, or `cpu` or `wait` and a time of at most 10 s in ns, us, ms or s, such as \"cpu 5us\"".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let text = node.get_ref().as_str();
        let work = text.and_then(|text| match text.split_once(' ') {
            None => (text == "none").then_some(Work::None),
            Some(("cpu", time)) => nanoseconds(time).map(|ns| Work::Cpu { ns }),
            Some(("wait", time)) => nanoseconds(time).map(|ns| Work::Wait { ns }),
            Some(_) => None,
        });
        let word = text.and_then(|text| {
            text.split([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
                .next()
        });
        let word = word.filter(|word| !["none", "cpu", "wait", ""].contains(word));
        let help = word.and_then(|word| did_you_mean(word, ["none", "cpu", "wait"]));
        work.map(WorkValue)
            .ok_or_else(|| Refusal::new(Self::allowed()).help(help))
    }
}

describes_itself!(WorkValue, "work", |_| {
    json_schema!({ "type": "string", "pattern": "^(none|(cpu|wait) [1-9][0-9]{0,10}(ns|us|ms|s))$" })
});

/// Nanoseconds per unit, the largest first.
const UNITS: [(&str, u64); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

fn nanoseconds(time: &str) -> Option<u64> {
    let digits = time.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = time.split_at(digits);
    let ns = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    let plain = (1..=11).contains(&digits) && !count.starts_with('0');
    let total = count.parse::<u64>().ok().filter(|_| plain)?.checked_mul(ns)?;
    (total <= WORK_NS_MAX).then_some(total)
}

/// Work as it stands in names: the time in the largest unit in which it is a whole number.
pub(super) fn work_text(work: Work) -> String {
    let time = |ns: u64| {
        let unit = UNITS.iter().find(|(_, unit)| ns.is_multiple_of(*unit));
        unit.map_or_else(String::new, |(name, unit)| format!("{}{name}", ns / unit))
    };
    match work {
        Work::None => "none".to_owned(),
        Work::Cpu { ns } => format!("cpu {}", time(ns)),
        Work::Wait { ns } => format!("wait {}", time(ns)),
    }
}

/// When positions are committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CommitValue(pub(super) Commit);

impl FileValue for CommitValue {
    fn allowed() -> String {
        "`none`, `auto`, `per-batch`, or `every` and a number of records, such as \"every 1000\"".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let text = node.get_ref().as_str();
        let every = |count: &str| {
            let digits = (1..=12).contains(&count.len()) && count.bytes().all(|byte| byte.is_ascii_digit());
            let count = count.parse().ok().filter(|_| digits && !count.starts_with('0'));
            count.map(Commit::Every)
        };
        let commit = text.and_then(|text| match text {
            "none" => Some(Commit::None),
            "auto" => Some(Commit::Auto),
            "per-batch" => Some(Commit::PerBatch),
            _ => text.strip_prefix("every ").and_then(every),
        });
        let help = text.and_then(|text| did_you_mean(text, ["none", "auto", "per-batch"]));
        commit
            .map(CommitValue)
            .ok_or_else(|| Refusal::new(Self::allowed()).help(help))
    }
}

describes_itself!(CommitValue, "commit", |_| {
    json_schema!({ "type": "string", "pattern": "^(none|auto|per-batch|every [1-9][0-9]{0,11})$" })
});

/// Commits as they stand in names.
pub(super) fn commit_text(commit: Commit) -> String {
    match commit {
        Commit::None => "none".to_owned(),
        Commit::Auto => "auto".to_owned(),
        Commit::PerBatch => "per-batch".to_owned(),
        Commit::Every(records) => format!("every {records}"),
    }
}

type Bytes = Whole<1, SIZE_MAX>;

/// Bytes of a record's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SizeValue(pub(super) Size);

impl FileValue for SizeValue {
    fn allowed() -> String {
        let bytes = Bytes::allowed();
        format!("{bytes} (bytes), {{ min = 100, max = 1000 }} or {{ median = 300, sigma = 1.0, max = 10000 }}")
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let refusal = || Refusal::new(Self::allowed());
        let DeValue::Table(table) = node.get_ref() else {
            return Bytes::read(node)
                .map(|bytes| SizeValue(Size::Fixed(bytes.small())))
                .map_err(|inner| Refusal {
                    allowed: Self::allowed(),
                    ..inner
                });
        };
        let bytes = |name: &str| {
            table
                .get(name)
                .and_then(|node| Bytes::read(node).ok())
                .map(Whole::small)
        };
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
            _ => return Err(refusal()),
        };
        Ok(SizeValue(size))
    }
}

describes_itself!(SizeValue, "size", |generator| {
    let bytes = generator.subschema_for::<Bytes>();
    json_schema!({ "anyOf": [
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
});

/// A size as it stands in names.
pub(super) fn size_text(size: Size) -> String {
    match size {
        Size::Fixed(bytes) => bytes.to_string(),
        Size::Uniform { min, max } => format!("{min} to {max}"),
        Size::LogNormal { median, sigma, max } => format!("median {median} sigma {sigma} max {max}"),
    }
}

/// Keys of the records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct KeysValue(pub(super) Keys);

impl FileValue for KeysValue {
    fn allowed() -> String {
        "`none`, `unique`, or { zipf = exponent from 0 to 10, count = number of keys }".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let refusal = |help| Refusal::new(Self::allowed()).help(help);
        let keys = match node.get_ref() {
            DeValue::String(text) => match &**text {
                "none" => Keys::None,
                "unique" => Keys::Unique,
                other => return Err(refusal(did_you_mean(other, ["none", "unique"]))),
            },
            DeValue::Table(table) if table.len() == 2 => {
                let exponent = table
                    .get("zipf")
                    .and_then(number)
                    .filter(|value| (0.0..=10.0).contains(value));
                let count = table
                    .get("count")
                    .and_then(|node| Whole::<1, KEYS_MAX>::read(node).ok());
                let zipf = |(exponent, count): (f64, Whole<1, KEYS_MAX>)| Keys::Zipf {
                    exponent,
                    count: count.get(),
                };
                exponent.zip(count).map(zipf).ok_or_else(|| refusal(None))?
            }
            _ => return Err(refusal(None)),
        };
        Ok(KeysValue(keys))
    }
}

describes_itself!(KeysValue, "keys", |generator| {
    json_schema!({ "anyOf": [
        { "enum": ["none", "unique"] },
        {
            "type": "object", "description": "count keys; the k-th is drawn with weight 1 / k^zipf.",
            "properties": {
                "zipf": { "type": "number", "minimum": 0, "maximum": 10 },
                "count": generator.subschema_for::<Whole<1, KEYS_MAX>>()
            },
            "required": ["zipf", "count"], "additionalProperties": false
        }
    ] })
});

/// Keys as they stand in names.
pub(super) fn keys_text(keys: Keys) -> String {
    match keys {
        Keys::None => "none".to_owned(),
        Keys::Unique => "unique".to_owned(),
        Keys::Zipf { exponent, count } => format!("zipf {exponent} of {count}"),
    }
}

/// Share of each partition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WeightsValue(pub(super) Vec<f64>);

impl FileValue for WeightsValue {
    fn allowed() -> String {
        "`equal`, or a list with the share of each partition, all above 0 and together 1, such as [0.9, 0.1]".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let refusal = |help| Refusal::new(Self::allowed()).help(help);
        let list = match node.get_ref() {
            DeValue::String(text) if text == "equal" => return Ok(WeightsValue(Vec::new())),
            DeValue::Array(list) if !list.is_empty() => list,
            _ => return Err(refusal(None)),
        };
        let share = |item: &Node<'_>| {
            let share = number(item).filter(|share| *share > 0.0 && *share <= 1.0);
            share.ok_or_else(|| Refusal {
                span: Some(item.span()),
                ..refusal(None)
            })
        };
        let weights: Vec<f64> = list.iter().map(share).collect::<Result<_, _>>()?;
        let sum: f64 = weights.iter().sum();
        if (sum - 1.0).abs() > WEIGHT_SUM_ERROR {
            return Err(refusal(Some(format!(
                "these shares sum to {}",
                (sum * 1e6).round() / 1e6
            ))));
        }
        Ok(WeightsValue(weights))
    }
}

describes_itself!(WeightsValue, "weights", |_| {
    json_schema!({ "anyOf": [
        { "enum": ["equal"] },
        {
            "type": "array", "minItems": 1,
            "items": { "type": "number", "exclusiveMinimum": 0, "maximum": 1 }
        }
    ] })
});

/// Weights as they stand in names.
pub(super) fn weights_text(weights: &[f64]) -> String {
    if weights.is_empty() {
        return "equal".to_owned();
    }
    let shares: Vec<String> = weights.iter().map(f64::to_string).collect();
    format!("[{}]", shares.join(", "))
}
