//! The programs whose workers a run starts: this one, or the builds that it compares. Each build is asked who it is
//! before anything is measured, and looked at again before each of its trials.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nix::unistd::{AccessFlags, access};
use tokio::process::Command;
use tokio::time::timeout;

use super::calibration::meet;
use super::fleet::{Launch, ProcessFleet};
use crate::measure::BuildEnvironment;
use crate::protocol::{Hello, PROTOCOL_VERSION, PROTOCOL_VERSIONS};
use crate::scenario::{Build, Scenario};
use crate::server::RUN_VARIABLE;

/// How long a build may take to print its version.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Why a build cannot be measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// Nothing is there.
    #[error("--binary: there is no program {}", .0.display())]
    Missing(PathBuf),
    /// It cannot be run by this user.
    #[error("--binary: {} is not an executable program", .0.display())]
    NotExecutable(PathBuf),
    /// It does not speak the protocol.
    #[error("--binary: {} is no tandem: as `worker {role}` {cause}", path.display())]
    NoWorker {
        /// The program.
        path: PathBuf,
        /// What it was started as.
        role: &'static str,
        /// What it did instead.
        cause: String,
    },
    /// It speaks another version of it.
    #[error(
        "--binary: {} speaks version {found} of the worker protocol, this tandem version {PROTOCOL_VERSION}; take a \
         build that speaks it too, or run the tandem that belongs to that build",
        path.display()
    )]
    Protocol {
        /// The program.
        path: PathBuf,
        /// Its version of the protocol.
        found: u32,
    },
    /// It is not the file any more that was there at the start.
    #[error("the build {} has changed while the run went on; trials of two builds must not be mixed", .0.display())]
    Changed(PathBuf),
}

/// Fails where the file of a build is missing or cannot be run.
pub fn check_builds(scenario: &Scenario) -> Result<(), BuildError> {
    for build in &scenario.variants.builds {
        let path = || build.path.clone();
        let file = fs::metadata(&build.path).map_err(|_| BuildError::Missing(path()))?;
        if !file.is_file() || access(&build.path, AccessFlags::X_OK).is_err() {
            return Err(BuildError::NotExecutable(path()));
        }
    }
    Ok(())
}

/// The programs of a run, by [`crate::scenario::Variant::build`].
pub(super) struct Programs {
    /// This program, for whatever is not compared.
    own: PathBuf,
    builds: Vec<BuildEnvironment>,
    /// The folders of the ready-made clients that were built, by the names of their apps.
    clients: BTreeMap<String, PathBuf>,
}

impl Programs {
    /// Asks every build of the scenario who it is, in each role that its workers will have.
    pub(super) async fn ask(own: &Path, scenario: &Scenario, run_id: &str, log: bool) -> Result<Self, BuildError> {
        check_builds(scenario)?;
        let produce = scenario.configurations.iter().any(|each| each.mode.load().is_some());
        let mut builds = Vec::with_capacity(scenario.variants.builds.len());
        for build in &scenario.variants.builds {
            let hello = introduce(build, "consumer", run_id, log).await?;
            if produce {
                introduce(build, "producer", run_id, log).await?;
            }
            builds.push(describe(build, hello, run_id).await?);
        }
        Ok(Programs {
            own: own.to_owned(),
            builds,
            clients: BTreeMap::new(),
        })
    }

    /// How many different ones there are.
    pub(super) fn count(&self) -> usize {
        self.builds.len().max(1)
    }

    /// Number of this program, beside the numbers of the builds that are compared.
    pub(super) fn own(&self) -> usize {
        self.builds.len()
    }

    /// The program that a configuration's workers are started from.
    pub(super) fn path(&self, build: usize) -> &Path {
        self.builds.get(build).map_or(&self.own, |build| &build.path)
    }

    /// The same with the ready-made clients of the scenario.
    pub(super) fn with_clients(mut self, clients: BTreeMap<String, PathBuf>) -> Self {
        self.clients = clients;
        self
    }

    /// The folder of the ready-made client of that app, which was built before anything is started.
    pub(super) fn client(&self, app: &str) -> &Path {
        self.clients.get(app).map_or(Path::new(""), PathBuf::as_path)
    }

    /// What the environment file says of the builds.
    pub(super) fn describe(&self) -> &[BuildEnvironment] {
        &self.builds
    }

    /// Fails where a build is not the one any more that was asked.
    pub(super) fn check(&self, build: usize) -> Result<(), BuildError> {
        let Some(build) = self.builds.get(build) else {
            return Ok(());
        };
        let now = identity(&build.path);
        if now == Some((build.bytes, build.modified)) {
            Ok(())
        } else {
            Err(BuildError::Changed(build.path.clone()))
        }
    }
}

/// Size and time of the last change of a file.
fn identity(path: &Path) -> Option<(u64, Timestamp)> {
    let file = fs::metadata(path).ok()?;
    Some((file.len(), Timestamp::try_from(file.modified().ok()?).ok()?))
}

async fn describe(build: &Build, hello: Hello, run_id: &str) -> Result<BuildEnvironment, BuildError> {
    let (bytes, modified) = identity(&build.path).ok_or_else(|| BuildError::Missing(build.path.clone()))?;
    Ok(BuildEnvironment {
        name: build.name.clone(),
        path: build.path.clone(),
        version: version(&build.path, run_id).await,
        client: hello.client,
        client_version: hello.client_version,
        bytes,
        modified,
    })
}

/// The first line of what a program says to `--version`.
async fn version(path: &Path, run_id: &str) -> Option<String> {
    let mut command = Command::new(path);
    command
        .arg("--version")
        .env(RUN_VARIABLE, run_id)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(ANSWER_LIMIT, command.output()).await.ok()?.ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().map(str::trim).unwrap_or_default();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}

/// Starts a build as a worker and lets it introduce itself.
async fn introduce(build: &Build, role: &'static str, run_id: &str, log: bool) -> Result<Hello, BuildError> {
    let no_worker = |cause: String| BuildError::NoWorker {
        path: build.path.clone(),
        role,
        cause,
    };
    let launch = Launch {
        command: [&*build.path.to_string_lossy(), "worker", role]
            .map(str::to_owned)
            .to_vec(),
        env: BTreeMap::new(),
        processors: None,
        confined: None,
        remote: None,
        container: None,
        log,
    };
    let mut fleet = ProcessFleet::new(run_id, Arc::default());
    let (hello, _) = meet(&mut fleet, &launch, false).await.map_err(no_worker)?;
    if PROTOCOL_VERSIONS.contains(&hello.protocol) {
        return Ok(hello);
    }
    Err(BuildError::Protocol {
        path: build.path.clone(),
        found: hello.protocol,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::scenario::parse;

    fn environment(path: &Path) -> BuildEnvironment {
        let (bytes, modified) = identity(path).unwrap();
        BuildEnvironment {
            name: "new".to_owned(),
            path: path.to_owned(),
            version: None,
            client: "librdkafka".to_owned(),
            client_version: "2.12.1".to_owned(),
            bytes,
            modified,
        }
    }

    #[test]
    fn a_build_that_is_written_again_while_the_run_goes_on_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tandem");
        fs::write(&path, "first").unwrap();
        let programs = Programs {
            own: PathBuf::from("/this/tandem"),
            builds: vec![environment(&path)],
            clients: BTreeMap::new(),
        };
        assert_eq!((programs.path(0), programs.check(0)), (path.as_path(), Ok(())));
        fs::write(&path, "second").unwrap();
        assert_eq!(programs.check(0), Err(BuildError::Changed(path.clone())));
        fs::remove_file(&path).unwrap();
        assert_eq!(programs.check(0), Err(BuildError::Changed(path)));
    }

    #[test]
    fn without_builds_all_workers_are_of_this_program() {
        let programs = Programs {
            own: PathBuf::from("/this/tandem"),
            builds: Vec::new(),
            clients: BTreeMap::new(),
        };
        assert_eq!((programs.path(0), programs.count()), (Path::new("/this/tandem"), 1));
        assert_eq!(programs.check(0), Ok(()));
    }

    #[test]
    fn a_build_that_is_not_there_or_is_no_program_is_refused_without_starting_it() {
        let folder = tempfile::tempdir().unwrap();
        let [text, missing] = ["text", "missing"].map(|name| folder.path().join(name));
        fs::write(&text, "text").unwrap();
        let check = |path: &Path| {
            let scenario = parse("s", "s.toml", "question = '?'").unwrap();
            check_builds(
                &scenario
                    .with_variants(None, &[path.to_owned(), PathBuf::from("/bin/sh")])
                    .unwrap(),
            )
        };
        assert_eq!(check(&missing), Err(BuildError::Missing(missing.clone())));
        assert_eq!(check(&text), Err(BuildError::NotExecutable(text.clone())));
        assert_eq!(
            check(folder.path()),
            Err(BuildError::NotExecutable(folder.path().to_owned()))
        );
        assert_eq!(check(Path::new("/bin/sh")), Ok(()));
    }
}
