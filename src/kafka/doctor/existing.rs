//! What a client can do with topics that are there and stay as they are: see them, read a record, join a group.

use rand::RngExt;
use tokio::runtime::Runtime;

use super::probe;
use super::rights::{Asker, Missing};
use super::wire::Versions;
use super::{Check, Outcome, Patient, groups};
use crate::kafka::admin::Admin;

/// Reads a record of each topic, and joins groups that read the first.
pub(super) fn read(patient: &Patient, versions: &Versions, tell: &mut dyn FnMut(Check)) {
    let Some((admin, runtime)) = probe::admin(patient, tell) else {
        return;
    };
    let mut readable = None;
    for topic in &patient.topics {
        if look(patient, &admin, &runtime, topic, tell) {
            readable = readable.or(Some(topic));
        }
    }
    let Some(topic) = readable else { return };
    probe::permissions(&admin, topic, tell);
    if patient.may_write {
        let group = format!("{}doctor-{:08x}", patient.prefix, rand::rng().random::<u32>());
        groups::join(patient, &admin, versions, &runtime, topic, &group, tell);
    } else {
        tell(Check::new(
            "groups",
            Outcome::Skipped,
            "not tried: nothing is to be written",
        ));
    }
}

/// True where the topic can be read.
fn look(patient: &Patient, admin: &Admin, runtime: &Runtime, topic: &str, tell: &mut dyn FnMut(Check)) -> bool {
    let name = format!("topic {topic}");
    let who = Asker::of(patient);
    let partitions = match runtime.block_on(admin.partitions(topic)) {
        Ok(Some(partitions)) => partitions,
        Ok(None) => {
            let mend = "check the spelling, and that this is the right cluster";
            tell(Check::failed(name, "there is no such topic", mend));
            return false;
        }
        Err(error) => {
            let cause = probe::cause(&error);
            let mend = match Missing::of(&cause) {
                Some(_) => who.mend_topic(&["Describe", "Read"], topic),
                None => "see the broker's log".to_owned(),
            };
            tell(Check::failed(name, format!("cannot be described: {cause}"), mend));
            return false;
        }
    };
    let ids: Vec<i32> = partitions.iter().map(|partition| partition.id).collect();
    let mut ends = Vec::new();
    for id in &ids {
        match runtime.block_on(admin.watermarks(topic, *id)) {
            Ok(end) => ends.push(end),
            Err(error) => {
                let cause = probe::cause(&error);
                tell(Check::failed(name, cause, who.mend_topic(&["Describe", "Read"], topic)));
                return false;
            }
        }
    }
    let offsets: i64 = ends.iter().map(|(low, high)| high - low).sum();
    let count = match ids.len() {
        1 => "1 partition".to_owned(),
        many => format!("{many} partitions"),
    };
    let filled: Vec<i32> = ids
        .into_iter()
        .zip(&ends)
        .filter(|(_, (low, high))| high > low)
        .map(|(id, _)| id)
        .collect();
    if filled.is_empty() {
        tell(Check::warning(
            name,
            format!("{count}, all empty: there is nothing to read"),
        ));
        return true;
    }
    let reader = format!("{}doctor", patient.prefix);
    match probe::first_record(patient, &reader, topic, &filled, |_| ()) {
        Ok(()) => {
            tell(Check::ok(
                name,
                format!("{count} with {offsets} offsets; a record can be read"),
            ));
            true
        }
        Err(_) if patient.is_stopped() => false,
        Err(cause) => {
            let mend = match Missing::of(&cause) {
                Some(_) => who.mend_topic(&["Read"], topic),
                None => "see the broker's log".to_owned(),
            };
            tell(Check::failed(name, format!("cannot be read: {cause}"), mend));
            false
        }
    }
}
