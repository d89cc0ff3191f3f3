//! What must hold before a worker can be a container: an engine that answers, the image for its processors, a program of
//! tandem in it, and the ready-made clients that are to run there.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::Deserialize;

use super::engine::{ASK_LIMIT, Answer, Ask};
use super::error::ContainerError;
use super::left::RUN_LABEL;
use crate::measure::HostFacts;
use crate::scenario::{AppProgram, ContainerPlace, Engine, Place, Scenario};
use crate::server::RUN_VARIABLE;

/// Where an image has the ready-made clients, each in a folder `NAME-VERSION`.
pub const CLIENTS_FOLDER: &str = "/opt/tandem/clients";

/// The label of an image that lists them, with a space between them.
const CLIENTS_LABEL: &str = "tandem.clients";

const PULL_LIMIT: Duration = Duration::from_secs(1_800);
const START_LIMIT: Duration = Duration::from_secs(120);

/// What the engine's program says by its exit code of a container that it cannot make, and of a program in it that cannot
/// be started.
const REFUSED: i32 = 125;
const NOT_STARTED: [i32; 2] = [126, 127];

/// Looks at engines and images for a run.
pub struct Examiner<'a> {
    /// Id of the run, with which containers are marked.
    pub run_id: &'a str,
    /// Hears what takes its time.
    pub progress: &'a dyn Fn(&str),
    /// Set when the user asks to stop.
    pub interrupted: &'a AtomicBool,
}

/// What was found at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// Version of the engine.
    pub engine_version: String,
    /// True where the image was pulled just now.
    pub is_pulled: bool,
    /// Its system, such as `linux/amd64`.
    pub system: String,
    /// The ready-made clients in it, each as `NAME-VERSION`.
    pub clients: Vec<String>,
    /// True where its containers run on this machine.
    pub is_here: bool,
}

/// What an engine says of an image.
#[derive(Debug, Deserialize)]
struct Inspected {
    #[serde(rename = "Os")]
    os: String,
    #[serde(rename = "Architecture")]
    architecture: String,
    #[serde(rename = "Config", default)]
    config: Option<ImageConfig>,
}

#[derive(Debug, Default, Deserialize)]
struct ImageConfig {
    #[serde(rename = "Labels", default)]
    labels: Option<BTreeMap<String, String>>,
}

impl Examiner<'_> {
    /// Looks at the engine of a place, its image, and the program in it, which is started as its workers will be. Blocks.
    pub fn examine(&self, place: &Place, container: &ContainerPlace) -> Result<Examined, ContainerError> {
        let (engine_version, here) = self.engine(container.engine)?;
        let (inspected, is_pulled) = self.image(container)?;
        let system = format!("{}/{}", inspected.os, inspected.architecture);
        if system != here {
            return Err(ContainerError::Architecture {
                image: container.image.clone(),
                there: system,
                here,
            });
        }
        let labels = inspected.config.unwrap_or_default().labels.unwrap_or_default();
        let clients = labels.get(CLIENTS_LABEL).map(String::as_str).unwrap_or_default();
        Ok(Examined {
            engine_version,
            is_pulled,
            system,
            clients: clients.split_whitespace().map(str::to_owned).collect(),
            is_here: self.start(place, container)?.is_this_machine(),
        })
    }

    /// Version and system of an engine.
    fn engine(&self, engine: Engine) -> Result<(String, String), ContainerError> {
        let arguments = match engine {
            Engine::Docker => [
                "version",
                "--format",
                "{{.Server.Version}} {{.Server.Os}}/{{.Server.Arch}}",
            ],
            // Podman has no server unless it is on another machine.
            Engine::Podman => ["info", "--format", "{{.Version.Version}} {{.Version.OsArch}}"],
        };
        let answer = self.ask(engine, "asking the engine", ASK_LIMIT, &arguments)?;
        let found = answer.stdout.trim().split_once(' ').filter(|_| answer.status.success());
        let (version, system) = found.ok_or_else(|| ContainerError::NoEngine {
            engine,
            said: answer.said(),
        })?;
        Ok((version.to_owned(), system.to_owned()))
    }

    /// What the image is, and whether it was pulled.
    fn image(&self, container: &ContainerPlace) -> Result<(Inspected, bool), ContainerError> {
        let ContainerPlace { image, engine } = container;
        let inspect = || {
            let answer = self.ask(*engine, "asking for the image", ASK_LIMIT, &["image", "inspect", image])?;
            let found: Option<Vec<Inspected>> = serde_json::from_str(&answer.stdout).ok();
            Ok::<_, ContainerError>((found.and_then(|found| found.into_iter().next()), answer))
        };
        if let (Some(found), _) = inspect()? {
            return Ok((found, false));
        }
        (self.progress)(&format!("pulling the image {image}"));
        let pulled = self.ask(*engine, "pulling the image", PULL_LIMIT, &["pull", image])?;
        let missing = |answer: &Answer| ContainerError::NoImage {
            image: image.clone(),
            said: answer.said(),
        };
        if !pulled.status.success() {
            return Err(missing(&pulled));
        }
        let (found, answer) = inspect()?;
        Ok((found.ok_or_else(|| missing(&answer))?, true))
    }

    /// Starts the program in a container of the place, where it says which machine it is on.
    fn start(&self, place: &Place, container: &ContainerPlace) -> Result<HostFacts, ContainerError> {
        let program = program(place);
        let command = [program, "worker", "host"].map(str::to_owned);
        let words = Made {
            place,
            container,
            run_id: self.run_id,
        }
        .words(&BTreeMap::new(), &command);
        let mut arguments = vec!["run", "--rm"];
        arguments.extend(words.iter().map(String::as_str));
        let answer = self.ask(container.engine, "starting a container", START_LIMIT, &arguments)?;
        let facts = answer.stdout.lines().find_map(|line| serde_json::from_str(line).ok());
        if let Some(facts) = facts.filter(|_| answer.status.success()) {
            return Ok(facts);
        }
        let said = answer.said();
        match answer.status.code() {
            Some(REFUSED) => Err(ContainerError::Refused { said }),
            code => Err(ContainerError::Program {
                image: container.image.clone(),
                program: program.to_owned(),
                said: match code {
                    Some(code) if !NOT_STARTED.contains(&code) => format!("exit code {code}: {said}"),
                    _ => said,
                },
            }),
        }
    }

    /// What a command said in a container of the place, on its standard output and its standard error. Blocks.
    pub fn run(&self, made: &Made<'_>, command: &[String]) -> Result<(String, String), ContainerError> {
        let words = made.words(&BTreeMap::new(), command);
        let mut arguments = vec!["run", "--rm"];
        arguments.extend(words.iter().map(String::as_str));
        let engine = made.container.engine;
        let answer = self.ask(engine, "running a container", START_LIMIT, &arguments)?;
        Ok((answer.stdout, answer.stderr))
    }

    fn ask(
        &self,
        engine: Engine,
        what: &'static str,
        limit: Duration,
        arguments: &[&str],
    ) -> Result<Answer, ContainerError> {
        let ask = Ask {
            engine,
            what,
            limit,
            environment: &BTreeMap::from([(RUN_VARIABLE.to_owned(), self.run_id.to_owned())]),
            is_recorded: false,
            interrupted: self.interrupted,
        };
        ask.run(arguments)
    }
}

impl Examined {
    /// Refuses an image without a ready-made client that a configuration runs at the place.
    pub(super) fn with_clients(
        self,
        scenario: &Scenario,
        place: &Place,
        container: &ContainerPlace,
    ) -> Result<Self, ContainerError> {
        let here = scenario
            .configurations
            .iter()
            .filter(|each| scenario.places_of(each).any(|other| other.name == place.name));
        for app in here.map(|each| &scenario.apps[each.app]) {
            let AppProgram::ReadyMade { which, version } = &app.runs else {
                continue;
            };
            let client = format!("{}-{version}", which.name());
            if !self.clients.contains(&client) {
                return Err(ContainerError::NoClient {
                    image: container.image.clone(),
                    client,
                    app: app.name.clone(),
                    has: self.clients,
                });
            }
        }
        Ok(self)
    }
}

/// Tandem's program in the image of a place.
pub fn program(place: &Place) -> &str {
    place.tandem.as_deref().unwrap_or("tandem")
}

/// A container of a place, for a run.
#[derive(Debug, Clone, Copy)]
pub struct Made<'a> {
    /// The place.
    pub place: &'a Place,
    /// Its image and engine.
    pub container: &'a ContainerPlace,
    /// Id of the run, with which it is marked.
    pub run_id: &'a str,
}

impl Made<'_> {
    /// What the engine's program takes after `run`, in which this command runs with these variables. Nothing secret stands
    /// there: that travels on the standard input.
    pub fn words(&self, env: &BTreeMap<String, String>, command: &[String]) -> Vec<String> {
        // An image is never pulled unnoticed, the engine keeps no copy of what a worker says, and signals for the engine's
        // program are not for what runs in the container.
        let mut words = [
            "--interactive",
            "--init",
            "--pull=never",
            "--log-driver=none",
            "--sig-proxy=false",
        ]
        .map(str::to_owned)
        .to_vec();
        words.push(format!("--label={RUN_LABEL}={}", self.run_id));
        let place = self.place;
        // A named listener is for a network of its own; everything else is reached as from this machine.
        if place.listener.is_none() {
            words.push("--network=host".to_owned());
        }
        words.extend(place.cpus.as_ref().map(|list| format!("--cpuset-cpus={list}")));
        let cores = place
            .limits
            .cpu_millicores
            .map(|millicores| f64::from(millicores) / 1_000.0);
        words.extend(cores.map(|cores| format!("--cpus={cores}")));
        if let Some(bytes) = place.limits.memory_bytes {
            // Together with swap it is no more: there is none.
            words.extend([format!("--memory={bytes}"), format!("--memory-swap={bytes}")]);
        }
        words.push(format!("--env={RUN_VARIABLE}={}", self.run_id));
        words.extend(env.iter().map(|(name, value)| format!("--env={name}={value}")));
        let (program, arguments) = command
            .split_first()
            .map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
        words.extend([format!("--entrypoint={program}"), self.container.image.clone()]);
        words.extend(arguments.iter().cloned());
        words
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::scenario::PlaceLimits;

    fn place(listener: Option<&str>) -> Place {
        Place {
            name: "box".to_owned(),
            launcher: Vec::new(),
            ssh: None,
            container: Some(ContainerPlace {
                image: "tandem:slim".to_owned(),
                engine: Engine::Docker,
            }),
            kubernetes: None,
            tandem: None,
            cpus: Some("0-1".to_owned()),
            limits: PlaceLimits {
                cpu_millicores: Some(1_500),
                memory_bytes: Some(1 << 29),
            },
            listener: listener.map(str::to_owned),
        }
    }

    #[test]
    fn a_container_gets_the_limits_of_its_place_and_the_mark_of_its_run() {
        let place = place(None);
        let container = place.container.as_ref().unwrap();
        let made = Made {
            place: &place,
            container,
            run_id: "r1",
        };
        let env = BTreeMap::from([("A".to_owned(), "b c".to_owned())]);
        let words = made.words(&env, &["tandem", "worker"].map(str::to_owned));
        let marked = format!("--env={RUN_VARIABLE}=r1");
        for word in [
            "--cpus=1.5",
            "--cpuset-cpus=0-1",
            "--memory=536870912",
            "--memory-swap=536870912",
            "--network=host",
            "--label=tandem.run=r1",
            "--env=A=b c",
            &marked,
        ] {
            assert!(words.iter().any(|each| each == word), "{word} in {words:?}");
        }
        let end = ["--entrypoint=tandem", "tandem:slim", "worker"].map(str::to_owned);
        assert_eq!(words[words.len() - 3..], end);
    }

    #[test]
    fn a_place_with_a_listener_has_a_network_of_its_own() {
        let place = place(Some("INSIDE"));
        let container = place.container.as_ref().unwrap();
        let words = Made {
            place: &place,
            container,
            run_id: "r1",
        }
        .words(&BTreeMap::new(), &["a".to_owned()]);
        assert!(!words.iter().any(|word| word.starts_with("--network")), "{words:?}");
    }
}
