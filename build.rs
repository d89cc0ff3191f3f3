//! Tells a release build which commit it is made from. Builds for development do not ask: every commit would build them
//! anew.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=TANDEM_COMMIT");
    println!("cargo:rerun-if-changed=build.rs");
    // Given from outside, as by a package's recipe, the compiler sees it without help.
    let given = std::env::var_os("TANDEM_COMMIT").is_some();
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if given || !release {
        return;
    }
    for changed in ["src", "Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={changed}");
    }
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    if let Some(commit) = git(&["describe", "--always", "--dirty", "--abbrev=12", "--match="]) {
        println!("cargo:rustc-env=TANDEM_COMMIT={commit}");
    }
}

/// What git answers; nothing where there is no git or no repository, as in a package.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
