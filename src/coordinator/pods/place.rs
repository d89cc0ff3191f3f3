//! The pods of one place: a Job, the pods that it has made, and how what runs in them is reached.

use std::process::Output;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::manifest::{JOB_LABEL, JobSpec, job};
use super::probe::PodProbe;
use super::state::{Pod, PodState};
use crate::coordinator::confinement::MEMORY_KILL;
use crate::coordinator::containers::CLIENTS_FOLDER;
use crate::coordinator::guardian::Guardian;
use crate::coordinator::kubectl::{Kubectl, LeftJob, PodError};
use crate::coordinator::leftovers::host;
use crate::coordinator::reached::Remote;
use crate::scenario::{KubernetesPlace, Place};

/// Pods outlive the forecast of a run by so much, and then end whatever has become of it.
const GRACE: Duration = Duration::from_secs(600);

/// How long pods may take to run: their nodes may have to get the image first.
pub(super) const START_LIMIT: Duration = Duration::from_secs(300);

/// A cluster that grows with its pods is given so long for a node.
const NODE_LIMIT: Duration = Duration::from_secs(60);

/// A Job has made its pods after so long, or something forbids it.
const MADE_LIMIT: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(300);

/// How long a short command in a pod may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);

/// What opening them takes.
pub struct OpeningPods<'a> {
    /// Id of the run.
    pub run_id: &'a str,
    /// How long the run will probably take.
    pub forecast: Duration,
    /// Deletes the Jobs if the run dies.
    pub guardian: &'a Guardian,
    /// Hears what takes its time.
    pub progress: &'a dyn Fn(&str),
    /// Set when the user asks to stop.
    pub interrupted: &'a Arc<AtomicBool>,
}

/// The pods of a place.
pub struct PlacePods {
    spec: KubernetesPlace,
    place: String,
    kubectl: Kubectl,
    job: LeftJob,
    wanted: usize,
    /// Path of tandem's program in the image.
    program: String,
    /// Those that run, by name.
    running: Mutex<Vec<Pod>>,
}

impl PlacePods {
    /// Creates the Job, which the guardian knows first. It has the pods of so many workers, and is the Job of this number in
    /// the run.
    pub fn begin(
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
        }
    }

    /// One pod, for the doctor, which is not created yet.
    pub fn for_doctor(place: &Place, spec: &KubernetesPlace, kubectl: Kubectl, run_id: &str) -> Self {
        let one = KubernetesPlace {
            pods: Some(1),
            ..spec.clone()
        };
        PlacePods::planned(place, &one, kubectl, (1, 0), run_id)
    }

    /// Creates the Job and waits until its pods run; they end by themselves after the grace of a run. Blocks.
    pub fn start(&self, run_id: &str) -> Result<(), PodError> {
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
    pub fn job(&self) -> &LeftJob {
        &self.job
    }

    /// The first pod, with the node it is on.
    pub fn first(&self) -> Option<(String, String)> {
        let running = self.lock();
        running.first().map(|pod| (pod.name.clone(), pod.node.clone()))
    }

    /// Runs a command in a pod to its end. Blocks.
    pub fn run(&self, pod: &str, there: &[&str], limit: Duration) -> Result<Output, PodError> {
        self.kubectl.run(pod, there, limit)
    }

    /// Path of tandem's program in the image.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// How what runs in a pod is reached.
    pub fn remote(&self, pod: &str) -> Remote {
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
    pub fn check_program(&self) -> Result<String, PodError> {
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
    pub fn check_client(&self, client: String, app: &str) -> Result<(), PodError> {
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

    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<Pod>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all pods run. The first pods must not end; later ones take the place of those that have. Blocks.
    pub fn wait(&self, limit: Duration, are_first: bool, progress: &dyn Fn(&str)) -> Result<(), PodError> {
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
