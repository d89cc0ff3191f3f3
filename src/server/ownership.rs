//! Marks the processes and directories of a run, so that its clean-up finds them and nothing else: an environment variable
//! on every process and a marker file in every directory.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::error::FileError;

/// Environment variable that every process of a run carries; its value is the run's id.
pub const RUN_VARIABLE: &str = "TANDEM_RUN";

/// Name of the file that must lie in a directory for it to be removed as one of the run's.
pub fn marker_name(run_id: &str) -> String {
    format!(".tandem-{run_id}")
}

/// Is notified of everything that must not outlive the run.
pub trait Keeper: Send + Sync {
    /// A process runs.
    fn process_started(&self, pid: u32);
    /// A process has ended and was waited for.
    fn process_ended(&self, pid: u32);
    /// A directory is about to be made; its marker file is the first thing in it.
    fn directory_planned(&self, path: &Path);
    /// A directory is gone.
    fn directory_removed(&self, path: &Path);
}

/// Ignores everything: for callers that need no protection against their own death.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKeeper;

impl Keeper for NoKeeper {
    fn process_started(&self, _pid: u32) {}
    fn process_ended(&self, _pid: u32) {}
    fn directory_planned(&self, _path: &Path) {}
    fn directory_removed(&self, _path: &Path) {}
}

/// Makes the folder of a server's files in `parent`, with the run's marker in it; the keeper knows of it first.
pub fn make_directory(parent: &Path, run_id: &str, what: &str, keeper: &dyn Keeper) -> Result<PathBuf, FileError> {
    // Several servers of one run, one after another or at once, have folders of their own.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let parent = fs::canonicalize(parent).map_err(FileError::new("find the folder", parent))?;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let directory = parent.join(format!("tandem-{run_id}-{}-{what}-{count}", std::process::id()));
    keeper.directory_planned(&directory);
    let made = fs::create_dir(&directory).and_then(|()| fs::write(directory.join(marker_name(run_id)), ""));
    made.map_err(FileError::new("make the folder", &directory))?;
    Ok(directory)
}

/// Removes a directory that carries the run's marker, or that is still empty; anything else is an error and is left
/// alone. The marker goes last, so that a removal cut short can be taken up again. One that is not there is no error.
pub fn remove_owned_directory(path: &Path, run_id: &str) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !metadata.is_dir() {
        return Err(io::Error::other("it is not a directory"));
    }
    let marker = path.join(marker_name(run_id));
    if !marker.is_file() {
        // Made but not yet marked when its owner died: removing an empty directory can lose nothing.
        return fs::remove_dir(path);
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.path() == marker {
            continue;
        }
        let removed = if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())
        } else {
            fs::remove_file(entry.path())
        };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::remove_file(&marker)?;
    fs::remove_dir(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::fs;

    use super::{marker_name, remove_owned_directory};

    #[test]
    fn a_directory_without_the_run_s_marker_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("data");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("precious"), "x").unwrap();
        fs::write(directory.join(marker_name("other")), "").unwrap();
        assert!(remove_owned_directory(&directory, "mine").is_err());
        assert!(directory.join("precious").exists());
    }

    #[test]
    fn a_marked_directory_goes_with_all_that_is_in_it() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("data");
        fs::create_dir_all(directory.join("deep/er")).unwrap();
        fs::write(directory.join("deep/er/file"), "x").unwrap();
        fs::write(directory.join(marker_name("mine")), "").unwrap();
        remove_owned_directory(&directory, "mine").unwrap();
        assert!(!directory.exists());
        remove_owned_directory(&directory, "mine").unwrap();
    }

    #[test]
    fn an_empty_directory_without_marker_goes_and_a_link_does_not() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("data");
        fs::create_dir(&directory).unwrap();
        let link = parent.path().join("link");
        std::os::unix::fs::symlink(&directory, &link).unwrap();
        assert!(remove_owned_directory(&link, "mine").is_err());
        remove_owned_directory(&directory, "mine").unwrap();
        assert!(!directory.exists());
    }
}
