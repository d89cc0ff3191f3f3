//! Kinds of value of places with pods: what Kubernetes takes, read so that it cannot refuse it later.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::basic::Form;
use super::kind::{Kind, Refusal};
use super::limits::{Cores, Memory};
use crate::scenario::document::{Node, entries};
use crate::scenario::model::PlaceLimits;
use crate::scenario::suggest::did_you_mean;

/// The name of an image.
pub(crate) enum ImageName {}

impl Form for ImageName {
    const ALLOWED: &'static str = "the name of an image in quotes, such as \"registry.example/tandem:slim\"";
    const PATTERN: &'static str = "^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,499}$";

    fn fits(text: &str) -> bool {
        let begins = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@-".contains(&byte);
        begins && text.len() <= 500 && text.bytes().all(allowed)
    }
}

/// The name of a namespace.
pub(crate) enum Namespace {}

impl Form for Namespace {
    const ALLOWED: &'static str = "the name of a namespace: 1 to 63 lower-case letters, digits and `-`";
    const PATTERN: &'static str = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";

    fn fits(text: &str) -> bool {
        let end = |end: Option<&u8>| end.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = text.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        (1..=63).contains(&bytes.len()) && end(bytes.first()) && end(bytes.last()) && bytes.iter().all(allowed)
    }
}

/// Labels with the value of each.
pub(crate) enum Labels {}

/// The characters of names and values of labels, the slash of a prefix left out.
fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let end = |end: Option<char>| end.is_some_and(|end| end.is_ascii_alphanumeric());
    text.len() <= 63 && text.bytes().all(allowed) && end(text.chars().next()) && end(text.chars().next_back())
}

fn is_label_name(name: &str) -> bool {
    match name.split_once('/') {
        Some((prefix, name)) => {
            let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
            (1..=253).contains(&prefix.len()) && prefix.bytes().all(allowed) && is_label(name)
        }
        None => is_label(name),
    }
}

impl Kind for Labels {
    type Value = BTreeMap<String, String>;

    fn allowed() -> String {
        "a table of labels with texts, such as { \"kubernetes.io/os\" = \"linux\" }".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<BTreeMap<String, String>, Refusal> {
        let table = node.get_ref().as_table().ok_or_else(Refusal::of::<Self>)?;
        let mut labels = BTreeMap::new();
        for entry in entries(table) {
            let refused = |help: String| Refusal::of::<Self>().at(entry.value).help(Some(help));
            if entry.value.get_ref().is_table() {
                return Err(refused(format!(
                    "a name with a dot stands in quotes: \"{}....\"",
                    entry.key
                )));
            }
            if !is_label_name(entry.key) {
                return Err(refused(format!("{:?} is no name of a label", entry.key)));
            }
            let value = entry
                .value
                .get_ref()
                .as_str()
                .filter(|text| text.is_empty() || is_label(text));
            let value = value
                .ok_or_else(|| refused("a value is a text of up to 63 letters, digits, `-`, `_`, `.`".to_owned()))?;
            labels.insert(entry.key.to_owned(), value.to_owned());
        }
        Ok(labels)
    }

    fn text(value: &BTreeMap<String, String>) -> String {
        let pairs = value.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join(",")
    }

    fn schema() -> Value {
        json!({ "type": "object", "additionalProperties": { "type": "string", "pattern": "^[A-Za-z0-9._-]{0,63}$" } })
    }
}

/// An amount of CPU, of memory, or of both.
pub(crate) enum Resources {}

const CPU: &str = "cpu";
const MEMORY: &str = "memory";

impl Kind for Resources {
    type Value = PlaceLimits;

    fn allowed() -> String {
        "a table such as { cpu = 0.5, memory = \"512MiB\" }, or one of the two: cores, and memory with its unit"
            .to_owned()
    }

    fn read(node: &Node<'_>) -> Result<PlaceLimits, Refusal> {
        let table = node.get_ref().as_table().filter(|table| !table.is_empty());
        let mut read = PlaceLimits::default();
        for entry in entries(table.ok_or_else(Refusal::of::<Self>)?) {
            let of_part = |refusal: Refusal| refusal.at(entry.value);
            match entry.key {
                CPU => read.cpu_millicores = Some(Cores::read(entry.value).map_err(of_part)?),
                MEMORY => read.memory_bytes = Some(Memory::read(entry.value).map_err(of_part)?),
                other => {
                    let help = did_you_mean(other, [CPU, MEMORY]);
                    let help = help.or_else(|| Some(format!("there is no resource {other:?} here")));
                    return Err(Refusal::of::<Self>().at(entry.value).help(help));
                }
            }
        }
        Ok(read)
    }

    fn text(value: &PlaceLimits) -> String {
        let cpu = value.cpu_millicores.map(|cpu| format!("{CPU} {}", Cores::text(&cpu)));
        let memory = value
            .memory_bytes
            .map(|bytes| format!("{MEMORY} {}", Memory::text(&bytes)));
        cpu.into_iter().chain(memory).collect::<Vec<_>>().join(", ")
    }

    fn schema() -> Value {
        json!({ "type": "object", "minProperties": 1, "additionalProperties": false,
            "properties": { CPU: Cores::schema(), MEMORY: Memory::schema() } })
    }
}

#[cfg(test)]
mod tests {
    use super::{is_label, is_label_name};

    #[test]
    fn labels_are_as_kubernetes_takes_them() {
        for name in [
            "disk",
            "kubernetes.io/hostname",
            "a_b.c-d",
            "node-role.kubernetes.io/worker",
        ] {
            assert!(is_label_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "a b", "/a", "a/", "A/b", "a/b/c", "ä"] {
            assert!(!is_label_name(name), "{name}");
        }
        assert!(is_label("ssd") && !is_label("a b") && !is_label(&"a".repeat(64)));
    }
}
