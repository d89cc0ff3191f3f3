//! A client whose tool is a script is built once, completely or not at all.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::killpg;
use nix::unistd::Pid;

use super::build::Work;
use super::cache::{ClientCache, test_cache};
use super::error::ClientError;
use crate::clients::ReadyMade;

const FILES: &[(&str, &str)] = &[("go/main.go", "package main"), ("go/go.mod", "module worker")];

/// A machine whose `go` is this script. Another process writes it: a program that another test starts at that moment
/// would hold the file open, and it could not be run.
fn machine(script: &str) -> (tempfile::TempDir, ClientCache) {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let written = Command::new("sh")
        .args(["-c", "printf '%s\\n' '#!/bin/sh' \"$1\" > \"$0\" && chmod 755 \"$0\""])
        .arg(bin.join("go"))
        .arg(script)
        .status();
    assert!(written.unwrap().success());
    let cache = test_cache(folder.path(), FILES);
    (folder, cache)
}

fn get(cache: &ClientCache, version: &str, said: &Mutex<Vec<String>>) -> Result<PathBuf, ClientError> {
    let progress = |message: &str| said.lock().unwrap().push(message.to_owned());
    let work = Work {
        run_id: "test",
        progress: &progress,
        interrupted: &AtomicBool::new(false),
    };
    cache.get(ReadyMade::Go, version, &work)
}

/// Folders of clients, complete or not.
fn folders(cache: &ClientCache) -> usize {
    let entries = fs::read_dir(&cache.folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().is_dir()).count()
}

#[test]
fn a_client_is_built_once_by_its_own_tools_and_then_nothing_is_asked_of_them() {
    let (folder, cache) = machine("echo \"$@\" >> ../../../../../calls; : > worker");
    let said = Mutex::default();
    let built = get(&cache, "1.22.0", &said).unwrap();
    assert!(built.join("go/worker").is_file() && built.join("go/main.go").is_file());
    fs::remove_file(folder.path().join("bin/go")).unwrap();
    assert_eq!(
        get(&cache, "1.22.0", &said).unwrap(),
        built,
        "the tool is gone, the client is there"
    );
    let said = said.into_inner().unwrap();
    assert_eq!(
        said,
        ["building client go 1.22.0: about a minute (only the first time)"]
    );
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    assert_eq!(calls, "build -o worker .\n");
    assert_eq!(folders(&cache), 1);
}

#[test]
fn another_version_is_asked_for_by_its_name() {
    let (folder, cache) = machine("echo \"$@\" >> ../../../../../calls; : > worker");
    get(&cache, "1.20.0", &Mutex::default()).unwrap();
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    assert_eq!(calls, "get github.com/twmb/franz-go@v1.20.0\nbuild -o worker .\n");
}

#[test]
fn a_build_that_fails_leaves_nothing_and_shows_what_the_tool_printed() {
    let (_folder, cache) = machine("echo 'no such module' >&2; exit 3");
    let error = get(&cache, "1.22.0", &Mutex::default()).unwrap_err().to_string();
    assert!(
        error.contains("client go 1.22.0 could not be built: `go build -o worker .` failed"),
        "{error}"
    );
    assert!(error.ends_with("it printed:\n  no such module"), "{error}");
    assert_eq!(folders(&cache), 0);
}

#[test]
fn a_missing_tool_is_named_with_the_command_that_installs_it() {
    let (folder, cache) = machine(":");
    fs::remove_file(folder.path().join("bin/go")).unwrap();
    let error = get(&cache, "1.22.0", &Mutex::default()).unwrap_err().to_string();
    assert_eq!(
        error,
        "client go 1.22.0 needs Go 1.26 or later, and there is no go in the search path; install it: see go.dev/doc/install"
    );
}

#[test]
fn two_runs_at_once_build_it_once() {
    let (folder, cache) = machine("echo built >> ../../../../../calls; /bin/sleep 0.3; : > worker");
    std::thread::scope(|scope| {
        let threads = [(); 3].map(|()| scope.spawn(|| get(&cache, "1.22.0", &Mutex::default())));
        for thread in threads {
            assert!(thread.join().unwrap().unwrap().join("go/worker").is_file());
        }
    });
    assert_eq!(fs::read_to_string(folder.path().join("calls")).unwrap(), "built\n");
    assert_eq!(folders(&cache), 1);
}

#[test]
fn a_build_that_the_user_stops_ends_with_all_that_it_started_and_leaves_nothing() {
    let (folder, cache) = machine("echo $$ > ../../../../../pid; /bin/sleep 60 & wait");
    let interrupted = AtomicBool::new(false);
    let began = Instant::now();
    std::thread::scope(|scope| {
        let building = scope.spawn(|| {
            let work = Work {
                run_id: "test",
                progress: &|_| {},
                interrupted: &interrupted,
            };
            cache.get(ReadyMade::Go, "1.22.0", &work)
        });
        let pid = folder.path().join("pid");
        while fs::read_to_string(&pid).unwrap_or_default().is_empty() {
            std::thread::sleep(Duration::from_millis(10));
        }
        interrupted.store(true, Ordering::Release);
        assert!(matches!(building.join().unwrap(), Err(ClientError::Interrupted)));
        let group: i32 = fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
        while killpg(Pid::from_raw(group), None).is_ok() {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "something of the build still runs"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(folders(&cache), 0);
}

#[test]
fn a_client_in_a_folder_that_others_can_write_is_not_run() {
    let (folder, cache) = machine(": > worker");
    get(&cache, "1.22.0", &Mutex::default()).unwrap();
    let own = folder.path().join("tandem");
    fs::set_permissions(&own, fs::Permissions::from_mode(0o777)).unwrap();
    let error = get(&cache, "1.22.0", &Mutex::default()).unwrap_err().to_string();
    assert!(error.contains("other users can write into"), "{error}");
    fs::set_permissions(&own, fs::Permissions::from_mode(0o700)).unwrap();
}
