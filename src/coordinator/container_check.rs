//! What `tandem doctor --place` checks of a place whose workers are containers: the engine, the image, whether a worker
//! starts in it, and whether it would reach the brokers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::brokers_check::{Examined, There, brokers, findings};
use super::calibration::meet;
use super::containers::{self, ContainerError, ContainerLaunch, Examiner, Made, UsedEngine};
use super::fleet::{Launch, ProcessFleet};
use super::introduction::{consumer, run_id, whose};
use crate::kafka::doctor::Check;
use crate::protocol::Hello;
use crate::scenario::{ClusterSpec, ContainerPlace, Place};

/// Checks a place whose workers are containers.
pub(super) async fn examine_container(
    place: &Place,
    container: &ContainerPlace,
    cluster: &ClusterSpec,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn FnMut(Check),
) {
    let run_id = run_id();
    let examiner = Examiner {
        run_id: &run_id,
        progress: &|_| {},
        interrupted,
    };
    let examined = tokio::task::block_in_place(|| examiner.examine(place, container));
    let (program, image) = (container.engine.program(), &container.image);
    let examined = match examined {
        Ok(examined) => examined,
        Err(error) => return report(failed(&error, container)),
    };
    report(Check::ok(
        format!("engine {program}"),
        format!("version {} answers", examined.engine_version),
    ));
    let pulled = if examined.is_pulled { ", pulled just now" } else { "" };
    let clients = match &examined.clients[..] {
        [] => "no ready-made clients".to_owned(),
        clients => clients.join(", "),
    };
    report(Check::ok(
        format!("image {image}"),
        format!("is for {}, with {clients}{pulled}", examined.system),
    ));
    let made = Made {
        place,
        container,
        run_id: &run_id,
    };
    let name = format!("worker in {image}");
    match introduce(&made).await {
        Ok(hello) => report(Check::ok(name, whose(&hello).0)),
        Err(cause) => {
            let fix = format!("start it by hand: {program} run --rm -i --network host {image} worker consumer");
            return report(Check::failed(name, cause, fix));
        }
    }
    let there = There {
        elsewhere: !examined.is_here || !place.shares_network(),
        doctor: &|bootstrap| doctor_there(&examiner, &made, bootstrap),
        by_hand: format!("{program} run --rm --network host {image} doctor --bootstrap ..."),
    };
    tokio::task::block_in_place(|| brokers(place, cluster, &there, report));
}

/// What is wrong with an engine or an image.
fn failed(error: &ContainerError, container: &ContainerPlace) -> Check {
    use ContainerError::{Missing, NoEngine, Slow};
    let name = match error {
        Missing { .. } | NoEngine { .. } | Slow { .. } => format!("engine {}", container.engine.program()),
        _ => format!("image {}", container.image),
    };
    let (what, fix) = error.parts();
    Check::failed(name, what, fix)
}

/// Starts a worker in a container and lets it introduce itself.
async fn introduce(made: &Made<'_>) -> Result<Hello, String> {
    let folder = tempfile::Builder::new().prefix("tandem-container-").tempdir();
    let folder = folder.map_err(|error| error.to_string())?;
    let command = consumer(made.place, containers::program(made.place));
    let launch = Launch {
        command: Vec::new(),
        env: BTreeMap::new(),
        processors: None,
        confined: None,
        remote: None,
        container: Some(ContainerLaunch::new(made, &BTreeMap::new(), &command, folder.path(), 0)),
        log: false,
    };
    let mut fleet = ProcessFleet::new(made.run_id, Arc::default());
    let met = meet(&mut fleet, &launch, false).await;
    let removed = tokio::task::block_in_place(|| UsedEngine::of(made.container.engine).remove_all(made.run_id));
    let (hello, _) = met?;
    removed.map(|()| hello)
}

/// Has tandem's doctor in a container look at the brokers.
fn doctor_there(examiner: &Examiner<'_>, made: &Made<'_>, bootstrap: &str) -> Result<Vec<Examined>, String> {
    let program = containers::program(made.place);
    let command = [program, "doctor", "--bootstrap", bootstrap, "--read-only", "--json"].map(str::to_owned);
    let (stdout, stderr) = examiner.run(made, &command).map_err(|error| error.to_string())?;
    findings(stdout.as_bytes(), stderr.as_bytes())
}
