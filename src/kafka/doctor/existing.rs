//! What a client can do with existing topics, which stay as they are: describe them, read a record, join a group.

use rand::RngExt;
use tokio::runtime::Runtime;

use super::check::{Check, Outcome};
use super::patient::Patient;
use super::rights::{self, Asker, Missing};
use super::wire::Versions;
use super::{groups, probe};
use crate::kafka::admin::Admin;
use crate::wording::plural;

/// Reads a record of each topic, and joins groups that read the first.
pub(super) fn read(patient: &Patient, versions: &Versions, report: &mut dyn FnMut(Check)) {
    let Some((admin, runtime)) = probe::admin(patient, report) else {
        return;
    };
    let mut readable = None;
    for topic in &patient.topics {
        match look(patient, &admin, &runtime, topic) {
            Ok(check) => {
                report(check);
                readable = readable.or(Some(topic));
            }
            Err(failed) => failed.into_iter().for_each(&mut *report),
        }
    }
    let Some(topic) = readable else { return };
    probe::permissions(&admin, topic, report);
    if patient.may_write {
        let group = format!("{}doctor-{:08x}", patient.prefix, rand::rng().random::<u32>());
        groups::join(patient, &admin, versions, &runtime, topic, &group, report);
    } else {
        report(Check::new(
            "groups",
            Outcome::Skipped,
            "not tried: nothing is to be written",
        ));
    }
}

/// The check of a topic that can be read; `Err` with the check where it cannot, without one where nobody waits for it.
fn look(patient: &Patient, admin: &Admin, runtime: &Runtime, topic: &str) -> Result<Check, Option<Check>> {
    let name = format!("topic {topic}");
    let asker = Asker::of(patient);
    let failed = |detail: &str, fix: String| Some(Check::failed(&name, detail, fix));
    let fix = |cause: &str, operations: &[&'static str]| match Missing::of(cause) {
        Some(_) => asker.fix_topic(operations, topic),
        None => "see the broker's log".to_owned(),
    };
    let partitions = runtime.block_on(admin.partitions(topic)).map_err(|error| {
        let cause = rights::cause(&error);
        failed(
            &format!("cannot be described: {cause}"),
            fix(&cause, &["Describe", "Read"]),
        )
    })?;
    let Some(partitions) = partitions else {
        let fix = "check the spelling, and that this is the right cluster";
        return Err(failed("there is no such topic", fix.to_owned()));
    };
    let mut offsets = 0;
    let mut filled = Vec::new();
    for partition in &partitions {
        let ends = runtime.block_on(admin.watermarks(topic, partition.id));
        let (low, high) = ends.map_err(|error| {
            let fix = asker.fix_topic(&["Describe", "Read"], topic);
            failed(&rights::cause(&error), fix)
        })?;
        offsets += high - low;
        filled.extend((high > low).then_some(partition.id));
    }
    let count = plural(partitions.len(), "partition");
    if filled.is_empty() {
        let detail = format!("{count}, all empty: there is nothing to read");
        return Ok(Check::warning(name, detail));
    }
    let reader = format!("{}doctor", patient.prefix);
    match probe::first_record(patient, &reader, topic, &filled, |_| ()) {
        Ok(()) => {
            let detail = format!("{count} with {offsets} offsets; a record can be read");
            Ok(Check::ok(name, detail))
        }
        Err(_) if patient.is_stopped() => Err(None),
        Err(cause) => Err(failed(&format!("cannot be read: {cause}"), fix(&cause, &["Read"]))),
    }
}
