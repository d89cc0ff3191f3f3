//! `tandem report`: makes everything but the trials again from the trials.

use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::exit::{DONE, WRONG};
use super::gate::{Compared, Gate};
use crate::measure::{Status, Trial};
use crate::report::{self, Extent, ReportInput};
use crate::store::{RunDir, SCENARIO_FILE};
use crate::summary::condition::judged_within;
use crate::summary::{Summary, summarise};

/// What `tandem report` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Folder of a run, such as results/one-vs-two/2026-11-21T10-51-30Z
    dir: PathBuf,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    #[command(flatten)]
    gate: Gate,
    /// Print only the answer and the warnings
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Print everything that fits a terminal, not two screens of it
    #[arg(short, long)]
    verbose: bool,
}

/// How much of a report to print, by the flags for less and for more.
pub(super) fn extent(quiet: bool, verbose: bool) -> Extent {
    match (quiet, verbose) {
        (true, _) => Extent::Answer,
        (false, false) => Extent::Screens,
        (false, true) => Extent::Everything,
    }
}

/// What is printed of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for a terminal
    Terminal,
    /// Markdown, as for a pull request: answer, warnings and results, the rest folded
    Markdown,
}

/// Writes the report files of a run and prints the answer.
pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    let dir = RunDir::open(&arguments.dir)?;
    arguments.gate.check_stored(&dir, &dir.read_plan()?.scenario)?;
    let extent = extent(arguments.quiet, arguments.verbose);
    write_as(&dir, arguments.format, extent, &arguments.gate)
}

/// Writes the report files of a run, prints the answer and the table, and gives the exit code: whether something was
/// measured wrongly, or a condition holds.
pub(super) fn write(dir: &RunDir, extent: Extent, gate: &Gate) -> Result<u8> {
    write_as(dir, Format::Terminal, extent, gate)
}

fn write_as(dir: &RunDir, format: Format, extent: Extent, gate: &Gate) -> Result<u8> {
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
    let summary = summarise(&plan, &trials).with_times(&environment.sessions, &trials);
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
    print(dir, format, extent, &input)?;
    let wrong = what_is_wrong(&summary, &trials);
    let measured = if wrong.is_empty() { DONE } else { WRONG };
    let compared = Compared {
        scenario: &plan.scenario,
        runs: vec![("run".to_owned(), dir.path().display().to_string())],
        judged: judged_within(&plan.scenario, &summary),
        requirements: summary.requirements.clone(),
        wrong: Some(wrong),
        disturbed: summary.quality.disturbed(),
    };
    Ok(measured.max(gate.judge(&compared, gate.check(&[])?.as_ref())?))
}

fn print(dir: &RunDir, format: Format, extent: Extent, input: &ReportInput) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    let text = match format {
        Format::Markdown => report::markdown_brief(input),
        Format::Terminal => {
            let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let text = report::terminal(input, console_width(), colour, extent);
            let share = report::reading_share(input).filter(|_| extent != Extent::Answer);
            let share = share.map_or_else(String::new, |share| format!("time: {share}\n"));
            let path = dir.path().join("report.html");
            let gap = if extent == Extent::Answer { "" } else { "\n" };
            format!("{text}{gap}{share}report: {}\n", path.display())
        }
    };
    write!(stdout, "{text}").context("cannot write to standard output")
}

/// What went wrong in a run: failed trials, brokers that left or joined, trials that were not run.
fn what_is_wrong(summary: &Summary, trials: &[Trial]) -> Vec<String> {
    let problem = |trial: &Trial| {
        let what = match &trial.status {
            Status::Failed(failure) => Some(failure.message.as_str()),
            _ => trial.broker_changes(),
        };
        what.map(|what| format!("trial {}: {what}", trial.order.number))
    };
    let incomplete = (!summary.complete).then(|| "trials of the plan were not run".to_owned());
    incomplete
        .into_iter()
        .chain(trials.iter().filter_map(problem))
        .collect()
}

/// Columns of the terminal, within what tables can be read in.
pub(super) fn console_width() -> usize {
    let (_, columns) = console::Term::stdout().size_checked().unwrap_or((24, 120));
    usize::from(columns).clamp(60, 200)
}
