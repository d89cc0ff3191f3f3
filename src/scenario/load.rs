//! Scenario files: read from the disk or from the program itself, parsed, and handed out as a scenario or as errors.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use toml::de::DeTable;

use super::draft;
use super::error::{LoadError, Problem, Problems, ScenarioErrors, any_of, did_you_mean};
use super::expand::expand;
use super::model::Scenario;

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The scenarios that come with tandem: name and text.
pub const SHIPPED: &[(&str, &str)] = &[
    ("one-vs-two", include_str!("../../scenarios/one-vs-two.toml")),
    ("record-size", include_str!("../../scenarios/record-size.toml")),
    ("scaling", include_str!("../../scenarios/scaling.toml")),
    ("groups", include_str!("../../scenarios/groups.toml")),
    ("many-topics", include_str!("../../scenarios/many-topics.toml")),
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
    let mut problems = Problems::default();
    let scenario = read(name, text, &mut problems);
    scenario
        .filter(|_| problems.is_empty())
        .ok_or_else(|| problems.into_errors(path_for_messages, text))
}

fn read(name: &str, text: &str, problems: &mut Problems) -> Option<Scenario> {
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let (what, allowed) = error
            .message()
            .split_once(", ")
            .unwrap_or((error.message(), "not valid TOML"));
        problems.add(Problem::new(span, format!("TOML: {what}"), allowed.to_owned()));
    }
    // What is found in a broken document is guesswork.
    problems.is_empty().then_some(())?;
    let draft = draft::read(document.get_ref(), problems);
    problems.is_empty().then_some(())?;
    expand(name, &draft, problems)
}

/// Loads a scenario file; its stem becomes the scenario's name.
pub fn load(path: &Path) -> Result<Scenario, LoadError> {
    let bytes = read_file(path)?;
    let text = String::from_utf8(bytes).map_err(|error| LoadError::NotText {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })?;
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(blank) {
        return Err(LoadError::Empty(path.to_owned()));
    }
    let name = path
        .file_stem()
        .map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy());
    Ok(parse(&name, &path.display().to_string(), &text)?)
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
