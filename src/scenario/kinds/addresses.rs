//! Kinds of text with a form: addresses, versions, and names of groups and processors.

use serde_json::{Value, json};

use super::basic::Form;
use super::kind::{Kind, Refusal};
use crate::scenario::document::Node;
use crate::scenario::kafka_version::{KafkaVersion, VERSION_ALLOWED, VERSION_PATTERN};

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

/// Processors, as `taskset -c` takes them.
pub(crate) enum Processors {}

impl Form for Processors {
    const ALLOWED: &'static str = "processors in quotes as `taskset -c` takes them, such as \"0\", \"0,2\" or \"0-3\"";
    const PATTERN: &'static str = "^[0-9]{1,4}(-[0-9]{1,4})?(,[0-9]{1,4}(-[0-9]{1,4})?)*$";

    fn fits(text: &str) -> bool {
        let number = |part: &str| {
            let plain = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| part.parse::<u32>().ok()).flatten()
        };
        text.split(',').all(|range| match range.split_once('-') {
            None => number(range).is_some(),
            Some((first, last)) => matches!((number(first), number(last)), (Some(a), Some(b)) if a <= b),
        })
    }
}
