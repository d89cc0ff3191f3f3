//! Reads stored runs without writing. They may belong to another user, be on a read-only disk, or still be in progress.
//! No lock is needed, because each file is written atomically.

use std::fs;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use super::error::{StoreError, failed};
use super::files::{read_environment, read_json, trial_files};
use super::names::{PLAN_FILE, trial_file_name};
use crate::measure::{Environment, TRIAL_SCHEMA_VERSION, Trial};
use crate::plan::{PLAN_SCHEMA_VERSION, Plan};

/// What a run has stored.
#[derive(Debug)]
pub struct StoredFiles {
    /// Its plan.
    pub plan: Plan,
    /// Where it was made.
    pub environment: Environment,
    /// Its trials by number, at least one.
    pub trials: Vec<Trial>,
}

impl StoredFiles {
    /// Reads a run's folder.
    ///
    /// # Errors
    /// Where there is no run, it has no trials, or a file cannot be read, is damaged or of a newer tandem.
    pub fn read(folder: &Path) -> Result<Self, StoreError> {
        let plan_file = folder.join(PLAN_FILE);
        if !plan_file.exists() {
            return Err(StoreError::NoRun(folder.to_path_buf()));
        }
        let plan: Plan = read_json(&plan_file, PLAN_SCHEMA_VERSION)?;
        let trials = read_trials(folder, Keep::Condensed)?;
        let configurations = plan.scenario.configurations.len();
        if let Some(stray) = trials.iter().find(|trial| trial.order.configuration >= configurations) {
            return Err(StoreError::Damaged {
                path: folder.to_path_buf(),
                message: format!(
                    "trial {} is of a configuration that the plan does not have",
                    stray.order.number
                ),
            });
        }
        let environment = read_environment(folder)?.filter(|_| !trials.is_empty());
        let environment = environment.ok_or_else(|| StoreError::NoTrials(folder.to_path_buf()))?;
        Ok(StoredFiles {
            plan,
            environment,
            trials,
        })
    }
}

/// What is kept of a stored trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// All that was stored.
    Everything,
    /// Without the data that no report uses ([`crate::measure::Measurement::condense`]).
    Condensed,
}

/// All trials of a run by number, read on every core: there may be thousands, with histograms to be unpacked.
pub(super) fn read_trials(run: &Path, keep: Keep) -> Result<Vec<Trial>, StoreError> {
    let mut files = trial_files(run)?;
    // Sorted by name, so that the same damaged file is reported each time.
    files.sort();
    let share = files
        .len()
        .div_ceil(thread::available_parallelism().map_or(1, NonZero::get))
        .max(1);
    let read = |paths: &[PathBuf]| -> Result<Vec<Trial>, StoreError> {
        paths.iter().map(|path| read_trial(path, keep)).collect()
    };
    let shares: Vec<Result<Vec<Trial>, StoreError>> = thread::scope(|scope| {
        let readers: Vec<_> = files
            .chunks(share)
            .map(|paths| scope.spawn(move || read(paths)))
            .collect();
        let read = readers
            .into_iter()
            .map(|reader| reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        read.collect()
    });
    let mut trials = Vec::with_capacity(files.len());
    for share in shares {
        trials.extend(share?);
    }
    trials.sort_by_key(|trial| trial.order.number);
    Ok(trials)
}

fn read_trial(path: &Path, keep: Keep) -> Result<Trial, StoreError> {
    let mut trial: Trial = read_json(path, TRIAL_SCHEMA_VERSION)?;
    let named = path.file_name().and_then(|name| name.to_str());
    if named != Some(trial_file_name(trial.order.number).as_str()) {
        return Err(StoreError::Damaged {
            path: path.to_path_buf(),
            message: format!(
                "it contains trial {}, which does not match its name",
                trial.order.number
            ),
        });
    }
    if keep == Keep::Condensed {
        trial
            .measurement
            .iter_mut()
            .for_each(crate::measure::Measurement::condense);
    }
    Ok(trial)
}

/// The folder of the run that a path means: a run's own, or the newest in the folder of a scenario's runs.
///
/// # Errors
/// Where it is neither, or cannot be read.
pub fn find_run(path: &Path) -> Result<PathBuf, StoreError> {
    let not_a_run = |why: &str| StoreError::NotARun {
        path: path.to_path_buf(),
        why: why.to_owned(),
    };
    if path.join(PLAN_FILE).is_file() {
        return Ok(path.to_path_buf());
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(not_a_run("there is no such folder")),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => return Err(not_a_run("it is a file")),
        Err(e) => return Err(failed("read", path, e)),
    };
    let mut newest: Option<((String, u32), PathBuf)> = None;
    let mut unnamed = None;
    for entry in entries {
        let folder = entry.map_err(|e| failed("read", path, e))?.path();
        if !folder.join(PLAN_FILE).is_file() {
            continue;
        }
        let name = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        match age(&name) {
            Some(age) if newest.as_ref().is_none_or(|(known, _)| age > *known) => newest = Some((age, folder)),
            Some(_) => {}
            None => unnamed = Some(name),
        }
    }
    match (newest, unnamed) {
        (Some((_, folder)), _) => Ok(folder),
        (None, Some(name)) => Err(not_a_run(&format!(
            "the runs in it are not named by their time, so the newest is not known: name one, such as \
             {name}"
        ))),
        (None, None) => Err(not_a_run("it has no plan.json and contains no run")),
    }
}

/// Time and number of a folder as [`super::RunDir::create_for`] names it: `2026-11-21T10-51-30Z`, or with `-2` behind.
fn age(name: &str) -> Option<(String, u32)> {
    let (time, copy) = name.split_once('Z')?;
    let is_time = time.len() == 19 && time.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | 'T'));
    let copy = match copy {
        "" => 1,
        copy => copy.strip_prefix('-')?.parse().ok()?,
    };
    is_time.then(|| (time.to_owned(), copy))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn folder_with(runs: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for run in runs {
            fs::create_dir(folder.path().join(run)).unwrap();
            fs::write(folder.path().join(run).join(PLAN_FILE), "{}").unwrap();
        }
        folder
    }

    fn found(runs: &[&str]) -> Result<String, String> {
        let folder = folder_with(runs);
        let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        find_run(folder.path()).map(name).map_err(|error| error.to_string())
    }

    #[test]
    fn the_newest_run_of_a_scenario_is_found_by_name() {
        let runs = [
            "2026-11-21T10-51-30Z-10",
            "2026-11-21T10-51-30Z",
            "2026-11-21T10-51-30Z-2",
            "2025-12-31T23-59-59Z",
            "mine",
        ];
        assert_eq!(found(&runs), Ok("2026-11-21T10-51-30Z-10".to_owned()));
    }

    #[test]
    fn a_run_is_taken_as_it_is_and_anything_else_is_said() {
        let folder = folder_with(&["2026-11-21T10-51-30Z"]);
        let run = folder.path().join("2026-11-21T10-51-30Z");
        assert_eq!(find_run(&run).unwrap(), run);
        let said = |path: &Path| find_run(path).unwrap_err().to_string();
        assert!(said(&run.join("trials")).contains("no such folder"));
        assert!(said(&run.join(PLAN_FILE)).contains("it is a file"));
        assert!(found(&[]).unwrap_err().contains("no plan.json"));
        assert!(found(&["mine"]).unwrap_err().contains("such as mine"));
    }
}
