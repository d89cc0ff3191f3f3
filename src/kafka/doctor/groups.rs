//! Joining a group by the classic protocol and by KIP-848's.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::runtime::Runtime;

use super::probe::Client;
use super::{Check, Patient};

/// How long a lone member may take to get its partition. A new member of a classic group waits 3 s by default.
const JOIN_LIMIT: Duration = Duration::from_secs(8);

/// Joins a group by either protocol and deletes it again.
pub(super) fn join(patient: &Patient, client: &Client, runtime: &Runtime, topic: &str, tell: &mut dyn FnMut(Check)) {
    for protocol in ["classic", "consumer"] {
        let name = format!("join a group ({protocol} protocol)");
        let group = patient.group.clone().unwrap_or_else(|| format!("{topic}-{protocol}"));
        if patient.group.is_some() && !is_free(client, runtime, &group, &name, tell) {
            continue;
        }
        let began = Instant::now();
        match assigned(patient, &group, protocol, topic) {
            Ok(()) => {
                let took = began.elapsed().as_secs_f64();
                tell(Check::ok(name, format!("has its partition after {took:.1} s")));
            }
            Err(cause) if protocol == "consumer" && !cause.denied => {
                let detail = format!("{}: protocol = \"consumer\" cannot be measured here", cause.text);
                tell(Check::warning(name, detail));
            }
            Err(cause) => {
                let mend = if cause.denied {
                    match &patient.group {
                        Some(group) => format!("grant Read on the group {group:?}, or name another in [consumer]"),
                        None => format!(
                            "grant Read on groups that start with {:?}, or set another [cluster] prefix",
                            patient.prefix
                        ),
                    }
                } else {
                    "see the broker's log: does the topic of group offsets have its replicas?".to_owned()
                };
                tell(Check::failed(name, cause.text, mend));
            }
        }
        if patient.group.is_some() {
            // It is the user's.
            continue;
        }
        // A group that nobody made needs no deleting, and one that may not be deleted expires.
        if let Err(error) = runtime.block_on(client.admin.delete_groups(std::slice::from_ref(&group)))
            && super::probe::is_permission(&error)
        {
            let detail = format!("{group} stays until it expires: no right to delete it");
            tell(Check::warning("delete a group", detail));
        }
    }
}

/// True where nobody is in a group that is the user's: joining it would disturb whoever is.
fn is_free(client: &Client, runtime: &Runtime, group: &str, name: &str, tell: &mut dyn FnMut(Check)) -> bool {
    let members = match runtime.block_on(client.admin.describe_group(group)) {
        Ok(description) => description.members,
        Err(error) => {
            let mend = format!("grant Describe on the group {group:?}, or name another in [consumer]");
            tell(Check::failed(name, error.to_string(), mend));
            return false;
        }
    };
    let clients = members.iter().map(|member| member.client_id.as_str());
    // The doctor's own from a moment ago may still be leaving.
    let clients: Vec<&str> = clients.filter(|client| *client != super::probe::CLIENT_ID).collect();
    if clients.is_empty() {
        return true;
    }
    let detail = format!("the group {group} has members: {}", clients.join(", "));
    tell(Check::failed(
        name,
        detail,
        "end them, or name another group in [consumer]",
    ));
    false
}

/// Why no partition was assigned.
struct Cause {
    text: String,
    /// For want of a permission.
    denied: bool,
}

fn assigned(patient: &Patient, group: &str, protocol: &str, topic: &str) -> Result<(), Cause> {
    let other = |text: String| Cause { text, denied: false };
    let mut config = patient.config();
    config
        .set("group.id", group)
        .set("group.protocol", protocol)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = config
        .create()
        .map_err(|error| other(crate::kafka::settings_cause(&error)))?;
    consumer.subscribe(&[topic]).map_err(|error| other(error.to_string()))?;
    let deadline = Instant::now() + JOIN_LIMIT;
    let mut latest = String::new();
    while Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(50)) {
            Some(Err(KafkaError::MessageConsumption(code))) if is_denied(code) => {
                return Err(Cause {
                    text: code.to_string(),
                    denied: true,
                });
            }
            Some(Err(error)) => latest = format!(" ({error})"),
            Some(Ok(_)) | None => {}
        }
        if consumer.assignment().is_ok_and(|assignment| assignment.count() > 0) {
            return Ok(());
        }
    }
    Err(other(format!("no partition within {} s{latest}", JOIN_LIMIT.as_secs())))
}

fn is_denied(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::GroupAuthorizationFailed | RDKafkaErrorCode::TopicAuthorizationFailed
    )
}
