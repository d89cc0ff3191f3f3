//! Why a ready-made client is not there.

use std::io;
use std::path::{Path, PathBuf};

use crate::clients::Tool;
use crate::server::FileError;

/// Why a ready-made client cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A program that builds or runs it is missing.
    #[error("client {client} needs {}, and there is no {} in the search path; install it: {}", tool.title, tool.program, tool.install)]
    NoTool {
        /// The client and its version.
        client: String,
        /// What is missing.
        tool: &'static Tool,
    },
    /// A command of its build failed.
    #[error("client {client} could not be built: `{command}` {how}{}", said(output))]
    Build {
        /// The client and its version.
        client: String,
        /// The command.
        command: String,
        /// How it ended.
        how: String,
        /// The last lines of what it printed.
        output: String,
    },
    /// A file or folder of the cache.
    #[error("cannot {what} {}: {error}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A folder of the cache.
    #[error(transparent)]
    Cache(#[from] FileError),
    /// The user stopped it.
    #[error("interrupted while a client was being built; nothing of it is left")]
    Interrupted,
}

impl ClientError {
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| ClientError::Io { what, path, error }
    }
}

fn said(output: &str) -> String {
    if output.is_empty() {
        "; it printed nothing".to_owned()
    } else {
        format!("; it printed:\n{output}")
    }
}
