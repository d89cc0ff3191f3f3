//! The program of a container engine, as far as tandem speaks with it. Docker and Podman take the same commands. Knows
//! nothing of places.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use super::error::ContainerError;
use crate::scenario::Engine;

const PAUSE: Duration = Duration::from_millis(10);

/// How long a question to the engine may take.
pub(super) const ASK_LIMIT: Duration = Duration::from_secs(20);

/// Variables that say which engine the program speaks with, so that a later start finds the same one.
const VARIABLES: [&str; 6] = [
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "CONTAINER_HOST",
];

/// The variables of this process by which the engine's program finds its engine.
pub(super) fn environment() -> BTreeMap<String, String> {
    let set = |name: &&str| Some(((*name).to_owned(), std::env::var(name).ok()?));
    VARIABLES.iter().filter_map(set).collect()
}

/// What the engine's program said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: ExitStatus,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Answer {
    /// The last line of what was said.
    pub(super) fn said(&self) -> String {
        let last = |text: &str| {
            text.lines()
                .map(str::trim)
                .rfind(|line| !line.is_empty())
                .map(str::to_owned)
        };
        // What Docker's program adds to an error of the engine.
        let is_advice = |line: &&str| !line.starts_with("See 'docker") && !line.starts_with("Run 'docker");
        let errors: Vec<&str> = self.stderr.lines().filter(is_advice).collect();
        last(&errors.join("\n"))
            .or_else(|| last(&self.stdout))
            .unwrap_or_else(|| "it said nothing".to_owned())
    }
}

/// A question to an engine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) engine: Engine,
    /// What is asked, in words that follow nothing: `asking for the image`.
    pub(super) what: &'static str,
    pub(super) limit: Duration,
    /// Variables of its environment besides those of this process.
    pub(super) environment: &'a BTreeMap<String, String>,
    /// True where these say which engine it is, whatever this process has.
    pub(super) is_recorded: bool,
    /// Set when the user asks to stop.
    pub(super) interrupted: &'a AtomicBool,
}

impl Ask<'_> {
    /// Runs the engine's program to its end. Blocks.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<Answer, ContainerError> {
        let mut command = Command::new(self.engine.program());
        for name in VARIABLES.iter().filter(|_| self.is_recorded) {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .envs(self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for the coordinator.
            .process_group(0);
        let mut child = command.spawn().map_err(|error| ContainerError::Missing {
            engine: self.engine,
            said: error.to_string(),
        })?;
        let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
        let deadline = Instant::now() + self.limit;
        let status = loop {
            if let Ok(Some(status)) = child.try_wait() {
                break status;
            }
            if let Err(error) = self.may_go_on(deadline) {
                // Both fail only for one that has ended.
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
            sleep(PAUSE);
        };
        let text = |reading: JoinHandle<String>| reading.join().unwrap_or_default();
        Ok(Answer {
            status,
            stdout: text(stdout),
            stderr: text(stderr),
        })
    }

    /// Fails after the limit, and where the user asked to stop.
    fn may_go_on(&self, deadline: Instant) -> Result<(), ContainerError> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(ContainerError::Interrupted);
        }
        if Instant::now() > deadline {
            return Err(ContainerError::Slow {
                engine: self.engine,
                what: self.what,
                seconds: self.limit.as_secs(),
            });
        }
        Ok(())
    }
}

/// Reads a pipe to its end on a thread of its own: what is said may be more than a pipe holds.
fn read(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read until then is what was said.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
