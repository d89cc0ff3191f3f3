//! The kinds of value that say how records are read and where: work, commits, group protocols, versions, addresses.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::error::did_you_mean_value;
use super::kafka_version::{KafkaVersion, VERSION_ALLOWED, VERSION_PATTERN};
use super::model::{Buffers, Commit, Compression, Read, Work, WorkOrdering};
use super::values::{Choice, FileValue, Form, Node, Refusal, describes_itself};

/// Partitions of a topic, and of a data set.
pub(super) const PARTITIONS_MAX: i64 = 10_000;
/// Records of a data set.
pub(super) const RECORDS_MAX: i64 = 100_000_000_000;
const WORK_NS_MAX: u64 = 10_000_000_000;

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
    const ALL: &'static [(&'static str, Self)] =
        &[("batch", Read::Batch), ("poll", Read::Poll), ("stream", Read::Stream)];
}

impl Choice for WorkOrdering {
    const ALL: &'static [(&'static str, Self)] = &[
        ("partition", WorkOrdering::Partition),
        ("key", WorkOrdering::Key),
        ("none", WorkOrdering::None),
    ];
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
    const ALLOWED: &'static str = VERSION_ALLOWED;
    const PATTERN: &'static str = VERSION_PATTERN;

    fn fits(text: &str) -> bool {
        text.parse::<KafkaVersion>().is_ok()
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

/// The name of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupName;

impl Form for GroupName {
    const ALLOWED: &'static str = "the name of a group: 1 to 249 characters without spaces or control characters";
    const PATTERN: &'static str = r"^\S{1,249}$";

    fn fits(text: &str) -> bool {
        let refused = |c: char| c.is_whitespace() || c.is_control();
        (1..=249).contains(&text.chars().count()) && !text.contains(refused)
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
        "\"none\", or cpu or wait and a whole time of at most 10 s in ns, us, ms or s, such as \"cpu 5us\"".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Self, Refusal> {
        let text = node.get_ref().as_str();
        let work = text.and_then(|text| match text.split_once(' ') {
            None => (text == "none").then_some(Work::None),
            Some(("cpu", time)) => nanoseconds(time).map(|ns| Work::Cpu { ns }),
            Some(("wait", time)) => nanoseconds(time).map(|ns| Work::Wait { ns }),
            Some(_) => None,
        });
        let verb = text.and_then(|text| text.split(|c: char| c == ' ' || c.is_ascii_digit()).next());
        let verb = verb.filter(|verb| !["none", "cpu", "wait"].contains(verb));
        let help = verb.and_then(|verb| did_you_mean_value(verb, ["none", "cpu", "wait"]));
        work.map(WorkValue)
            .ok_or_else(|| Refusal::new(Self::allowed()).help(help))
    }
}

describes_itself!(WorkValue, "work", |_| {
    json_schema!({ "type": "string", "pattern": "^(none|(cpu|wait) [1-9][0-9]{0,10}(ns|us|ms|s))$" })
});

/// A unit of time with its nanoseconds.
pub(super) type TimeUnit = (&'static str, u64);

/// Units of work, the largest first.
const UNITS: [TimeUnit; 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

/// A whole number of one of the units, in nanoseconds.
pub(super) fn time_in(text: &str, units: &[TimeUnit]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let ns = units.iter().find(|(name, _)| *name == unit)?.1;
    let plain = (1..=15).contains(&digits) && (!count.starts_with('0') || digits == 1);
    count.parse::<u64>().ok().filter(|_| plain)?.checked_mul(ns)
}

fn nanoseconds(time: &str) -> Option<u64> {
    time_in(time, &UNITS).filter(|ns| (1..=WORK_NS_MAX).contains(ns))
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
        "\"none\", \"auto\", \"per-batch\", or every and a number of records, such as \"every 1000\"".to_owned()
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
        let help = text.and_then(|text| did_you_mean_value(text, ["none", "auto", "per-batch"]));
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
