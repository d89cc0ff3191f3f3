//! What continuous integration asks of a command that compares: conditions that make it fail, and a file of test
//! results. The same flags for `run`, `report` and `compare`.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::exit::{DONE, WRONG};
use super::output_file::OutputFile;
use crate::report::{JunitSuite, junit, requirement_sentence};
use crate::scenario::Scenario;
use crate::store::RunDir;
use crate::summary::condition::{Alarm, Condition, Judged, why_unjudged};
use crate::summary::{CheckedRequirement, Met};

/// The flag of the file of test results.
const JUNIT: &str = "--junit";

/// Conditions and test results.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Gate {
    /// End with exit code 1 where this holds of any comparison: slower, slower:5% (at least so much beyond doubt) or
    /// undecided (not compared, too); or of a single run: disturbed (more than a quarter of its trials); may be given
    /// more than once
    #[arg(long, value_name = "CONDITION")]
    fail_on: Vec<Condition>,
    /// Write the comparisons to this file as test results (JUnit XML): a failure where --fail-on holds, skipped where
    /// undecided
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// What was compared, and in which run or runs.
#[derive(Debug)]
pub(super) struct Compared<'a> {
    pub(super) scenario: &'a Scenario,
    /// Names and folders of the runs.
    pub(super) runs: Vec<(String, String)>,
    pub(super) judged: Vec<Judged>,
    /// What the scenario requires of figures, where a single run is judged.
    pub(super) requirements: Vec<CheckedRequirement>,
    /// Where a single run is judged: what is wrong with its measurement.
    pub(super) wrong: Option<Vec<String>>,
    /// Where a single run is judged: what disturbed it too much.
    pub(super) disturbed: Option<String>,
}

impl Gate {
    /// Fails where the file of test results could not be written; `runs` are folders that are only read.
    pub(super) fn check(&self, runs: &[PathBuf]) -> Result<Option<OutputFile<'_>>> {
        let junit = self.junit.as_ref();
        junit
            .map(|path| OutputFile::check(JUNIT, path, "tandem.xml", runs))
            .transpose()
    }

    /// Fails where the flags ask for verdicts of a scenario that will have none.
    pub(super) fn check_scenario(&self, scenario: &Scenario) -> Result<()> {
        let by_share = self
            .fail_on
            .iter()
            .find(|condition| matches!(condition, Condition::SlowerBy(_)));
        let difference = scenario.metric.filter(|chosen| chosen.difference.is_some());
        if let (Some(condition), Some(chosen)) = (by_share, difference) {
            let name = &chosen.figure.figure().name;
            bail!(
                "--fail-on {condition} is a share, and `{name}` is compared by differences; use slower or [[require]]"
            );
        }
        if self.fail_on.is_empty() && !scenario.requirements.is_empty() {
            return Ok(());
        }
        let mut of_comparisons = self
            .fail_on
            .iter()
            .filter(|condition| **condition != Condition::Disturbed);
        let flag = match (of_comparisons.next(), &self.junit) {
            (Some(first), _) => format!("--fail-on {first}"),
            (None, Some(_)) => JUNIT.to_owned(),
            (None, None) => return Ok(()),
        };
        match why_unjudged(scenario) {
            Some(why) => bail!("{flag}: {why}"),
            None => Ok(()),
        }
    }

    /// Fails where the flags ask for what only a single run has.
    pub(super) fn check_between(&self) -> Result<()> {
        if self.fail_on.contains(&Condition::Disturbed) {
            bail!("--fail-on disturbed is about a single run: use it with `tandem run` or `tandem report`");
        }
        Ok(())
    }

    /// The same for a run that is stored, whose files must stay what they are.
    pub(super) fn check_stored(&self, dir: &RunDir, scenario: &Scenario) -> Result<()> {
        if let Some(file) = self.check(&[])? {
            file.keeps_files_of(dir.path())?;
        }
        self.check_scenario(scenario)
    }

    /// Fails where one file was to hold the results of several runs.
    pub(super) fn check_single(&self, runs: usize) -> Result<()> {
        if self.junit.is_some() && runs > 1 {
            bail!("{JUNIT} FILE is for one scenario; {runs} were given");
        }
        Ok(())
    }

    /// Writes the test results, says which conditions hold, and gives the exit code.
    pub(super) fn judge(&self, compared: &Compared, file: Option<&OutputFile>) -> Result<u8> {
        let disturbed = compared
            .disturbed
            .as_ref()
            .filter(|_| self.fail_on.contains(&Condition::Disturbed));
        let wrong = compared
            .wrong
            .as_ref()
            .map(|wrong| wrong.iter().chain(disturbed).cloned().collect());
        let wrong: Option<Vec<String>> = wrong;
        if let Some(file) = file {
            file.write(&junit(&JunitSuite {
                question: &compared.scenario.question,
                scenario: &compared.scenario.name,
                properties: &compared.runs,
                judged: &compared.judged,
                requirements: &compared.requirements,
                conditions: &self.fail_on,
                wrong: wrong.as_deref(),
                error: None,
            }))?;
        }
        let mut code = DONE;
        if let Some(disturbed) = disturbed {
            eprintln!("tandem: --fail-on disturbed holds: {disturbed}");
            code = WRONG;
        }
        for checked in &compared.requirements {
            let what = match checked.outcome {
                Met::Yes => continue,
                Met::No => "[[require]] fails",
                Met::CannotSay => "[[require]] cannot be decided",
            };
            eprintln!("tandem: {what}: {}", requirement_sentence(checked));
            if checked.fails() {
                code = WRONG;
            }
        }
        for condition in &self.fail_on {
            let with = |alarm: Alarm| -> Vec<String> {
                let judged = compared.judged.iter().filter(|j| condition.alarm(j) == Some(alarm));
                judged.map(|judged| judged.name.clone()).collect()
            };
            let (holds, unknown) = (with(Alarm::Holds), with(Alarm::CannotBeJudged));
            if !holds.is_empty() {
                eprintln!("tandem: --fail-on {condition} holds of {}", holds.join("; "));
                code = WRONG;
            }
            if !unknown.is_empty() {
                let names = unknown.join("; ");
                eprintln!("tandem: --fail-on {condition} cannot be judged of {names}: too few trials have a figure");
                code = WRONG;
            }
        }
        Ok(code)
    }

    /// Writes test results that say why nothing could be compared.
    pub(super) fn write_error(&self, scenario: &Scenario, error: &str, file: Option<&OutputFile>) -> Result<()> {
        let Some(file) = file else { return Ok(()) };
        file.write(&junit(&JunitSuite {
            question: &scenario.question,
            scenario: &scenario.name,
            properties: &[],
            judged: &[],
            requirements: &[],
            conditions: &self.fail_on,
            wrong: None,
            error: Some(error),
        }))
    }
}
