//! The process that samples another machine during a trial: `tandem worker host`, started by ssh beside the workers.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::host::Elsewhere;
use super::launching::on_host;
use super::reached::WayToHost;
use super::started::Started;
use crate::measure::{HostFacts, HostReading, RunMark, TrialOver};
use crate::server::RUN_VARIABLE;

/// How long the process may take to begin, and to answer.
const LIMIT: Duration = Duration::from_secs(10);

/// How often it hears that the run goes on.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// A machine that is sampled; its process ends with this.
#[derive(Clone)]
pub(super) struct HostWatch {
    host: Arc<Watched>,
    name: String,
    /// The places that have their workers there.
    places: BTreeSet<String>,
    /// Pods of these places there.
    pods: usize,
}

struct Watched {
    facts: HostFacts,
    mark: RunMark,
    talk: Mutex<Talk>,
    /// Dropped, it is killed.
    _process: Child,
}

struct Talk {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Talk {
    async fn line(&mut self) -> Result<String, String> {
        let line = timeout(LIMIT, self.output.next_line()).await;
        let line = line.map_err(|_| silence())?;
        line.map_err(|error| error.to_string())?
            .ok_or_else(|| "it has ended".to_owned())
    }

    /// What the machine is. The login shell there may print something before.
    async fn facts(&mut self) -> Result<HostFacts, String> {
        loop {
            if let Ok(facts) = serde_json::from_str(&self.line().await?) {
                return Ok(facts);
            }
        }
    }

    async fn say(&mut self, text: &str) -> Result<(), String> {
        let said = self.input.write_all(text.as_bytes()).await;
        said.map_err(|error| error.to_string())
    }
}

fn silence() -> String {
    format!("it did not answer within {} s", LIMIT.as_secs())
}

impl HostWatch {
    /// Starts the process, `program` being tandem's there. `None` where the machine is this one, which is sampled anyway.
    pub(super) async fn start(
        way: &WayToHost,
        program: &str,
        run_id: &str,
        places: BTreeSet<String>,
    ) -> Result<Option<Self>, String> {
        let started = Started {
            command: [program, "worker", "host"].map(str::to_owned).to_vec(),
            env: std::collections::BTreeMap::new(),
            is_own: true,
        };
        let words = on_host(&way.remote, &started, run_id, None);
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env(RUN_VARIABLE, run_id)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true);
        let mut process = command.spawn().map_err(|error| error.to_string())?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("it was started without its standard streams".to_owned());
        };
        let output = BufReader::new(output).lines();
        let mut talk = Talk { input, output };
        let facts = timeout(LIMIT, talk.facts()).await;
        let facts = facts.map_err(|_| silence())??;
        if facts.is_this_machine() {
            return Ok(None);
        }
        let host = Arc::new(Watched {
            facts,
            mark: RunMark {
                variable: RUN_VARIABLE.to_owned(),
                value: run_id.to_owned(),
            },
            talk: Mutex::new(talk),
            _process: process,
        });
        let living = Arc::downgrade(&host);
        tokio::spawn(async move {
            while let Some(host) = living.upgrade() {
                if host.talk.lock().await.say("\n").await.is_err() {
                    return;
                }
                drop(host);
                tokio::time::sleep(SIGN_OF_LIFE).await;
            }
        });
        Ok(Some(HostWatch {
            host,
            name: way.name.clone(),
            places,
            pods: way.pods,
        }))
    }

    /// Adds it to those of a trial. Two ways to one machine are one host: the process of the second ends. Machines of one
    /// name, as nodes of two clusters may be, are distinguished by a place.
    pub(super) fn add(watched: &mut Vec<HostWatch>, mut host: HostWatch) {
        let has_namesake = watched.iter().any(|known| known.name == host.name);
        let is_same = |known: &&mut HostWatch| known.host.facts.is_same_machine(&host.host.facts);
        match watched.iter_mut().find(is_same) {
            Some(known) => {
                known.places.extend(host.places);
                known.pods += host.pods;
            }
            None => {
                if let (true, Some(place)) = (has_namesake, host.places.first()) {
                    host.name = format!("{} of {place}", host.name);
                }
                watched.push(host);
            }
        }
    }

    /// Ends it, and what is left there of the trial's programs, whose members' names begin with `programs`.
    pub(super) async fn end(&self, run_id: &str, programs: &str) {
        let over = TrialOver {
            run_id: run_id.to_owned(),
            programs: programs.to_owned(),
        };
        let mut talk = self.host.talk.lock().await;
        if let Ok(line) = serde_json::to_string(&over)
            && talk.say(&(line + "\n")).await.is_ok()
        {
            // The end of its output is its answer. One that gives none has ended, or does with the connection.
            let _ = talk.line().await;
        }
    }

    /// As ssh or Kubernetes names the machine.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Samples it now.
    pub(super) async fn sample(&self) -> Result<Elsewhere, String> {
        let host = &self.host;
        let mark = serde_json::to_string(&host.mark).map_err(|error| error.to_string())?;
        let mut talk = host.talk.lock().await;
        talk.say(&(mark + "\n")).await?;
        let reading: HostReading = serde_json::from_str(&talk.line().await?).map_err(|error| error.to_string())?;
        Ok(Elsewhere {
            facts: host.facts.clone(),
            ssh: self.name.clone(),
            places: self.places.clone(),
            pods: self.pods,
            reading,
        })
    }
}
