//! Containers that a run has made, found by its label, and their removal: when a run ends, by its guardian, by the next
//! start, and by `tandem clean`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::engine::{ASK_LIMIT, Ask, environment};
use super::error::ContainerError;
use crate::scenario::Engine;

/// The label of a run's containers; its value is the run's id.
pub(super) const RUN_LABEL: &str = "tandem.run";

/// How long all containers of a run may take to go.
const REMOVE_LIMIT: Duration = Duration::from_secs(10);

/// The engine may be making a container when its client dies: so long none may appear before there is taken to be none.
const QUIET: Duration = Duration::from_millis(300);

/// Nobody interrupts the removal.
static NOT_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// An engine in which a run makes containers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UsedEngine {
    engine: Engine,
    /// The variables by which its program finds it.
    environment: BTreeMap<String, String>,
}

/// Containers of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeftContainers {
    /// Their names.
    pub names: BTreeSet<String>,
    /// True if one of them runs, or is paused.
    pub has_running: bool,
}

impl fmt::Display for UsedEngine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.engine.program())
    }
}

impl UsedEngine {
    /// As this process finds it.
    pub fn of(engine: Engine) -> Self {
        UsedEngine {
            engine,
            environment: environment(),
        }
    }

    /// Removes all containers of a run, running ones too. An error says what could not be done. Blocks.
    pub fn remove_all(&self, run_id: &str) -> Result<(), String> {
        let deadline = Instant::now() + REMOVE_LIMIT;
        let mut was_empty = false;
        loop {
            let found = self.containers(run_id)?;
            if found.is_empty() && was_empty {
                return Ok(());
            }
            was_empty = found.is_empty();
            if !was_empty {
                self.remove(&found)?;
            }
            if Instant::now() > deadline {
                let seconds = REMOVE_LIMIT.as_secs();
                return Err(format!(
                    "containers of the run {run_id} are still there after {seconds} s"
                ));
            }
            sleep(QUIET);
        }
    }

    /// The runs that have containers there, with these.
    pub fn left(&self) -> Result<BTreeMap<String, LeftContainers>, String> {
        let (filter, format) = (
            format!("label={RUN_LABEL}"),
            format!("{{{{.Label \"{RUN_LABEL}\"}}}} {{{{.Names}}}} {{{{.Status}}}}"),
        );
        let listed = self.ask(&["ps", "--all", "--filter", &filter, "--format", &format])?;
        let mut left: BTreeMap<String, LeftContainers> = BTreeMap::new();
        for line in listed.lines() {
            let mut words = line.splitn(3, ' ');
            if let (Some(run), Some(name), Some(status)) = (words.next(), words.next(), words.next()) {
                let of_run = left.entry(run.to_owned()).or_default();
                of_run.names.insert(name.to_owned());
                of_run.has_running |= status.starts_with("Up");
            }
        }
        Ok(left)
    }

    fn containers(&self, run_id: &str) -> Result<Vec<String>, String> {
        let filter = format!("label={RUN_LABEL}={run_id}");
        let listed = self.ask(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &filter])?;
        Ok(listed.split_whitespace().map(str::to_owned).collect())
    }

    /// Removes these containers, running ones too; those that are gone are no error.
    fn remove(&self, containers: &[String]) -> Result<(), String> {
        let mut arguments = vec!["rm", "--force", "--volumes"];
        arguments.extend(containers.iter().map(String::as_str));
        match self.ask(&arguments) {
            Err(said) if !said.contains("No such container") && !said.contains("already in progress") => Err(said),
            _ => Ok(()),
        }
    }

    fn ask(&self, arguments: &[&str]) -> Result<String, String> {
        let ask = Ask {
            engine: self.engine,
            what: "removing containers",
            limit: ASK_LIMIT,
            environment: &self.environment,
            is_recorded: true,
            interrupted: &NOT_INTERRUPTED,
        };
        let answer = ask.run(arguments).map_err(|error: ContainerError| error.to_string())?;
        if answer.status.success() {
            return Ok(answer.stdout);
        }
        Err(format!("{}: {}", self.engine.program(), answer.said()))
    }
}

/// Removes these containers of an engine, running ones too; what cannot be removed now goes with the run. Blocks.
pub(super) fn remove_now(engine: Engine, names: &[String]) {
    let _ = UsedEngine::of(engine).remove(names);
}
