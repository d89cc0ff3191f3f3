//! What `tandem doctor --place` checks: whether worker processes can be started at a place, under its limits, and whether
//! they would reach the brokers from there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::Deserialize;

use super::calibration::meet;
use super::confinement::allowance;
use super::fleet::{Launch, ProcessFleet};
use super::launching::{Started, on_host};
use super::reached::quoted;
use super::remote::{Connection, Installed, SshError, install};
use crate::kafka::doctor::Check;
use crate::measure::clock;
use crate::measure::limits::{Kernel, RunGroups};
use crate::protocol::Hello;
use crate::scenario::{ClusterSource, ClusterSpec, Place};

/// How long the doctor may take on the other host.
const DOCTOR_LIMIT: Duration = Duration::from_secs(60);

/// Checks a place of a scenario. `program` is this program.
pub async fn examine_place(
    place: &Place,
    cluster: &ClusterSpec,
    program: &Path,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn FnMut(Check),
) {
    if !place.limits.is_empty() {
        report(limits(place));
    }
    let Some(target) = &place.ssh else {
        if place.limits.is_empty() {
            report(Check::ok(format!("place {}", place.name), "is this machine"));
        }
        return;
    };
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
    let elsewhere = match introduce(place, &connection, &installed).await {
        Ok(hello) => {
            let (detail, elsewhere) = whose(&hello);
            report(Check::ok("worker there", detail));
            elsewhere
        }
        Err(cause) => {
            let fix = "start it by hand: ssh HOST PATH worker consumer";
            return report(Check::failed("worker there", cause, fix));
        }
    };
    tokio::task::block_in_place(|| brokers(place, cluster, elsewhere, (&connection, &installed), report));
}

/// A mark for what is started, so that nothing of a run is taken for it.
fn run_id() -> String {
    format!("doctor-{}", std::process::id())
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

/// Starts a worker there and lets it introduce itself.
async fn introduce(place: &Place, connection: &Connection, installed: &Installed) -> Result<Hello, String> {
    let remote = connection.remote();
    let mut started = Started {
        command: vec![installed.path.clone(), "worker".to_owned(), "consumer".to_owned()],
        env: std::collections::BTreeMap::new(),
        is_own: true,
    };
    if let Some(cpus) = &place.cpus {
        started.command.extend(["--cpus".to_owned(), cpus.clone()]);
    }
    let launch = Launch {
        command: on_host(&remote, &started, &run_id(), None),
        env: started.env,
        processors: None,
        confined: None,
        remote: Some(remote),
        log: false,
    };
    let mut fleet = ProcessFleet::new(&run_id(), Arc::default());
    let (hello, _) = meet(&mut fleet, &launch, false).await?;
    Ok(hello)
}

/// Where a worker is, and whether that is another machine than this one.
fn whose(hello: &Hello) -> (String, bool) {
    let boot = |host: &str| host.split(' ').next().unwrap_or_default().to_owned();
    let spoken = format!("speaks version {} of the protocol", hello.protocol);
    match (&hello.host, clock::host()) {
        (Some(there), Some(here)) if *there == here => (format!("{spoken}, on this machine"), false),
        (Some(there), Some(here)) if boot(there) == boot(&here) => {
            (format!("{spoken}, on this machine with another clock"), false)
        }
        _ => (format!("{spoken}, on another machine"), true),
    }
}

/// Whether workers there would reach the brokers.
fn brokers(
    place: &Place,
    cluster: &ClusterSpec,
    elsewhere: bool,
    (connection, installed): (&Connection, &Installed),
    report: &mut dyn FnMut(Check),
) {
    const NAME: &str = "brokers from there";
    match &cluster.source {
        ClusterSource::Local { address, .. } => report(match (address, &place.listener) {
            (_, Some(listener)) => Check::ok(NAME, format!("listener {listener} is on 127.0.0.1")),
            (Some(address), None) => Check::ok(NAME, format!("tandem starts them with the address {address}")),
            (None, None) if elsewhere => Check::failed(
                NAME,
                "those that tandem starts are at 127.0.0.1, which is that machine itself there",
                "add address = \"...\" to [cluster], a name or address of this machine that the other one reaches",
            ),
            (None, None) => Check::ok(NAME, "tandem starts them at 127.0.0.1, which is this machine there too"),
        }),
        ClusterSource::Bootstrap(bootstrap) if cluster.client.is_empty() => {
            let checks = doctor_there(connection, installed, bootstrap);
            match checks {
                Err(cause) => report(Check::failed(
                    NAME,
                    cause,
                    format!("ssh HOST {} doctor", installed.path),
                )),
                Ok(checks) => {
                    let wrong = checks.iter().filter(|check| check.outcome == "failed");
                    let wrong: Vec<&Examined> = wrong.collect();
                    for check in &wrong {
                        let name = format!("there: {}", check.name);
                        report(Check::failed(
                            name,
                            &*check.detail,
                            check.fix.clone().unwrap_or_default(),
                        ));
                    }
                    if wrong.is_empty() {
                        report(Check::ok(
                            NAME,
                            format!("{} checks of the doctor there are well", checks.len()),
                        ));
                    }
                }
            }
        }
        ClusterSource::Bootstrap(_) => report(Check::skipped(
            NAME,
            "the client properties of [cluster.client] are passed to workers only",
        )),
    }
}

/// A check of the doctor on the other host.
#[derive(Debug, Deserialize)]
struct Examined {
    name: String,
    outcome: String,
    detail: String,
    #[serde(default)]
    fix: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Findings {
    checks: Vec<Examined>,
}

fn doctor_there(connection: &Connection, installed: &Installed, bootstrap: &str) -> Result<Vec<Examined>, String> {
    let (path, bootstrap) = (quoted(&installed.path), quoted(bootstrap));
    let script = format!("exec {path} doctor --bootstrap {bootstrap} --read-only --json");
    let output = connection.run(&script, None, "the doctor there", DOCTOR_LIMIT);
    let output = output.map_err(|error| error.to_string())?;
    let findings: Result<Findings, _> = serde_json::from_slice(&output.stdout);
    let said = || String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Ok(findings.map_err(|_| said())?.checks)
}
