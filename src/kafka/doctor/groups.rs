//! Joining a group by the classic protocol and by KIP-848's.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::runtime::Runtime;

use super::rights::{Asker, Missing};
use super::wire::Versions;
use super::{Check, Patient};
use crate::kafka::admin::Admin;

/// How long a lone member may take to get its partition. A new member of a classic group waits 3 s by default.
const JOIN_LIMIT: Duration = Duration::from_secs(8);

/// Joins groups whose names start with `start` by either protocol, and deletes them again.
pub(super) fn join(
    patient: &Patient,
    admin: &Admin,
    versions: &Versions,
    runtime: &Runtime,
    topic: &str,
    start: &str,
    tell: &mut dyn FnMut(Check),
) {
    for protocol in ["classic", "consumer"] {
        if protocol == "consumer" && !versions.has_consumer_protocol() {
            // Already told with the protocol; a client would wait in vain.
            continue;
        }
        let name = format!("join a group ({protocol} protocol)");
        let group = format!("{start}-{protocol}");
        let began = Instant::now();
        match assigned(patient, &group, protocol, topic) {
            Ok(()) => {
                let took = began.elapsed().as_secs_f64();
                tell(Check::ok(name, format!("has its partition after {took:.1} s")));
            }
            Err(cause) => {
                let needed = protocol == "classic" || patient.needs_consumer_protocol;
                let denied = Asker::of(patient).mend_refusal(&cause, std::slice::from_ref(&topic.to_owned()));
                if denied.is_none() && !needed {
                    let detail = format!("{cause}: protocol = \"consumer\" cannot be measured here");
                    tell(Check::warning(name, detail));
                    continue;
                }
                let log = "see the broker's log: does the topic of group offsets have its replicas?";
                tell(Check::failed(name, cause, denied.unwrap_or_else(|| log.to_owned())));
                // Nobody made it.
                continue;
            }
        }
        // One that may not be deleted expires.
        if let Err(error) = runtime.block_on(admin.delete_groups(std::slice::from_ref(&group)))
            && super::probe::is_permission(&error)
        {
            let detail = format!("{group} stays until it expires: no right to delete it");
            tell(Check::warning("delete a group", detail));
        }
    }
}

/// Waits for a partition; `Err` with why none came.
fn assigned(patient: &Patient, group: &str, protocol: &str, topic: &str) -> Result<(), String> {
    let mut config = patient.config();
    config
        .set("group.id", group)
        .set("group.protocol", protocol)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = config.create().map_err(|error| crate::kafka::settings_cause(&error))?;
    consumer.subscribe(&[topic]).map_err(|error| error.to_string())?;
    let deadline = Instant::now() + JOIN_LIMIT;
    let mut latest = String::new();
    while Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(50)) {
            Some(Err(error)) if Missing::of(&error.to_string()).is_some() => return Err(error.to_string()),
            Some(Err(error)) => latest = format!(" ({error})"),
            Some(Ok(_)) | None => {}
        }
        if consumer.assignment().is_ok_and(|assignment| assignment.count() > 0) {
            return Ok(());
        }
    }
    Err(format!("no partition within {} s{latest}", JOIN_LIMIT.as_secs()))
}
