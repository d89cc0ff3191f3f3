//! Tells a release build which commit it is made from, and puts the sources of the ready-made clients into the program.
//! Builds for development do not ask for the commit: every commit would build them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where cargo notes in a package the commit that it was made from.
const PACKAGED: &str = ".cargo_vcs_info.json";

/// The folder of the ready-made clients.
const CLIENTS: &str = "clients";

/// What sources end with. What is built beside them (jars, classes, programs, virtual environments) has other names or
/// lies in one of [`BUILT`].
const SOURCES: [&str; 8] = ["java", "xml", "properties", "py", "txt", "go", "mod", "sum"];
const BUILT: [&str; 3] = ["target", "venv", "__pycache__"];

fn main() {
    embed_clients();
    println!("cargo:rerun-if-env-changed=TANDEM_COMMIT");
    println!("cargo:rerun-if-changed=build.rs");
    // Given from outside, as by a package's recipe, the compiler sees it without help.
    let given = std::env::var_os("TANDEM_COMMIT").is_some();
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if given || !release {
        return;
    }
    if let Ok(packaged) = std::fs::read_to_string(PACKAGED) {
        println!("cargo:rerun-if-changed={PACKAGED}");
        tell(packaged_commit(&packaged));
        // A repository around a package is somebody else's.
        return;
    }
    for changed in ["src", "Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={changed}");
    }
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    tell(git(&["describe", "--always", "--dirty", "--abbrev=12", "--match="]));
}

fn tell(commit: Option<String>) {
    if let Some(commit) = commit {
        println!("cargo:rustc-env=TANDEM_COMMIT={commit}");
    }
}

/// Writes a list of the clients' sources, each with its path below their folder and its text.
fn embed_clients() {
    println!("cargo:rerun-if-changed={CLIENTS}");
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut files = Vec::new();
    collect(&root.join(CLIENTS), &mut files);
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        let below = file.strip_prefix(root.join(CLIENTS)).unwrap_or(&file);
        let _ = writeln!(
            list,
            "({:?}, include_str!({:?})),",
            below.display().to_string(),
            file.display().to_string()
        );
    }
    list.push_str("]\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("client_sources.rs");
    if let Err(error) = fs::write(&out, list) {
        panic!("cannot write {}: {error}", out.display());
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if !BUILT.iter().any(|built| name == *built) {
                collect(&path, files);
            }
        } else if path
            .extension()
            .is_some_and(|end| SOURCES.iter().any(|source| end == *source))
        {
            files.push(path);
        }
    }
}

/// The commit in the form in which git describes one.
fn packaged_commit(packaged: &str) -> Option<String> {
    let hash = packaged.split("\"sha1\": \"").nth(1)?.split('"').next()?;
    let dirty = if packaged.contains("\"dirty\": true") {
        "-dirty"
    } else {
        ""
    };
    Some(format!("{}{dirty}", hash.get(..12)?))
}

/// What git answers; nothing where there is no git or no repository, as in a copy of the sources.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
