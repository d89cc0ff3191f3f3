//! Builds a client with its own tools, in a copy of its sources.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::cache::ClientCache;
use super::error::ClientError;
use crate::clients::{BuildStep, ReadyMade};
use crate::kafka::local::{RUN_VARIABLE, find_program};

/// Lines of a tool's output in the message of its failure.
const LINES_OF_OUTPUT: usize = 20;

/// How often it is looked whether a tool has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// For whom clients are built.
pub(super) struct Work<'a> {
    /// Marks the processes that are started, by which the guardian finds them.
    pub(super) run_id: &'a str,
    /// Gets a message when something takes a while.
    pub(super) progress: &'a dyn Fn(&str),
    /// Set where the user stops the run.
    pub(super) interrupted: &'a AtomicBool,
}

/// Builds a client in a folder that does not exist yet.
pub(super) fn build(
    cache: &ClientCache,
    which: ReadyMade,
    version: &str,
    folder: &Path,
    work: &Work<'_>,
) -> Result<(), ClientError> {
    let recipe = which.recipe();
    for (path, text) in cache.sources(which) {
        let file = folder.join(path);
        let parent = file.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(ClientError::io("make the folder", parent))?;
        fs::write(&file, text).map_err(ClientError::io("write", &file))?;
    }
    (work.progress)(&format!(
        "building client {} {version}: {} (only the first time)",
        recipe.name, recipe.takes
    ));
    let is_default = version == recipe.default_version;
    for step in recipe
        .build
        .iter()
        .filter(|step| !(step.only_other_versions && is_default))
    {
        run(cache, which, version, step, folder, work)?;
    }
    Ok(())
}

/// Runs a command of a build.
fn run(
    cache: &ClientCache,
    which: ReadyMade,
    version: &str,
    step: &BuildStep,
    folder: &Path,
    work: &Work<'_>,
) -> Result<(), ClientError> {
    let words: Vec<String> = step
        .command
        .iter()
        .map(|word| word.replace("{version}", version))
        .collect();
    let (program, arguments) = words
        .split_first()
        .map_or(("", &words[..]), |(first, rest)| (first.as_str(), rest));
    // A name is looked for in the search path, a path is one of the build itself.
    let path = match find_program(program, cache.path.as_deref()) {
        Some(found) if !program.contains('/') => found,
        _ => folder.join(program),
    };
    let log = folder.join("build.log");
    let output = File::create(&log).map_err(ClientError::io("write", &log))?;
    let errors = output.try_clone().map_err(ClientError::io("write", &log))?;
    let mut command = Command::new(&path);
    command
        .args(arguments)
        .current_dir(folder.join(step.folder))
        .env(RUN_VARIABLE, work.run_id)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        // Ctrl-C is for this program, which then ends what it has started.
        .process_group(0);
    let failed = |how: String| ClientError::Build {
        client: format!("{} {version}", which.name()),
        command: words.join(" "),
        how,
        output: last_lines(&log),
    };
    let mut child = command
        .spawn()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    let status = wait(&mut child, work.interrupted).map_err(|error| failed(format!("was lost: {error}")))?;
    match status {
        None => Err(ClientError::Interrupted),
        Some(status) if status.success() => fs::remove_file(&log).map_err(ClientError::io("remove", &log)),
        Some(status) => Err(failed(format!("failed ({status})"))),
    }
}

/// How the tool ended; `None` if the user stopped it, and then nothing of it runs any more.
fn wait(child: &mut Child, interrupted: &AtomicBool) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if interrupted.load(Ordering::Acquire) {
            if let Ok(group) = i32::try_from(child.id()) {
                // It fails only if all of them have ended.
                let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
            }
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

/// The last lines of a tool's output, each behind a margin.
fn last_lines(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LINES_OF_OUTPUT)..];
    let margin = last.iter().map(|line| format!("  {line}"));
    margin.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Mutex;
    use std::time::Instant;

    use super::super::cache::test_cache;
    use super::*;

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

    fn get(cache: &ClientCache, version: &str, said: &Mutex<Vec<String>>) -> Result<std::path::PathBuf, ClientError> {
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
            "client go 1.22.0 needs Go, and there is no go in the search path; install it: apt-get install golang-go"
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
                std::thread::sleep(PAUSE);
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
}
