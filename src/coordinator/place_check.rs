//! What `tandem doctor --place` checks: whether worker processes can be started at a place, under its limits, and whether
//! they would reach the brokers from there.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::brokers_check::{Examined, There, brokers, findings};
use super::confinement::allowance;
use super::container_check::examine_container;
use super::introduction::{introduce, run_id};
use super::pod_check::examine_pods;
use super::reached::quoted;
use super::remote::{Connection, Installed, SshError, check_limits, check_tools, install};
use crate::clients::ReadyMade;
use crate::kafka::doctor::Check;
use crate::measure::limits::{Kernel, RunGroups};
use crate::scenario::{AppProgram, ClusterSpec, Configuration, Place, Reach, Scenario};

/// How long the doctor may take on the other host.
const DOCTOR_LIMIT: Duration = Duration::from_secs(60);

/// Checks a place of a scenario. `cluster` has the brokers, and `program` is this program.
pub async fn examine_place(
    place: &Place,
    scenario: &Scenario,
    cluster: &ClusterSpec,
    program: &Path,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn FnMut(Check),
) {
    match place.reach() {
        Reach::Here | Reach::Launcher(_) if place.limits.is_empty() => {
            report(Check::ok(format!("place {}", place.name), "is this machine"));
        }
        Reach::Here | Reach::Launcher(_) => report(limits(place)),
        Reach::Ssh(target) => {
            let clients = clients_at(scenario, place);
            over_ssh(place, target, cluster, (program, &clients), interrupted, report).await;
        }
        Reach::Container(container) => examine_container(place, container, cluster, interrupted, report).await,
        Reach::Kubernetes(pods) => examine_pods(place, pods, cluster, interrupted, report).await,
    }
}

/// Checks a place on another host.
async fn over_ssh(
    place: &Place,
    target: &str,
    cluster: &ClusterSpec,
    (program, clients): (&Path, &[(ReadyMade, String)]),
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn FnMut(Check),
) {
    let open = || {
        let folder = tempfile::Builder::new().prefix("tandem-ssh-").tempdir();
        let folder = folder.map_err(|error| SshError::Folder(error.to_string()))?;
        let connection = Connection::open(target, &folder.path().join("0"), &run_id(), interrupted)?;
        Ok((folder, connection))
    };
    let name = format!("ssh {target}");
    let (_folder, connection) = match tokio::task::block_in_place(open) {
        Ok(opened) => opened,
        Err(error) => return report(failed(&name, &error)),
    };
    report(Check::ok(name, "lets this user in"));
    let found = tokio::task::block_in_place(|| install(&connection, program, place.tandem.as_deref(), &|_| {}));
    let installed = match found {
        Ok(installed) => installed,
        Err(error) => return report(failed("tandem there", &error)),
    };
    let copied = if installed.is_new { ", copied just now" } else { "" };
    let detail = format!("{} at {}{copied}", installed.version, installed.path);
    report(Check::ok("tandem there", detail));
    let there = introduce(place, connection.remote(), &installed.path, "ssh HOST", report).await;
    let Some(elsewhere) = there else { return };
    let there = There {
        elsewhere,
        doctor: &|bootstrap| doctor_there(&connection, &installed, bootstrap),
        by_hand: format!("ssh HOST {} doctor", installed.path),
    };
    tokio::task::block_in_place(|| {
        brokers(place, cluster, &there, report);
        if !place.limits.is_empty() {
            let able = check_limits(&connection, place, &installed.path, &run_id());
            report(finding("limits there", "can be set", able));
        }
        if !clients.is_empty() {
            report(finding(
                "clients there",
                "have what they need",
                check_tools(&connection, clients),
            ));
        }
    });
}

/// The ready-made clients that configurations run at a place.
fn clients_at(scenario: &Scenario, place: &Place) -> Vec<(ReadyMade, String)> {
    let is_there = |each: &&Configuration| scenario.places_of(each).any(|other| other.name == place.name);
    let there = scenario.configurations.iter().filter(is_there);
    let clients = there.filter_map(|each| match &scenario.apps[each.app].runs {
        AppProgram::ReadyMade { which, version } => Some((*which, version.clone())),
        AppProgram::Tandem | AppProgram::Program(_) => None,
    });
    clients.collect::<BTreeSet<_>>().into_iter().collect()
}

fn finding(name: &str, well: &str, checked: Result<(), SshError>) -> Check {
    checked.map_or_else(|error| failed(name, &error), |()| Check::ok(name, well))
}

/// Makes the control groups of a process at the place, and removes them.
fn limits(place: &Place) -> Check {
    let allowance = allowance(place);
    let made = RunGroups::find(&Kernel::running(), &run_id(), allowance).and_then(|groups| {
        let made = groups
            .make()
            .and_then(|()| groups.of_process(&place.name, 1, allowance));
        let left = groups.remove();
        made?;
        left.into_iter().next().map_or(Ok(()), Err)
    });
    let name = format!("limits of place {}", place.name);
    match made {
        Ok(()) => Check::ok(name, "can be set"),
        Err(cause) => Check::failed(
            name,
            cause,
            "run tandem as root or in a scope of your own (systemd-run --user --scope tandem run ...)",
        ),
    }
}

fn failed(name: &str, error: &SshError) -> Check {
    let (what, fix) = error.parts();
    Check::failed(name, what, fix)
}

fn doctor_there(connection: &Connection, installed: &Installed, bootstrap: &str) -> Result<Vec<Examined>, String> {
    let (path, bootstrap) = (quoted(&installed.path), quoted(bootstrap));
    let script = format!("exec {path} doctor --bootstrap {bootstrap} --read-only --json");
    let output = connection.run(&script, None, "the doctor there", DOCTOR_LIMIT);
    let output = output.map_err(|error| error.to_string())?;
    findings(&output.stdout, &output.stderr)
}
