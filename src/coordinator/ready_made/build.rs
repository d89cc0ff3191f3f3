//! Builds a client with its own tools, in a copy of its sources.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::error::ClientError;
use crate::clients::{BuildStep, ReadyMade};
use crate::server::{RUN_VARIABLE, find_program};

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

/// What is built.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The client.
    pub(super) which: ReadyMade,
    /// The version of its library.
    pub(super) version: &'a str,
    /// Where its tools are: `PATH`.
    pub(super) path: Option<&'a OsStr>,
}

/// Builds a client from its sources in a folder that does not exist yet.
pub(super) fn build(
    wanted: Wanted<'_>,
    sources: impl Iterator<Item = (&'static str, &'static str)>,
    folder: &Path,
    work: &Work<'_>,
) -> Result<(), ClientError> {
    let Wanted { which, version, .. } = wanted;
    let recipe = which.recipe();
    for (path, text) in sources {
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
        run(wanted, step, folder, work)?;
    }
    Ok(())
}

/// Runs a command of a build.
fn run(wanted: Wanted<'_>, step: &BuildStep, folder: &Path, work: &Work<'_>) -> Result<(), ClientError> {
    let Wanted { which, version, path } = wanted;
    let words: Vec<String> = step
        .command
        .split(' ')
        .map(|word| word.replace("{version}", version))
        .collect();
    let (program, arguments) = words
        .split_first()
        .map_or(("", &words[..]), |(first, rest)| (first.as_str(), rest));
    // A name is looked for in the search path, a path is one of the build itself.
    let path = match find_program(program, path) {
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
