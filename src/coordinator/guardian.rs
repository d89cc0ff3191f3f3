//! The guardian: a process in a session of its own that holds a pipe from the coordinator and, when that pipe closes,
//! ends whatever the run has left. This file has both ends of the pipe; the command that runs it is in `cli`.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::containers::UsedEngine;
use super::kubectl::LeftJob;
use super::leftovers::{Journal, LeftTables, LeftTopics, Leftovers};
use super::processes::{ProcessIdentity, end_all};
use crate::measure::limits::remove_run_group;
use crate::server::{Keeper, RUN_VARIABLE, remove_owned_directory};

/// What the guardian says when it can no longer be interrupted.
pub const READY: &str = "ready";

/// How long the guardian takes at most for processes to end, so that with their directories it is done within 3 s.
const END_LIMIT: Duration = Duration::from_millis(2_500);

/// How long the coordinator waits for the guardian to begin, and to end.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// From the coordinator to the guardian, one JSON object per line: all that must end with the coordinator. A line takes
/// the place of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Guarded {
    /// To be ended.
    processes: BTreeSet<ProcessIdentity>,
    /// To be removed.
    directories: BTreeSet<PathBuf>,
    /// Control groups of the run, to be removed with what runs in them.
    #[serde(default)]
    groups: BTreeSet<PathBuf>,
    /// Jobs of the run in Kubernetes clusters, to be deleted with their pods.
    #[serde(default)]
    jobs: BTreeSet<LeftJob>,
    /// Engines whose containers with the run's label are to be removed.
    #[serde(default)]
    engines: BTreeSet<UsedEngine>,
}

/// The coordinator's end. Dropping it, however the coordinator ends, makes the guardian clean up.
pub struct Guardian {
    state: Mutex<State>,
}

struct State {
    child: Option<Child>,
    pipe: Option<ChildStdin>,
    journal: Journal,
    /// The first thing that did not work.
    problem: Option<String>,
}

impl Guardian {
    /// Starts `program guardian RUN_ID` and waits until it stands; begins the record of leftovers in the run's
    /// directory and in `state` (see `leftovers::state_folder`).
    pub fn start(program: &Path, run_id: &str, run_directory: &Path, state: &Path) -> io::Result<Self> {
        let journal = Journal::begin(run_id, run_directory, state)?;
        let mut child = Command::new(program)
            .args(["guardian", run_id])
            .env_remove(RUN_VARIABLE)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let pipe = child.stdin.take();
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if line.trim() != READY {
            child.kill()?;
            child.wait()?;
            journal.end()?;
            return Err(io::Error::other(format!(
                "{} guardian does not answer",
                program.display()
            )));
        }
        Ok(Guardian {
            state: Mutex::new(State {
                child: Some(child),
                pipe,
                journal,
                problem: None,
            }),
        })
    }

    /// Topics and groups about to be made on a foreign cluster, that a later start has to remove if this one cannot.
    pub fn register_topics(&self, topics: LeftTopics) {
        self.update(|record| record.topics.push(topics));
    }

    /// Topics and groups on the cluster at this address that are gone.
    pub fn unregister_topics(&self, bootstrap: &str) {
        self.update(|record| record.topics.retain(|topics| topics.bootstrap != bootstrap));
    }

    /// Control groups about to be made.
    pub fn register_groups<'a>(&self, folders: impl Iterator<Item = &'a Path>) {
        self.update(|record| record.groups.extend(folders.map(Path::to_owned)));
    }

    /// Control groups that are gone.
    pub fn unregister_groups<'a>(&self, folders: impl Iterator<Item = &'a Path>) {
        let gone: BTreeSet<&Path> = folders.collect();
        self.update(|record| record.groups.retain(|folder| !gone.contains(folder.as_path())));
    }

    /// A Job about to be made in a Kubernetes cluster.
    pub fn register_job(&self, job: LeftJob) {
        self.update(|record| {
            record.jobs.insert(job);
        });
    }

    /// A Job that is gone.
    pub fn unregister_job(&self, job: &LeftJob) {
        self.update(|record| {
            record.jobs.remove(job);
        });
    }

    /// Engines in which containers with the run's label are about to be made.
    pub fn register_engines(&self, engines: &BTreeSet<UsedEngine>) {
        self.update(|record| record.engines.extend(engines.iter().cloned()));
    }

    /// No engine has containers of the run any more.
    pub fn unregister_engines(&self) {
        self.update(|record| record.engines.clear());
    }

    /// Tables about to be made in a foreign database, that a later start has to drop if this one cannot.
    pub fn register_tables(&self, tables: LeftTables) {
        self.update(|record| record.tables.push(tables));
    }

    /// Tables in the database whose address this variable holds are gone.
    pub fn unregister_tables(&self, variable: &str) {
        self.update(|record| record.tables.retain(|tables| tables.variable.env != variable));
    }

    /// Changes the record on disk, then what the guardian knows.
    fn update(&self, change: impl FnOnce(&mut Leftovers)) {
        let mut state = self.lock();
        if let Err(error) = state.journal.update(change) {
            state.note_problem(format!("the record of leftovers cannot be written: {error}"));
        }
        state.send();
    }

    /// Process id of the guardian; `None` after [`Guardian::finish`].
    pub fn pid(&self) -> Option<u32> {
        self.lock().child.as_ref().map(Child::id)
    }

    /// The first thing that did not work, such as a guardian that was killed: the run can go on, with less safety.
    pub fn problem(&self) -> Option<String> {
        self.lock().problem.clone()
    }

    /// Ends the guardian after everything was cleaned up, and removes the record if nothing is left to remember.
    pub fn finish(&self) -> io::Result<()> {
        let mut state = self.lock();
        state.pipe = None;
        if let Some(mut child) = state.child.take() {
            let deadline = Instant::now() + ANSWER_LIMIT;
            while child.try_wait()?.is_none() {
                if Instant::now() > deadline {
                    child.kill()?;
                    child.wait()?;
                    break;
                }
                sleep(Duration::from_millis(5));
            }
        }
        state.journal.end()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note_problem(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }

    fn send(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        let record = self.journal.record();
        let guarded = Guarded {
            processes: record.processes.clone(),
            directories: record.directories.clone(),
            groups: record.groups.clone(),
            jobs: record.jobs.clone(),
            engines: record.engines.clone(),
        };
        let sent = serde_json::to_string(&guarded).map_err(io::Error::from);
        let sent = sent.and_then(|line| pipe.write_all((line + "\n").as_bytes()));
        if let Err(error) = sent {
            self.note_problem(format!("the guardian is gone: {error}"));
        }
    }
}

impl Keeper for Guardian {
    // Not needed for a process that carries the run's mark in its environment, but faster.
    fn process_started(&self, pid: u32) {
        // One that has ended already needs no guardian.
        if let Some(process) = ProcessIdentity::of(pid) {
            self.update(|record| {
                record.processes.insert(process);
            });
        }
    }

    fn process_ended(&self, pid: u32) {
        self.update(|record| record.processes.retain(|process| process.pid != pid));
    }

    fn directory_planned(&self, path: &Path) {
        self.update(|record| {
            record.directories.insert(path.to_owned());
        });
    }

    fn directory_removed(&self, path: &Path) {
        self.update(|record| {
            record.directories.remove(path);
        });
    }
}

/// The guardian's end: listens until `input` closes, then ends the processes of the run and removes its directories.
/// Returns what could not be done, in words.
pub fn watch(run_id: &str, input: impl BufRead) -> Vec<String> {
    // A line cut short by the coordinator's death is no message; neither is an input that fails.
    let lines = input.lines().map_while(Result::ok);
    let guarded = lines.filter_map(|line| serde_json::from_str::<Guarded>(&line).ok());
    let Guarded {
        processes,
        directories,
        groups,
        jobs,
        engines,
    } = guarded.last().unwrap_or_default();
    // Clusters answer when they answer, which must not hold up what is on this machine.
    let deleting: Vec<_> = jobs
        .iter()
        .cloned()
        .map(|job| thread::spawn(move || delete(&job)))
        .collect();
    let running = end_all(run_id, &processes, END_LIMIT);
    let mut problems: Vec<_> = running
        .iter()
        .map(|process| format!("process {} cannot be ended", process.pid))
        .collect();
    for directory in &directories {
        if let Err(error) = remove_owned_directory(directory, run_id) {
            problems.push(format!("{} cannot be removed: {error}", directory.display()));
        }
    }
    for group in &groups {
        if let Err(error) = remove_run_group(group) {
            problems.push(format!("{} cannot be removed: {error}", group.display()));
        }
    }
    for engine in &engines {
        if let Err(error) = engine.remove_all(run_id) {
            problems.push(format!("containers cannot be removed: {error}"));
        }
    }
    let early: Vec<_> = deleting.into_iter().map(thread::JoinHandle::join).collect();
    drop(early);
    // Once more: what created one may have reached the cluster only after it was to be deleted.
    problems.extend(jobs.iter().filter_map(delete));
    problems
}

/// Deletes a Job. What went wrong, in words.
fn delete(job: &LeftJob) -> Option<String> {
    let error = job.delete().err()?;
    Some(format!("{job} cannot be deleted: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use super::{Guarded, watch};
    use crate::coordinator::ProcessIdentity;
    use crate::server::marker_name;

    fn line(processes: &[ProcessIdentity], directories: &[&Path]) -> String {
        let guarded = Guarded {
            processes: processes.iter().copied().collect(),
            directories: directories.iter().map(|path| (*path).to_owned()).collect(),
            ..Guarded::default()
        };
        serde_json::to_string(&guarded).unwrap() + "\n"
    }

    #[test]
    fn the_end_of_input_ends_what_is_still_registered_and_nothing_else() {
        let run = format!("watched-{}", std::process::id());
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join(marker_name(&run)), "").unwrap();
        let start = || Command::new("sleep").arg("60").spawn().unwrap();
        let (mut registered, mut unregistered) = (start(), start());
        let [first, second] = [&registered, &unregistered].map(|child| ProcessIdentity::of(child.id()).unwrap());
        let input = line(&[first, second], &[]) + &line(&[first], &[&data]) + "{\"processes\":[";
        assert!(watch(&run, input.as_bytes()).is_empty());
        assert!(!registered.wait().unwrap().success() && !data.exists());
        assert!(
            unregistered.try_wait().unwrap().is_none(),
            "a process that was not registered was killed"
        );
        unregistered.kill().unwrap();
        unregistered.wait().unwrap();
    }

    #[test]
    fn a_directory_of_somebody_else_is_reported_and_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let input = line(&[], &[folder.path()]);
        assert_eq!(watch("nobody", input.as_bytes()).len(), 1);
        assert!(folder.path().join("file").exists());
    }
}
