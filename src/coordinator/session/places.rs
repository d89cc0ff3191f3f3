//! Where the workers of a trial are started: on this machine or on another one, which is reached, and sampled beside them.

use std::collections::{BTreeMap, BTreeSet};

use tokio::task::JoinHandle;

use super::Session;
use super::prepare::NotRun;
use crate::coordinator::calibration::Calibrations;
use crate::coordinator::containers;
use crate::coordinator::dataset::Dataset;
use crate::coordinator::drive::Outcome;
use crate::coordinator::fleet::Launch;
use crate::coordinator::host_watch::HostWatch;
use crate::coordinator::launching::{client_folder, looked_for, on_host, started};
use crate::coordinator::place_error::PlaceError;
use crate::coordinator::remote::limited;
use crate::measure::{FailureKind, TrialOrder};
use crate::scenario::{App, Configuration, Place, PlaceLimits, Reach, Scenario};
use crate::trial::{ActorId, Cast, TrialSpec};

impl Session<'_> {
    /// Prepares a trial whose host can be reached.
    pub(super) async fn ready(
        &self,
        order: &TrialOrder,
        configuration: &Configuration,
        datasets: &[Dataset],
        calibrations: &Calibrations,
    ) -> Result<TrialSpec, NotRun> {
        match self.reach(configuration) {
            Ok(()) => self.prepare(order, configuration, datasets, calibrations).await,
            Err(_) if self.interrupt.is_set() => Err(NotRun::Interrupted),
            Err(error) => Err(NotRun::NotPrepared(FailureKind::WorkerStart, error.to_string())),
        }
    }

    /// Sees that the hosts of a configuration's workers can be reached: a connection that has ended is opened again.
    fn reach(&self, configuration: &Configuration) -> Result<(), PlaceError> {
        let mut places = self.plan.scenario.places_of(configuration);
        tokio::task::block_in_place(|| places.try_for_each(|place| self.places.reopen(place)))
    }

    /// The command lines of a trial's actors: consumers at their places, producers here or beside them.
    pub(super) fn launches(&self, configuration: &Configuration, cast: &Cast) -> Vec<(ActorId, Launch)> {
        let (scenario, build) = (&self.plan.scenario, configuration.variant.build);
        let place_of = |reader: usize| {
            let process = u32::try_from(reader).unwrap_or(u32::MAX) % configuration.processes;
            scenario.place_of(configuration, process)
        };
        // Workers at a place count from 0, so that each has a pod of its own where there are enough.
        let readers_at = |place: &Place, readers: usize| {
            let there = (0..readers).filter(|reader| place_of(*reader).name == place.name);
            there.count()
        };
        let launch = |actor: &ActorId| match actor {
            ActorId::Reader(reader) => {
                let process = u32::try_from(*reader).unwrap_or(u32::MAX) % configuration.processes;
                let app = scenario.app_at(configuration.app, configuration.place_of(process));
                let place = place_of(*reader);
                let number = readers_at(place, *reader);
                Some(self.launch(app, place, build, app.role(), (process + 1, number)))
            }
            ActorId::Producer(producer) => {
                let place = producer_place(scenario, configuration, *producer);
                let number = readers_at(&place, cast.readers.len());
                Some(self.launch(App::Tandem, &place, build, "producer", (1, number)))
            }
            ActorId::Broker(_) | ActorId::Store | ActorId::Load => None,
        };
        cast.ids().filter_map(|actor| Some((actor, launch(&actor)?))).collect()
    }

    /// How a worker of an app, or of a build of tandem, is started at a place. The process has the first number in its
    /// group, from 1, and the second among the workers at the place, from 0.
    pub(super) fn launch(
        &self,
        app: App<'_>,
        place: &Place,
        build: usize,
        role: &str,
        (process, worker): (u32, usize),
    ) -> Launch {
        let remote = self.places.remote(place, worker);
        let there = self.places.program(place, build);
        let here = self.programs.path(build).to_string_lossy();
        let own = match place.reach() {
            Reach::Here | Reach::Launcher(_) | Reach::Ssh(_) | Reach::Kubernetes(_) => there.unwrap_or(&here),
            Reach::Container(_) => containers::program(place),
        };
        let client = client_folder(app, place, &self.programs, self.places);
        let mut started = started(app, place, (own, &client), process);
        started.command.push(role.to_owned());
        // What ssh or a container runtime starts does not inherit processors. Older builds do not know the flags.
        let keeps_itself = started.is_own && self.programs.describe().is_empty();
        if keeps_itself {
            let cpus = place.cpus.iter().flat_map(|cpus| ["--cpus".to_owned(), cpus.clone()]);
            let program = looked_for(app, place);
            let program = program.into_iter().flat_map(|name| ["--program".to_owned(), name]);
            started.command.extend(cpus.chain(program));
        }
        let log = self.options.log_workers;
        let made = self.places.containers.as_ref();
        let container = made.and_then(|containers| containers.launch(&self.plan.scenario, place, &started));
        let is_child = remote.is_none() && container.is_none();
        Launch {
            command: match &remote {
                Some(remote) => {
                    let processors = place.cpus.as_deref().filter(|_| !keeps_itself);
                    // Limits are set by this program, whatever runs under them.
                    if let Some(program) = self.places.program(place, self.programs.own()) {
                        let before = limited(place, program, &self.options.run_id, worker + 1);
                        started.command.splice(0..0, before);
                    }
                    on_host(remote, &started, &self.options.run_id, processors)
                }
                None => started.command,
            },
            env: if is_child { started.env } else { BTreeMap::new() },
            processors: place.processors().filter(|_| is_child),
            confined: self.confinement.and_then(|confinement| confinement.of(place)),
            remote,
            container,
            log,
        }
    }

    /// Begins to sample the other machines of a configuration's workers, with one process on each. The run goes on without
    /// one that cannot be sampled, and says so.
    pub(super) async fn watch_hosts(&self, configuration: &Configuration) -> Vec<HostWatch> {
        let scenario = &self.plan.scenario;
        let mut starting: Vec<(&Place, String, JoinHandle<_>)> = Vec::new();
        for place in scenario.places_of(configuration) {
            let Some(program) = self.places.program(place, configuration.variant.build) else {
                continue;
            };
            // Places with pods have their own each.
            let is_same = |other: &&Place| match place.reach() {
                Reach::Kubernetes(_) => other.name == place.name,
                reach => other.reach() == reach,
            };
            if starting.iter().any(|(known, ..)| is_same(known)) {
                continue;
            }
            let same = scenario.places.iter().filter(is_same);
            let names: BTreeSet<String> = same.map(|place| place.name.clone()).collect();
            for way in self.places.hosts(place) {
                let (target, run_id) = (way.name.clone(), self.options.run_id.clone());
                let (program, names) = (program.to_owned(), names.clone());
                let started = async move { HostWatch::start(&way, &program, &run_id, names).await };
                starting.push((place, target, tokio::spawn(started)));
            }
        }
        let mut watched = Vec::new();
        for (_, target, started) in starting {
            match started.await.unwrap_or_else(|error| Err(error.to_string())) {
                Ok(Some(host)) => HostWatch::add(&mut watched, host),
                Ok(None) => {}
                Err(cause) => self.note_not_sampled(&target, &cause),
            }
        }
        self.armed(watched).await
    }

    /// Those of the hosts that answer. From its first reading on each ends the run's processes there if the run dies.
    async fn armed(&self, watched: Vec<HostWatch>) -> Vec<HostWatch> {
        let mut armed = Vec::new();
        for host in watched {
            match host.sample().await {
                Ok(_) => armed.push(host),
                Err(cause) => self.note_not_sampled(host.name(), &cause),
            }
        }
        armed
    }

    fn note_not_sampled(&self, target: &str, cause: &str) {
        self.observer
            .note(&format!("the host {target} is not sampled: {cause}"));
    }

    /// Says where a trial goes without the figures of one of its other machines.
    pub(super) fn note_unwatched(&self, order: &TrialOrder, watched: &[HostWatch], outcome: &Outcome) {
        let Some(measurement) = &outcome.measurement else {
            return;
        };
        for host in watched {
            let (ssh, number) = (host.name(), order.number);
            if !measurement.other_hosts.iter().any(|other| other.ssh == ssh) {
                self.observer.note(&format!(
                    "what the host {ssh} did in trial {number} is not known: its `tandem worker host` has ended"
                ));
            }
        }
    }
}

/// Where a producer is started: here, or beside the consumers of one of their places, whose limits are not its own.
fn producer_place(scenario: &Scenario, configuration: &Configuration, producer: usize) -> Place {
    let is_beside = configuration.mode.load().is_some_and(|load| load.is_beside);
    let beside = configuration
        .distinct_places()
        .get(producer)
        .copied()
        .filter(|_| is_beside);
    Place {
        cpus: None,
        limits: PlaceLimits::default(),
        ..scenario.places[beside.unwrap_or(0)].clone()
    }
}
