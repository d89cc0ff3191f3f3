//! What the cluster says of a pod, read from its JSON: whether it runs, what it waits for, and why it has ended.

use serde::Deserialize;
use serde_json::Value;

use crate::coordinator::kubectl::PodError;

/// A pod of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pod {
    pub(crate) name: String,
    /// The node it is on; empty until it has one.
    pub(crate) node: String,
    pub(crate) state: PodState,
}

/// How far a pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PodState {
    /// Commands can be run in it.
    Running,
    /// It will run, as far as is known: what it waits for.
    Waiting(String),
    /// No node takes it: what the scheduler says.
    Unschedulable(String),
    /// Its image is not there.
    NoImage(String),
    /// Its container cannot be started.
    NotStarting(String),
    /// It has ended, or ends: why.
    Ended(String),
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Seen {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    name: String,
    deletion_timestamp: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    node_name: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: String,
    reason: String,
    message: String,
    conditions: Vec<Condition>,
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Condition {
    r#type: String,
    status: String,
    reason: String,
    message: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ContainerStatus {
    state: ContainerState,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ContainerState {
    waiting: Option<Because>,
    running: Option<Value>,
    terminated: Option<Because>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Because {
    reason: String,
    message: String,
    exit_code: i32,
}

/// What a kubelet calls an image that it does not get. `ErrImagePull` is not among them: the kubelet tries again at once.
const NO_IMAGE: [&str; 4] = [
    "ErrImageNeverPull",
    "ImagePullBackOff",
    "InvalidImageName",
    "RegistryUnavailable",
];

/// What it calls a container that it cannot start.
const NOT_STARTING: [&str; 6] = [
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "CrashLoopBackOff",
    "StartError",
    "ContainerCannotRun",
];

impl Pod {
    /// Reads an item of `kubectl get pods -o json`; `None` for what is no pod.
    pub(crate) fn of(item: &Value) -> Option<Self> {
        let read: Seen = serde_json::from_value(item.clone()).ok()?;
        Some(Pod {
            state: state(&read),
            name: read.metadata.name,
            node: read.spec.node_name,
        })
    }

    /// Why this pod will not run, where that is so; `image` is that of its place.
    pub(crate) fn fault(&self, image: &str) -> Option<PodError> {
        let pod = self.name.clone();
        match self.state.clone() {
            PodState::Running | PodState::Waiting(_) => None,
            PodState::Unschedulable(said) => Some(PodError::Unschedulable { pod, said }),
            PodState::NoImage(said) => Some(PodError::Image {
                pod,
                image: image.to_owned(),
                said,
            }),
            PodState::NotStarting(said) => Some(PodError::Start { pod, said }),
            PodState::Ended(said) => Some(PodError::PodEnded { pod, said }),
        }
    }
}

fn with_message(reason: &str, message: &str) -> String {
    let message = message.trim().trim_end_matches('.');
    match (reason, message) {
        ("", message) => message.to_owned(),
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

fn state(seen: &Seen) -> PodState {
    let status = &seen.status;
    let container = status.container_statuses.first().map(|container| &container.state);
    if let Some(ended) = container.and_then(|state| state.terminated.as_ref()) {
        if NOT_STARTING.contains(&ended.reason.as_str()) {
            return PodState::NotStarting(with_message(&ended.reason, &ended.message));
        }
        return PodState::Ended(end(status, Some(ended)));
    }
    if matches!(status.phase.as_str(), "Failed" | "Succeeded") {
        return PodState::Ended(end(status, None));
    }
    if seen.metadata.deletion_timestamp.is_some() {
        return PodState::Ended("it is being deleted".to_owned());
    }
    if status.phase == "Running" && container.is_some_and(|state| state.running.is_some()) {
        return PodState::Running;
    }
    if let Some(waiting) = container.and_then(|state| state.waiting.as_ref()) {
        let text = with_message(&waiting.reason, &waiting.message);
        return match waiting.reason.as_str() {
            reason if NO_IMAGE.contains(&reason) => PodState::NoImage(text),
            reason if NOT_STARTING.contains(&reason) => PodState::NotStarting(text),
            _ => PodState::Waiting(text),
        };
    }
    let is_unscheduled = |condition: &&Condition| condition.r#type == "PodScheduled" && condition.status == "False";
    match status.conditions.iter().find(is_unscheduled) {
        Some(condition) => PodState::Unschedulable(with_message("", &condition.message)),
        None => PodState::Waiting("its node".to_owned()),
    }
}

/// Why a pod has ended.
fn end(status: &Status, ended: Option<&Because>) -> String {
    match (status.reason.as_str(), ended) {
        ("Evicted", _) => format!("it was evicted: {}", with_message("", &status.message)),
        ("DeadlineExceeded", _) => "its Job's deadline is over".to_owned(),
        ("", Some(ended)) if ended.reason == "OOMKilled" => {
            "its container was killed because it needed more memory than `limits` gives it".to_owned()
        }
        ("", Some(ended)) => with_message(
            &format!("its first process ended with exit code {}", ended.exit_code),
            &ended.message,
        ),
        ("", None) => with_message(&status.phase, &status.message),
        (reason, _) => with_message(reason, &status.message),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state_of(status: &Value) -> PodState {
        Pod::of(&json!({ "metadata": { "name": "p" }, "spec": {}, "status": status }))
            .map_or(PodState::Ended("no pod".to_owned()), |pod| pod.state)
    }

    fn waiting(reason: &str, message: &str) -> PodState {
        let waiting = json!({ "reason": reason, "message": message });
        state_of(&json!({ "phase": "Pending", "containerStatuses": [{ "state": { "waiting": waiting } }] }))
    }

    #[test]
    fn a_pod_that_no_node_takes_has_the_schedulers_words() {
        let words = "0/1 nodes are available: 1 Insufficient cpu.";
        let condition =
            json!({ "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": words });
        let state = state_of(&json!({ "phase": "Pending", "conditions": [condition] }));
        assert_eq!(
            state,
            PodState::Unschedulable("0/1 nodes are available: 1 Insufficient cpu".to_owned())
        );
    }

    #[test]
    fn an_image_that_is_missing_differs_from_one_that_is_on_its_way() {
        let missing = waiting(
            "ErrImageNeverPull",
            "Container image \"x\" is not present with pull policy of Never",
        );
        assert!(matches!(missing, PodState::NoImage(text) if text.starts_with("ErrImageNeverPull: Container image")));
        assert!(matches!(waiting("ImagePullBackOff", ""), PodState::NoImage(_)));
        assert!(matches!(waiting("ErrImagePull", ""), PodState::Waiting(_)));
        assert!(matches!(waiting("ContainerCreating", ""), PodState::Waiting(_)));
        assert!(matches!(
            waiting("RunContainerError", "exec: \"tandem\": not found"),
            PodState::NotStarting(_)
        ));
    }

    #[test]
    fn why_a_pod_has_ended_is_said() {
        let ended = |status: &Value| match state_of(status) {
            PodState::Ended(why) => why,
            other => format!("{other:?}"),
        };
        let evicted =
            json!({ "phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory." });
        assert_eq!(ended(&evicted), "it was evicted: The node was low on resource: memory");
        let killed = json!({ "terminated": { "reason": "OOMKilled", "exitCode": 137 } });
        let killed = json!({ "phase": "Failed", "containerStatuses": [{ "state": killed }] });
        assert!(
            ended(&killed).contains("more memory than `limits`"),
            "{}",
            ended(&killed)
        );
        let failed = json!({ "terminated": { "reason": "Error", "exitCode": 137 } });
        let failed = json!({ "phase": "Failed", "containerStatuses": [{ "state": failed }] });
        assert_eq!(ended(&failed), "its first process ended with exit code 137");
        let late = json!({ "phase": "Failed", "reason": "DeadlineExceeded" });
        assert_eq!(ended(&late), "its Job's deadline is over");
    }
}
