//! `tandem compare`: results of different runs, each compared with the first.

use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::gate::{Compared, Gate};
use super::output_file::OutputFile;
use super::report::console_width;
use crate::report::{self, CompareInput};
use crate::store::{StoredFiles, find_run};
use crate::summary::compare::{StoredRun, compare_runs};
use crate::summary::condition::judged_between;

const AFTER_HELP: &str = "Exit codes: 0 done; 1 a condition of --fail-on holds; 2 the runs cannot be compared.";

/// What `tandem compare` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// Folders of runs, or of a scenario's runs (the newest counts); the first is what the others are compared with
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Write a page with charts to this file, too
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    gate: Gate,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Text for a terminal
    Terminal,
    /// Markdown, as for a comment on a change
    Markdown,
    /// JSON with everything that was found
    Json,
}

/// Compares the runs, prints what was found, and tells by the exit code whether a condition holds.
pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    arguments.gate.check_between()?;
    let folders = arguments.runs.iter().map(|path| find_run(path));
    let folders = folders.collect::<Result<Vec<_>, _>>()?;
    let page = arguments.html.as_ref();
    let page = page
        .map(|page| OutputFile::check("--html", page, "compare.html", &folders))
        .transpose()?;
    let junit = arguments.gate.check(&folders)?;
    if let (Some(page), Some(junit)) = (&page, &junit) {
        junit.differs_from(page)?;
    }
    let mut stored = Vec::with_capacity(folders.len());
    for folder in &folders {
        stored.push((folder.display().to_string(), StoredFiles::read(folder)?));
    }
    let runs: Vec<StoredRun> = stored
        .iter()
        .map(|(folder, files)| StoredRun {
            folder,
            plan: &files.plan,
            trials: &files.trials,
            environment: &files.environment,
        })
        .collect();
    let scenario = &runs[0].plan.scenario;
    let comparison = match compare_runs(&runs) {
        Ok(comparison) => comparison,
        Err(error) => {
            arguments
                .gate
                .write_error(scenario, &error.to_string(), junit.as_ref())?;
            return Err(error.into());
        }
    };
    let input = CompareInput {
        comparison: &comparison,
        scenario,
    };
    if let Some(page) = &page {
        page.write(&report::compare_html(&input))?;
    }
    print(arguments, &input)?;
    let runs = comparison.runs.iter();
    let compared = Compared {
        scenario,
        runs: runs.map(|run| (run.name.clone(), run.folder.clone())).collect(),
        judged: judged_between(&comparison),
        requirements: Vec::new(),
        wrong: None,
        disturbed: None,
    };
    arguments.gate.judge(&compared, junit.as_ref())
}

fn print(arguments: &Arguments, input: &CompareInput) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut text = match arguments.format {
        Format::Terminal => report::compare_terminal(input, console_width(), colour),
        Format::Markdown => report::compare_markdown(input),
        Format::Json => report::compare_json(input),
    };
    if let (Format::Terminal, Some(page)) = (arguments.format, &arguments.html) {
        text = format!("{text}\npage: {}\n", page.display());
    }
    write!(stdout, "{text}").context("cannot write to standard output")
}
