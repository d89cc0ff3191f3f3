//! Reads and writes single files of a run. Each is written atomically and has a known format.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{StoreError, failed};
use super::names::{ENVIRONMENT_FILE, TRIALS_FOLDER, UNFINISHED_PREFIX};
use crate::measure::{ENVIRONMENT_SCHEMA_VERSION, Environment};

pub(super) fn read_environment(folder: &Path) -> Result<Option<Environment>, StoreError> {
    let path = folder.join(ENVIRONMENT_FILE);
    if !path.exists() {
        return Ok(None);
    }
    read_json(&path, ENVIRONMENT_SCHEMA_VERSION).map(Some)
}

/// The files of the trials of a run, in no order.
pub(super) fn trial_files(run: &Path) -> Result<Vec<PathBuf>, StoreError> {
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

pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|e| failed("write", path, e.into()))?;
    text.push(b'\n');
    write_atomically(path, &text)
}

/// Writes a file atomically, even in a crash: to a temporary file beside it, flushed, then renamed.
pub fn write_atomically(path: &Path, contents: &[u8]) -> Result<(), StoreError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let unfinished = path.with_file_name(format!("{UNFINISHED_PREFIX}{name}"));
    let written = File::create(&unfinished)
        .and_then(|mut file| file.write_all(contents).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&unfinished, path));
    if let Err(e) = written {
        // Best effort: readers ignore a temporary file that is left.
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
pub(super) fn read_json<T: DeserializeOwned>(path: &Path, known: u32) -> Result<T, StoreError> {
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

#[derive(serde::Deserialize)]
struct SchemaVersion {
    schema_version: u64,
}
