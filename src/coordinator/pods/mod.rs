//! Places whose workers run in pods: a Job of idle pods for each, made before the run starts anything and deleted at its end.
//! Workers are started in the pods by `kubectl exec`. Knows nothing of trials.

mod manifest;
pub(super) mod probe;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use self::manifest::{JOB_LABEL, JobSpec, job};
use self::probe::PodProbe;
use self::state::{Pod, PodState};
use super::confinement::MEMORY_KILL;
use super::containers::CLIENTS_FOLDER;
use super::guardian::Guardian;
use super::kubectl::{Kubectl, LeftJob, PodError};
use super::leftovers::host;
use super::place_error::PlaceError;
use super::reached::Remote;
use crate::scenario::{AppProgram, Configuration, KubernetesPlace, Place, Reach, Scenario};

pub use self::manifest::HOST_ANNOTATION;

/// Pods outlive the forecast of a run by so much, and then end whatever has become of it.
const GRACE: Duration = Duration::from_secs(600);

/// How long pods may take to run: their nodes may have to get the image first.
const START_LIMIT: Duration = Duration::from_secs(300);

/// How long pods may take that replace others between trials.
const REPLACE_LIMIT: Duration = Duration::from_secs(120);

/// A cluster that grows with its pods is given so long for a node.
const NODE_LIMIT: Duration = Duration::from_secs(60);

/// A Job has made its pods after so long, or something forbids it.
const MADE_LIMIT: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(300);

/// How long a short command in a pod may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);

/// The pods of a run.
pub(super) struct Pods {
    places: BTreeMap<String, PlacePods>,
}

/// What opening them takes.
pub(super) struct OpeningPods<'a> {
    pub(super) run_id: &'a str,
    /// How long the run will probably take.
    pub(super) forecast: Duration,
    pub(super) guardian: &'a Guardian,
    pub(super) progress: &'a dyn Fn(&str),
    pub(super) interrupted: &'a Arc<AtomicBool>,
}

impl Pods {
    /// Makes the pods of all places that a configuration has workers at, and waits until they run. `None` where no place has
    /// pods. Blocks.
    pub(super) fn open(scenario: &Scenario, opening: &OpeningPods<'_>) -> Result<Option<Self>, PlaceError> {
        let mut needed: BTreeMap<&str, (&Place, &KubernetesPlace, usize)> = BTreeMap::new();
        for configuration in &scenario.configurations {
            for place in scenario.places_of(configuration) {
                let Reach::Kubernetes(pods) = place.reach() else {
                    continue;
                };
                let is_here = |process: &u32| scenario.place_of(configuration, *process).name == place.name;
                let processes = (0..configuration.processes).filter(is_here).count();
                let workers = processes * configuration.groups as usize;
                let (_, _, most) = needed.entry(&place.name).or_insert((place, pods, 0));
                *most = workers.max(*most);
            }
        }
        if needed.is_empty() {
            return Ok(None);
        }
        let mut opened = Pods {
            places: BTreeMap::new(),
        };
        let result = needed.into_values().try_for_each(|(place, spec, workers)| {
            opened.add(place, spec, workers, opening)?;
            opened.check_clients(scenario, place)
        });
        match result {
            Ok(()) => Ok(Some(opened)),
            Err(error) => {
                opened.close(opening.guardian);
                Err(error)
            }
        }
    }

    fn add(
        &mut self,
        place: &Place,
        spec: &KubernetesPlace,
        workers: usize,
        opening: &OpeningPods<'_>,
    ) -> Result<(), PlaceError> {
        let failed = |cause| PlaceError::new(place, cause);
        let pods = PlacePods::begin(place, spec, (workers, self.places.len()), opening).map_err(failed)?;
        let pods = self.places.entry(place.name.clone()).or_insert(pods);
        pods.wait(START_LIMIT, true, opening.progress).map_err(failed)?;
        pods.check_program().map(drop).map_err(failed)
    }

    /// Refuses an image without a ready-made client that a configuration runs at the place.
    fn check_clients(&self, scenario: &Scenario, place: &Place) -> Result<(), PlaceError> {
        let is_here = |each: &&Configuration| scenario.places_of(each).any(|other| other.name == place.name);
        let here = scenario.configurations.iter().filter(is_here);
        let apps: BTreeSet<usize> = here.map(|each| each.app).collect();
        for app in apps.into_iter().map(|app| &scenario.apps[app]) {
            if let (AppProgram::ReadyMade { which, version }, Some(pods)) = (&app.runs, self.places.get(&place.name)) {
                let client = format!("{}-{version}", which.name());
                pods.check_client(client, &app.name)
                    .map_err(|cause| PlaceError::new(place, cause))?;
            }
        }
        Ok(())
    }

    /// The path of tandem's program in the pods of a place; `None` for any other place.
    pub(super) fn program(&self, place: &Place) -> Option<&str> {
        Some(&self.places.get(&place.name)?.program)
    }

    /// How the process of this number at a place is reached.
    pub(super) fn of(&self, place: &Place, process: usize) -> Option<Remote> {
        let pods = self.places.get(&place.name)?;
        let number = pods.number_of(process);
        let all = pods.lock();
        let pod = all.get(number % all.len().max(1))?;
        Some(pods.remote(&pod.name))
    }

    /// How a pod on each node of a place is reached, with the name of the node.
    pub(super) fn nodes(&self, place: &Place) -> Vec<(String, Remote)> {
        let Some(pods) = self.places.get(&place.name) else {
            return Vec::new();
        };
        let all = pods.lock();
        let by_node: BTreeMap<&str, &Pod> = all.iter().rev().map(|pod| (pod.node.as_str(), pod)).collect();
        let remote = |(node, pod): (&str, &Pod)| (node.to_owned(), pods.remote(&pod.name));
        by_node.into_iter().map(remote).collect()
    }

    /// Sees that all pods of a place run: one that has ended is replaced by its Job. Blocks.
    pub(super) fn reopen(&self, place: &Place) -> Result<(), PlaceError> {
        let waited = self
            .places
            .get(&place.name)
            .map_or(Ok(()), |pods| pods.wait(REPLACE_LIMIT, false, &|_| {}));
        waited.map_err(|cause| PlaceError::new(place, cause))
    }

    /// Deletes the Jobs. What cannot be deleted is left to the guardian.
    pub(super) fn close(self, guardian: &Guardian) {
        for pods in self.places.into_values() {
            if pods.job.delete().is_ok() {
                guardian.unregister_job(&pods.job);
            }
        }
    }
}

/// The pods of a place.
pub(super) struct PlacePods {
    spec: KubernetesPlace,
    place: String,
    kubectl: Kubectl,
    job: LeftJob,
    wanted: usize,
    /// Path of tandem's program in the image.
    program: String,
    /// Those that run, by name.
    running: Mutex<Vec<Pod>>,
    /// The processes that have been started here, in the order of their first start.
    processes: Mutex<Vec<usize>>,
}

impl PlacePods {
    /// Creates the Job, which the guardian knows first. It has the pods of so many workers, and is the Job of this number in
    /// the run.
    fn begin(
        place: &Place,
        spec: &KubernetesPlace,
        (workers, number): (usize, usize),
        opening: &OpeningPods<'_>,
    ) -> Result<Self, PodError> {
        let kubectl = Kubectl::find(spec, opening.run_id, opening.interrupted)?;
        let pods = PlacePods::planned(place, spec, kubectl, (workers, number), opening.run_id);
        opening.guardian.register_job(pods.job.clone());
        if let Err(error) = pods.create(opening.run_id, opening.forecast + GRACE) {
            // Of a Job that was refused nothing is left; of another it is not known whether it was created.
            if error.is_refusal() || pods.job.delete().is_ok() {
                opening.guardian.unregister_job(&pods.job);
            }
            return Err(error);
        }
        Ok(pods)
    }

    /// What is known before the Job is created.
    fn planned(
        place: &Place,
        spec: &KubernetesPlace,
        kubectl: Kubectl,
        (workers, number): (usize, usize),
        run_id: &str,
    ) -> Self {
        PlacePods {
            spec: spec.clone(),
            place: place.name.clone(),
            job: LeftJob {
                name: format!("tandem-{run_id}-{number}"),
                cluster: kubectl.cluster().clone(),
            },
            kubectl,
            wanted: spec.pods.map_or(workers, |pods| pods as usize).max(1),
            program: place.tandem.clone().unwrap_or_else(|| "tandem".to_owned()),
            running: Mutex::default(),
            processes: Mutex::default(),
        }
    }

    /// One pod, for the doctor, which is not created yet.
    pub(super) fn for_doctor(place: &Place, spec: &KubernetesPlace, kubectl: Kubectl, run_id: &str) -> Self {
        let one = KubernetesPlace {
            pods: Some(1),
            ..spec.clone()
        };
        PlacePods::planned(place, &one, kubectl, (1, 0), run_id)
    }

    /// Creates the Job and waits until its pods run; they end by themselves after the grace of a run. Blocks.
    pub(super) fn start(&self, run_id: &str) -> Result<(), PodError> {
        self.create(run_id, GRACE)?;
        self.wait(START_LIMIT, true, &|_| {})
    }

    fn create(&self, run_id: &str, deadline: Duration) -> Result<(), PodError> {
        let spec = JobSpec {
            name: &self.job.name,
            run_id,
            host: &host(),
            program: &self.program,
            pods: self.wanted,
            deadline_seconds: deadline.as_secs(),
        };
        self.kubectl.create(&job(&self.spec, &spec))
    }

    /// The Job.
    pub(super) fn job(&self) -> &LeftJob {
        &self.job
    }

    /// The first pod, with the node it is on.
    pub(super) fn first(&self) -> Option<(String, String)> {
        let running = self.lock();
        running.first().map(|pod| (pod.name.clone(), pod.node.clone()))
    }

    /// Runs a command in a pod to its end. Blocks.
    pub(super) fn run(&self, pod: &str, there: &[&str], limit: Duration) -> Result<std::process::Output, PodError> {
        self.kubectl.run(pod, there, limit)
    }

    /// Path of tandem's program in the image.
    pub(super) fn program(&self) -> &str {
        &self.program
    }

    /// How what runs in a pod is reached.
    pub(super) fn remote(&self, pod: &str) -> Remote {
        let limit = self.spec.limits.memory_bytes.map(|bytes| bytes >> 20);
        let limit = limit.map_or("its node has".to_owned(), |limit| {
            format!("`limits` gives it, {limit} MiB")
        });
        Remote {
            what: format!("pod {pod}"),
            ended: format!("its session in pod {pod} is over"),
            words: self.kubectl.exec(pod),
            is_shell: false,
            probe: Some(PodProbe {
                ask: self.kubectl.ask_for(pod),
                exec: self.kubectl.exec(pod),
                memory_kill: format!(
                    "{MEMORY_KILL}: its pod at place {} needed more memory than {limit}",
                    self.place
                ),
            }),
        }
    }

    /// Asks tandem's program in a pod for its version.
    pub(super) fn check_program(&self) -> Result<String, PodError> {
        let Some((pod, _)) = self.first() else {
            return Ok(String::new());
        };
        let output = self.run(&pod, &[&self.program, "--version"], COMMAND_LIMIT)?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() && text.starts_with("tandem ") {
            return Ok(text);
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr.lines().map(str::trim).rfind(|line| !line.is_empty());
        Err(PodError::Program {
            path: self.program.clone(),
            image: self.spec.image.clone(),
            said: last.unwrap_or(&text).to_owned(),
        })
    }

    /// Looks for a ready-made client in the image.
    fn check_client(&self, client: String, app: &str) -> Result<(), PodError> {
        let Some((pod, _)) = self.first() else { return Ok(()) };
        let folder = format!("{CLIENTS_FOLDER}/{client}");
        let found = self.run(&pod, &["test", "-d", &folder], COMMAND_LIMIT)?;
        if found.status.success() {
            return Ok(());
        }
        Err(PodError::NoClient {
            image: self.spec.image.clone(),
            client,
            app: app.to_owned(),
        })
    }

    /// The number of a process among those of this place: where processes are spread over several places, only some are here.
    fn number_of(&self, process: usize) -> usize {
        let mut known = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        let number = known.iter().position(|other| *other == process);
        number.unwrap_or_else(|| {
            known.push(process);
            known.len() - 1
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Pod>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all pods run. The first pods must not end; later ones take the place of those that have. Blocks.
    pub(super) fn wait(&self, limit: Duration, are_first: bool, progress: &dyn Fn(&str)) -> Result<(), PodError> {
        let began = Instant::now();
        let mut printed = String::new();
        loop {
            let items = self.kubectl.list("pods", &[(JOB_LABEL, &self.job.name)])?;
            let mut pods: Vec<Pod> = items.iter().filter_map(Pod::of).collect();
            pods.sort_by(|one, other| one.name.cmp(&other.name));
            if let Some(fault) = pods.iter().find_map(|pod| self.fault(pod, are_first, began.elapsed())) {
                return Err(fault);
            }
            pods.retain(|pod| !matches!(pod.state, PodState::Ended(_)));
            let made = pods.len();
            let waiting = pods.iter().find_map(waits_for);
            pods.retain(|pod| pod.state == PodState::Running);
            if pods.len() >= self.wanted {
                *self.lock() = pods;
                return Ok(());
            }
            let (run, wanted) = (pods.len(), self.wanted);
            let waits = waiting.map_or(String::new(), |waiting| format!(" ({waiting})"));
            let text = format!("starting pods at place {}: {run} of {wanted} run{waits}", self.place);
            if text != printed {
                progress(&text);
                printed = text;
            }
            if began.elapsed() > limit {
                let what = format!("starting pods, of which {run} of {wanted} run{waits},");
                let seconds = limit.as_secs();
                return Err(PodError::Slow { what, seconds });
            }
            // Kubernetes waits for a while before it replaces one that has ended.
            if are_first && made < self.wanted && began.elapsed() > MADE_LIMIT {
                return Err(self.not_made(made));
            }
            sleep(PAUSE);
        }
    }

    /// Why a pod will not run.
    fn fault(&self, pod: &Pod, is_first: bool, waited: Duration) -> Option<PodError> {
        match pod.state {
            PodState::Ended(_) if !is_first => None,
            PodState::Unschedulable(_) if waited < NODE_LIMIT => None,
            _ => pod.fault(&self.spec.image),
        }
    }

    fn not_made(&self, made: usize) -> PodError {
        PodError::NoPods {
            job: self.job.name.clone(),
            made,
            wanted: self.wanted,
            said: self.kubectl.last_event(&self.job.name),
        }
    }
}

/// What a pod waits for.
fn waits_for(pod: &Pod) -> Option<String> {
    match &pod.state {
        PodState::Waiting(what) | PodState::Unschedulable(what) => Some(format!("{} waits: {what}", pod.name)),
        PodState::Running | PodState::NoImage(_) | PodState::NotStarting(_) | PodState::Ended(_) => None,
    }
}
