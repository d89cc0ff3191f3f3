//! A Kubernetes cluster as `kubectl` reaches it by the user's own configuration: questions and orders that end, the words
//! that run a command in a pod, and the Job of a run that is to be deleted with it. Knows nothing of trials.

mod error;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::error::PodError;
use crate::scenario::KubernetesPlace;
use crate::server::RUN_VARIABLE;

/// Name of the one container of a pod.
pub const CONTAINER: &str = "tandem";

/// By which Jobs and pods of tandem are known.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "tandem");

/// Label of a run's Jobs and pods: its value is the id of the run.
pub const RUN_LABEL: &str = "tandem-run";

/// The order that creates what a manifest describes. The server checks it anyway; kubectl would get a description of all
/// that the server knows first.
const CREATE: [&str; 4] = ["create", "--validate=false", "-f", "-"];

/// How long a question to the cluster may take.
const ASK_LIMIT: Duration = Duration::from_secs(60);

/// How long deleting a Job may take: somebody waits for the end of a run, or the start of the next. The pods end at their
/// deadline all the same.
const DELETE_LIMIT: Duration = Duration::from_secs(10);

/// How long kubectl waits for each answer of the server then, so that it says itself what is wrong.
const DELETE_TIMEOUT: &str = "--request-timeout=5s";

const PAUSE: Duration = Duration::from_millis(10);

/// Where a cluster is, so that it is found again whatever the user's configuration says later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClusterAddress {
    /// Files of kubectl's configuration; `None` for its default.
    pub kubeconfig: Option<String>,
    /// The context; `None` where kubectl has none, as in a pod.
    pub context: Option<String>,
    /// The namespace; `None` for kubectl's default.
    pub namespace: Option<String>,
}

/// The Job of a run, to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LeftJob {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub cluster: ClusterAddress,
}

impl fmt::Display for LeftJob {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let namespace = self.cluster.namespace.as_deref().unwrap_or("default");
        write!(out, "the Job {} in the namespace {namespace}", self.name)?;
        match &self.cluster.context {
            Some(context) => write!(out, " of the context {context}"),
            None => Ok(()),
        }
    }
}

impl LeftJob {
    /// Deletes it with its pods, which end within seconds; it is well if there is none any more. Blocks.
    pub fn delete(&self) -> Result<(), PodError> {
        let kubectl = Kubectl {
            cluster: self.cluster.clone(),
            run_id: None,
            interrupted: Arc::default(),
        };
        kubectl.delete_job(&self.name)
    }
}

/// A cluster and a namespace.
#[derive(Debug, Clone)]
pub struct Kubectl {
    cluster: ClusterAddress,
    /// What is started carries the mark of this run.
    run_id: Option<String>,
    interrupted: Arc<AtomicBool>,
}

/// What `kubectl config view --minify` says, as far as it is of interest.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", default)]
#[derive(Default)]
struct Configuration {
    current_context: String,
    contexts: Option<Vec<Context>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Context {
    context: BTreeMap<String, Value>,
}

impl Kubectl {
    /// The cluster of a place. Asks kubectl which context and namespace hold, which stay for the run. Blocks.
    pub fn find(place: &KubernetesPlace, run_id: &str, interrupted: &Arc<AtomicBool>) -> Result<Self, PodError> {
        let kubeconfig = std::env::var("KUBECONFIG").ok().filter(|files| !files.is_empty());
        let mut kubectl = Kubectl {
            cluster: ClusterAddress {
                kubeconfig: kubeconfig.map(|files| absolute(&files)),
                context: place.context.clone(),
                namespace: place.namespace.clone(),
            },
            run_id: Some(run_id.to_owned()),
            interrupted: Arc::clone(interrupted),
        };
        let output = kubectl.output(
            &["config", "view", "--minify", "-o", "json"],
            None,
            "kubectl config",
            ASK_LIMIT,
        )?;
        if !output.status.success() {
            // In a pod kubectl needs no configuration, and has no context.
            if place.context.is_some() {
                return Err(PodError::of(&String::from_utf8_lossy(&output.stderr)));
            }
            return Ok(kubectl);
        }
        let configuration: Configuration = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let cluster = &mut kubectl.cluster;
        if cluster.context.is_none() {
            cluster.context = Some(configuration.current_context).filter(|name| !name.is_empty());
        }
        if cluster.namespace.is_none() {
            let context = configuration.contexts.unwrap_or_default().into_iter().next();
            let namespace = context.and_then(|context| context.context.get("namespace").cloned());
            cluster.namespace = namespace.and_then(|name| name.as_str().map(str::to_owned));
        }
        Ok(kubectl)
    }

    /// Where the cluster is.
    pub fn cluster(&self) -> &ClusterAddress {
        &self.cluster
    }

    /// The words before an order to kubectl.
    fn words(&self) -> Vec<String> {
        let mut words = vec!["kubectl".to_owned()];
        let mut flag = |name: &str, value: &Option<String>| {
            words.extend(value.iter().map(|value| format!("--{name}={value}")));
        };
        flag("context", &self.cluster.context);
        flag("namespace", &self.cluster.namespace);
        words
    }

    /// The words before a command that is to run in a pod. What is written to them before they have attached is not lost.
    pub fn exec(&self, pod: &str) -> Vec<String> {
        let mut words = self.words();
        words.extend(["exec", "-i", pod, "-c", CONTAINER, "--"].map(str::to_owned));
        words
    }

    /// The command that prints a pod as JSON.
    pub fn ask_for(&self, pod: &str) -> Vec<String> {
        let mut words = self.words();
        words.extend(["get", "pod", pod, "-o", "json"].map(str::to_owned));
        words
    }

    /// Runs kubectl to its end. Blocks.
    pub fn output(
        &self,
        arguments: &[&str],
        input: Option<&str>,
        what: &str,
        limit: Duration,
    ) -> Result<Output, PodError> {
        let words = self.words();
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args(arguments)
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        // Whoever deletes a Job later may have another one set.
        match &self.cluster.kubeconfig {
            Some(files) => command.env("KUBECONFIG", files),
            None => command.env_remove("KUBECONFIG"),
        };
        match &self.run_id {
            Some(run_id) => command.env(RUN_VARIABLE, run_id),
            None => command.env_remove(RUN_VARIABLE),
        };
        let mut child = command.spawn().map_err(|error| PodError::Missing(error.to_string()))?;
        if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
            // It fails only for one that has ended, which says why.
            let _ = stdin.write_all(text.as_bytes());
        }
        // Both are read at once: a list of pods is more than a pipe holds.
        let pid = child.id();
        let reading = std::thread::spawn(move || child.wait_with_output());
        let deadline = Instant::now() + limit;
        while !reading.is_finished() {
            let stop = if self.interrupted.load(Ordering::Relaxed) {
                Some(PodError::Interrupted)
            } else {
                let seconds = limit.as_secs();
                (Instant::now() > deadline).then(|| PodError::Slow {
                    what: what.to_owned(),
                    seconds,
                })
            };
            if let Some(error) = stop {
                let group = nix::unistd::Pid::from_raw(pid.cast_signed());
                // It fails only for one that has ended by itself.
                let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
                let _ = reading.join();
                return Err(error);
            }
            sleep(PAUSE);
        }
        let ended = |said: String| PodError::Ended { said };
        let output = reading.join().map_err(|_| ended("reading it failed".to_owned()))?;
        output.map_err(|error| ended(error.to_string()))
    }

    /// What kubectl prints; an error where it fails. Blocks.
    pub fn ask(&self, arguments: &[&str], input: Option<&str>, what: &str) -> Result<Vec<u8>, PodError> {
        let output = self.output(arguments, input, what, ASK_LIMIT)?;
        succeeded(output)
    }

    /// Creates what a manifest describes. Blocks.
    pub fn create(&self, manifest: &Value) -> Result<(), PodError> {
        let created = self.ask(&CREATE, Some(&manifest.to_string()), "creating the Job");
        created.map(drop)
    }

    /// Lists things of a kind that have the labels. Blocks.
    pub fn list(&self, kind: &str, labels: &[(&str, &str)]) -> Result<Vec<Value>, PodError> {
        let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let text = self.ask(
            &["get", kind, "-l", &pairs.join(","), "-o", "json"],
            None,
            "listing pods",
        )?;
        let mut list: Value = serde_json::from_slice(&text).map_err(|error| PodError::Ended {
            said: format!("its list of {kind} cannot be read: {error}"),
        })?;
        Ok(list["items"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// What was last reported of a thing, as far as the user may read it. Blocks.
    pub fn last_event(&self, name: &str) -> String {
        let of_it = format!("--field-selector=involvedObject.name={name}");
        let words = ["get", "events", &of_it, "-o", "json"];
        let list = self.ask(&words, None, "listing events").ok();
        let list = list.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        let events = list.as_ref().and_then(|list| list["items"].as_array());
        let last = events.and_then(|events| events.last()?["message"].as_str());
        last.unwrap_or("no event says why").trim_end_matches('.').to_owned()
    }

    /// Deletes a Job with its pods, if it is there. Blocks.
    pub fn delete_job(&self, name: &str) -> Result<(), PodError> {
        let words = [
            "delete",
            "job",
            name,
            "--ignore-not-found",
            "--wait=false",
            DELETE_TIMEOUT,
        ];
        let output = self.output(&words, None, "deleting the Job", DELETE_LIMIT)?;
        succeeded(output).map(drop)
    }

    /// True where the user may do this in the namespace; `resource` may have a part, as in `pods/exec`. Blocks.
    pub fn may(&self, verb: &str, resource: &str) -> Result<bool, PodError> {
        // What follows a slash would be the name of one thing.
        let (kind, part) = resource.split_once('/').unwrap_or((resource, ""));
        let part = format!("--subresource={part}");
        let words = ["auth", "can-i", verb, kind, &part];
        let output = self.output(&words, None, "kubectl auth can-i", ASK_LIMIT)?;
        match String::from_utf8_lossy(&output.stdout).trim() {
            "yes" => Ok(true),
            answer if answer.starts_with("no") => Ok(false),
            _ => Err(PodError::of(&String::from_utf8_lossy(&output.stderr))),
        }
    }

    /// Runs a command in a pod to its end. Blocks.
    pub fn run(&self, pod: &str, there: &[&str], limit: Duration) -> Result<Output, PodError> {
        let mut words = vec!["exec", pod, "-c", CONTAINER, "--"];
        words.extend(there);
        self.output(&words, None, "a command in a pod", limit)
    }
}

/// What was printed; an error where kubectl failed.
fn succeeded(output: Output) -> Result<Vec<u8>, PodError> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(PodError::of(&String::from_utf8_lossy(&output.stderr)))
}

/// A list of files with colons between them, each from the root on.
fn absolute(files: &str) -> String {
    let absolute = |file: &str| {
        let path = std::path::absolute(Path::new(file));
        path.map_or_else(|_| file.to_owned(), |path| path.to_string_lossy().into_owned())
    };
    let files = files.split(':').filter(|file| !file.is_empty());
    files.map(absolute).collect::<Vec<_>>().join(":")
}
