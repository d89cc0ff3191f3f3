//! The jars of a folder, and the versions in their names.

use std::fs;
use std::path::Path;

use super::error::LocalError;

/// Names of the jars in a folder.
pub(super) fn jars(libs: &Path) -> Result<Vec<String>, LocalError> {
    let entries = fs::read_dir(libs).map_err(LocalError::io("read the folder", libs))?;
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "jar"))
        .collect())
}

/// The version in the name of the jar of this artifact.
pub(super) fn jar_version(names: &[String], artifact: &str) -> Option<String> {
    names.iter().find_map(|name| {
        let version = name.strip_prefix(artifact)?.strip_prefix('-')?.strip_suffix(".jar")?;
        version
            .starts_with(|first: char| first.is_ascii_digit())
            .then(|| version.to_owned())
    })
}
