//! What a client can do there: log in, see the brokers, make a topic, write a record, read it back, compare clocks,
//! delete the topic. Everything made is removed again.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::RngExt;
use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::runtime::{Builder, Runtime};

use super::{Check, Patient, groups};
use crate::kafka::admin::{Admin, AdminError, BrokerAddress};
use crate::secret::Secret;

/// The `client.id` of the probe.
pub(super) const CLIENT_ID: &str = "tandem-doctor";

/// How long the first answer may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(4);

/// How long the library may take to tell what brokers it has heard of, where none answers.
const ADVERTISED_LIMIT: Duration = Duration::from_secs(3);

/// Pause between two of the library's statistics.
const STATISTICS_PAUSE: Duration = Duration::from_millis(100);

/// How long a record may take to be written, and to be read.
const RECORD_LIMIT: Duration = Duration::from_secs(6);

/// Clocks that differ by more are told.
const CLOCK_LIMIT_MS: f64 = 1000.0;

/// A client that has logged in.
pub(super) struct Client {
    pub(super) admin: Admin,
    pub(super) brokers: Vec<BrokerAddress>,
}

/// Logs in and asks for the brokers.
pub(super) fn connect(patient: &Patient, tell: &mut dyn FnMut(Check)) -> Option<Client> {
    let name = "log in".to_owned();
    let connected = Admin::new(&patient.bootstrap, &patient.fast()).and_then(|admin| {
        let brokers = admin
            .brokers_now(CONNECT_LIMIT)
            .or_else(|error| advertised(patient).ok_or(error))?;
        Ok((brokers, admin))
    });
    match connected {
        Ok((brokers, admin)) => {
            let who = match patient
                .property("sasl.mechanism")
                .or(patient.property("sasl.mechanisms"))
            {
                Some(mechanism) if patient.uses_sasl() => format!("authenticated with {mechanism}"),
                _ => "no user".to_owned(),
            };
            let count = match brokers.len() {
                1 => "1 broker".to_owned(),
                number => format!("{number} brokers"),
            };
            tell(Check::ok(name, format!("{}, {who}; {count}", patient.security())));
            Some(Client { admin, brokers })
        }
        Err(error) => {
            let cause = error.to_string();
            let (detail, mend) = explain_login(&cause);
            tell(Check::failed(name, detail, mend));
            None
        }
    }
}

/// The brokers that the library has heard of. It leaves the addresses that it was given as soon as a broker has told
/// its own, so where that leads nowhere no question is answered any more; the addresses told are still in the library's
/// statistics.
fn advertised(patient: &Patient) -> Option<Vec<BrokerAddress>> {
    let mut config = patient.config();
    let interval = STATISTICS_PAUSE.as_millis().to_string();
    config.set("statistics.interval.ms", interval);
    let (told, heard) = mpsc::channel();
    let consumer: BaseConsumer<Listening> = config.create_with_context(Listening(Mutex::new(told))).ok()?;
    let deadline = Instant::now() + ADVERTISED_LIMIT;
    while Instant::now() < deadline {
        // Errors are no news here: the login's own has been told.
        let _ = consumer.poll(STATISTICS_PAUSE);
        if let Some(brokers) = heard.try_iter().find(|brokers: &Vec<_>| !brokers.is_empty()) {
            return Some(brokers);
        }
    }
    None
}

/// Passes on the brokers of each statistics.
struct Listening(Mutex<Sender<Vec<BrokerAddress>>>);

impl ClientContext for Listening {
    fn stats(&self, statistics: Statistics) {
        let brokers = statistics.brokers.values();
        let mut brokers: Vec<_> = brokers
            .filter(|broker| broker.source == "learned" && broker.nodeid >= 0)
            .filter_map(|broker| {
                let (host, port) = broker.nodename.rsplit_once(':')?;
                Some(BrokerAddress {
                    id: broker.nodeid,
                    host: host.to_owned(),
                    port: port.parse().ok()?,
                })
            })
            .collect();
        brokers.sort_by_key(|broker| broker.id);
        if let Ok(sender) = self.0.lock() {
            // Who does not listen any more has an answer.
            let _ = sender.send(brokers);
        }
    }
}

impl ConsumerContext for Listening {}

/// What the library says of a login that fails, and what would mend it.
fn explain_login(cause: &str) -> (String, String) {
    let lower = cause.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    if has(&[
        "unsupported sasl mechanism",
        "mechanism handshake",
        "broker's supported mechanisms",
    ]) {
        let mend = "set \"sasl.mechanism\" under [cluster.client] to one that the listener offers";
        return (
            format!("the listener does not offer this mechanism: {cause}"),
            mend.to_owned(),
        );
    }
    if has(&[
        "invalid credentials",
        "authentication failed",
        "authentication failure",
        "authentication error",
    ]) {
        let mend = "check \"sasl.username\", the variable that holds \"sasl.password\", and that the user exists for this \
                    mechanism. librdkafka before 2.6 says the same of a right SCRAM password to Kafka 4.x: a client of \
                    your own needs 2.6 or later";
        return (
            format!("the broker refuses the user or the password: {cause}"),
            mend.to_owned(),
        );
    }
    if has(&["certificate", "ssl handshake", "tls"]) {
        let mend =
            "the listener may ask for a client certificate: \"ssl.certificate.location\" and \"ssl.key.location\"";
        return (format!("TLS fails: {cause}"), mend.to_owned());
    }
    let mend = "see the broker's log for the connection from this machine";
    (cause.to_owned(), mend.to_owned())
}

impl Patient {
    /// The properties, with short waits between attempts: a doctor does not wait.
    pub(super) fn fast(&self) -> BTreeMap<String, Secret> {
        let mut properties = self.properties.clone();
        for (name, value) in [("reconnect.backoff.ms", "50"), ("reconnect.backoff.max.ms", "500")] {
            properties.insert(name.to_owned(), Secret::new(value));
        }
        properties
    }

    /// A client's configuration.
    pub(super) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (name, value) in self.fast() {
            config.set(name, value.reveal());
        }
        config.set("bootstrap.servers", &self.bootstrap);
        config.set("client.id", CLIENT_ID);
        config
    }
}

/// Writes a record, reads it back, joins a group by either protocol; and removes what it made.
pub(super) fn records(patient: &Patient, client: &Client, tell: &mut dyn FnMut(Check)) {
    if !patient.may_write {
        let detail = "not tried: nothing is to be written";
        tell(Check::new("topics and groups", super::Outcome::Skipped, detail));
        return;
    }
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let detail = format!("no runtime for it: {error}");
            tell(Check::failed(
                "topics and groups",
                detail,
                "is this machine out of memory or files?",
            ));
            return;
        }
    };
    let topic = format!("{}doctor-{:08x}", patient.prefix, rand::rng().random::<u32>());
    if !create(patient, client, &runtime, &topic, tell) {
        return;
    }
    if write_and_read(patient, &topic, tell) {
        groups::join(patient, client, &runtime, &topic, tell);
    }
    let name = format!("delete topic {topic}");
    match runtime.block_on(client.admin.delete_topics(std::slice::from_ref(&topic))) {
        Ok(()) => tell(Check::ok("delete a topic", format!("{topic} is gone again"))),
        Err(error) => tell(Check::failed(
            name,
            cause(&error),
            "grant Delete on it, and delete it by hand: kafka-topics --delete",
        )),
    }
}

fn create(patient: &Patient, client: &Client, runtime: &Runtime, topic: &str, tell: &mut dyn FnMut(Check)) -> bool {
    let name = "create a topic";
    // The broker's clock is then in every record.
    let settings = [("message.timestamp.type", "LogAppendTime")];
    match runtime.block_on(client.admin.create_topic(topic, 1, 1, &settings)) {
        Ok(()) => {
            tell(Check::ok(name, topic));
            true
        }
        Err(error) => {
            let mend = if is_permission(&error) {
                format!(
                    "grant Create, Write, Read and Delete on topics that start with {:?}, or set another [cluster] prefix",
                    patient.prefix
                )
            } else {
                "see the broker's log; does the cluster take new topics?".to_owned()
            };
            tell(Check::failed(name, cause(&error), mend));
            false
        }
    }
}

pub(super) fn is_permission(error: &AdminError) -> bool {
    error.to_string().to_ascii_lowercase().contains("authorization failed")
}

fn cause(error: &AdminError) -> String {
    match error {
        AdminError::Refused { cause, .. } => cause.clone(),
        other => other.to_string(),
    }
}

fn now_ms() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}

fn write_and_read(patient: &Patient, topic: &str, tell: &mut dyn FnMut(Check)) -> bool {
    let before_ms = now_ms();
    let began = Instant::now();
    if let Err(cause) = write(patient, topic) {
        let mend = "grant Write on the topic; see the broker's log";
        tell(Check::failed("write a record", cause, mend));
        return false;
    }
    let wrote = began.elapsed();
    tell(Check::ok(
        "write a record",
        format!("acknowledged after {:.0} ms", wrote.as_secs_f64() * 1e3),
    ));
    let broker_ms = match read(patient, topic) {
        Ok(timestamp) => timestamp,
        Err(cause) => {
            let mend = "grant Read on the topic; see the broker's log";
            tell(Check::failed("read it back", cause, mend));
            return false;
        }
    };
    tell(Check::ok("read it back", "as it was written"));
    if let Some(broker_ms) = broker_ms {
        tell(clock(broker_ms, before_ms, wrote));
    }
    true
}

/// The broker stamped the record somewhere between its being sent and acknowledged.
#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970")]
fn clock(broker_ms: i64, before_ms: f64, took: Duration) -> Check {
    let half_ms = took.as_secs_f64() * 500.0;
    let ahead_ms = broker_ms as f64 - (before_ms + half_ms);
    let text = format!("the broker's clock is {ahead_ms:+.0} ms from this machine's, give or take {half_ms:.0} ms");
    if ahead_ms.abs() > CLOCK_LIMIT_MS + half_ms {
        // tandem's own figures come from one clock and bear it; timestamps of records do not.
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
    let producer: BaseProducer = config.create().map_err(|error| crate::kafka::settings_cause(&error))?;
    producer
        .send(BaseRecord::<(), [u8]>::to(topic).partition(0).payload(RECORD))
        .map_err(|(error, _)| error.to_string())?;
    producer.flush(RECORD_LIMIT).map_err(|error| error.to_string())
}

/// The broker's timestamp of the record.
fn read(patient: &Patient, topic: &str) -> Result<Option<i64>, String> {
    let mut config = patient.config();
    // No group is joined and nothing committed; the library wants a name all the same.
    config.set("group.id", topic).set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().map_err(|error| crate::kafka::settings_cause(&error))?;
    let mut from = TopicPartitionList::new();
    from.add_partition_offset(topic, 0, Offset::Beginning)
        .map_err(|error| error.to_string())?;
    consumer.assign(&from).map_err(|error| error.to_string())?;
    let deadline = Instant::now() + RECORD_LIMIT;
    let mut latest = String::new();
    while Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(record)) if record.payload() == Some(RECORD) => return Ok(record.timestamp().to_millis()),
            Some(Ok(_)) => return Err("the record that came back is another one".to_owned()),
            Some(Err(error)) => latest = format!(" ({error})"),
            None => {}
        }
    }
    Err(format!(
        "it did not come back within {} s{latest}",
        RECORD_LIMIT.as_secs()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_that_fails_is_told_with_what_would_mend_it() {
        let (detail, mend) = explain_login(
            "SASL authentication error: Authentication failed during authentication due to invalid credentials with \
             SASL mechanism SCRAM-SHA-512",
        );
        assert!(detail.starts_with("the broker refuses the user") && mend.contains("2.6"));
        let (detail, _) = explain_login("Unsupported SASL mechanism: broker's supported mechanisms: SCRAM-SHA-512");
        assert!(detail.starts_with("the listener does not offer"));
    }

    #[test]
    fn clocks_far_apart_are_told_and_near_ones_are_well() {
        let took = Duration::from_millis(20);
        assert_eq!(clock(100_005, 100_000.0, took).outcome, super::super::Outcome::Ok);
        assert_eq!(clock(95_000, 100_000.0, took).outcome, super::super::Outcome::Warning);
    }
}
