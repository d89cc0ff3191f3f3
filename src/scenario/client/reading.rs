//! Reads and checks client properties of a scenario file.

use toml::de::DeValue;

use super::advice::advice;
use super::table::{Clients, may_stand, names, owned};
use super::values::{Values, text_of};
use crate::clients::{ClientKind, Use};
use crate::scenario::document::{Entry, Node, describe, entries};
use crate::scenario::model::PropertyValue;
use crate::scenario::problem::Problem;
use crate::scenario::secrets::{is_secret, is_suspicious};
use crate::scenario::suggest::nearest;

/// Checks the name of a property in a client table.
pub(crate) fn check_name(entry: &Entry<'_>, clients: Clients) -> Result<(), Problem> {
    let name = entry.key;
    let refused = |message: String, allowed: &str| Err(Problem::new(entry.key_span.clone(), message, allowed));
    let Some(property) = clients.kind().property(name) else {
        return Err(unknown(entry, clients));
    };
    if let Some(instead) = owned(name, clients) {
        return refused(format!("`{name}` is set by tandem itself"), instead);
    }
    if let Some(needs) = clients.kind().missing(name) {
        return refused(
            format!("`{name}` cannot be used here"),
            &format!("needs {needs}, which this client has not"),
        );
    }
    if may_stand(property, clients) {
        return Ok(());
    }
    if clients == Clients::Filling {
        let whose = match property.user {
            Use::Consumer => "consumers",
            Use::Producer | Use::Both => "every client",
        };
        let message = format!("`{name}` is a property of {whose}");
        return refused(
            message,
            "[dataset.client] has what producers alone have; [consumer.client] and [cluster.client] have the rest",
        );
    }
    if clients == Clients::Load {
        let message = format!("`{name}` is a property of consumers");
        return refused(message, "producers do not use it; consumers' go into [consumer.client]");
    }
    refused(
        format!("`{name}` is a property of producers"),
        "consumers do not use it; producers of load have [load.client], those that fill a data set [dataset.client]",
    )
}

/// An unknown name: of another client, misspelt, or dotted without quotes, which TOML takes for tables within tables.
fn unknown(entry: &Entry<'_>, clients: Clients) -> Problem {
    let dotted = dotted_name(entry);
    let name = dotted.as_ref().map_or(entry.key, |(name, _)| name);
    let kind = clients.kind();
    let known = advice(name, clients);
    let meant = nearest(name, names(clients).chain(kind.foreign_names())).filter(|meant| *meant != name);
    let meant = meant.filter(|_| known.is_none());
    let of_other = meant
        .and_then(|meant| advice(meant, clients))
        .map_or(String::new(), |advice| format!(" {advice}"));
    if let Some((name, end)) = &dotted {
        let quoted = match meant {
            Some(property) => format!("did you mean \"{property}\", with quotes?{of_other}"),
            None => known.unwrap_or_else(|| format!("write \"{name}\" = ...")),
        };
        return without_quotes(entry, name, *end).help(quoted);
    }
    let message = format!("the client has no property `{name}`");
    let help = known.or(meant.map(|meant| format!("did you mean `{meant}`?{of_other}")));
    let allowed = format!("no such property in {}", kind.title());
    Problem::new(entry.key_span.clone(), message, allowed).maybe_help(help)
}

/// A property with its prefix in `[matrix]` or a case whose dots, for want of quotes, made tables of it.
pub(crate) fn prefixed_without_quotes(entry: &Entry<'_>) -> Option<Problem> {
    let (name, end) = dotted_name(entry)?;
    Some(without_quotes(entry, &name, end).help(format!("write \"{name}\" = ...")))
}

pub(crate) fn without_quotes(entry: &Entry<'_>, name: &str, end: usize) -> Problem {
    let message = format!("{name} has dots, so it needs quotes");
    Problem::new(entry.key_span.start..end, message, "must be quoted")
}

/// The full name of a key that TOML read as tables because of its dots, and where it ends.
pub(crate) fn dotted_name(entry: &Entry<'_>) -> Option<(String, usize)> {
    let mut name = entry.key.to_owned();
    let mut end = entry.key_span.end;
    let mut value = entry.value;
    while let Some(table) = value.get_ref().as_table() {
        let inner = entries(table).into_iter().next()?;
        if ["env", "file"].contains(&inner.key) && table.len() == 1 && inner.value.get_ref().is_str() {
            break;
        }
        name.push('.');
        name.push_str(inner.key);
        end = inner.key_span.end;
        value = inner.value;
    }
    (end != entry.key_span.end).then_some((name, end))
}

/// Reads the value of a property of this client whose name has been checked, or of a client that nobody knows.
pub(crate) fn read_value(kind: Option<ClientKind>, name: &str, node: &Node<'_>) -> Result<PropertyValue, Problem> {
    if let DeValue::Table(table) = node.get_ref() {
        let only = |key: &str| table.get(key).filter(|_| table.len() == 1)?.get_ref().as_str();
        if let Some(env) = only("env").filter(|env| is_variable_name(env)) {
            return Ok(PropertyValue::Environment { env: env.to_owned() });
        }
        if let Some(file) = only("file").filter(|file| is_path(file)) {
            return Ok(PropertyValue::File { file: file.to_owned() });
        }
        let message = format!("`{name}` cannot be this table");
        let allowed = "must be { env = \"NAME\" }, the name of an environment variable, or { file = \"PATH\" }";
        return Err(Problem::new(node.span(), message, allowed));
    }
    if is_secret(name) {
        let message = format!("`{name}` is a secret and cannot stand in the file");
        let allowed = format!(
            "write \"{name}\" = {{ env = \"NAME\" }} and set that environment variable, or {{ file = \"PATH\" }}"
        );
        return Err(Problem::new(node.span(), message, allowed));
    }
    let property = kind.and_then(|kind| kind.property(name));
    let values = property.map_or(Values::Text, |property| property.values);
    // One of several names may be written in another spelling, such as `READ_COMMITTED` or `True`.
    let is_named = matches!(values, Values::Boolean | Values::OneOf(_));
    let spelled = || kind?.spelled(name, &text_of(node).filter(|_| is_named)?);
    let literal = values.literal(node).or_else(spelled);
    literal.map(PropertyValue::Literal).ok_or_else(|| {
        let value = if is_suspicious(name) {
            "this value".to_owned()
        } else {
            describe(node)
        };
        Problem::new(
            node.span(),
            format!("`{name}` cannot be {value}"),
            format!("must be {}", values.allowed()),
        )
    })
}

pub(crate) fn is_variable_name(name: &str) -> bool {
    let first = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_path(path: &str) -> bool {
    !path.is_empty() && !path.contains('\0')
}

/// What a scenario keeps of a value in the syntax of the file.
#[cfg(test)]
pub(crate) fn read_property(name: &str, value: &str) -> Option<String> {
    let text = format!("x = {value}");
    let (document, _) = toml::de::DeTable::parse_recoverable(&text);
    match read_value(Some(ClientKind::Librdkafka), name, document.get_ref().get("x")?).ok()? {
        PropertyValue::Literal(value) => Some(value),
        PropertyValue::Environment { .. } | PropertyValue::File { .. } => None,
    }
}
