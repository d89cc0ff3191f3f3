//! Logging in as a client does, and asking for the brokers.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;

use super::check::Check;
use super::patient::Patient;
use super::rights::quoted;
use super::{credentials, listener, tls};
use crate::client_errors::is_authentication;
use crate::kafka::admin::{BrokerAddress, connect_cause, settings_cause};
use crate::wording::plural;

/// How long the first answer may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(4);

/// How long the first attempt may take; each further one twice as long.
const FIRST_ATTEMPT: Duration = Duration::from_millis(300);

/// Pause between two of the library's statistics.
const STATISTICS_PAUSE: Duration = Duration::from_millis(100);

/// How long to wait for an answer after the brokers have reported their addresses.
const SILENCE_LIMIT: Duration = Duration::from_secs(1);

/// What a cluster has reported about itself.
pub(super) struct Cluster {
    /// Its id; `None` where no request for it was answered.
    pub(super) id: Option<String>,
    /// Its brokers, by id.
    pub(super) brokers: Vec<BrokerAddress>,
}

/// Logs in and asks for the brokers.
pub(super) fn connect(patient: &Patient, report: &mut dyn FnMut(Check)) -> Option<Cluster> {
    let name = "log in".to_owned();
    match cluster(patient) {
        Ok(cluster) => {
            let who = if patient.uses_sasl() {
                format!("authenticated with {}", patient.mechanism())
            } else {
                match credentials::distinguished_name(patient).filter(|_| patient.uses_tls()) {
                    Some(name) => format!("with the certificate of {name}"),
                    None => "no user".to_owned(),
                }
            };
            let count = plural(cluster.brokers.len(), "broker");
            report(Check::ok(name, format!("{}, {who}; {count}", patient.security())));
            Some(cluster)
        }
        Err(cause) => {
            let (detail, fix) = explain(patient, &cause);
            report(Check::failed(name, detail, fix));
            None
        }
    }
}

/// A client that keeps the library's messages.
fn client(patient: &Patient) -> Result<BaseConsumer<Heard>, String> {
    let mut config = patient.config();
    config.set("statistics.interval.ms", STATISTICS_PAUSE.as_millis().to_string());
    config
        .create_with_context(Heard::default())
        .map_err(|error| settings_cause(&error))
}

/// Polls until the library has delivered its messages and one set of statistics.
fn listen(consumer: &BaseConsumer<Heard>) {
    let began = Instant::now();
    while consumer.poll(Duration::ZERO).is_some() || began.elapsed() < STATISTICS_PAUSE {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The brokers and the id; `Err` with the library's message where the login fails.
///
/// The library leaves the bootstrap addresses as soon as a broker has reported its own. Where that leads nowhere, no request
/// is answered any more, but the reported addresses are in the library's statistics.
fn cluster(patient: &Patient) -> Result<Cluster, String> {
    let consumer = client(patient)?;
    let deadline = Instant::now() + CONNECT_LIMIT;
    // One of several addresses may accept what another refuses.
    let several = patient.addresses().count() > 1;
    let mut patience = FIRST_ATTEMPT;
    let mut reported: Option<(Instant, Vec<BrokerAddress>)> = None;
    let mut id = None;
    loop {
        let limit = patience.min(deadline.saturating_duration_since(Instant::now()));
        // First of all: where an advertised address leads to another cluster, the library soon connects there and then
        // reports the id of that one.
        id = id.or_else(|| consumer.client().fetch_cluster_id(limit));
        let found = |brokers| Cluster {
            id: id.clone(),
            brokers,
        };
        let error = match consumer.fetch_metadata(None, limit) {
            Ok(metadata) => return Ok(found(BrokerAddress::of_all(&metadata))),
            Err(error) => error,
        };
        listen(&consumer);
        let heard = consumer.client().context();
        let over = Instant::now() >= deadline;
        let refusals = heard.refusals();
        if !refusals.is_empty() && (over || !several) {
            return Err(connect_cause(&refusals, &error, CONNECT_LIMIT));
        }
        if let Some(brokers) = heard.brokers() {
            let since = reported.map_or_else(Instant::now, |(since, _)| since);
            if since.elapsed() > SILENCE_LIMIT {
                return Ok(found(brokers));
            }
            reported = Some((since, brokers));
        }
        if over {
            return match reported {
                Some((_, brokers)) => Ok(found(brokers)),
                None => Err(connect_cause(&heard.said(), &error, CONNECT_LIMIT)),
            };
        }
        patience = (patience * 2).min(SILENCE_LIMIT * 2);
    }
}

/// The id of the cluster that an address leads to; `Err` with the library's message where none answers. Requests no topics:
/// a cluster may have many, and each of its brokers gets this request at the same time.
pub(super) fn cluster_id(patient: &Patient) -> Result<String, String> {
    let consumer = client(patient)?;
    let deadline = Instant::now() + CONNECT_LIMIT;
    loop {
        if let Some(id) = consumer.client().fetch_cluster_id(FIRST_ATTEMPT) {
            return Ok(id);
        }
        listen(&consumer);
        let heard = consumer.client().context();
        let over = Instant::now() >= deadline;
        let refusals = heard.refusals();
        if over || !refusals.is_empty() {
            let error = KafkaError::MetadataFetch(RDKafkaErrorCode::OperationTimedOut);
            let reasons = if refusals.is_empty() { heard.said() } else { refusals };
            return Err(connect_cause(&reasons, &error, CONNECT_LIMIT));
        }
    }
}

/// The library's messages during the login.
#[derive(Default)]
struct Heard {
    brokers: Mutex<Option<Vec<BrokerAddress>>>,
    said: Mutex<Vec<String>>,
}

impl Heard {
    fn brokers(&self) -> Option<Vec<BrokerAddress>> {
        self.brokers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, message: &str) {
        let mut messages = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        messages.push(message.to_owned());
    }

    /// Errors that waiting does not fix.
    fn refusals(&self) -> Vec<String> {
        let mut messages = self.said();
        messages.retain(|message| {
            let lower = message.to_ascii_lowercase();
            // Logged for every listener that requests a certificate and does not require it.
            if lower.contains("not sending any client certificates") {
                return false;
            }
            // Addresses have `sasl` and `ssl` in front, whatever the message says.
            let signs = [
                "authenticat",
                "mechanism handshake",
                "certificate",
                "ssl handshake failed",
            ];
            signs.iter().any(|sign| lower.contains(sign))
        });
        messages
    }
}

impl ClientContext for Heard {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, message: &str) {
        self.note(message);
    }

    fn error(&self, _error: KafkaError, reason: &str) {
        self.note(reason);
    }

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
        if !brokers.is_empty() {
            *self.brokers.lock().unwrap_or_else(PoisonError::into_inner) = Some(brokers);
        }
    }
}

impl ConsumerContext for Heard {}

/// The finding for a login that fails, and the fix.
fn explain(patient: &Patient, cause: &str) -> (String, String) {
    if is_authentication(cause) {
        return refused(patient, listener::knows_user(patient), cause);
    }
    let lower = cause.to_ascii_lowercase();
    if tls::is_refusal(&lower) {
        return tls::refused_client(patient, cause);
    }
    if lower.contains("unsupported sasl mechanism") || lower.contains("sasl.mechanism") {
        let fix = "set \"sasl.mechanism\" under [cluster.client] to one that the listener offers and this client can: \
                    PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512";
        return (cause.to_owned(), fix.to_owned());
    }
    let fix = "see the broker's log for the connection from this machine";
    (cause.to_owned(), fix.to_owned())
}

/// A user whom the broker does not let in. `known` is whether it has a SCRAM password of the user at all.
fn refused(patient: &Patient, known: Option<bool>, cause: &str) -> (String, String) {
    let mechanism = patient.mechanism();
    let user = patient.user.as_deref();
    let named = user.map_or_else(
        || "the user of \"sasl.username\"".to_owned(),
        |user| format!("user {user}"),
    );
    match known {
        Some(false) => {
            let detail = format!("{named} is unknown: the broker has no {mechanism} password of it ({cause})");
            let who = user.map_or_else(|| "<user>".to_owned(), quoted);
            let fix = format!(
                "check \"sasl.username\", or make the user: kafka-configs --alter --add-config \
                 '{mechanism}=[password=...]' --entity-type users --entity-name {who}"
            );
            (detail, fix)
        }
        Some(true) => {
            let detail = format!("the password is wrong: the broker knows {named}, but not this password ({cause})");
            let fix = "check the variable or the file that holds \"sasl.password\"".to_owned();
            (detail, fix)
        }
        None => {
            let detail = format!("the broker refuses {named} or the password, and does not say which ({cause})");
            let fix = format!(
                "check \"sasl.username\", the variable or the file that holds \"sasl.password\", and that the user exists \
                 for {mechanism}"
            );
            (detail, fix)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::scenario::{ClusterSource, ClusterSpec, PropertyValue};

    fn patient() -> Patient {
        let property = |name: &str, value: &str| (name.to_owned(), PropertyValue::Literal(value.to_owned()));
        let spec = ClusterSpec {
            source: ClusterSource::Bootstrap("kafka:9092".into()),
            client: [
                property("security.protocol", "sasl_ssl"),
                property("sasl.mechanism", "SCRAM-SHA-512"),
                property("sasl.username", "reader"),
            ]
            .into(),
            ..ClusterSpec::default()
        };
        Patient::new(&spec, "kafka:9092").unwrap()
    }

    #[test]
    fn an_unknown_user_a_wrong_password_and_either_are_distinguished() {
        let cause = "SASL authentication error: Authentication failed during authentication due to invalid credentials";
        assert!(is_authentication(cause));
        let (detail, fix) = refused(&patient(), Some(false), cause);
        assert!(detail.starts_with("user reader is unknown") && fix.contains("--entity-name reader"));
        let (detail, _) = refused(&patient(), Some(true), cause);
        assert!(detail.starts_with("the password is wrong: the broker knows user reader"));
        let (detail, _) = refused(&patient(), None, cause);
        assert!(detail.contains("does not say which"));
        let hidden = Patient {
            user: None,
            ..patient()
        };
        assert!(
            !refused(&hidden, Some(false), cause).0.contains("reader"),
            "a hidden name"
        );
    }

    #[test]
    fn only_errors_that_waiting_does_not_fix_are_refusals() {
        let heard = Heard::default();
        heard.note("[thrd:sasl_ssl://kafka:9092/bootstrap]: Connect to ipv6#[::1]:9092 failed: Connection refused");
        assert_eq!(heard.refusals(), Vec::<String>::new());
        heard.note("sasl_ssl://kafka:9092/bootstrap: SASL authentication error: Authentication failed");
        assert_eq!(heard.refusals().len(), 1);
    }
}
