//! What a client can do with topics that are there and stay as they are: see them, read a record, join a group.

use std::time::{Duration, Instant};

use rand::RngExt;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::runtime::Runtime;

use super::probe::{self, RECORD_LIMIT};
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
    match first_record(patient, topic, &filled) {
        Ok(()) => {
            tell(Check::ok(
                name,
                format!("{count} with {offsets} offsets; a record can be read"),
            ));
            true
        }
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

/// Reads any record of these partitions, without a group.
fn first_record(patient: &Patient, topic: &str, partitions: &[i32]) -> Result<(), String> {
    let mut config = patient.config();
    // No group is joined and nothing committed; the library wants a name all the same.
    config
        .set("group.id", format!("{}doctor", patient.prefix))
        .set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().map_err(|error| crate::kafka::settings_cause(&error))?;
    let mut from = TopicPartitionList::new();
    for partition in partitions {
        from.add_partition_offset(topic, *partition, Offset::Beginning)
            .map_err(|error| error.to_string())?;
    }
    consumer.assign(&from).map_err(|error| error.to_string())?;
    let deadline = Instant::now() + RECORD_LIMIT;
    let mut latest = String::new();
    while Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(_)) => return Ok(()),
            // The library asks after the group, too, which is nothing to a reader without one.
            Some(Err(error)) if Missing::of(&error.to_string()) == Some(Missing::Group) => {}
            Some(Err(error)) if Missing::of(&error.to_string()).is_some() => return Err(error.to_string()),
            Some(Err(error)) => latest = format!(" ({error})"),
            None => {}
        }
    }
    Err(format!("no record came within {} s{latest}", RECORD_LIMIT.as_secs()))
}
