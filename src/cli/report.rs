//! `tandem report`: makes everything but the trials again from the trials.

use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::{DONE, WRONG};
use crate::measure::{Status, Trial};
use crate::report::{self, ReportInput};
use crate::store::{RunDir, SCENARIO_FILE};
use crate::summary::summarise;

/// What `tandem report` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Folder of a run, such as results/one-vs-two/2026-11-21T10-51-30Z
    dir: PathBuf,
}

/// Writes the report files of a run and prints the answer.
pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    let dir = RunDir::open(&arguments.dir)?;
    let all_well = write(&dir)?;
    Ok(if all_well { DONE } else { WRONG })
}

/// Writes the report files of a run, prints the answer and the table, and tells whether all is well: nothing failed,
/// nothing was lost and the cluster stayed what it was.
pub(super) fn write(dir: &RunDir) -> Result<bool> {
    let plan = dir.read_plan()?;
    let trials = dir.read_condensed_trials()?;
    let source = dir.read_scenario(&plan)?;
    if dir.scenario_was_edited(&plan)? {
        eprintln!(
            "note: {} was edited after the run had begun; the report shows what was run",
            dir.path().join(SCENARIO_FILE).display()
        );
    }
    let Some(environment) = dir.read_environment()? else {
        bail!("{} was interrupted before anything was measured", dir.path().display());
    };
    let summary = summarise(&plan, &trials);
    let input = ReportInput {
        scenario: &plan.scenario,
        trials: &trials,
        summary: &summary,
        environment: &environment,
        source: &source,
    };
    for (name, contents) in report::files(&input) {
        dir.write_text(&name, &contents)?;
    }
    let mut stdout = std::io::stdout().lock();
    let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let width = console_width();
    write!(stdout, "{}", report::terminal(&input, width, colour)).context("cannot write to standard output")?;
    writeln!(stdout, "\nreport: {}", dir.path().join("report.html").display())?;
    let is_well = |trial: &Trial| !matches!(trial.status, Status::Failed(_)) && trial.broker_changes().is_none();
    Ok(summary.complete && trials.iter().all(is_well))
}

/// Columns of the terminal, within what tables can be read in.
pub(super) fn console_width() -> usize {
    let (_, columns) = console::Term::stdout().size_checked().unwrap_or((24, 120));
    usize::from(columns).clamp(60, 200)
}
