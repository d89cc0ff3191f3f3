//! Joins a group with the classic protocol and with KIP-848's.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::runtime::Runtime;

use super::check::Check;
use super::patient::{CLIENT_ID, Patient};
use super::rights::{Asker, Missing, is_permission};
use super::wire::Versions;
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
    report: &mut dyn FnMut(Check),
) {
    for protocol in ["classic", "consumer"] {
        if protocol == "consumer" && !versions.has_consumer_protocol() {
            // The check of the protocol has reported it; a client would wait in vain.
            continue;
        }
        if patient.is_stopped() {
            return;
        }
        let name = format!("join a group ({protocol} protocol)");
        let group = patient.group.clone().unwrap_or_else(|| format!("{start}-{protocol}"));
        if patient.group.is_some() && !is_free(admin, runtime, &group, &name, report) {
            continue;
        }
        let began = Instant::now();
        match assigned(patient, &group, protocol, topic) {
            Ok(()) => {
                let took = began.elapsed().as_secs_f64();
                report(Check::ok(name, format!("has its partition after {took:.1} s")));
            }
            Err(_) if patient.is_stopped() => {}
            Err(cause) => {
                let needed = protocol == "classic" || patient.needs_consumer_protocol;
                let denied = Asker::of(patient).fix_refusal(&cause, std::slice::from_ref(&topic.to_owned()));
                if denied.is_none() && !needed {
                    let detail = format!("{cause}: protocol = \"consumer\" cannot be measured here");
                    report(Check::warning(name, detail));
                    let _ = runtime.block_on(admin.delete_groups(std::slice::from_ref(&group)));
                    continue;
                }
                let log = "see the broker's log: does the topic of group offsets have its replicas?";
                report(Check::failed(name, cause, denied.unwrap_or_else(|| log.to_owned())));
                if patient.group.is_none() {
                    // A member without a partition has created it too.
                    let _ = runtime.block_on(admin.delete_groups(std::slice::from_ref(&group)));
                }
                continue;
            }
        }
        if patient.group.is_some() {
            // It is the user's.
            continue;
        }
        // One that may not be deleted expires.
        if let Err(error) = runtime.block_on(admin.delete_groups(std::slice::from_ref(&group)))
            && is_permission(&error)
        {
            let detail = format!("{group} stays until it expires: no right to delete it");
            report(Check::warning("delete a group", detail));
        }
    }
}

/// True where the user's group has no members: joining would disturb them.
fn is_free(admin: &Admin, runtime: &Runtime, group: &str, name: &str, report: &mut dyn FnMut(Check)) -> bool {
    let members = match runtime.block_on(admin.describe_group(group)) {
        Ok(description) => description.members,
        Err(error) => {
            let fix = format!("grant Describe on the group {group:?}, or name another in [consumer]");
            report(Check::failed(name, error.to_string(), fix));
            return false;
        }
    };
    let clients = members.iter().map(|member| member.client_id.as_str());
    // The doctor's own member of the check before may still be leaving.
    let clients: Vec<&str> = clients.filter(|client| *client != CLIENT_ID).collect();
    if clients.is_empty() {
        return true;
    }
    let detail = format!("the group {group} has members: {}", clients.join(", "));
    report(Check::failed(
        name,
        detail,
        "end them, or name another group in [consumer]",
    ));
    false
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
    while Instant::now() < deadline && !patient.is_stopped() {
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
