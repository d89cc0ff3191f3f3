//! The folder of a run that this process makes or goes on with.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::error::{StoreError, failed, not_created};
use super::files::{read_environment, read_json, trial_files, write_atomically, write_json};
use super::latency_files;
use super::names::{
    DELIVERED_FILE, ENVIRONMENT_FILE, LOCK_FILE, PLAN_FILE, SCENARIO_FILE, TRIALS_FOLDER, folder_name, trial_file_name,
};
use super::stored::{Keep, read_trials};
use crate::measure::{DELIVERED_SCHEMA_VERSION, DeliveredTopics, Environment, Trial};
use crate::plan::{PLAN_SCHEMA_VERSION, Plan};

/// The folder of one run, locked against other processes while this value lives.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    /// Folders that did not exist before, outermost first.
    created: Vec<PathBuf>,
    /// Held for its lock, which the system drops with the process, however that ends.
    _lock: Flock<File>,
}

impl RunDir {
    /// Makes `<results>/<scenario>/<time>/` for a new run; a second one in the same second gets `-2` and so on.
    pub fn create_for(results: &Path, scenario: &str, started_at: Timestamp) -> Result<RunDir, StoreError> {
        let name = folder_name(started_at);
        let parent = results.join(scenario);
        let mut path = parent.join(&name);
        let mut copy = 2;
        loop {
            match RunDir::create(&path) {
                Err(StoreError::NotEmpty(_) | StoreError::InUse { .. }) => {
                    path = parent.join(format!("{name}-{copy}"));
                    copy += 1;
                }
                other => return other,
            }
        }
    }

    /// Makes a folder for a new run, with those above it, or takes an empty one.
    pub fn create(path: &Path) -> Result<RunDir, StoreError> {
        let created: Vec<PathBuf> = {
            let missing = path
                .ancestors()
                .take_while(|p| !p.as_os_str().is_empty() && !p.exists());
            let mut missing: Vec<PathBuf> = missing.map(Path::to_path_buf).collect();
            missing.reverse();
            missing
        };
        if let Some(file) = path.ancestors().find(|p| p.is_file()) {
            return Err(StoreError::NotAFolder(file.to_path_buf()));
        }
        fs::create_dir_all(path).map_err(|e| not_created(path, e))?;
        let mut entries = fs::read_dir(path).map_err(|e| failed("read", path, e))?;
        if entries.next().is_some() {
            return Err(StoreError::NotEmpty(path.to_path_buf()));
        }
        let run = RunDir {
            path: path.to_path_buf(),
            created,
            _lock: lock(path)?,
        };
        let trials = run.path.join(TRIALS_FOLDER);
        fs::create_dir(&trials).map_err(|e| not_created(&trials, e))?;
        Ok(run)
    }

    /// Takes the folder of an existing run.
    pub fn open(path: &Path) -> Result<RunDir, StoreError> {
        let plan = path.join(PLAN_FILE);
        if !plan.is_file() {
            return Err(StoreError::NoRun(path.to_path_buf()));
        }
        let run = RunDir {
            path: path.to_path_buf(),
            created: Vec::new(),
            _lock: lock(path)?,
        };
        run.read_plan()?;
        Ok(run)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes a run that has no trial, and the folders made for it, so that a run that could not begin leaves
    /// nothing behind. A run with trials is kept.
    pub fn discard(self) -> Result<(), StoreError> {
        if !trial_files(&self.path)?.is_empty() {
            return Ok(());
        }
        let entries = fs::read_dir(&self.path).map_err(|e| failed("read", &self.path, e))?;
        for entry in entries {
            let entry = entry.map_err(|e| failed("read", &self.path, e))?.path();
            let removed = if entry.is_dir() {
                fs::remove_dir_all(&entry)
            } else {
                fs::remove_file(&entry)
            };
            removed.map_err(|e| failed("remove", &entry, e))?;
        }
        for folder in self.created.iter().rev() {
            // A folder above may have got other contents in the meantime: then it stays.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Stores the scenario as the user wrote it, without secrets.
    pub fn write_scenario(&self, text: &str) -> Result<(), StoreError> {
        self.write_text(SCENARIO_FILE, text).map(drop)
    }

    /// The scenario of the run as the user wrote it, without secrets: that of the plan, where the plan has it.
    pub fn read_scenario(&self, plan: &Plan) -> Result<String, StoreError> {
        match &plan.source {
            Some(source) => Ok(source.clone()),
            None => self.read_scenario_file(),
        }
    }

    /// True where the stored scenario is no longer the one that the plan was made from.
    pub fn scenario_was_edited(&self, plan: &Plan) -> Result<bool, StoreError> {
        match &plan.source {
            Some(source) if self.path.join(SCENARIO_FILE).exists() => Ok(self.read_scenario_file()? != *source),
            _ => Ok(false),
        }
    }

    fn read_scenario_file(&self) -> Result<String, StoreError> {
        let path = self.path.join(SCENARIO_FILE);
        fs::read_to_string(&path).map_err(|e| failed("read", &path, e))
    }

    /// Stores the plan.
    pub fn write_plan(&self, plan: &Plan) -> Result<(), StoreError> {
        write_json(&self.path.join(PLAN_FILE), plan)
    }

    /// The plan.
    pub fn read_plan(&self) -> Result<Plan, StoreError> {
        read_json(&self.path.join(PLAN_FILE), PLAN_SCHEMA_VERSION)
    }

    /// Stores which offsets the cluster delivers of existing topics, by data set; an empty entry for one that is
    /// filled. On one line, and written before the plan that names these topics.
    pub fn write_delivered(&self, data_sets: &[DeliveredTopics]) -> Result<(), StoreError> {
        let path = self.path.join(DELIVERED_FILE);
        let file = DeliveredFile {
            schema_version: DELIVERED_SCHEMA_VERSION,
            data_sets: data_sets.to_vec(),
        };
        let text = serde_json::to_vec(&file).map_err(|e| failed("write", &path, e.into()))?;
        write_atomically(&path, &text)
    }

    /// Which offsets the cluster delivers of existing topics, by data set.
    pub fn read_delivered(&self) -> Result<Vec<DeliveredTopics>, StoreError> {
        let file: DeliveredFile = read_json(&self.path.join(DELIVERED_FILE), DELIVERED_SCHEMA_VERSION)?;
        Ok(file.data_sets)
    }

    /// Stores the environment.
    pub fn write_environment(&self, environment: &Environment) -> Result<(), StoreError> {
        write_json(&self.path.join(ENVIRONMENT_FILE), environment)
    }

    /// The environment; `None` where the run was interrupted before it was stored.
    pub fn read_environment(&self) -> Result<Option<Environment>, StoreError> {
        read_environment(&self.path)
    }

    /// Stores a trial that has ended as `trials/NNNN.json`: after this returns it survives a crash. The latencies of a
    /// live trial are stored before it in the formats of other tools: `NNNN.hlog` and `NNNN-percentiles.csv`.
    pub fn write_trial(&self, trial: &Trial) -> Result<(), StoreError> {
        let name = trial_file_name(trial.order.number);
        let folder = self.path.join(TRIALS_FOLDER);
        let latencies = latency_files::files(trial).map_err(|e| failed("write", &folder.join(&name), e))?;
        if let Some((log, percentiles)) = latencies {
            let number = trial.order.number;
            write_atomically(&folder.join(format!("{number:04}.hlog")), &log)?;
            write_atomically(&folder.join(format!("{number:04}-percentiles.csv")), &percentiles)?;
        }
        write_json(&self.path.join(TRIALS_FOLDER).join(name), trial)
    }

    /// All stored trials by number. What a crash left half-written is passed over; a damaged trial is an error.
    pub fn read_trials(&self) -> Result<Vec<Trial>, StoreError> {
        read_trials(&self.path, Keep::Everything)
    }

    /// The same with [`Measurement::condense`]d trials, as much as a report needs.
    ///
    /// [`Measurement::condense`]: crate::measure::Measurement::condense
    pub fn read_condensed_trials(&self) -> Result<Vec<Trial>, StoreError> {
        read_trials(&self.path, Keep::Condensed)
    }

    /// Stores a text such as a report under this name (which may have folders in it) and returns its path.
    pub fn write_text(&self, name: &str, contents: &str) -> Result<PathBuf, StoreError> {
        let path = self.path.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| failed("create", parent, e))?;
        }
        write_atomically(&path, contents.as_bytes())?;
        Ok(path)
    }
}

/// Locks the run for this process, or reports which process has the lock.
fn lock(folder: &Path) -> Result<Flock<File>, StoreError> {
    let path = folder.join(LOCK_FILE);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(&path).map_err(|e| failed("write", &path, e))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            let owner = format!("process {}", std::process::id());
            let written = lock.set_len(0).and_then(|()| lock.write_all(owner.as_bytes()));
            written.map_err(|e| failed("write", &path, e))?;
            Ok(lock)
        }
        Err((mut file, Errno::EWOULDBLOCK)) => {
            let mut owner = String::new();
            let read = file.rewind().and_then(|()| file.read_to_string(&mut owner));
            if read.is_err() || owner.is_empty() {
                "another process".clone_into(&mut owner);
            }
            let path = folder.to_path_buf();
            Err(StoreError::InUse { path, owner })
        }
        Err((_, errno)) => Err(failed("lock", &path, errno.into())),
    }
}

/// The file of delivered offsets.
#[derive(serde::Serialize, serde::Deserialize)]
struct DeliveredFile {
    schema_version: u32,
    data_sets: Vec<DeliveredTopics>,
}
