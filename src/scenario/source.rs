//! Scenario files: read from the disk or from the program itself, parsed, and handed out as a scenario or as errors.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use toml::de::DeTable;

use super::error::{LoadError, SYNTAX, ScenarioErrors};
use super::expand::expand;
use super::kafka_version::KafkaVersion;
use super::model::{ClusterSpec, Scenario, processors};
use super::problem::{Problem, Problems};
use super::reading::{self, Instead};
use super::suggest::{any_of, did_you_mean};

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The scenarios that come with tandem: name and text.
pub const SHIPPED: &[(&str, &str)] = &[
    ("one-vs-two", include_str!("../../scenarios/one-vs-two.toml")),
    ("record-size", include_str!("../../scenarios/record-size.toml")),
    ("compression", include_str!("../../scenarios/compression.toml")),
    ("scaling", include_str!("../../scenarios/scaling.toml")),
    ("groups", include_str!("../../scenarios/groups.toml")),
    ("many-topics", include_str!("../../scenarios/many-topics.toml")),
    ("threads", include_str!("../../scenarios/threads.toml")),
    ("latency", include_str!("../../scenarios/latency.toml")),
    ("capacity", include_str!("../../scenarios/capacity.toml")),
    ("catch-up", include_str!("../../scenarios/catch-up.toml")),
    ("burst", include_str!("../../scenarios/burst.toml")),
    ("clients", include_str!("../../scenarios/clients.toml")),
    (
        "spring-one-vs-two",
        include_str!("../../scenarios/spring-one-vs-two.toml"),
    ),
    (
        "spring-one-vs-two-stored",
        include_str!("../../scenarios/spring-one-vs-two-stored.toml"),
    ),
    ("store-batch", include_str!("../../scenarios/store-batch.toml")),
    ("rebalance-join", include_str!("../../scenarios/rebalance-join.toml")),
    ("rebalance-crash", include_str!("../../scenarios/rebalance-crash.toml")),
    ("rolling-deploy", include_str!("../../scenarios/rolling-deploy.toml")),
    ("broker-failover", include_str!("../../scenarios/broker-failover.toml")),
    ("rolling-brokers", include_str!("../../scenarios/rolling-brokers.toml")),
    ("store-outage", include_str!("../../scenarios/store-outage.toml")),
    ("stop-the-world", include_str!("../../scenarios/stop-the-world.toml")),
    ("your-service", include_str!("../../scenarios/your-service.toml")),
];

/// The text of a scenario that comes with tandem.
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED
        .iter()
        .find(|(shipped, _)| *shipped == name)
        .map(|(_, text)| *text)
}

/// Parses the text of a scenario. `name` becomes [`Scenario::name`]; `path_for_messages` is where the text is from.
pub fn parse(name: &str, path_for_messages: &str, text: &str) -> Result<Scenario, ScenarioErrors> {
    parse_on(None, name, path_for_messages, text)
}

/// The same, on another cluster than the file says, where one is given.
fn parse_on(
    instead: Option<&Instead>,
    name: &str,
    path_for_messages: &str,
    text: &str,
) -> Result<Scenario, ScenarioErrors> {
    let mut problems = Problems::default();
    let scenario = read(instead, name, text, &mut problems);
    scenario
        .filter(|_| problems.is_empty())
        .ok_or_else(|| ScenarioErrors::of(problems, path_for_messages, text))
}

fn read(instead: Option<&Instead>, name: &str, text: &str, problems: &mut Problems) -> Option<Scenario> {
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let (what, allowed) = error.message().split_once(", ").unwrap_or(match error.message() {
            "duplicate key" => ("duplicate key", "must be given once"),
            other => (other, "not valid TOML"),
        });
        problems.add(Problem::new(span, format!("{SYNTAX}{what}"), allowed.to_owned()));
    }
    // What is found in a broken document is guesswork.
    problems.is_empty().then_some(())?;
    let draft = reading::read(document.get_ref(), instead, problems);
    problems.is_empty().then_some(())?;
    expand(name, &draft, problems)
}

/// The text of a scenario with where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file's stem, or the name of a scenario that comes with tandem.
    pub name: String,
    /// As it is named in messages.
    pub path: String,
    /// As it was given.
    pub text: String,
}

impl Source {
    /// Reads a file. A bare name such as `one-vs-two`, where there is no such file, is a scenario that comes with
    /// tandem.
    pub fn read(path: &Path) -> Result<Source, LoadError> {
        let bare = path.to_str().and_then(|name| Some((name, shipped(name)?)));
        if let Some((name, text)) = bare.filter(|_| !path.exists()) {
            return Ok(Source {
                name: name.to_owned(),
                path: format!("{name} (comes with tandem)"),
                text: text.to_owned(),
            });
        }
        let text = text_of(path, read_file(path)?)?;
        let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
        if text.lines().all(blank) {
            return Err(LoadError::Empty(path.to_owned()));
        }
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Ok(Source {
            name: stem.unwrap_or_else(|| "scenario".to_owned()),
            path: path.display().to_string(),
            text,
        })
    }

    /// The scenario that the text describes.
    pub fn parse(&self) -> Result<Scenario, ScenarioErrors> {
        self.parse_on(None)
    }

    /// The scenario on another cluster than the file says, where one is given.
    pub fn parse_on(&self, instead: Option<&Instead>) -> Result<Scenario, ScenarioErrors> {
        parse_on(instead, &self.name, &self.path, &self.text)
    }

    /// Checks the `cpus` of the text's places: `instead` says which processors would be right where these cannot be used.
    pub fn check_cpus(&self, instead: impl Fn(&BTreeSet<u32>) -> Option<String>) -> Result<(), ScenarioErrors> {
        let (document, _) = DeTable::parse_recoverable(&self.text);
        let places = document
            .get_ref()
            .get("place")
            .and_then(|places| places.get_ref().as_array());
        let mut problems = Problems::default();
        for place in places.into_iter().flat_map(|places| places.iter()) {
            let cpus = place.get_ref().as_table().and_then(|place| place.get("cpus"));
            let list = cpus.and_then(|cpus| Some((cpus, cpus.get_ref().as_str()?)));
            let Some((cpus, list)) = list else { continue };
            if let Some(allowed) = processors(list).and_then(|processors| instead(&processors)) {
                problems.add(Problem::new(
                    cpus.span(),
                    format!("`cpus` cannot be {list:?} here"),
                    allowed,
                ));
            }
        }
        let errors = (!problems.is_empty()).then(|| ScenarioErrors::of(problems, &self.path, &self.text));
        errors.map_or(Ok(()), Err)
    }

    /// Parses the scenario for brokers of the first version (or of the file's version, if the list is empty). Also
    /// returns a cluster for each version. It is an error if a version lacks a feature that the file uses.
    pub fn parse_on_versions(&self, versions: &[KafkaVersion]) -> Result<(Scenario, Vec<ClusterSpec>), ScenarioErrors> {
        let on = |version: &KafkaVersion| self.parse_on(Some(&Instead::Version(*version)));
        let scenarios = versions.iter().map(on).collect::<Result<Vec<_>, _>>()?;
        let clusters = scenarios.iter().map(|scenario| scenario.cluster.clone()).collect();
        let first = scenarios.into_iter().next().map_or_else(|| self.parse(), Ok)?;
        Ok((first, clusters))
    }
}

/// Loads a scenario: [`Source::read`] and [`Source::parse`] in one.
pub fn load(path: &Path) -> Result<Scenario, LoadError> {
    Ok(Source::read(path)?.parse()?)
}

fn text_of(path: &Path, bytes: Vec<u8>) -> Result<String, LoadError> {
    let not_text = |offset| LoadError::NotText {
        path: path.to_owned(),
        offset,
    };
    let binary = |byte: &u8| byte.is_ascii_control() && !b"\t\n\r".contains(byte);
    if let Some(offset) = bytes.iter().position(binary) {
        return Err(not_text(offset));
    }
    String::from_utf8(bytes).map_err(|error| not_text(error.utf8_error().valid_up_to()))
}

fn read_file(path: &Path) -> Result<Vec<u8>, LoadError> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => not_found(path),
        ErrorKind::IsADirectory => LoadError::Directory(path.to_owned()),
        _ => LoadError::Unreadable {
            path: path.to_owned(),
            error,
        },
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(LoadError::TooLarge(path.to_owned()));
    }
    Ok(bytes)
}

fn not_found(path: &Path) -> LoadError {
    let names = || SHIPPED.iter().map(|(name, _)| *name);
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let meant = did_you_mean(&stem, names()).map_or(String::new(), |hint| format!("{hint} "));
    LoadError::NotFound {
        path: path.to_owned(),
        help: format!("{meant}tandem comes with {}", any_of(names()).replace(" or ", " and ")),
    }
}
