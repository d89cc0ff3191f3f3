//! Other hosts, on which places with `ssh` have their worker processes: a shared connection to each by OpenSSH, and the
//! program that workers are started from there. Knows nothing of trials.

mod clients;
mod connection;
mod error;
mod limits;
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use self::clients::Built;
pub use self::clients::check_tools;
pub use self::connection::Connection;
pub use self::error::SshError;
pub use self::limits::{check_limits, limited};
pub use self::program::{Installed, install};
use super::guardian::Guardian;
use super::place_error::PlaceError;
use super::programs::Programs;
use super::reached::Remote;
use crate::scenario::{AppProgram, Place, Scenario};
use crate::server::{Keeper, make_directory, remove_owned_directory};

/// A connection carries so many workers. A server allows ten sessions in each by default: one holds the connection, one may
/// sample the host, and one is left for whatever else is to be done there.
const WORKERS_PER_CONNECTION: usize = 7;

/// The other hosts of a run.
pub(super) struct Remotes {
    run_id: String,
    /// Has the sockets of the connections.
    folder: PathBuf,
    interrupted: Arc<AtomicBool>,
    hosts: BTreeMap<String, Host>,
}

/// Another host.
struct Host {
    connections: Vec<Connection>,
    /// The path of the program there, by build and by the path that a place names.
    programs: BTreeMap<(usize, Option<String>), String>,
    /// The folders of ready-made clients there, by the names of their apps.
    clients: BTreeMap<String, String>,
}

impl Remotes {
    /// Connects to the hosts of all places that a configuration has workers at, and takes the programs there. `None` where
    /// all workers are started on this machine. Blocks.
    pub(super) fn open(
        scenario: &Scenario,
        programs: &Programs,
        run_id: &str,
        guardian: &Guardian,
        progress: &dyn Fn(&str),
        interrupted: &Arc<AtomicBool>,
    ) -> Result<Option<Self>, PlaceError> {
        let mut needed: BTreeMap<&str, (&Place, u32)> = BTreeMap::new();
        for configuration in &scenario.configurations {
            for place in scenario.places_of(configuration) {
                let Some(ssh) = &place.ssh else { continue };
                // As many as if all were there: the connection of a worker follows from its number in the trial.
                let producers = configuration.mode.load().filter(|load| load.is_beside);
                let producers = producers.map_or(0, |load| load.producers);
                let workers = configuration.processes * configuration.groups + producers;
                let (_, most) = needed.entry(ssh).or_insert((place, 0));
                *most = workers.max(*most);
            }
        }
        let Some((first, _)) = needed.values().next() else {
            return Ok(None);
        };
        let folder =
            private_folder(run_id, guardian).map_err(|cause| PlaceError::new(first, SshError::Folder(cause)))?;
        let mut remotes = Remotes {
            run_id: run_id.to_owned(),
            folder,
            interrupted: Arc::clone(interrupted),
            hosts: BTreeMap::new(),
        };
        for (target, (place, workers)) in needed {
            progress(&format!("connecting to {target}"));
            let opened = remotes.connect(target, workers as usize);
            match opened {
                Ok(host) => drop(remotes.hosts.insert(target.to_owned(), host)),
                Err(cause) => {
                    remotes.close(guardian);
                    return Err(PlaceError::new(place, cause));
                }
            }
        }
        let taken = remotes.take_programs(scenario, programs, progress);
        let taken = taken.and_then(|()| remotes.take_clients(scenario, programs, progress));
        if let Err(error) = taken.and_then(|()| remotes.check_limits(scenario, programs)) {
            remotes.close(guardian);
            return Err(error);
        }
        Ok(Some(remotes))
    }

    fn connect(&self, target: &str, workers: usize) -> Result<Host, SshError> {
        let count = workers.div_ceil(WORKERS_PER_CONNECTION).max(1);
        let connect = |number: usize| {
            let socket = self.folder.join(format!("{}-{number}", self.hosts.len()));
            Connection::open(target, &socket, &self.run_id, &self.interrupted)
        };
        Ok(Host {
            connections: (0..count).map(connect).collect::<Result<_, _>>()?,
            programs: BTreeMap::new(),
            clients: BTreeMap::new(),
        })
    }

    /// Takes to each host the programs that its places run.
    fn take_programs(
        &mut self,
        scenario: &Scenario,
        programs: &Programs,
        progress: &dyn Fn(&str),
    ) -> Result<(), PlaceError> {
        let everywhere = scenario.configurations.iter().flat_map(|configuration| {
            let places = scenario.places_of(configuration);
            // Limits are set by this program, whatever runs under them.
            let builds = |place: &Place| {
                let own = (!place.limits.is_empty()).then_some(programs.own());
                own.into_iter().chain([configuration.variant.build])
            };
            places.flat_map(move |place| builds(place).map(move |build| (place, build)))
        });
        for (place, build) in everywhere {
            let Some(host) = place.ssh.as_ref().and_then(|ssh| self.hosts.get_mut(ssh)) else {
                continue;
            };
            let key = (build, place.tandem.clone());
            if host.programs.contains_key(&key) {
                continue;
            }
            let installed = install(
                &host.connections[0],
                programs.path(build),
                place.tandem.as_deref(),
                progress,
            );
            let installed = installed.map_err(|cause| PlaceError::new(place, cause))?;
            host.programs.insert(key, installed.path);
        }
        Ok(())
    }

    /// Takes to each host the ready-made clients that its places run.
    fn take_clients(
        &mut self,
        scenario: &Scenario,
        programs: &Programs,
        progress: &dyn Fn(&str),
    ) -> Result<(), PlaceError> {
        let mut needed: BTreeMap<&str, (&Place, BTreeMap<&str, Built<'_>>)> = BTreeMap::new();
        for configuration in &scenario.configurations {
            let app = &scenario.apps[configuration.app];
            let AppProgram::ReadyMade { which, version } = &app.runs else {
                continue;
            };
            for place in scenario.places_of(configuration) {
                let Some(ssh) = &place.ssh else { continue };
                let built = Built {
                    which: *which,
                    version,
                    folder: programs.client(&app.name),
                };
                let (_, clients) = needed.entry(ssh).or_insert_with(|| (place, BTreeMap::new()));
                clients.insert(&app.name, built);
            }
        }
        for (ssh, (place, clients)) in needed {
            let Some(host) = self.hosts.get_mut(ssh) else { continue };
            let failed = |cause| PlaceError::new(place, cause);
            let built = clients.values().map(|client| (client.which, client.version.to_owned()));
            let all: Vec<_> = built.collect();
            check_tools(&host.connections[0], &all).map_err(failed)?;
            for (app, client) in clients {
                let folder = clients::take(&host.connections[0], client, progress).map_err(failed)?;
                host.clients.insert(app.to_owned(), folder);
            }
        }
        Ok(())
    }

    /// Sees that the limits of places can be set on their hosts.
    fn check_limits(&self, scenario: &Scenario, programs: &Programs) -> Result<(), PlaceError> {
        let places = scenario.configurations.iter().flat_map(|each| scenario.places_of(each));
        let mut checked = BTreeSet::new();
        for place in places.filter(|place| checked.insert(place.name.as_str())) {
            let host = place.ssh.as_ref().and_then(|ssh| self.hosts.get(ssh));
            if let (Some(host), Some(program)) = (host, self.program(place, programs.own())) {
                let able = check_limits(&host.connections[0], place, program, &self.run_id);
                able.map_err(|cause| PlaceError::new(place, cause))?;
            }
        }
        Ok(())
    }

    /// The folder of the ready-made client of an app on the host of a place.
    pub(super) fn client(&self, place: &Place, app: &str) -> Option<&str> {
        let host = self.hosts.get(place.ssh.as_ref()?)?;
        host.clients.get(app).map(String::as_str)
    }

    /// The path of tandem's program, or of a build of it, on the host of a place; `None` where that is this machine.
    pub(super) fn program(&self, place: &Place, build: usize) -> Option<&str> {
        let host = self.hosts.get(place.ssh.as_ref()?)?;
        host.programs.get(&(build, place.tandem.clone())).map(String::as_str)
    }

    /// How the process of this number at a place is reached.
    pub(super) fn of(&self, place: &Place, process: usize) -> Option<Remote> {
        let target = place.ssh.as_ref()?;
        let connections = &self.hosts.get(target)?.connections;
        let connection = &connections[process / WORKERS_PER_CONNECTION % connections.len()];
        Some(connection.remote())
    }

    /// Opens the connections of a place again that have ended. Blocks.
    pub(super) fn reopen(&self, place: &Place) -> Result<(), PlaceError> {
        let host = place.ssh.as_ref().and_then(|target| self.hosts.get(target));
        for connection in host.iter().flat_map(|host| &host.connections) {
            connection.reopen().map_err(|cause| PlaceError::new(place, cause))?;
        }
        Ok(())
    }

    /// Ends the connections.
    pub(super) fn close(self, guardian: &Guardian) {
        drop(self.hosts);
        // What cannot be removed is left to the guardian.
        if remove_owned_directory(&self.folder, &self.run_id).is_ok() {
            guardian.directory_removed(&self.folder);
        }
    }
}

/// A folder that nobody else may look into. Its path is short: a socket's may have about a hundred bytes.
fn private_folder(run_id: &str, keeper: &dyn Keeper) -> Result<PathBuf, String> {
    let folder = make_directory(&std::env::temp_dir(), run_id, "ssh", keeper).map_err(|error| error.to_string())?;
    make_private(&folder).map_err(|error| error.to_string())?;
    Ok(folder)
}

fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}
