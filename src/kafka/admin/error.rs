//! Errors of a cluster. They name the address, the action and the cause, and never a value that may be secret.

use std::time::Duration;

use rdkafka::error::KafkaError;

/// An error between tandem and a cluster.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AdminError {
    /// The library refuses a client property, before anything was sent.
    #[error("the client settings are refused: {0}")]
    Settings(String),
    /// No broker answered.
    #[error("no broker answers at {bootstrap}: {cause}")]
    Unreachable {
        /// The addresses tried.
        bootstrap: String,
        /// The client library's message.
        cause: String,
    },
    /// A broker answered, by refusing or failing.
    #[error("cannot {action}: {cause}")]
    Refused {
        /// The action, with names.
        action: String,
        /// The message of the broker or the library.
        cause: String,
    },
}

impl AdminError {
    pub(in crate::kafka) fn refused(action: impl Into<String>, cause: &impl ToString) -> Self {
        AdminError::Refused {
            action: action.into(),
            cause: cause.to_string(),
        }
    }
}

/// Names the property without its value, which may be a secret.
pub fn settings_cause(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(_, description, name, _) => format!("{name}: {description}"),
        other => other.to_string(),
    }
}

/// The client library's most specific message about a connection that fails.
pub(in crate::kafka) fn connect_cause(messages: &[String], error: &KafkaError, limit: Duration) -> String {
    let specific = [
        "refused",
        "resolve",
        "authentication",
        "SASL",
        "SSL",
        "certificate",
        "unreachable",
        "timed out",
    ];
    let found = specific
        .iter()
        .find_map(|word| messages.iter().rev().find(|message| message.contains(word)));
    if let Some(message) = found.or(messages.last()) {
        return shorten_message(message);
    }
    let code = error
        .rdkafka_error_code()
        .map_or_else(|| error.to_string(), |code| code.to_string());
    format!("{code} (waited {} s)", limit.as_secs())
}

/// Removes the library's thread name and timing from a message.
fn shorten_message(message: &str) -> String {
    let message = message
        .strip_prefix("[thrd:")
        .and_then(|rest| rest.split_once("]: "))
        .map_or(message, |(_, m)| m);
    let message = message.split_once(" (after ").map_or(message, |(start, _)| start);
    message.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::shorten_message;

    #[test]
    fn a_library_message_loses_its_thread_name_and_timing() {
        let message = "[thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: \
                       Connection refused (after 0ms in state CONNECT)";
        assert_eq!(
            shorten_message(message),
            "127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused"
        );
    }
}
