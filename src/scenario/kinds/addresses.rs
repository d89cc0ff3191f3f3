//! Kinds of text with a form: addresses, versions, processors, and names of groups and listeners.

use serde_json::{Value, json};

use super::basic::Form;
use super::kind::{Kind, Refusal};
use crate::scenario::document::Node;
use crate::scenario::kafka_version::{KafkaVersion, VERSION_ALLOWED, VERSION_PATTERN};
use crate::scenario::model::processors;

impl Kind for KafkaVersion {
    type Value = KafkaVersion;

    fn allowed() -> String {
        VERSION_ALLOWED.to_owned()
    }

    fn read(node: &Node<'_>) -> Result<KafkaVersion, Refusal> {
        let version = node.get_ref().as_str().and_then(|text| text.parse().ok());
        version.ok_or_else(Refusal::of::<Self>)
    }

    fn text(value: &KafkaVersion) -> String {
        value.to_string()
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": VERSION_PATTERN })
    }
}

/// The start of names of topics and groups.
pub(crate) enum Prefix {}

impl Form for Prefix {
    const ALLOWED: &'static str =
        "1 to 100 of the characters that topics' names may have: letters, digits, `.`, `_`, `-`";
    const PATTERN: &'static str = "^[A-Za-z0-9._-]{1,100}$";

    fn fits(text: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        (1..=100).contains(&text.len()) && text.bytes().all(allowed)
    }
}

/// The name of a topic that is made.
pub(crate) enum TopicName {}

impl Form for TopicName {
    const ALLOWED: &'static str = "the name of a topic: 1 to 249 of letters, digits, `.`, `_`, `-`";
    const PATTERN: &'static str = "^[A-Za-z0-9._-]{1,249}$";

    fn fits(text: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        (1..=249).contains(&text.len()) && text.bytes().all(allowed) && !matches!(text, "." | "..")
    }
}

/// The name of a group.
pub(crate) enum GroupName {}

impl Form for GroupName {
    const ALLOWED: &'static str = "the name of a group: 1 to 249 characters without spaces or control characters";
    const PATTERN: &'static str = r"^\S{1,249}$";

    fn fits(text: &str) -> bool {
        let refused = |c: char| c.is_whitespace() || c.is_control();
        (1..=249).contains(&text.chars().count()) && !text.contains(refused)
    }
}

/// Addresses of brokers.
pub(crate) enum Bootstrap {}

impl Form for Bootstrap {
    const ALLOWED: &'static str = "one or more host:port, with commas between them";
    const PATTERN: &'static str = r"^[^\s,]+:[0-9]{1,5}(,[^\s,]+:[0-9]{1,5})*$";

    fn fits(text: &str) -> bool {
        text.split(',').all(|address| {
            let Some((host, port)) = address.rsplit_once(':') else {
                return false;
            };
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            let port = digits && port.parse::<u16>().is_ok_and(|port| port > 0);
            port && !host.is_empty() && !host.contains(char::is_whitespace)
        })
    }
}

/// Processors of this machine, as the kernel lists them.
pub(crate) enum Processors {}

impl Form for Processors {
    const ALLOWED: &'static str = "processors in quotes, such as \"0\", \"0,2\" or \"0-3\"";
    const PATTERN: &'static str = "^[0-9]{1,4}(-[0-9]{1,4})?(,[0-9]{1,4}(-[0-9]{1,4})?)*$";

    fn fits(text: &str) -> bool {
        processors(text).is_some()
    }
}

/// A host as OpenSSH takes it.
pub(crate) enum SshTarget {}

impl Form for SshTarget {
    const ALLOWED: &'static str =
        "a host in quotes as OpenSSH takes it, such as \"user@host\" or a Host of ~/.ssh/config";
    const PATTERN: &'static str = "^[A-Za-z0-9_.\\[:/][A-Za-z0-9_.@:/%+\\[\\]-]{0,299}$";

    fn fits(text: &str) -> bool {
        let begins = text.starts_with(|first: char| first.is_ascii_alphanumeric() || "_.[:/".contains(first));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.@:/%+[]-".contains(&byte);
        begins && text.len() <= 300 && text.bytes().all(allowed)
    }
}

/// The name or the address of a host.
pub(crate) enum HostName {}

impl Form for HostName {
    const ALLOWED: &'static str = "a host in quotes without a port, such as \"10.0.0.5\" or \"build.example\"";
    const PATTERN: &'static str = "^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$";

    fn fits(text: &str) -> bool {
        let ends = |end: Option<&u8>| end.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = text.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
        ends(bytes.first()) && ends(bytes.last()) && bytes.len() <= 253 && bytes.iter().all(allowed)
    }
}

/// The name of a listener of brokers.
pub(crate) enum ListenerName {}

/// Listeners that the brokers of tandem have for themselves.
const RESERVED_LISTENERS: [&str; 3] = ["CONTROLLER", "HOSTS", "INTERNAL"];

impl Form for ListenerName {
    const ALLOWED: &'static str = "a name in capitals, such as \"OUTSIDE\": letters, digits, `_` and `-`; `CONTROLLER`, \
                                   `HOSTS` and `INTERNAL` are taken by brokers that tandem starts";
    const PATTERN: &'static str = "^(?!(CONTROLLER|HOSTS|INTERNAL)$)[A-Z][A-Z0-9_-]{0,99}$";

    fn fits(text: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        let begins = text.starts_with(|first: char| first.is_ascii_uppercase());
        begins && text.len() <= 100 && text.bytes().all(allowed) && !RESERVED_LISTENERS.contains(&text)
    }
}
