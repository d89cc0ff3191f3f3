//! The program that workers are started from on another host: named by the place, or taken there once, under the hash of
//! its contents.

use std::env::consts::{ARCH, OS};
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use openssl::sha::sha256;

use super::connection::Connection;
use super::error::SshError;
use crate::coordinator::reached::quoted;

/// How long a question to the host may take, and the copy of a program.
pub(super) const ASK_LIMIT: Duration = Duration::from_secs(20);
pub(super) const COPY_LIMIT: Duration = Duration::from_secs(600);

/// The program on another host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its path there.
    pub path: String,
    /// What it says that it is.
    pub version: String,
    /// True where it was copied just now.
    pub is_new: bool,
}

/// Finds the program that the place names on the host, or the copy of the local one, which is made if it is missing. Blocks.
pub fn install(
    connection: &Connection,
    local: &Path,
    named: Option<&str>,
    progress: &dyn Fn(&str),
) -> Result<Installed, SshError> {
    if let Some(path) = named {
        return version(connection, path.to_owned(), false);
    }
    let contents = fs::read(local).map_err(|error| SshError::Copy(format!("{}: {error}", local.display())))?;
    let found = find(
        connection,
        &format!("programs/{}", name_of(&sha256(&contents))),
        "tandem",
    )?;
    if !is_like_here(&found.system) {
        return Err(SshError::Architecture {
            there: found.system,
            here: here(),
        });
    }
    if !found.is_there {
        progress(&format!("copying tandem to {}", found.folder));
        copy(connection, local, contents.len(), &found.folder)?;
    }
    version(connection, format!("{}/tandem", found.folder), !found.is_there)
}

/// The start of the hash of a program or a client, which is part of its name: enough for all that one user ever copies.
pub(super) fn name_of(hash: &[u8; 32]) -> String {
    let first: [u8; 8] = std::array::from_fn(|index| hash[index]);
    format!("{:016x}", u64::from_be_bytes(first))
}

/// What the host says of itself.
pub(super) struct Found {
    /// As `uname -s -m` says it.
    pub(super) system: String,
    /// Folder of the copy.
    pub(super) folder: String,
    pub(super) is_there: bool,
}

/// Looks for a folder below tandem's on the host, which has this file once it is complete.
pub(super) fn find(connection: &Connection, folder: &str, file: &str) -> Result<Found, SshError> {
    let script = format!(
        "uname -s -m; folder=${{XDG_CACHE_HOME:-$HOME/.cache}}/tandem/{folder}; echo \"$folder\"; \
         if [ -e \"$folder/{file}\" ]; then echo there; else echo missing; fi"
    );
    let output = connection.run(&script, None, "asking the host", ASK_LIMIT)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    match lines[..] {
        [system, folder, state @ ("there" | "missing")] if output.status.success() => Ok(Found {
            system: system.to_owned(),
            folder: folder.to_owned(),
            is_there: state == "there",
        }),
        _ => Err(SshError::Copy(said(&output.stderr, &text))),
    }
}

/// True for a system, as `uname -s -m` says it, that runs what was built here.
pub(super) fn is_like_here(system: &str) -> bool {
    let (name, machine) = system.split_once(' ').unwrap_or((system, ""));
    let machine = match machine {
        "arm64" => "aarch64",
        "amd64" => "x86_64",
        machine => machine,
    };
    name.eq_ignore_ascii_case(OS) && machine == ARCH
}

/// What is built here runs on this.
pub(super) fn here() -> String {
    format!("{OS} {ARCH}")
}

/// Copies the program. It gets its name once it is complete, so that nobody starts half of one, and no empty folder stays
/// where it is not.
fn copy(connection: &Connection, local: &Path, bytes: usize, folder: &str) -> Result<(), SshError> {
    let file = File::open(local).map_err(|error| SshError::Copy(error.to_string()))?;
    let script = format!(
        "umask 077; folder={}; mkdir -p \"$folder\" && cd \"$folder\" || exit 1; \
         trap 'rm -f part.$$; cd / && rmdir \"$folder\" 2>/dev/null' EXIT; trap 'exit 1' HUP TERM PIPE; \
         cat >part.$$ && [ \"$(wc -c <part.$$)\" -eq {bytes} ] && chmod 700 part.$$ && mv -f part.$$ tandem",
        quoted(folder)
    );
    let output = connection.run(&script, Some(file), "copying the program", COPY_LIMIT)?;
    if output.status.success() {
        return Ok(());
    }
    Err(SshError::Copy(said(&output.stderr, "it was cut short")))
}

fn version(connection: &Connection, path: String, is_new: bool) -> Result<Installed, SshError> {
    let script = format!("exec {} --version", quoted(&path));
    let output = connection.run(&script, None, "asking the program for its version", ASK_LIMIT)?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().last() {
        Some(line) if output.status.success() && line.starts_with("tandem ") => Ok(Installed {
            path,
            version: line.to_owned(),
            is_new,
        }),
        _ => Err(SshError::Program {
            said: said(&output.stderr, &text),
            path,
        }),
    }
}

/// The last line of what was said, or else of another text.
pub(super) fn said(stderr: &[u8], otherwise: &str) -> String {
    let stderr = String::from_utf8_lossy(stderr);
    let last = |text: &str| {
        text.lines()
            .map(str::trim)
            .rfind(|line| !line.is_empty())
            .map(str::to_owned)
    };
    last(&stderr)
        .or_else(|| last(otherwise))
        .unwrap_or_else(|| "it said nothing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_system_like_this_one_runs_what_was_built_here() {
        assert!(is_like_here(&format!("Linux {ARCH}")));
        let other = if ARCH == "x86_64" { "aarch64" } else { "x86_64" };
        assert!(!is_like_here(&format!("Linux {other}")));
        assert!(!is_like_here("Darwin x86_64"));
        let error = SshError::Architecture {
            there: format!("Linux {other}"),
            here: here(),
        };
        let error = error.to_string();
        assert!(error.contains(&format!("its architecture is Linux {other}")), "{error}");
        assert!(error.contains("tandem = \"/path/of/tandem\""), "{error}");
    }
}
