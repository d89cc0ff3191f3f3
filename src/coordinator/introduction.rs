//! The worker that `tandem doctor --place` starts at a place that is reached over a connection: how it introduces itself, and
//! what that says of the place.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::calibration::meet;
use super::fleet::{Launch, ProcessFleet};
use super::launching::on_host;
use super::reached::Remote;
use super::started::Started;
use crate::kafka::doctor::Check;
use crate::measure::clock;
use crate::protocol::Hello;
use crate::scenario::Place;

/// A mark for what is started, so that nothing of a run is taken for it.
pub(super) fn run_id() -> String {
    format!("doctor-{}", std::process::id())
}

/// Starts a worker at a place; `program` is tandem's there, and `by_hand` how a person starts it. True where it is on another
/// machine; `None`, which is reported, where it does not introduce itself.
pub(super) async fn introduce(
    place: &Place,
    remote: Remote,
    program: &str,
    by_hand: &str,
    report: &mut dyn FnMut(Check),
) -> Option<bool> {
    let started = Started {
        command: consumer(place, program),
        env: BTreeMap::new(),
        is_own: true,
    };
    let launch = Launch {
        command: on_host(&remote, &started, &run_id(), None),
        env: started.env,
        processors: None,
        confined: None,
        remote: Some(remote),
        container: None,
        log: false,
    };
    let mut fleet = ProcessFleet::new(&run_id(), Arc::default());
    match meet(&mut fleet, &launch, false).await {
        Ok((hello, _)) => {
            let (detail, is_elsewhere) = whose(&hello);
            report(Check::ok("worker there", detail));
            Some(is_elsewhere)
        }
        Err(cause) => {
            let fix = format!("start it by hand: {by_hand} {program} worker consumer");
            report(Check::failed("worker there", cause, fix));
            None
        }
    }
}

/// The command of a worker at a place.
pub(super) fn consumer(place: &Place, program: &str) -> Vec<String> {
    let mut command = [program, "worker", "consumer"].map(str::to_owned).to_vec();
    if let Some(cpus) = &place.cpus {
        command.extend(["--cpus".to_owned(), cpus.clone()]);
    }
    command
}

/// Where a worker is, and whether that is another machine than this one.
pub(super) fn whose(hello: &Hello) -> (String, bool) {
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
