//! What the crate contains: all that the program is compiled from, and nothing that only the repository needs.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// Bytes of all files together; compressed that is about a quarter, which scripts/package holds to a bound of its own.
const BYTES_MAX: u64 = 7_000_000;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files that cargo would put into the crate, with its own that are not in the repository left out.
fn listed() -> BTreeSet<PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let list = String::from_utf8(output.stdout).unwrap();
    let made = [".cargo_vcs_info.json", "Cargo.toml.orig"];
    list.lines()
        .filter(|line| !made.contains(line))
        .map(PathBuf::from)
        .collect()
}

/// `a/b/../c` as `a/c`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => assert!(normal.pop(), "{}", path.display()),
            other => normal.push(other),
        }
    }
    normal
}

/// Everything that a source file compiles in by name.
fn included(file: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let folder = file.parent().unwrap();
    let mut found = Vec::new();
    for word in ["include_str!(\"", "include_bytes!(\"", "include!(\""] {
        let names = text.split(word).skip(1).filter_map(|rest| rest.split('"').next());
        found.extend(names.map(|name| normal(&folder.join(name))));
    }
    found
}

#[test]
fn all_that_is_compiled_in_is_in_the_crate() {
    let listed = listed();
    let mut sources = 0;
    let mut included_files = BTreeSet::new();
    for file in listed
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "rs"))
    {
        sources += 1;
        for wanted in included(file) {
            assert!(
                listed.contains(&wanted),
                "{} compiles {} in",
                file.display(),
                wanted.display()
            );
            included_files.insert(wanted);
        }
    }
    assert!(
        sources > 300 && included_files.len() > 10,
        "{sources} sources, {included_files:?}"
    );
    for wanted in [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "build.rs",
    ] {
        assert!(listed.contains(Path::new(wanted)), "{wanted}");
    }
}

/// What build.rs puts into the program: the sources of the ready-made clients.
fn sources_of_clients(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let (name, path) = (entry.file_name(), folder.join(entry.file_name()));
        let is_built = ["target", "venv", "__pycache__"].iter().any(|built| name == *built);
        if entry.path().is_dir() && !is_built {
            sources_of_clients(&path, found);
        } else if path
            .extension()
            .and_then(|end| end.to_str())
            .is_some_and(|end| ["java", "xml", "properties", "py", "txt", "go", "mod", "sum"].contains(&end))
        {
            found.push(path);
        }
    }
}

#[test]
fn the_sources_of_the_ready_made_clients_are_in_the_crate_and_nothing_that_is_built_of_them() {
    let listed = listed();
    let mut sources = Vec::new();
    sources_of_clients(Path::new("clients"), &mut sources);
    assert!(sources.len() > 20, "{sources:?}");
    for source in &sources {
        assert!(listed.contains(source), "{}", source.display());
    }
    let of_clients = listed.iter().filter(|file| file.starts_with("clients"));
    let others: Vec<&PathBuf> = of_clients.filter(|file| !sources.contains(file)).collect();
    assert!(others.iter().all(|file| file.ends_with("README.md")), "{others:?}");
}

#[test]
fn what_the_debian_package_takes_from_the_crate_is_in_it() {
    let manifest: toml::Table = toml::from_str(&fs::read_to_string(root().join("Cargo.toml")).unwrap()).unwrap();
    let listed = listed();
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap();
    let mut found = 0;
    for asset in assets {
        let source = asset[0].as_str().unwrap();
        // What scripts/package builds and makes.
        if source.starts_with("target/") || source.starts_with("debian/") {
            continue;
        }
        let (begin, end) = source.split_once('*').unwrap_or((source, ""));
        let fits = |file: &&PathBuf| {
            let file = file.to_str().unwrap();
            file.starts_with(begin) && file.ends_with(end)
        };
        assert!(listed.iter().any(|file| fits(&file)), "{source} matches nothing");
        found += 1;
    }
    assert!(found >= 5, "{found}");
}

#[test]
fn the_crate_is_small_and_holds_no_results_and_no_fixtures() {
    let mut bytes = 0;
    for file in listed() {
        let first = file.components().next().unwrap().as_os_str().to_str().unwrap();
        assert!(
            ![
                "results", "tests", "benches", "scripts", "docker", "target", ".ci", ".github"
            ]
            .contains(&first),
            "{}",
            file.display()
        );
        let end = file.extension().and_then(|end| end.to_str());
        assert!(
            !matches!(end, Some("snap" | "png" | "csv" | "html")),
            "{}",
            file.display()
        );
        bytes += fs::metadata(root().join(&file)).unwrap().len();
    }
    assert!((1_000_000..BYTES_MAX).contains(&bytes), "{bytes} bytes");
}
