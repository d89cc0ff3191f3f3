//! One worker in a container of its own: how it is started, signalled and removed, and why it ended.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde::Deserialize;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::engine::{ASK_LIMIT, Ask};
use super::image::Made;
use super::left::remove_now;
use crate::coordinator::confinement::memory_kill;
use crate::measure::tree::in_control_groups;
use crate::scenario::Engine;

/// How long the engine may take to say how a container has ended.
const STATE_LIMIT: Duration = Duration::from_secs(5);

/// How the container of a worker is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerLaunch {
    engine: Engine,
    /// Start of the name of each container.
    prefix: String,
    /// What the engine's program takes after `run` and the container's name.
    words: Vec<String>,
    /// Has a file for each container, whose content is its id.
    folder: PathBuf,
    /// Number of the place among those of the scenario, which is part of the file's name.
    place: usize,
    /// What is said of a worker that the kernel killed for want of memory.
    memory_kill: String,
}

/// A worker's container, from before it is made to its removal.
#[derive(Debug)]
pub struct Contained {
    engine: Engine,
    name: String,
    id_file: PathBuf,
    memory_kill: String,
    /// The question how it has ended: whoever waits for the answer may give up and wait again.
    asked: Option<JoinHandle<Option<State>>>,
}

impl ContainerLaunch {
    /// For a worker of a place, which is the one of this number in its scenario, started by this command with these
    /// variables. `folder` is for the ids of the containers.
    pub fn new(
        made: &Made<'_>,
        env: &BTreeMap<String, String>,
        command: &[String],
        folder: &Path,
        number: usize,
    ) -> Self {
        ContainerLaunch {
            engine: made.container.engine,
            prefix: format!("tandem-{}-{}", made.run_id, std::process::id()),
            words: made.words(env, command),
            folder: folder.to_owned(),
            place: number,
            memory_kill: memory_kill(&made.place.name, made.place.limits.memory_bytes),
        }
    }

    /// The next container, and the command line that makes it and stays connected with it.
    pub fn begin(&self) -> (Contained, Vec<String>) {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let contained = Contained {
            engine: self.engine,
            name: format!("{}-{number}", self.prefix),
            id_file: self.folder.join(format!("{}.{number}", self.place)),
            memory_kill: self.memory_kill.clone(),
            asked: None,
        };
        let mut words = [self.engine.program(), "run", "--name", &contained.name, "--cidfile"]
            .map(str::to_owned)
            .to_vec();
        words.push(contained.id_file.to_string_lossy().into_owned());
        words.extend(self.words.iter().cloned());
        (contained, words)
    }
}

/// The places of the containers whose ids are in a folder of [`ContainerLaunch`], by these ids.
pub(super) fn places_by_id(folder: &Path) -> BTreeMap<String, usize> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let place = |file: fs::DirEntry| {
        let name = file.file_name();
        let (place, _) = name.to_str()?.split_once('.')?;
        Some((id_in(&file.path())?, place.parse().ok()?))
    };
    files.filter_map(place).collect()
}

/// The id that a file holds; `None` while the engine has not written it.
fn id_in(file: &Path) -> Option<String> {
    let id = fs::read_to_string(file).ok()?;
    let id = id.trim();
    let is_one = id.len() >= 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then(|| id.to_owned())
}

/// What an engine says of a container.
#[derive(Debug, Deserialize)]
struct State {
    #[serde(rename = "Running", default)]
    is_running: bool,
    #[serde(rename = "OOMKilled", default)]
    is_out_of_memory: bool,
    #[serde(rename = "ExitCode", default)]
    exit_code: i32,
    #[serde(rename = "Error", default)]
    error: String,
}

impl Contained {
    /// Sends a signal to all that runs in it; a stop is a pause of the container. It is done at the engine's answer.
    pub fn signal(&self, signal: Signal) -> impl Future<Output = Result<(), String>> + Send + 'static {
        let (engine, name) = (self.engine, self.name.clone());
        let done = tokio::task::spawn_blocking(move || send(engine, &name, signal));
        async move { done.await.map_err(|error| error.to_string())? }
    }

    /// Why it has ended. `how` is how the engine's program here ended, and `by_signal` that a signal ended it: the container
    /// ends with it then, a moment later.
    pub async fn ended(&mut self, how: &str, by_signal: bool) -> String {
        let (engine, name) = (self.engine, self.name.clone());
        let asked = self.asked.get_or_insert_with(|| tokio::spawn(state(engine, name)));
        let state = asked.await.ok().flatten();
        self.asked = None;
        let (name, client) = (&self.name, format!("its `{} run`", engine.program()));
        match state {
            Some(state) if state.is_out_of_memory => {
                format!(
                    "its container {name} has ended: {}: {}",
                    in_words(state.exit_code),
                    self.memory_kill
                )
            }
            Some(state) if by_signal || state.is_running => {
                format!("{client} is over, and with it the container {name}: {how}")
            }
            // The engine's own error is among the last words of its program.
            Some(state) if !state.error.is_empty() => format!("its container {name} could not be started: {how}"),
            Some(state) => format!("its container {name} has ended: {}", in_words(state.exit_code)),
            None => format!("{client} is over, and the engine says nothing of the container {name}: {how}"),
        }
    }
}

/// Sends a signal to all that runs in a container. Blocks for an exchange with the engine.
fn send(engine: Engine, name: &str, signal: Signal) -> Result<(), String> {
    let sent = format!("--signal={}", signal.as_str());
    let arguments = match signal {
        Signal::SIGSTOP => vec!["pause", name],
        Signal::SIGCONT => vec!["unpause", name],
        _ => vec!["kill", &sent, name],
    };
    let ask = Ask {
        engine,
        what: "signalling a container",
        limit: ASK_LIMIT,
        environment: &BTreeMap::new(),
        is_recorded: false,
        interrupted: &AtomicBool::new(false),
    };
    let answer = ask.run(&arguments).map_err(|error| error.to_string())?;
    if answer.status.success() {
        return Ok(());
    }
    Err(format!("container {name}: {}", answer.said()))
}

/// What the engine says of a container; `None` where it says nothing in time.
async fn state(engine: Engine, name: String) -> Option<State> {
    let mut command = Command::new(engine.program());
    command
        .args(["container", "inspect", "--format", "{{json .State}}", &name])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(STATE_LIMIT, command.output()).await.ok()?.ok()?;
    serde_json::from_slice(&output.stdout).ok()
}

/// The processes in containers that are visible here: those of an engine on this machine.
pub fn pids<'a>(all: impl Iterator<Item = &'a Contained>) -> Vec<u32> {
    let ids: Vec<String> = all.filter_map(|contained| id_in(&contained.id_file)).collect();
    if ids.is_empty() {
        Vec::new()
    } else {
        in_control_groups(&ids)
    }
}

/// Removes containers, running ones too. What cannot be removed now goes with the run. Blocks.
pub fn remove(all: &[Contained]) {
    let mut engines: BTreeMap<Engine, Vec<String>> = BTreeMap::new();
    for contained in all {
        engines
            .entry(contained.engine)
            .or_default()
            .push(contained.name.clone());
        // One that was never made has none.
        let _ = fs::remove_file(&contained.id_file);
    }
    for (engine, names) in engines {
        remove_now(engine, &names);
    }
}

/// How the first process of a container ended.
fn in_words(exit_code: i32) -> String {
    match exit_code {
        // As a shell says it of a process that a signal ended.
        137 => "it was killed (signal 9)".to_owned(),
        code if (129..=192).contains(&code) => format!("it was ended by signal {}", code - 128),
        code => format!("it ended with exit code {code}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::scenario::{ContainerPlace, Place, PlaceLimits};

    #[test]
    fn every_container_has_a_name_and_a_file_for_its_id_of_its_own() {
        let place = Place {
            name: "box".to_owned(),
            launcher: Vec::new(),
            ssh: None,
            container: Some(ContainerPlace {
                image: "i".to_owned(),
                engine: Engine::Podman,
            }),
            kubernetes: None,
            tandem: None,
            cpus: None,
            limits: PlaceLimits::default(),
            listener: None,
        };
        let made = Made {
            place: &place,
            container: place.container.as_ref().unwrap(),
            run_id: "r1",
        };
        let folder = tempfile::tempdir().unwrap();
        let launch = ContainerLaunch::new(&made, &BTreeMap::new(), &["tandem".to_owned()], folder.path(), 3);
        let (first, words) = launch.begin();
        let (second, _) = launch.begin();
        assert_eq!(words[..3], ["podman", "run", "--name"].map(str::to_owned));
        assert!(first.name != second.name && first.id_file != second.id_file);
        // The engine writes it when it has made the container.
        assert_eq!(places_by_id(folder.path()), BTreeMap::new());
        let id = "0123456789abcdef";
        fs::write(&first.id_file, id).unwrap();
        fs::write(folder.path().join(".tandem-r1"), "").unwrap();
        assert_eq!(places_by_id(folder.path()), BTreeMap::from([(id.to_owned(), 3)]));
    }

    #[test]
    fn what_an_engine_says_of_an_end_is_read() {
        let state = r#"{"Status":"exited","Running":false,"OOMKilled":true,"ExitCode":137,"Error":"","Pid":0}"#;
        let state: State = serde_json::from_str(state).unwrap();
        assert!(state.is_out_of_memory && !state.is_running);
        assert_eq!(in_words(state.exit_code), "it was killed (signal 9)");
        assert_eq!(in_words(143), "it was ended by signal 15");
        assert_eq!(in_words(2), "it ended with exit code 2");
    }
}
