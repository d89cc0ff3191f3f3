//! `tandem compare`: results of different runs, each held against the first.

use std::io::{IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail};

use super::report::console_width;
use super::{DONE, WRONG};
use crate::report::{self, CompareInput};
use crate::store::{self, StoredFiles, find_run};
use crate::summary::Verdict;
use crate::summary::compare::{RunComparison, RunVerdict, StoredRun, compare_runs};

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
    /// End with exit code 1 where this holds of any configuration: slower, slower:5% (at least so much beyond doubt) or
    /// undecided (not compared, too); may be given more than once
    #[arg(long, value_name = "CONDITION")]
    fail_on: Vec<Condition>,
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

/// What makes a comparison fail.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Condition {
    /// A verdict "slower".
    Slower,
    /// A loss of this share that lies wholly inside the interval.
    SlowerBy(f64),
    /// A verdict "undecided", or none.
    Undecided,
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || format!("{text:?} is none of slower, slower:5% and undecided");
        match text.split_once(':') {
            None if text == "slower" => Ok(Condition::Slower),
            None if text == "undecided" => Ok(Condition::Undecided),
            Some(("slower", loss)) => {
                let percent = loss
                    .strip_suffix('%')
                    .and_then(|number| number.trim().parse::<f64>().ok());
                let share = percent
                    .filter(|percent| *percent > 0.0 && *percent < 100.0)
                    .map(|percent| percent / 100.0);
                let refused = || format!("{loss:?} must be a percentage above 0 and below 100, as in slower:5%");
                share.map(Condition::SlowerBy).ok_or_else(refused)
            }
            _ => Err(wanted()),
        }
    }
}

impl Condition {
    fn text(self) -> String {
        match self {
            Condition::Slower => "slower".to_owned(),
            Condition::SlowerBy(share) => format!("slower:{}%", share * 100.0),
            Condition::Undecided => "undecided".to_owned(),
        }
    }

    fn holds(self, verdict: &RunVerdict) -> bool {
        match self {
            // A first run with failed trials is not called the faster one, and the loss is there all the same.
            Condition::Slower => match verdict.verdict {
                Verdict::Slower => true,
                Verdict::Undecided => verdict.is_slower_by(0.0),
                Verdict::Faster | Verdict::Same => false,
            },
            Condition::SlowerBy(loss) => verdict.is_slower_by(loss),
            Condition::Undecided => verdict.verdict == Verdict::Undecided,
        }
    }

    /// The configurations of which nobody can say whether it holds, with their run.
    fn unknown(self, comparison: &RunComparison) -> Vec<String> {
        if self == Condition::Undecided {
            return Vec::new();
        }
        let verdicts = comparison.verdicts.iter().filter(|verdict| verdict.cannot_be_judged());
        verdicts.map(|v| name(&v.run, &v.configuration)).collect()
    }

    /// The configurations of which it holds, with their run.
    fn found(self, comparison: &RunComparison) -> Vec<String> {
        let verdicts = comparison.verdicts.iter().filter(|verdict| self.holds(verdict));
        let mut found: Vec<String> = verdicts.map(|v| name(&v.run, &v.configuration)).collect();
        if self == Condition::Undecided {
            let missing = comparison.not_compared.iter().filter(|other| other.in_baseline);
            found.extend(missing.map(|other| name(&other.run, &other.configuration)));
        }
        found
    }
}

fn name(run: &str, configuration: &str) -> String {
    format!("{configuration} in {run}").trim().to_owned()
}

/// Compares the runs, prints what was found, and tells by the exit code whether a condition holds.
pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    if let Some(page) = &arguments.html {
        check_page(page)?;
    }
    let mut stored = Vec::with_capacity(arguments.runs.len());
    for path in &arguments.runs {
        let folder = find_run(path)?;
        let files = StoredFiles::read(&folder)?;
        stored.push((folder.display().to_string(), files));
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
    let comparison = compare_runs(&runs)?;
    let input = CompareInput {
        comparison: &comparison,
        scenario: &runs[0].plan.scenario,
    };
    if let Some(page) = &arguments.html {
        store::write_atomically(page, report::compare_html(&input).as_bytes())?;
    }
    print(arguments, &input)?;
    let mut code = DONE;
    for condition in &arguments.fail_on {
        let found = condition.found(&comparison);
        if !found.is_empty() {
            eprintln!("tandem: --fail-on {} holds of {}", condition.text(), found.join("; "));
            code = WRONG;
        }
        let unknown = condition.unknown(&comparison);
        if !unknown.is_empty() {
            let (condition, of) = (condition.text(), unknown.join("; "));
            eprintln!("tandem: --fail-on {condition} cannot be judged of {of}: too few trials have a figure");
            code = WRONG;
        }
    }
    Ok(code)
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

/// A page replaces a page, and nothing else.
fn check_page(page: &Path) -> Result<()> {
    if page.is_dir() {
        bail!(
            "--html {}: this is a folder; name a file in it, such as {}",
            page.display(),
            page.join("compare.html").display()
        );
    }
    if page.exists() && !page.is_file() {
        bail!("--html {}: this is not an ordinary file; name one", page.display());
    }
    let parent = page.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
        bail!("--html {}: there is no folder {}", page.display(), parent.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_and_others_say_what_would_be_right() {
        assert_eq!("slower".parse(), Ok(Condition::Slower));
        assert_eq!("slower:2.5%".parse(), Ok(Condition::SlowerBy(0.025)));
        assert_eq!("undecided".parse(), Ok(Condition::Undecided));
        for wrong in [
            "slow",
            "faster",
            "slower:",
            "slower:5",
            "slower:-1%",
            "slower:100%",
            "slower:x%",
            "undecided:5%",
        ] {
            let refused = wrong.parse::<Condition>();
            assert!(
                refused.as_ref().is_err_and(|said| said.contains("5%")),
                "{wrong}: {refused:?}"
            );
        }
        assert_eq!(Condition::SlowerBy(0.05).text(), "slower:5%");
    }
}
