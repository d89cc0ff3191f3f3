//! What `tandem doctor --place` checks of a place with pods: the way to the cluster, the rights that a run takes, whether a pod
//! runs and a worker in it, and whether it would reach the brokers.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::brokers_check::{Examined, There, brokers, findings};
use super::introduction::{introduce, run_id};
use super::kubectl::{Kubectl, PodError};
use super::pods::PlacePods;
use crate::kafka::doctor::Check;
use crate::scenario::{ClusterSpec, KubernetesPlace, Place};

/// What a run does in its namespace: verb and resource, as `kubectl auth can-i` takes them.
const RIGHTS: [(&str, &str); 5] = [
    ("create", "jobs.batch"),
    ("delete", "jobs.batch"),
    ("list", "pods"),
    ("get", "pods"),
    ("create", "pods/exec"),
];

/// How long the doctor may take in the pod.
const DOCTOR_LIMIT: Duration = Duration::from_secs(60);

/// Checks a place with pods.
pub(super) async fn examine_pods(
    place: &Place,
    spec: &KubernetesPlace,
    cluster: &ClusterSpec,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn FnMut(Check),
) {
    let Some(kubectl) = tokio::task::block_in_place(|| rights(spec, interrupted, report)) else {
        return;
    };
    let pods = PlacePods::for_doctor(place, spec, kubectl, &run_id());
    let started = tokio::task::block_in_place(|| pods.start(&run_id()));
    match (started, pods.first()) {
        (Ok(()), Some((pod, node))) => {
            report(Check::ok(
                format!("pod of {}", spec.image),
                format!("runs on node {node}"),
            ));
            in_pod(place, cluster, (&pods, &pod), report).await;
        }
        (Ok(()), None) => {}
        (Err(error), _) => report(failed(&format!("pod of {}", spec.image), &error)),
    }
    if let Err(error) = tokio::task::block_in_place(|| pods.job().delete()) {
        report(failed("deleting the Job", &error));
    }
}

fn failed(name: &str, error: &PodError) -> Check {
    let (what, fix) = error.parts();
    Check::failed(name, what, fix)
}

/// Reaches the cluster and asks for each right. `None` where a run could not go on.
fn rights(spec: &KubernetesPlace, interrupted: &Arc<AtomicBool>, report: &mut dyn FnMut(Check)) -> Option<Kubectl> {
    let asked = || {
        let kubectl = Kubectl::find(spec, &run_id(), interrupted)?;
        let missing = RIGHTS
            .into_iter()
            .map(|right| Ok((right, kubectl.may(right.0, right.1)?)));
        let missing: Vec<_> = missing.collect::<Result<_, PodError>>()?;
        Ok((kubectl, missing))
    };
    let (kubectl, rights) = match asked() {
        Ok(asked) => asked,
        Err(error) => {
            report(failed("cluster of the pods", &error));
            return None;
        }
    };
    let address = kubectl.cluster();
    let namespace = address.namespace.as_deref().unwrap_or("default");
    let context = address.context.as_deref().unwrap_or("that of the pod it runs in");
    report(Check::ok(
        "cluster of the pods",
        format!("answers; context {context}, namespace {namespace}"),
    ));
    let text = |((verb, resource), _): &((&str, &str), bool)| format!("{verb} {resource}");
    let missing: Vec<String> = rights.iter().filter(|(_, may)| !may).map(text).collect();
    if missing.is_empty() {
        let all: Vec<String> = rights.iter().map(text).collect();
        report(Check::ok("rights", all.join(", ")));
        return Some(kubectl);
    }
    let fix = format!(
        "have a Role with {} in the namespace {namespace} bound to you",
        missing.join(", ")
    );
    report(Check::failed("rights", format!("missing: {}", missing.join(", ")), fix));
    None
}

/// Checks what runs in the pod.
async fn in_pod(place: &Place, cluster: &ClusterSpec, (pods, pod): (&PlacePods, &str), report: &mut dyn FnMut(Check)) {
    match tokio::task::block_in_place(|| pods.check_program()) {
        Ok(version) => report(Check::ok("tandem there", format!("{version} at {}", pods.program()))),
        Err(error) => return report(failed("tandem there", &error)),
    }
    let there = introduce(
        place,
        pods.remote(pod),
        pods.program(),
        "kubectl exec -i POD --",
        report,
    )
    .await;
    let Some(elsewhere) = there else { return };
    let there = There {
        elsewhere: elsewhere || !place.shares_network(),
        doctor: &|bootstrap| doctor_there((pods, pod), bootstrap),
        by_hand: format!("kubectl exec POD -- {} doctor", pods.program()),
    };
    tokio::task::block_in_place(|| brokers(place, cluster, &there, report));
}

/// Has tandem's doctor in the pod look at the brokers.
fn doctor_there((pods, pod): (&PlacePods, &str), bootstrap: &str) -> Result<Vec<Examined>, String> {
    let there = [
        pods.program(),
        "doctor",
        "--bootstrap",
        bootstrap,
        "--read-only",
        "--json",
    ];
    let output = pods.run(pod, &there, DOCTOR_LIMIT).map_err(|error| error.to_string())?;
    findings(&output.stdout, &output.stderr)
}
