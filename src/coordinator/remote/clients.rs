//! Ready-made clients on another host: what they need there is looked for first, and each is taken there once, under the hash
//! of its contents.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use openssl::sha::Sha256;

use super::connection::Connection;
use super::error::SshError;
use super::program::{ASK_LIMIT, COPY_LIMIT, find, here, is_like_here, name_of, said};
use crate::clients::{ReadyMade, Tool};
use crate::coordinator::reached::quoted;
use crate::wording::listed;

/// Written last: a copy without it is not complete. The one in the folder here is not copied.
const COMPLETE: &str = ".complete";

/// Made again by every run of Python.
const OF_A_RUN: &str = "__pycache__";

/// How long a client may take to introduce itself.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How often it is started: on a host that is busy it may give up, because nobody speaks to it, before it can speak itself.
const START_ATTEMPTS: u32 = 3;

/// A ready-made client that was built here.
#[derive(Debug, Clone, Copy)]
pub struct Built<'a> {
    /// Which.
    pub which: ReadyMade,
    /// Of its library.
    pub version: &'a str,
    /// Where it lies here.
    pub folder: &'a Path,
}

impl Built<'_> {
    /// `java 4.3.1`.
    fn title(&self) -> String {
        title(self.which, self.version)
    }

    /// The words that start it as a consumer, in the folder of its copy.
    fn start(&self, folder: &str) -> String {
        let words = self.which.recipe().start.split(' ');
        let words = words.map(|word| quoted(&word.replace("{client}", folder)));
        words.collect::<Vec<_>>().join(" ") + " consumer"
    }
}

fn title(which: ReadyMade, version: &str) -> String {
    format!("{} {version}", which.name())
}

/// Fails if a host lacks a program that one of these clients needs to run there. Blocks.
pub fn check_tools(connection: &Connection, clients: &[(ReadyMade, String)]) -> Result<(), SshError> {
    let tools = |which: ReadyMade| which.recipe().tools.iter().filter(|tool| tool.runs_it);
    let mut needed: Vec<&'static Tool> = clients.iter().flat_map(|(which, _)| tools(*which)).collect();
    needed.sort_by_key(|tool| tool.program);
    needed.dedup();
    let look = |tool: &&Tool| format!("command -v {0} >/dev/null || echo {0}", tool.program);
    let script = needed.iter().map(look).collect::<Vec<_>>().join("; ");
    let output = connection.run(&script, None, "asking the host", ASK_LIMIT)?;
    let missing = String::from_utf8_lossy(&output.stdout).into_owned();
    needed.retain(|tool| missing.lines().any(|line| line == tool.program));
    if needed.is_empty() {
        return Ok(());
    }
    let lacking = clients
        .iter()
        .filter(|(which, _)| tools(*which).any(|tool| needed.contains(&tool)));
    let clients: Vec<String> = lacking.map(|(which, version)| title(*which, version)).collect();
    let list = |words: &mut dyn Iterator<Item = &str>| listed(&words.collect::<Vec<_>>());
    Err(SshError::Lacks {
        clients: list(&mut clients.iter().map(String::as_str)),
        tools: list(&mut needed.iter().map(|tool| tool.title)),
        install: needed.iter().map(|tool| tool.install).collect::<Vec<_>>().join(" && "),
    })
}

/// The folder of a client on the host, to which it is taken if it is not there. Blocks.
pub fn take(connection: &Connection, client: Built<'_>, progress: &dyn Fn(&str)) -> Result<String, SshError> {
    let not_copied = |said: String| SshError::NotCopied {
        client: client.title(),
        said,
    };
    let contents = Contents::of(client.folder).map_err(|error| not_copied(error.to_string()))?;
    let folder = format!("clients/{}-{}-{}", client.which.name(), client.version, contents.name);
    let found = find(connection, &folder, COMPLETE)?;
    if client.which.recipe().is_native && !is_like_here(&found.system) {
        return Err(SshError::ForOthers {
            client: client.title(),
            there: found.system,
            here: here(),
        });
    }
    if !found.is_there {
        progress(&format!("copying client {} to {}", client.title(), found.folder));
        copy(connection, client, contents.files, &found.folder)?;
        introduce(connection, client, &found.folder)?;
    }
    Ok(found.folder)
}

/// Copies it, and makes it fit for the host.
fn copy(connection: &Connection, client: Built<'_>, files: usize, folder: &str) -> Result<(), SshError> {
    let not_copied = |said: String| SshError::NotCopied {
        client: client.title(),
        said,
    };
    let excluded = [OF_A_RUN, COMPLETE].map(|name| format!("--exclude={name}"));
    let packing = Command::new("tar")
        .args(excluded)
        .args(["-cf", "-", "-C"])
        .arg(client.folder)
        .arg(".")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut packing = packing.map_err(|error| not_copied(format!("cannot start tar here: {error}")))?;
    let packed = packing
        .stdout
        .take()
        .map(|stdout| fs::File::from(OwnedFd::from(stdout)));
    let settle = client.which.recipe().settle.unwrap_or("true");
    let script = format!(
        "umask 077; folder={}; part=\"$folder.part.$$\"; mkdir -p \"$part\" || exit 1; \
         trap 'rm -rf \"$part\"' EXIT; trap 'exit 1' HUP TERM PIPE; \
         tar -xf - -C \"$part\" || exit 1; \
         [ \"$(find \"$part\" ! -type d | wc -l)\" -eq {files} ] || {{ echo 'it was cut short' >&2; exit 1; }}; \
         (cd \"$part\" && {settle}) >&2 && rm -rf \"$folder\" && mv \"$part\" \"$folder\"",
        quoted(folder)
    );
    let output = connection.run(&script, packed, "copying a client", COPY_LIMIT);
    // It has ended, or does because nobody reads from it any more.
    let _ = packing.wait();
    let output = output?;
    if output.status.success() {
        return Ok(());
    }
    Err(not_copied(said(&output.stderr, "it was cut short")))
}

/// Sees that a copy runs on the host, which makes it complete.
fn introduce(connection: &Connection, client: Built<'_>, folder: &str) -> Result<(), SshError> {
    let start = client.start(folder);
    let mut attempt = 1;
    let output = loop {
        let output = connection.run(&start, None, "starting a client", START_LIMIT)?;
        if attempt == START_ATTEMPTS || greets(&output.stdout) {
            break output;
        }
        attempt += 1;
    };
    if !greets(&output.stdout) {
        return Err(SshError::Client {
            client: client.title(),
            said: said(&output.stderr, &String::from_utf8_lossy(&output.stdout)),
            needs: client.which.recipe().needs_there,
        });
    }
    let script = format!(": >{}", quoted(&format!("{folder}/{COMPLETE}")));
    let output = connection.run(&script, None, "asking the host", ASK_LIMIT)?;
    if output.status.success() {
        return Ok(());
    }
    Err(SshError::NotCopied {
        client: client.title(),
        said: said(&output.stderr, "its folder cannot be written"),
    })
}

/// True for the output of a worker that has introduced itself.
fn greets(stdout: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stdout);
    text.lines()
        .any(|line| line.starts_with('{') && line.contains("\"hello\""))
}

/// What a folder has that is copied.
struct Contents {
    name: String,
    /// Files and links.
    files: usize,
}

impl Contents {
    fn of(folder: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        list(folder, folder, &mut files)?;
        files.sort();
        let mut hash = Sha256::new();
        for path in &files {
            let file = folder.join(path);
            let contents = if file.is_symlink() {
                fs::read_link(&file)?.into_os_string().into_encoded_bytes()
            } else {
                fs::read(&file)?
            };
            for part in [path.as_os_str().as_encoded_bytes(), &contents] {
                hash.update(&(part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        Ok(Contents {
            name: name_of(&hash.finish()),
            files: files.len(),
        })
    }
}

/// All files and links below a folder, by their paths below `root`.
fn list(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name() == OF_A_RUN || entry.file_name() == COMPLETE {
            continue;
        }
        if entry.file_type()?.is_dir() {
            list(root, &path, files)?;
        } else {
            files.push(path.strip_prefix(root).unwrap_or(&path).to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_client_is_named_by_what_it_has_and_not_by_what_a_run_of_it_leaves() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let contents = || Contents::of(folder.path()).unwrap();
        write("python/worker.py", "a");
        std::os::unix::fs::symlink("worker.py", folder.path().join("python/link")).unwrap();
        let first = contents();
        assert_eq!(first.files, 2);
        write("python/__pycache__/worker.pyc", "made by a run");
        write(COMPLETE, "");
        assert_eq!(contents().name, first.name);
        write("python/worker.py", "b");
        assert_ne!(contents().name, first.name);
    }

    #[test]
    fn its_folder_may_have_any_name() {
        let client = Built {
            which: ReadyMade::Java,
            version: "4.3.1",
            folder: Path::new("/here"),
        };
        let expected = "'java' '-jar' '/a b/java/target/tandem-java.jar' consumer";
        assert_eq!(client.start("/a b"), expected);
    }
}
