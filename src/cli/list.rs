//! `tandem list`: the scenarios that can be run, with their questions and what each would cost.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde::Serialize;

use super::exit::{DONE, WRONG};
use crate::plan::Plan;
use crate::scenario::{self, DatasetSpec, LoadError, SHIPPED, Scenario};
use crate::wording::with_commas;

/// Columns of the terminal that the tables take.
const WIDTH: u16 = 80;
/// The widest name of a scenario; longer ones are wrapped.
const NAME_WIDTH: u16 = 26;

/// What `tandem list` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A folder whose scenario files (*.toml) are listed, too
    folder: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Listing {
    schema_version: u32,
    scenarios: Vec<Entry>,
}

/// A scenario of the list.
#[derive(Debug, Serialize)]
struct Entry {
    /// What `tandem run` takes: the name of a shipped scenario, or the path of a file.
    run: String,
    /// How the table names it.
    #[serde(skip)]
    name: String,
    #[serde(flatten)]
    content: Content,
}

/// What a file asks, or why it is no scenario.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Content {
    Valid { question: String, cost: Cost },
    Invalid { problem: String },
}

/// The plan's forecast, in short.
#[derive(Debug, Serialize)]
struct Cost {
    /// True where the run goes on until something holds: it may end earlier.
    at_most: bool,
    /// `None` where existing topics decide, which nobody has looked at.
    seconds: Option<f64>,
    /// The same if everything is decided at the first look.
    least_seconds: Option<f64>,
    #[serde(skip)]
    minutes: Option<String>,
    trials: u32,
    fill_records: u64,
    fill_bytes: u64,
}

/// Prints the list.
pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    let shipped: Vec<Entry> = SHIPPED.iter().map(|(name, text)| shipped_entry(name, text)).collect();
    let own = arguments.folder.as_deref().map(of_folder).transpose()?;
    let is_invalid = |entry: &Entry| matches!(entry.content, Content::Invalid { .. });
    let code = if own.iter().flatten().any(is_invalid) {
        WRONG
    } else {
        DONE
    };
    if arguments.json {
        let scenarios = shipped.into_iter().chain(own.into_iter().flatten()).collect();
        let listing = Listing {
            schema_version: 1,
            scenarios,
        };
        say!("{}", serde_json::to_string_pretty(&listing)?);
        return Ok(code);
    }
    say!(
        "These scenarios come with tandem; `tandem run NAME` runs one:\n\n{}",
        table(&shipped)
    );
    match (&arguments.folder, own.as_deref()) {
        (Some(folder), Some([])) => say!("\nThere is no *.toml in {}.", folder.display()),
        (Some(folder), Some(own)) => say!("\nIn {}:\n\n{}", folder.display(), table(own)),
        _ => {}
    }
    say!(
        "\nTimes are those of a quiet machine of two cores: from the first look to the last block; `tandem plan` says more."
    );
    Ok(code)
}

fn shipped_entry(name: &str, text: &str) -> Entry {
    let parsed = scenario::parse(name, name, text).map_err(LoadError::Invalid);
    Entry {
        run: name.to_owned(),
        name: name.to_owned(),
        content: content(parsed),
    }
}

/// The scenario files of a folder by their names.
fn of_folder(folder: &Path) -> Result<Vec<Entry>> {
    let unreadable = || format!("cannot read the folder {}", folder.display());
    let files = folder.read_dir().with_context(unreadable)?;
    let mut paths = files
        .map(|file| file.map(|file| file.path()))
        .collect::<Result<Vec<_>, _>>()
        .with_context(unreadable)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let entry = |path: PathBuf| Entry {
        run: path.display().to_string(),
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        content: content(scenario::load(&path)),
    };
    Ok(paths.into_iter().map(entry).collect())
}

fn content(loaded: Result<Scenario, LoadError>) -> Content {
    match loaded {
        Ok(scenario) => Content::Valid {
            question: scenario.question.clone(),
            cost: Cost::of(scenario),
        },
        Err(error) => Content::Invalid { problem: error.plain() },
    }
}

impl Cost {
    fn of(scenario: Scenario) -> Self {
        let plan = Plan::new(scenario);
        let forecast = plan.forecast();
        let is_known = plan.scenario.datasets.iter().all(DatasetSpec::is_seen);
        Cost {
            at_most: plan.scenario.repetitions().until().is_some(),
            seconds: is_known.then(|| forecast.seconds()),
            least_seconds: is_known.then(|| forecast.least_seconds()),
            minutes: is_known.then(|| forecast.minutes()),
            trials: forecast.trials(),
            fill_records: forecast.fill_records,
            fill_bytes: forecast.fill_bytes,
        }
    }

    /// Time, trials and records to fill, as the table shows them.
    fn cells(&self) -> [String; 3] {
        let most = if self.at_most { "up to " } else { "" };
        let filled = if self.fill_records == 0 {
            "none".to_owned()
        } else {
            with_commas(self.fill_records)
        };
        [
            self.minutes.clone().unwrap_or_else(|| "not known".to_owned()),
            format!("{most}{}", self.trials),
            filled,
        ]
    }
}

fn table(entries: &[Entry]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH)
        .set_header(["scenario", "time", "trials", "records", "question"]);
    for Entry { name, content, .. } in entries {
        let (question, [time, trials, filled]) = match content {
            Content::Valid { question, cost } => (question.clone(), cost.cells()),
            Content::Invalid { .. } => (
                "(not a valid scenario; `tandem plan` says why)".to_owned(),
                <[String; 3]>::default(),
            ),
        };
        table.add_row([name.clone(), time, trials, filled, question]);
    }
    for (index, column) in table.column_iter_mut().take(4).enumerate() {
        if index == 0 {
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(NAME_WIDTH)));
        } else {
            column.set_constraint(ColumnConstraint::ContentWidth);
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn shipped() -> Vec<Entry> {
        SHIPPED.iter().map(|(name, text)| shipped_entry(name, text)).collect()
    }

    #[test]
    fn the_table_of_the_shipped_scenarios_fits_80_columns() {
        let table = table(&shipped());
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_folder_is_listed_by_names_of_files_with_those_that_are_no_scenarios() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "until.toml",
            "question = 'Until?'\nrepetitions = { until = 'decided' }\n[matrix]\nprocesses = [1, 2]",
        );
        write(
            "existing.toml",
            "question = 'Mine?'\n[dataset]\ntopic = 'orders'\n[matrix]\nprocesses = [1, 2]",
        );
        write(
            "a name that is much too long for one line of a table.toml",
            "question = 'Long?'",
        );
        write("broken.toml", "quesion = 'Broken?'");
        write("readme.md", "no scenario");
        let entries = of_folder(folder.path()).unwrap();
        let table = table(&entries);
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        insta::assert_snapshot!(table);

        let json = serde_json::to_value(&entries).unwrap();
        assert_eq!(json[1]["run"], folder.path().join("broken.toml").display().to_string());
        assert!(json[1]["problem"].as_str().unwrap().contains("quesion"), "{json}");
        assert_eq!(json[2]["cost"]["seconds"], serde_json::Value::Null);
        assert_eq!(json[3]["cost"]["at_most"], true);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(of_folder(Path::new("/no/such/folder")).is_err());
    }

    #[test]
    fn the_machine_readable_list_has_what_a_run_costs() {
        let json = serde_json::to_value(&shipped()[0]).unwrap();
        assert_eq!(
            (&json["run"], &json["cost"]["fill_records"]),
            (&"one-vs-two".into(), &6_000_000.into())
        );
        assert!(json["cost"]["seconds"].as_f64().unwrap() > 60.0 && json["cost"]["trials"].as_u64().unwrap() > 90);
    }
}
