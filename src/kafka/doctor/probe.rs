//! Tries a cluster: creates a topic, writes a record, reads it back, compares clocks, deletes the topic.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::RngExt;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::runtime::{Builder, Runtime};

use super::check::{Check, Outcome};
use super::groups;
use super::patient::Patient;
use super::rights::{Asker, Missing, Right, cause, is_permission};
use super::wire::Versions;
use crate::kafka::admin::Admin;

/// How long a record may take to be written, and to be read.
const RECORD_LIMIT: Duration = Duration::from_secs(6);

/// Clocks that differ by more get a warning.
const CLOCK_LIMIT_MS: f64 = 1000.0;

/// The admin client and its runtime; `None` where one cannot be made, which is reported.
pub(super) fn admin(patient: &Patient, report: &mut dyn FnMut(Check)) -> Option<(Admin, Runtime)> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let (detail, fix) = match (Admin::new(&patient.bootstrap, &patient.fast()), runtime) {
        (Ok(admin), Ok(runtime)) => return Some((admin, runtime)),
        (Err(error), _) => (error.to_string(), "see the client properties of the scenario"),
        (_, Err(error)) => {
            let detail = format!("no runtime for it: {error}");
            (detail, "is this machine out of memory or files?")
        }
    };
    report(Check::failed("topics and groups", detail, fix));
    None
}

/// Reports what the user may do.
pub(super) fn permissions(admin: &Admin, topic: &str, report: &mut dyn FnMut(Check)) {
    let (of_topic, of_cluster) = admin.operations_now(topic);
    let list = |operations: &[String]| match operations {
        [] => "unknown (needs Describe on it)".to_owned(),
        names => names.join(", "),
    };
    let of_topic = match of_topic {
        Ok(operations) => list(&operations),
        Err(cause) => format!("unknown ({cause})"),
    };
    let detail = format!("on the topic: {of_topic}; on the cluster: {}", list(&of_cluster));
    report(Check::ok("permissions seen", detail));
}

/// Writes a record, reads it back, joins a group with either protocol, and removes what it created.
pub(super) fn records(patient: &Patient, versions: &Versions, report: &mut dyn FnMut(Check)) {
    if !patient.may_write {
        let detail = "not tried: nothing is to be written";
        report(Check::new("topics and groups", Outcome::Skipped, detail));
        return;
    }
    let Some((admin, runtime)) = admin(patient, report) else {
        return;
    };
    let topic = format!("{}doctor-{:08x}", patient.prefix, rand::rng().random::<u32>());
    if !create(patient, &admin, &runtime, &topic, report) {
        // It may exist all the same, without a leader yet or without the right to describe it.
        let _ = runtime.block_on(admin.delete_topics(std::slice::from_ref(&topic)));
        return;
    }
    permissions(&admin, &topic, report);
    if write_and_read(patient, &topic, report) && !patient.is_stopped() {
        groups::join(patient, &admin, versions, &runtime, &topic, &topic, report);
    }
    let name = format!("delete topic {topic}");
    match runtime.block_on(admin.delete_topics(std::slice::from_ref(&topic))) {
        Ok(()) => report(Check::ok("delete a topic", format!("{topic} is gone again"))),
        Err(error) => report(Check::failed(
            name,
            cause(&error),
            format!(
                "delete it by hand: kafka-topics --delete --topic {topic}; and allow it: {}",
                Asker::of(patient).grant(&Right::on_topics(&["Delete"], &patient.prefix))
            ),
        )),
    }
}

fn create(patient: &Patient, admin: &Admin, runtime: &Runtime, topic: &str, report: &mut dyn FnMut(Check)) -> bool {
    let name = "create a topic";
    // The broker's clock is then in every record.
    let settings = [("message.timestamp.type", "LogAppendTime")];
    match runtime.block_on(admin.create_topic(topic, 1, 1, &settings)) {
        Ok(()) => {
            report(Check::ok(name, topic));
            true
        }
        Err(error) => {
            let fix = if is_permission(&error) {
                Asker::of(patient).fix_create()
            } else {
                "see the broker's log; does the cluster take new topics?".to_owned()
            };
            report(Check::failed(name, cause(&error), fix));
            false
        }
    }
}

fn now_ms() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}

fn write_and_read(patient: &Patient, topic: &str, report: &mut dyn FnMut(Check)) -> bool {
    let before_ms = now_ms();
    let began = Instant::now();
    if let Err(cause) = write(patient, topic) {
        let fix = refused(patient, &cause, &["Write", "Describe"]);
        report(Check::failed("write a record", cause, fix));
        return false;
    }
    let wrote = began.elapsed();
    report(Check::ok(
        "write a record",
        format!("acknowledged after {:.0} ms", wrote.as_secs_f64() * 1e3),
    ));
    let broker_ms = match read(patient, topic) {
        Ok(timestamp) => timestamp,
        Err(_) if patient.is_stopped() => return false,
        Err(cause) => {
            let fix = refused(patient, &cause, &["Read", "Describe"]);
            report(Check::failed("read it back", cause, fix));
            return false;
        }
    };
    report(Check::ok("read it back", "as it was written"));
    if let Some(broker_ms) = broker_ms {
        report(clock(broker_ms, before_ms, wrote));
    }
    true
}

/// The fix for a record that could not be written or read.
fn refused(patient: &Patient, cause: &str, operations: &[&'static str]) -> String {
    if Missing::of(cause).is_some() {
        return Asker::of(patient).grant(&Right::on_topics(operations, &patient.prefix));
    }
    "see the broker's log".to_owned()
}

/// The broker's timestamp lies between the sending and the acknowledgement.
#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970")]
fn clock(broker_ms: i64, before_ms: f64, took: Duration) -> Check {
    let half_ms = took.as_secs_f64() * 500.0;
    let ahead_ms = broker_ms as f64 - (before_ms + half_ms);
    let text = format!("the broker's clock is {ahead_ms:+.0} ms from this machine's, give or take {half_ms:.0} ms");
    if ahead_ms.abs() > CLOCK_LIMIT_MS + half_ms {
        // tandem's own figures come from one clock; timestamps of records do not.
        Check::warning(
            "clocks",
            format!("{text}; tandem's figures do not use it, but timestamps of records do"),
        )
    } else {
        Check::ok("clocks", text)
    }
}

const RECORD: &[u8] = b"tandem was here";

fn write(patient: &Patient, topic: &str) -> Result<(), String> {
    let mut config = patient.config();
    let limit = RECORD_LIMIT.as_millis().to_string();
    config.set("message.timeout.ms", &limit).set("linger.ms", "0");
    let producer: BaseProducer<Delivery> = config
        .create_with_context(Delivery::default())
        .map_err(|error| crate::kafka::settings_cause(&error))?;
    producer
        .send(BaseRecord::<(), [u8]>::to(topic).partition(0).payload(RECORD))
        .map_err(|(error, _)| error.to_string())?;
    producer.flush(RECORD_LIMIT).map_err(|error| error.to_string())?;
    let delivery = producer
        .context()
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    delivery.unwrap_or_else(|| Err(format!("not acknowledged within {} s", RECORD_LIMIT.as_secs())))
}

/// The delivery report of the record.
#[derive(Default)]
struct Delivery(Mutex<Option<Result<(), String>>>);

impl ClientContext for Delivery {}

impl ProducerContext for Delivery {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let result = result.as_ref().map(|_| ()).map_err(|(error, _)| error.to_string());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }
}

/// The broker's timestamp of the record.
fn read(patient: &Patient, topic: &str) -> Result<Option<i64>, String> {
    first_record(patient, topic, topic, &[0], |record| {
        let same = record.payload() == Some(RECORD);
        same.then(|| record.timestamp().to_millis())
    })?
    .ok_or_else(|| "the record that came back is another one".to_owned())
}

/// Reads any record of these partitions without a group, and returns what `take` makes of it; `Err` with why none came.
pub(super) fn first_record<T>(
    patient: &Patient,
    name: &str,
    topic: &str,
    partitions: &[i32],
    take: impl Fn(&BorrowedMessage<'_>) -> T,
) -> Result<T, String> {
    let mut config = patient.config();
    // No group is joined and nothing committed; the library requires a name all the same.
    config.set("group.id", name).set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().map_err(|error| crate::kafka::settings_cause(&error))?;
    let mut from = TopicPartitionList::new();
    for partition in partitions {
        from.add_partition_offset(topic, *partition, Offset::Beginning)
            .map_err(|error| error.to_string())?;
    }
    consumer.assign(&from).map_err(|error| error.to_string())?;
    let deadline = Instant::now() + RECORD_LIMIT;
    let mut latest = String::new();
    while Instant::now() < deadline && !patient.is_stopped() {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(record)) => return Ok(take(&record)),
            // The library asks for the group too, which does not matter to a reader without one.
            Some(Err(error)) if Missing::of(&error.to_string()) == Some(Missing::Group) => {}
            Some(Err(error)) if Missing::of(&error.to_string()).is_some() => return Err(error.to_string()),
            Some(Err(error)) => latest = format!(" ({error})"),
            None => {}
        }
    }
    Err(format!("no record came within {} s{latest}", RECORD_LIMIT.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_far_apart_are_a_warning_and_close_ones_are_fine() {
        let took = Duration::from_millis(20);
        assert_eq!(clock(100_005, 100_000.0, took).outcome, Outcome::Ok);
        assert_eq!(clock(95_000, 100_000.0, took).outcome, Outcome::Warning);
    }
}
