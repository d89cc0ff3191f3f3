//! What can go wrong with the files and ports of a server.

use std::io;
use std::path::{Path, PathBuf};

/// A file, a folder or a process could not be made or used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {cause}{}", .path.display(), elsewhere(cause))]
pub struct FileError {
    /// What was to be done.
    pub action: &'static str,
    /// With what.
    pub path: PathBuf,
    /// Why not.
    pub cause: io::Error,
}

impl FileError {
    /// From what the system says of an action.
    pub fn new(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| FileError { action, path, cause }
    }
}

/// What helps where nothing may be written to the folder: all that servers write is in tandem's cache.
fn elsewhere(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; set XDG_CACHE_HOME to a folder that you may write to"
        }
        _ => "",
    }
}

/// No port is free.
#[derive(Debug, thiserror::Error)]
#[error("no free TCP port on {0}")]
pub struct NoPort(
    /// The host.
    pub String,
);
