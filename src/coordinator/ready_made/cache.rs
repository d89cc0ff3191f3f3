//! Where clients lie in the cache, and which of a scenario's are there.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
#[cfg(test)]
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};

use super::build::{Wanted, Work, build};
use super::error::ClientError;
use crate::clients::{ReadyMade, Tool};
use crate::kafka::local::Sources;
use crate::scenario::{AppProgram, AppSpec, Configuration, Reach, Scenario};
use crate::server::{check_private, find_program, make_private, unfinished_folder};

/// The sources of all clients: paths below their folder, and texts.
static EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/client_sources.rs"));

/// Written last: a folder without it is not complete.
const COMPLETE: &str = ".complete";

/// How often it is looked whether another run has finished the same client.
const LOCK_PAUSE: Duration = Duration::from_millis(200);

/// Where clients are built and found.
#[derive(Debug, Clone)]
pub(super) struct ClientCache {
    pub(super) folder: PathBuf,
    /// `PATH`.
    pub(super) path: Option<OsString>,
    /// The sources.
    pub(super) files: &'static [(&'static str, &'static str)],
}

impl ClientCache {
    pub(super) fn from_environment() -> Self {
        let sources = Sources::from_environment();
        ClientCache {
            folder: sources.cache.with_file_name("clients"),
            path: sources.path,
            files: EMBEDDED,
        }
    }

    /// The sources of a client.
    pub(super) fn sources(&self, which: ReadyMade) -> impl Iterator<Item = (&'static str, &'static str)> {
        let wanted = which.recipe().sources;
        let is_of = move |path: &str| {
            let first = path.split('/').next().unwrap_or(path);
            wanted.contains(&first)
        };
        self.files.iter().copied().filter(move |(path, _)| is_of(path))
    }

    /// The folder of a client: its name, its version, and a hash of its sources.
    pub(super) fn folder_of(&self, which: ReadyMade, version: &str) -> PathBuf {
        let mut sha = openssl::sha::Sha256::new();
        for (path, text) in self.sources(which) {
            for part in [path, text] {
                sha.update(&(part.len() as u64).to_le_bytes());
                sha.update(part.as_bytes());
            }
        }
        let mut name = format!("{}-{version}-", which.name());
        for byte in &sha.finish()[..6] {
            let _ = write!(name, "{byte:02x}");
        }
        self.folder.join(name)
    }

    pub(super) fn is_there(&self, which: ReadyMade, version: &str) -> bool {
        self.folder_of(which, version).join(COMPLETE).is_file()
    }

    /// The first program that is missing to build a client or to run it.
    fn missing(&self, which: ReadyMade, version: &str) -> Option<&'static Tool> {
        let is_there = self.is_there(which, version);
        let mut needed = which.recipe().tools.iter().filter(|tool| tool.runs_it || !is_there);
        needed.find(|tool| find_program(tool.program, self.path.as_deref()).is_none())
    }

    /// The folder of a client, which is built if it is not there.
    pub(super) fn get(&self, which: ReadyMade, version: &str, work: &Work<'_>) -> Result<PathBuf, ClientError> {
        let folder = self.folder_of(which, version);
        if let Some(tool) = self.missing(which, version) {
            let client = format!("{} {version}", which.name());
            return Err(ClientError::NoTool { client, tool });
        }
        if self.is_there(which, version) {
            // What others can change is not run.
            check_private(&folder).map_err(ClientError::io("use", &folder))?;
            return Ok(folder);
        }
        make_private(&self.folder).map_err(ClientError::io("use", &self.folder))?;
        let _lock = self.lock(which, version, work)?;
        if self.is_there(which, version) {
            return Ok(folder);
        }
        let unfinished = unfinished_folder(&self.folder, which.name())?;
        let made = unfinished.path().join("client");
        let path = self.path.as_deref();
        build(Wanted { which, version, path }, self.sources(which), &made, work)?;
        let marker = made.join(COMPLETE);
        fs::write(&marker, "").map_err(ClientError::io("write", &marker))?;
        // One without the marker is of a run that was killed between the two.
        let _ = fs::remove_dir_all(&folder);
        fs::rename(&made, &folder).map_err(ClientError::io("make the folder", &folder))?;
        Ok(folder)
    }

    /// Waits until no other run builds the same client.
    fn lock(&self, which: ReadyMade, version: &str, work: &Work<'_>) -> Result<Flock<File>, ClientError> {
        let path = self.folder.join(format!("{}-{version}.lock", which.name()));
        let mut is_noted = false;
        loop {
            let file = File::create(&path).map_err(ClientError::io("write", &path))?;
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => return Ok(lock),
                Err((_, nix::errno::Errno::EWOULDBLOCK)) => {}
                Err((_, error)) => return Err(ClientError::io("lock", &path)(error.into())),
            }
            if !std::mem::replace(&mut is_noted, true) {
                (work.progress)(&format!(
                    "waiting for another run that builds client {} {version}",
                    which.name()
                ));
            }
            if work.interrupted.load(Ordering::Acquire) {
                return Err(ClientError::Interrupted);
            }
            std::thread::sleep(LOCK_PAUSE);
        }
    }
}

/// The ready-made clients that the configurations of a scenario run from this machine's cache, each once. Containers and
/// pods have those of their image.
fn wanted(scenario: &Scenario) -> BTreeMap<&str, (ReadyMade, &str)> {
    let is_cached = |each: &&Configuration| {
        scenario.places_of(each).any(|place| match place.reach() {
            Reach::Here | Reach::Launcher(_) | Reach::Ssh(_) => true,
            Reach::Container(_) | Reach::Kubernetes(_) => false,
        })
    };
    let used = scenario
        .configurations
        .iter()
        .filter(is_cached)
        .map(|each| &scenario.apps[each.app]);
    used.filter_map(|app: &AppSpec| match &app.runs {
        AppProgram::ReadyMade { which, version } => Some((app.name.as_str(), (*which, version.as_str()))),
        AppProgram::Tandem | AppProgram::Program(_) => None,
    })
    .collect()
}

/// A ready-made client of a scenario, and whether it is in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub which: ReadyMade,
    /// Of its library.
    pub version: String,
    /// Its folder if it was built.
    pub folder: Option<PathBuf>,
    /// What is missing to build it or to run it.
    pub missing: Option<&'static Tool>,
}

/// The ready-made clients that a scenario runs. Builds nothing.
pub fn found(scenario: &Scenario) -> Vec<Found> {
    let cache = ClientCache::from_environment();
    let find = |(which, version): (ReadyMade, &str)| Found {
        which,
        version: version.to_owned(),
        folder: cache.is_there(which, version).then(|| cache.folder_of(which, version)),
        missing: cache.missing(which, version),
    };
    wanted(scenario).into_values().map(find).collect()
}

/// The folders of the clients that a scenario runs, by the names of their apps; those that are not there are built.
pub(in crate::coordinator) fn provide(
    scenario: &Scenario,
    run_id: &str,
    progress: &dyn Fn(&str),
    interrupted: &AtomicBool,
) -> Result<BTreeMap<String, PathBuf>, ClientError> {
    let cache = ClientCache::from_environment();
    let work = Work {
        run_id,
        progress,
        interrupted,
    };
    // What is missing is said before anything is built.
    for (which, version) in wanted(scenario).into_values() {
        if let Some(tool) = cache.missing(which, version) {
            let client = format!("{} {version}", which.name());
            return Err(ClientError::NoTool { client, tool });
        }
    }
    wanted(scenario)
        .into_iter()
        .map(|(app, (which, version))| Ok((app.to_owned(), cache.get(which, version, &work)?)))
        .collect()
}

impl Found {
    /// What `tandem plan` says of it.
    pub fn sentence(&self) -> String {
        let recipe = self.which.recipe();
        let missing = self.missing.map_or_else(String::new, |tool| {
            format!("; it needs {}, which is not here: {}", tool.title, tool.install)
        });
        format!("client {}: {}{missing}", recipe.name, self.state())
    }

    /// Its library, and whether it was built.
    pub fn state(&self) -> String {
        let recipe = self.which.recipe();
        let library = format!("{} {}", recipe.library, self.version);
        match &self.folder {
            Some(folder) => format!("{library}, built, in {}", folder.display()),
            None => format!("{library}, which a run builds first: {}", recipe.takes),
        }
    }
}

/// Where the programs of a test's clients are.
#[cfg(test)]
pub(super) fn test_cache(folder: &Path, files: &'static [(&'static str, &'static str)]) -> ClientCache {
    ClientCache {
        folder: folder.join("tandem/clients"),
        path: Some(folder.join("bin").into_os_string()),
        files,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_sources_of_every_client_are_in_this_program() {
        let cache = ClientCache::from_environment();
        for which in ReadyMade::ALL {
            let files: Vec<&str> = cache.sources(which).map(|(path, _)| path).collect();
            for wanted in which.recipe().sources {
                assert!(
                    files.iter().any(|file| file.starts_with(wanted)),
                    "{} {wanted}",
                    which.name()
                );
            }
            let built = |file: &&str| file.contains("/target/") || file.contains("/venv/");
            assert_eq!(files.iter().find(|file| built(file)), None);
        }
    }

    #[test]
    fn another_version_and_other_sources_have_another_folder() {
        let folder = Path::new("/cache");
        let cache = |files| test_cache(folder, files);
        let one = cache(&[("go/main.go", "a")]).folder_of(ReadyMade::Go, "1.0.0");
        assert!(one.starts_with("/cache/tandem/clients") && one.to_string_lossy().contains("go-1.0.0-"));
        let others = [
            cache(&[("go/main.go", "a")]).folder_of(ReadyMade::Go, "1.0.1"),
            cache(&[("go/main.go", "b")]).folder_of(ReadyMade::Go, "1.0.0"),
            cache(&[("go/main.go", "a"), ("go/x.go", "")]).folder_of(ReadyMade::Go, "1.0.0"),
        ];
        assert!(others.iter().all(|other| *other != one));
        let same = cache(&[("go/main.go", "a"), ("python/worker.py", "p")]).folder_of(ReadyMade::Go, "1.0.0");
        assert_eq!(same, one, "sources of another client");
    }
}
