//! Free space, private files, the ends of logs, programs in the search path.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use tempfile::TempDir;

use super::error::FileError;

/// The first file of this name in the folders of `path`.
pub fn find_program(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    std::env::split_paths(path?)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// Free bytes for this user on the disk that holds `path`, or would hold it where it does not exist yet.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let absolute = std::path::absolute(path)?;
    let existing = absolute
        .ancestors()
        .find(|ancestor| ancestor.exists())
        .unwrap_or(Path::new("/"));
    let disk = statvfs(existing)?;
    Ok(disk.blocks_available() * disk.fragment_size())
}

/// The last lines of a file of those that are wanted and not blank; empty where it cannot be read.
pub fn last_lines(path: &Path, count: usize, wanted: impl Fn(&str) -> bool) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty() && wanted(line))
        .collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Writes a file that only this user can read: it may hold a listener's secrets.
pub fn write_private(path: &Path, text: &str) -> Result<(), FileError> {
    let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    open.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(FileError::new("write", path))
}

/// Makes a folder in the cache for what is not complete yet. It is removed when it is dropped; those of processes that
/// were killed are removed here.
pub fn unfinished_folder(cache: &Path, name: &str) -> Result<TempDir, FileError> {
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name
            .strip_prefix('.')
            .and_then(|name| name.split('-').nth(1)?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // At worst it stays for the next time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let prefix = format!(".{name}-{}-", std::process::id());
    let unfinished = tempfile::Builder::new().prefix(&prefix).tempdir_in(cache);
    unfinished.map_err(FileError::new("make a folder in", cache))
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::process::Command;

    use super::*;

    /// Writes a shell script that can be run. Another process writes it: were the file open for writing in this one, a
    /// program that another test starts at that moment would hold it open too, and it could not be run.
    pub(crate) fn write_program(path: &Path, script: &str) {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "printf '%s\\n' '#!/bin/sh' \"$1\" > \"$0\" && chmod 755 \"$0\""])
            .arg(path)
            .arg(script);
        assert!(shell.status().unwrap().success());
    }

    #[test]
    fn free_space_is_known_for_a_path_that_does_not_exist_yet() {
        assert!(free_bytes(Path::new("/")).unwrap() > 0);
        assert!(free_bytes(Path::new("/no/such/folder/yet")).unwrap() > 0);
    }

    #[test]
    fn last_lines_are_the_end_of_the_file_without_blank_and_unwanted_lines() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        fs::write(&file, "one\ntwo\n\n\tskipped\nthree\n").unwrap();
        assert_eq!(last_lines(&file, 2, |line| !line.starts_with('\t')), "two\nthree");
        assert_eq!(last_lines(&folder.path().join("none"), 2, |_| true), "");
    }

    #[test]
    fn programs_are_found_in_path_order() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let programs = folders.each_ref().map(|folder| folder.path().join("java"));
        for program in &programs {
            write_program(program, "exit 0");
        }
        let path = std::env::join_paths(folders.each_ref().map(tempfile::TempDir::path)).unwrap();
        assert_eq!(find_program("java", Some(&path)).as_ref(), Some(&programs[0]));
        assert_eq!(find_program("nothing", Some(&path)), None);
    }
}
