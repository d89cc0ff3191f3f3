//! The Job of a place's idle pods, as JSON. It holds no secret: those travel on the standard input of workers only.

use serde_json::{Map, Value, json};

use crate::coordinator::kubectl::{CONTAINER, MANAGED_BY, RUN_LABEL};
use crate::scenario::{KubernetesPlace, PlaceLimits};
use crate::server::RUN_VARIABLE;

/// Name of the annotation that says on which host a run was begun.
pub const HOST_ANNOTATION: &str = "tandem-host";

/// A pod that has ended is replaced so often. Kubernetes waits longer before each: 10 s, 20 s, and so on.
const REPLACEMENTS_MAX: u32 = 100;

/// Where the server can (1.21 and later), a Job goes so long after its end.
const KEPT_SECONDS: u32 = 60;

/// What a Job is made of besides its place.
pub(super) struct JobSpec<'a> {
    pub(super) name: &'a str,
    pub(super) run_id: &'a str,
    /// Name of this machine.
    pub(super) host: &'a str,
    /// Path of tandem's program in the image.
    pub(super) program: &'a str,
    pub(super) pods: usize,
    /// After so many seconds all pods end, whatever has become of the run.
    pub(super) deadline_seconds: u64,
}

/// The manifest.
pub(super) fn job(place: &KubernetesPlace, spec: &JobSpec<'_>) -> Value {
    let labels = json!({ MANAGED_BY.0: MANAGED_BY.1, RUN_LABEL: spec.run_id });
    // The name of the Job tells the pods of one place from those of another.
    let of_pods = json!({ MANAGED_BY.0: MANAGED_BY.1, RUN_LABEL: spec.run_id, JOB_LABEL: spec.name });
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": spec.name,
            "labels": labels,
            "annotations": { HOST_ANNOTATION: spec.host },
        },
        "spec": {
            "parallelism": spec.pods,
            "completions": spec.pods,
            "backoffLimit": REPLACEMENTS_MAX,
            "activeDeadlineSeconds": spec.deadline_seconds,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {
                "metadata": { "labels": of_pods },
                "spec": pod(place, spec),
            },
        },
    })
}

/// Label of pods: its value is the name of their Job.
pub(super) const JOB_LABEL: &str = "tandem-job";

fn pod(place: &KubernetesPlace, spec: &JobSpec<'_>) -> Value {
    let mut container = json!({
        "name": CONTAINER,
        "image": place.image,
        "command": [spec.program, "worker", "idle", spec.deadline_seconds.to_string(), spec.run_id],
        // By this what runs in a pod is known as a part of the run.
        "env": [{ "name": RUN_VARIABLE, "value": spec.run_id }],
    });
    if let Some(pull) = place.pull {
        container["imagePullPolicy"] = pull.policy().into();
    }
    for (name, amount) in [("requests", place.requests), ("limits", place.limits)] {
        if !amount.is_empty() {
            container["resources"][name] = resources(amount);
        }
    }
    let mut pod = json!({
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 2,
        // Nothing in the pods asks the cluster for anything.
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "containers": [container],
    });
    if !place.node_selector.is_empty() {
        pod["nodeSelector"] = json!(place.node_selector);
    }
    if place.host_network {
        pod["hostNetwork"] = true.into();
        pod["dnsPolicy"] = "ClusterFirstWithHostNet".into();
    }
    if place.anti_affinity {
        pod["affinity"] = json!({ "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [{
            "labelSelector": { "matchLabels": { RUN_LABEL: spec.run_id } },
            "topologyKey": "kubernetes.io/hostname",
        }] } });
    }
    pod
}

/// Amounts as Kubernetes writes them.
fn resources(amount: PlaceLimits) -> Value {
    let mut resources = Map::new();
    if let Some(millicores) = amount.cpu_millicores {
        resources.insert("cpu".to_owned(), format!("{millicores}m").into());
    }
    if let Some(bytes) = amount.memory_bytes {
        resources.insert("memory".to_owned(), bytes.to_string().into());
    }
    resources.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::PullPolicy;

    const SPEC: JobSpec<'static> = JobSpec {
        name: "tandem-0a1b-0",
        run_id: "0a1b",
        host: "desk",
        program: "tandem",
        pods: 3,
        deadline_seconds: 720,
    };

    fn place() -> KubernetesPlace {
        KubernetesPlace {
            image: "tandem:slim".to_owned(),
            pull: None,
            namespace: None,
            context: None,
            node_selector: std::collections::BTreeMap::new(),
            requests: PlaceLimits::default(),
            limits: PlaceLimits::default(),
            anti_affinity: false,
            pods: None,
            host_network: false,
        }
    }

    #[test]
    fn pods_are_never_restarted_end_at_a_deadline_and_carry_the_runs_label() {
        let job = job(&place(), &SPEC);
        let (spec, template) = (&job["spec"], &job["spec"]["template"]);
        assert_eq!(spec["activeDeadlineSeconds"], 720);
        assert_eq!((&spec["parallelism"], &spec["completions"]), (&json!(3), &json!(3)));
        assert_eq!(template["spec"]["restartPolicy"], "Never");
        assert_eq!(template["spec"]["terminationGracePeriodSeconds"], 2);
        for labels in [&job["metadata"]["labels"], &template["metadata"]["labels"]] {
            assert_eq!(labels["tandem-run"], "0a1b");
        }
        let container = &template["spec"]["containers"][0];
        assert_eq!(container["command"], json!(["tandem", "worker", "idle", "720", "0a1b"]));
        assert!(container.get("resources").is_none() && container.get("imagePullPolicy").is_none());
        assert!(template["spec"].get("hostNetwork").is_none());
    }

    #[test]
    fn what_the_place_asks_for_is_in_the_pods() {
        let place = KubernetesPlace {
            pull: Some(PullPolicy::IfNotPresent),
            node_selector: [("disk".to_owned(), "ssd".to_owned())].into(),
            requests: PlaceLimits {
                cpu_millicores: Some(500),
                memory_bytes: None,
            },
            limits: PlaceLimits {
                cpu_millicores: Some(1_500),
                memory_bytes: Some(512 << 20),
            },
            anti_affinity: true,
            host_network: true,
            ..place()
        };
        let job = job(&place, &SPEC);
        let pod = &job["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        assert_eq!(container["imagePullPolicy"], "IfNotPresent");
        assert_eq!(
            container["resources"],
            json!({ "requests": { "cpu": "500m" }, "limits": { "cpu": "1500m", "memory": "536870912" } })
        );
        assert_eq!(pod["nodeSelector"], json!({ "disk": "ssd" }));
        assert_eq!(pod["hostNetwork"], true);
        let rule = &pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0];
        assert_eq!(rule["labelSelector"]["matchLabels"]["tandem-run"], "0a1b");
    }
}
