//! Why there is no private database.

use std::path::{Path, PathBuf};

use crate::server::{FileError, NoPort};

/// Why there is no private database.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// Nothing is installed.
    #[error(
        "[store] without `url` needs a PostgreSQL server on this machine, and there is none (initdb and postgres were \
         looked for in {looked}): install it (on Debian and Ubuntu: apt-get install postgresql), or name a database that \
         exists by url = {{ env = \"NAME\" }}"
    )]
    Missing {
        /// Where it was looked for.
        looked: String,
    },
    /// A program does not report its version.
    #[error("{} does not work as a PostgreSQL server: {cause}", .program.display())]
    Broken {
        /// The program.
        program: PathBuf,
        /// What it answered.
        cause: String,
    },
    /// PostgreSQL refuses to run as root.
    #[error("PostgreSQL does not run as root, and this machine has neither a user postgres nor a user nobody: add one")]
    NoAccount,
    /// No folder can be used.
    #[error(
        "the user {account}, as whom PostgreSQL would run here, can reach none of {tried} on a disk: set XDG_CACHE_HOME to \
         a folder on a disk that every user can enter"
    )]
    NoFolder {
        /// The user.
        account: String,
        /// The folders.
        tried: String,
    },
    /// It did not come up.
    #[error("PostgreSQL {version} {problem}; the end of its log:\n{log}")]
    Start {
        /// Its version.
        version: String,
        /// What happened.
        problem: String,
        /// The end of its log.
        log: String,
    },
    /// A file or a process could not be made.
    #[error(transparent)]
    File(#[from] FileError),
    /// No port is free.
    #[error(transparent)]
    NoPort(#[from] NoPort),
    /// The caller no longer needs it.
    #[error("interrupted while PostgreSQL started")]
    Interrupted,
}

impl PrivateError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let failed = FileError::new(action, path);
        move |cause| failed(cause).into()
    }
}
