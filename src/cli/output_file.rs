//! Files that a command writes where the user says: checked before anything is done, so that nothing is lost at the end.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::store;

/// A file to be written, with the flag that names it.
#[derive(Debug)]
pub(super) struct OutputFile<'a> {
    flag: &'static str,
    path: &'a Path,
}

impl<'a> OutputFile<'a> {
    /// A file that can be written, or an error. It may replace an ordinary file, but none in the folders of runs, which are
    /// only read.
    pub(super) fn check(flag: &'static str, path: &'a Path, example: &str, runs: &[PathBuf]) -> Result<Self> {
        let path_text = path.display();
        if path.is_dir() {
            let inside = path.join(example);
            bail!(
                "{flag} {path_text}: this is a folder; name a file in it, such as {}",
                inside.display()
            );
        }
        if path.exists() && !path.is_file() {
            bail!("{flag} {path_text}: this is not an ordinary file; name one");
        }
        let Some(name) = path.file_name() else {
            bail!("{flag} {path_text}: this is no name of a file; name one, such as {example}");
        };
        let folder = folder_of(path);
        if !folder.is_dir() {
            bail!("{flag} {path_text}: there is no folder {}", folder.display());
        }
        let place = |folder: &Path| {
            let found = folder.canonicalize();
            found.with_context(|| format!("{flag} {path_text}: cannot open the folder {}", folder.display()))
        };
        let target = place(folder)?.join(name);
        for run in runs {
            // A run that cannot be opened is reported by whoever reads it.
            if run.canonicalize().is_ok_and(|run| target.starts_with(run)) {
                bail!(
                    "{flag} {path_text}: this is in the folder of the run {}, which is only read; name a file elsewhere",
                    run.display()
                );
            }
        }
        Ok(OutputFile { flag, path })
    }

    /// Fails where the file is one of a run's own that would be replaced.
    pub(super) fn keeps_files_of(&self, run: &Path) -> Result<()> {
        let is_xml = self.path.extension().is_some_and(|extension| extension == "xml");
        let inside = self.path.canonicalize().ok().zip(run.canonicalize().ok());
        if !is_xml && inside.is_some_and(|(file, run)| file.starts_with(run)) {
            bail!(
                "{} {}: this is a file of the run, which it would replace; name another, such as {}",
                self.flag,
                self.path.display(),
                run.join("tandem.xml").display()
            );
        }
        Ok(())
    }

    /// Fails where both would be the same file.
    pub(super) fn differs_from(&self, other: &OutputFile) -> Result<()> {
        let place = |path: &Path| Some(folder_of(path).canonicalize().ok()?.join(path.file_name()?));
        if place(self.path) == place(other.path) {
            bail!(
                "{} and {} name the same file: {}",
                self.flag,
                other.flag,
                self.path.display()
            );
        }
        Ok(())
    }

    /// Writes the file completely or not at all.
    pub(super) fn write(&self, contents: &str) -> Result<()> {
        store::write_atomically(self.path, contents.as_bytes()).with_context(|| self.flag)
    }
}

fn folder_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}
