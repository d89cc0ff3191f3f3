//! `tandem manual`: writes the manual pages, which packages install.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::exit::DONE;

/// What `tandem manual` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// An existing folder
    folder: PathBuf,
}

/// Writes `tandem.1`, `tandem-run.1` and so on; replaces files of these names.
pub(super) fn run(arguments: &Arguments, command_line: clap::Command) -> Result<u8> {
    let folder = &arguments.folder;
    if !folder.is_dir() {
        bail!("{}: there is no such folder; make it first", folder.display());
    }
    // The commit would make the pages of two builds differ.
    let command_line = command_line.version(env!("CARGO_PKG_VERSION"));
    clap_mangen::generate_to(command_line, folder)
        .with_context(|| format!("cannot write manual pages into {}", folder.display()))?;
    Ok(DONE)
}
