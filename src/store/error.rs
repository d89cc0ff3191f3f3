//! What can be wrong with the files of a run, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::names::{PLAN_FILE, TRIALS_FOLDER};

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
    #[error("{} has no trials: the run ended before its first trial did; continue with tandem run --resume {}", .0.display(), .0.display())]
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

pub(super) fn failed(action: &'static str, path: &Path, cause: io::Error) -> StoreError {
    let path = path.to_path_buf();
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull(path),
        _ => StoreError::Io { action, path, cause },
    }
}

pub(super) fn not_created(path: &Path, cause: io::Error) -> StoreError {
    match cause.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => StoreError::MayNotCreate {
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()),
            cause,
        },
        _ => failed("create", path, cause),
    }
}
