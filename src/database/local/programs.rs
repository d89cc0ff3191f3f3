//! Finding the programs of a PostgreSQL server.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::PrivateError;

/// Where packages put the programs of each version, which Debian keeps out of the search path: the folder above the
/// versions, and what comes after a version.
const PACKAGES: [(&str, &str); 2] = [("/usr/lib/postgresql", "bin"), ("/usr", "bin")];

/// The start of a version's folder in the second of [`PACKAGES`].
const PGSQL: &str = "pgsql-";

/// The programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// The folder of all of them.
    pub folder: PathBuf,
    /// The version, such as `15.13`.
    pub version: String,
}

impl Programs {
    /// Those in the search path, or else the newest that a package has installed.
    pub fn find() -> Result<Self, PrivateError> {
        let [debian, redhat] = PACKAGES.map(|(folder, _)| Path::new(folder));
        Self::find_in(std::env::var_os("PATH").as_deref(), debian, redhat)
    }

    fn find_in(path: Option<&OsStr>, debian: &Path, redhat: &Path) -> Result<Self, PrivateError> {
        let searched = path.map(|path| std::env::split_paths(path).collect::<Vec<_>>());
        let packaged = versions(debian, "", PACKAGES[0].1).chain(versions(redhat, PGSQL, PACKAGES[1].1));
        let mut packaged: Vec<(u32, PathBuf)> = packaged.collect();
        packaged.sort_by_key(|(version, _)| Reverse(*version));
        let packaged = packaged.into_iter().map(|(_, folder)| folder);
        let mut folders = searched.into_iter().flatten().chain(packaged);
        let is_complete = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file());
        let Some(folder) = folders.find(is_complete) else {
            let (debian, redhat) = (debian.display(), redhat.display());
            return Err(PrivateError::Missing {
                looked: format!("PATH, {debian}/*/bin and {redhat}/{PGSQL}*/bin"),
            });
        };
        let version = version_of(&folder.join("postgres"))?;
        Ok(Programs { folder, version })
    }
}

/// The folders of programs below `above`, whose names are `start` and a version, with their versions.
fn versions(above: &Path, start: &'static str, end: &'static str) -> impl Iterator<Item = (u32, PathBuf)> {
    let entries = fs::read_dir(above).into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        let name = entry.file_name();
        let version = name.to_str()?.strip_prefix(start)?.parse().ok()?;
        Some((version, entry.path().join(end)))
    })
}

/// `15.13` of `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)`.
fn version_of(program: &Path) -> Result<String, PrivateError> {
    let broken = |cause: String| PrivateError::Broken {
        program: program.to_owned(),
        cause,
    };
    let output = Command::new(program).arg("--version").output();
    let output = output.map_err(|error| broken(error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text
        .split_once("(PostgreSQL) ")
        .and_then(|(_, rest)| rest.split_whitespace().next());
    let printed = || {
        text.lines()
            .next()
            .unwrap_or("it does not print its version")
            .to_owned()
    };
    version.map(str::to_owned).ok_or_else(|| broken(printed()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::server::write_program;

    /// A folder of programs that report this version.
    fn install(folder: &Path, version: &str) {
        fs::create_dir_all(folder).unwrap();
        write_program(&folder.join("initdb"), "exit 0");
        write_program(
            &folder.join("postgres"),
            &format!("echo 'postgres (PostgreSQL) {version} (Debian)'"),
        );
    }

    #[test]
    fn the_search_path_comes_first_and_then_the_newest_version_of_a_package() {
        let machine = tempfile::tempdir().unwrap();
        let (debian, redhat) = (machine.path().join("postgresql"), machine.path().join("usr"));
        install(&debian.join("9/bin"), "9.6.24");
        install(&debian.join("15/bin"), "15.13");
        install(&redhat.join("pgsql-14/bin"), "14.2");
        // Only the client was installed.
        fs::create_dir_all(debian.join("17/bin")).unwrap();
        let found = |path: Option<&OsStr>| Programs::find_in(path, &debian, &redhat).unwrap().version;
        assert_eq!(found(None), "15.13");
        let searched = machine.path().join("bin");
        install(&searched, "13.1");
        assert_eq!(found(Some(searched.as_os_str())), "13.1");
    }

    #[test]
    fn what_is_missing_is_named_with_the_package_and_the_way_round_it() {
        let machine = tempfile::tempdir().unwrap();
        let missing = Programs::find_in(None, &machine.path().join("a"), &machine.path().join("b")).unwrap_err();
        let text = missing.to_string();
        assert!(
            text.contains("apt-get install postgresql") && text.contains("url = { env = \"NAME\" }"),
            "{text}"
        );
    }

    #[test]
    fn a_program_that_is_no_postgresql_is_named() {
        let machine = tempfile::tempdir().unwrap();
        write_program(&machine.path().join("initdb"), "exit 0");
        write_program(&machine.path().join("postgres"), "echo hello");
        let broken =
            Programs::find_in(Some(machine.path().as_os_str()), Path::new("/no"), Path::new("/no")).unwrap_err();
        assert!(
            broken
                .to_string()
                .ends_with("does not work as a PostgreSQL server: hello"),
            "{broken}"
        );
    }
}
