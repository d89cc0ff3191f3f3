//! Tells a release build which commit it is made from. Builds for development do not ask: every commit would build them
//! anew.

use std::process::Command;

/// Where cargo notes in a package the commit that it was made from.
const PACKAGED: &str = ".cargo_vcs_info.json";

fn main() {
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
