//! Where the workers of a trial are started: on this machine or on another one, which is reached, and sampled beside them.

use std::collections::BTreeMap;

use super::Session;
use super::prepare::NotRun;
use crate::coordinator::calibration::Calibrations;
use crate::coordinator::dataset::Dataset;
use crate::coordinator::drive::Outcome;
use crate::coordinator::fleet::Launch;
use crate::coordinator::host_watch::HostWatch;
use crate::coordinator::launching::{on_host, started};
use crate::coordinator::place_error::PlaceError;
use crate::measure::{FailureKind, Measurement, TrialOrder};
use crate::scenario::{App, Configuration, Place};
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

    /// Sees that the host of a configuration's workers can be reached: a connection that has ended is opened again.
    fn reach(&self, configuration: &Configuration) -> Result<(), PlaceError> {
        let place = self.plan.scenario.place_of(configuration);
        tokio::task::block_in_place(|| self.places.reopen(place))
    }

    /// The command lines of a trial's actors: consumers at their place, producers here.
    pub(super) fn launches(&self, configuration: &Configuration, cast: &Cast) -> Vec<(ActorId, Launch)> {
        let (scenario, build) = (&self.plan.scenario, configuration.variant.build);
        let launch = |actor: &ActorId| match actor {
            ActorId::Reader(reader) => {
                let process = u32::try_from(*reader).unwrap_or(u32::MAX) % configuration.processes + 1;
                let app = scenario.app_of(configuration);
                let place = scenario.place_of(configuration);
                Some(self.launch(app, place, build, app.role(), (process, *reader)))
            }
            ActorId::Producer(_) => Some(self.launch(App::Tandem, &scenario.places[0], build, "producer", (1, 0))),
            ActorId::Broker(_) | ActorId::Store | ActorId::Load => None,
        };
        cast.ids().filter_map(|actor| Some((actor, launch(&actor)?))).collect()
    }

    /// How a worker of an app, or of a build of tandem, is started at a place. The process has the first number in its
    /// group, from 1, and the second in the trial, from 0.
    pub(super) fn launch(
        &self,
        app: App<'_>,
        place: &Place,
        build: usize,
        role: &str,
        (process, worker): (u32, usize),
    ) -> Launch {
        let remotes = self.places.remotes.as_ref();
        let remote = remotes.and_then(|remotes| remotes.of(place, worker));
        let there = remotes.and_then(|remotes| remotes.program(place, build));
        let here = self.programs.path(build).to_string_lossy();
        let mut started = started(app, place, there.unwrap_or(&here), &self.programs, process);
        started.command.push(role.to_owned());
        // What ssh or a container runtime starts does not inherit processors. Older builds do not know the flag.
        if let (true, Some(cpus), []) = (started.is_own, &place.cpus, self.programs.describe()) {
            started.command.extend(["--cpus".to_owned(), cpus.clone()]);
        }
        let log = self.options.log_workers;
        match remote {
            Some(remote) => Launch {
                command: on_host(&remote, &started, &self.options.run_id, place.cpus.as_deref()),
                env: BTreeMap::new(),
                processors: None,
                confined: None,
                remote: Some(remote),
                log,
            },
            None => Launch {
                command: started.command,
                env: started.env,
                processors: place.processors(),
                confined: self.confinement.and_then(|confinement| confinement.of(place)),
                remote: None,
                log,
            },
        }
    }

    /// Begins to sample the machine of a configuration's workers, where that is another one. The run goes on without, and
    /// says so.
    pub(super) async fn watch_host(&self, configuration: &Configuration) -> Option<HostWatch> {
        let scenario = &self.plan.scenario;
        let place = scenario.place_of(configuration);
        let (remotes, target) = (self.places.remotes.as_ref()?, place.ssh.as_ref()?);
        let (remote, program) = (
            remotes.of(place, 0)?,
            remotes.program(place, configuration.variant.build)?,
        );
        let same = scenario.places.iter().filter(|other| other.ssh == place.ssh);
        let names = same.map(|place| place.name.clone()).collect();
        let started = HostWatch::start(&remote, target, program, &self.options.run_id, names).await;
        started.unwrap_or_else(|cause| {
            self.observer
                .note(&format!("the host {target} is not sampled: {cause}"));
            None
        })
    }

    /// Says where a trial goes without the figures of its other machine.
    pub(super) fn note_unwatched(&self, order: &TrialOrder, watched: Option<&HostWatch>, outcome: &Outcome) {
        let is_missing = |measurement: &&Measurement| measurement.other_hosts.is_empty();
        if let (Some(watched), Some(_)) = (watched, outcome.measurement.as_ref().filter(is_missing)) {
            let (ssh, number) = (watched.ssh(), order.number);
            self.observer.note(&format!(
                "what the host {ssh} did in trial {number} is not known: its `tandem worker host` has ended"
            ));
        }
    }
}
