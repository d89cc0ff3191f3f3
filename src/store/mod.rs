//! The files of a run: `results/<scenario>/<run>/` is read and written here and nowhere else.

mod latency_files;
mod stored;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::measure::{DELIVERED_SCHEMA_VERSION, DeliveredTopics, ENVIRONMENT_SCHEMA_VERSION, Environment, Trial};
use crate::plan::{PLAN_SCHEMA_VERSION, Plan};

use stored::Keep;
pub use stored::{StoredFiles, find_run};

#[cfg(test)]
mod tests;

const PLAN_FILE: &str = "plan.json";
const ENVIRONMENT_FILE: &str = "environment.json";
/// Which offsets existing topics deliver.
const DELIVERED_FILE: &str = "delivered.json";
/// The scenario as the user wrote it, in the run's folder.
pub const SCENARIO_FILE: &str = "scenario.toml";
const TRIALS_FOLDER: &str = "trials";
const LOCK_FILE: &str = ".lock";
/// Files being written begin with this; one that is left over was never finished.
const UNFINISHED_PREFIX: &str = ".unfinished-";

/// What can be wrong with the files of a run.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A new run would mix with what is there.
    #[error("{} is not empty; name a folder that is empty or does not exist, or continue the run there with --resume", .0.display())]
    NotEmpty(PathBuf),
    /// There is a file where a folder is wanted.
    #[error("{} is a file, not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// There is no run.
    #[error("{} holds no run of tandem: it has no {PLAN_FILE}", .0.display())]
    NoRun(PathBuf),
    /// There is neither a run nor a folder of runs.
    #[error(
        "{} is not a run of tandem ({why}); give the folder of a run, such as \
         results/one-vs-two/2026-11-21T10-51-30Z, or that of a scenario's runs, such as results/one-vs-two",
        path.display()
    )]
    NotARun {
        /// What was given.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A run of which nothing has been stored.
    #[error("{} has no trials: it ended before its first one did; go on with tandem run --resume {}", .0.display(), .0.display())]
    NoTrials(PathBuf),
    /// Another process has the run.
    #[error("{} is in use by another tandem ({owner}); wait for it or end it first", path.display())]
    InUse {
        /// The run's folder.
        path: PathBuf,
        /// Who has it, such as `process 4711`.
        owner: String,
    },
    /// A newer tandem wrote the file.
    #[error("{} was written by a newer tandem (format {found}, this one knows up to {known}); use that version", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest known here.
        known: u32,
    },
    /// The contents make no sense.
    #[error("{} is damaged: {message}; {}", path.display(), remedy(path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The disk is full.
    #[error("the disk that holds {} is full; nothing stored before is lost", .0.display())]
    DiskFull(PathBuf),
    /// The system refused.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// `read`, `write`, `create`, ...
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        cause: io::Error,
    },
    /// Nothing may be made there.
    #[error("cannot create {}: {cause}; name a folder that you may write to with --out DIR", path.display())]
    MayNotCreate {
        /// The folder, by its absolute path.
        path: PathBuf,
        /// The system's answer.
        cause: io::Error,
    },
}

/// The folder of one run, held against other processes while this value lives.
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
    /// filled. On one line, and written before the plan that tells of these topics.
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
        stored::read_trials(&self.path, Keep::Everything)
    }

    /// The same with [`Measurement::condense`]d trials, as much as a report needs.
    ///
    /// [`Measurement::condense`]: crate::measure::Measurement::condense
    pub fn read_condensed_trials(&self) -> Result<Vec<Trial>, StoreError> {
        stored::read_trials(&self.path, Keep::Condensed)
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

fn read_environment(folder: &Path) -> Result<Option<Environment>, StoreError> {
    let path = folder.join(ENVIRONMENT_FILE);
    if !path.exists() {
        return Ok(None);
    }
    read_json(&path, ENVIRONMENT_SCHEMA_VERSION).map(Some)
}

/// The files of the trials of a run, in no order.
fn trial_files(run: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let folder = run.join(TRIALS_FOLDER);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed("read", &folder, e)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| failed("read", &folder, e))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_trial = path.extension().is_some_and(|extension| extension == "json");
        if is_trial && !name.starts_with(UNFINISHED_PREFIX) {
            files.push(path);
        }
    }
    Ok(files)
}

/// `2026-11-21T10-51-30Z`: sorts by time and needs no quotes in a shell.
fn folder_name(started_at: Timestamp) -> String {
    started_at.strftime("%Y-%m-%dT%H-%M-%SZ").to_string()
}

fn trial_file_name(number: u32) -> String {
    format!("{number:04}.json")
}

/// Takes the run for this process, or says who has it.
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

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|e| failed("write", path, e.into()))?;
    text.push(b'\n');
    write_atomically(path, &text)
}

/// The file is there whole or not at all, even after a crash: written beside its place, flushed, then renamed.
pub fn write_atomically(path: &Path, contents: &[u8]) -> Result<(), StoreError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let unfinished = path.with_file_name(format!("{UNFINISHED_PREFIX}{name}"));
    let written = File::create(&unfinished)
        .and_then(|mut file| file.write_all(contents).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&unfinished, path));
    if let Err(e) = written {
        // Best effort: what remains is passed over by every reader.
        let _ = fs::remove_file(&unfinished);
        return Err(failed("write", path, e));
    }
    // The rename itself is only safe once the folder is on the disk too.
    if let Some(folder) = path.parent() {
        // A bare file name is in the working folder.
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|e| failed("write", path, e))?;
    }
    Ok(())
}

/// Reads a file of a format up to `known`.
fn read_json<T: DeserializeOwned>(path: &Path, known: u32) -> Result<T, StoreError> {
    let damaged = |e: serde_json::Error| StoreError::Damaged {
        path: path.to_path_buf(),
        message: e.to_string(),
    };
    let text = fs::read(path).map_err(|e| failed("read", path, e))?;
    // A newer format may have anything in it: ask for its version before its contents.
    let version: SchemaVersion = serde_json::from_slice(&text).map_err(damaged)?;
    if version.schema_version > u64::from(known) {
        return Err(StoreError::Newer {
            path: path.to_path_buf(),
            found: version.schema_version,
            known,
        });
    }
    serde_json::from_slice(&text).map_err(damaged)
}

/// The file of delivered offsets.
#[derive(serde::Serialize, serde::Deserialize)]
struct DeliveredFile {
    schema_version: u32,
    data_sets: Vec<DeliveredTopics>,
}

#[derive(serde::Deserialize)]
struct SchemaVersion {
    schema_version: u64,
}

/// What can be done where this file of a run is damaged.
fn remedy(path: &Path) -> String {
    let folder = path.parent().filter(|folder| folder.ends_with(TRIALS_FOLDER));
    match folder.and_then(Path::parent) {
        Some(run) => format!(
            "remove it, and the report is made of the other trials; `tandem run --resume {}` runs that trial again",
            run.display()
        ),
        None => "put a copy in its place, or run the scenario again".to_owned(),
    }
}

fn failed(action: &'static str, path: &Path, cause: io::Error) -> StoreError {
    let path = path.to_path_buf();
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull(path),
        _ => StoreError::Io { action, path, cause },
    }
}

fn not_created(path: &Path, cause: io::Error) -> StoreError {
    match cause.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => StoreError::MayNotCreate {
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()),
            cause,
        },
        _ => failed("create", path, cause),
    }
}
