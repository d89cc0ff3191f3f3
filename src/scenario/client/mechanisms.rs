//! Authentication that this build of the client has: what asks for another kind is refused before anything starts.

use toml::de::DeValue;

use super::table::{Clients, canonical};
use crate::clients::features;
use crate::scenario::document::{Entry, Node};
use crate::scenario::problem::Problem;
use crate::scenario::suggest::{any_value, did_you_mean_value};

/// Features of the library with the mechanisms that they bring.
const MECHANISMS: &[(&str, &[&str])] = &[
    ("sasl_gssapi", &["GSSAPI"]),
    ("sasl_plain", &["PLAIN"]),
    ("sasl_scram", &["SCRAM-SHA-256", "SCRAM-SHA-512"]),
];

/// The mechanism that needs tokens. This program cannot get any; the library can make unsigned ones.
const BY_TOKEN: &str = "OAUTHBEARER";
const UNSIGNED_TOKENS: &str = "enable.sasl.oauthbearer.unsecure.jwt";

/// The mechanisms that the library has.
pub(crate) fn built_in() -> Vec<&'static str> {
    let features = features();
    let has = |feature: &str| features.split(',').any(|built_in| built_in == feature);
    let known = MECHANISMS.iter().filter(|(feature, _)| has(feature));
    known.flat_map(|(_, mechanisms)| mechanisms.iter().copied()).collect()
}

/// What cannot work among the properties of one table.
pub(crate) fn check(properties: &[Entry<'_>], clients: Clients) -> Vec<Problem> {
    let of_mechanisms = |entry: &&Entry<'_>| canonical(entry.key) == "sasl.mechanisms";
    let mut problems = Vec::new();
    for entry in properties.iter().filter(of_mechanisms) {
        let values: Vec<&Node<'_>> = match entry.value.get_ref() {
            DeValue::Array(list) => list.iter().collect(),
            _ => vec![entry.value],
        };
        let unsigned = properties.iter().any(|other| other.key == UNSIGNED_TOKENS);
        problems.extend(
            values
                .into_iter()
                .filter_map(|value| mechanism(entry.key, value, unsigned)),
        );
    }
    if clients == Clients::All && !properties.iter().any(|entry| of_mechanisms(&entry)) {
        problems.extend(properties.iter().find_map(without_mechanism));
    }
    problems
}

fn mechanism(key: &str, value: &Node<'_>, unsigned: bool) -> Option<Problem> {
    let name = value.get_ref().as_str()?;
    let built_in = built_in();
    if built_in.contains(&name) || name == BY_TOKEN && unsigned {
        return None;
    }
    let message = format!("`{key}` cannot be {name:?} here");
    let allowed = format!("must be {}, which this client has", any_value(built_in.iter().copied()));
    let help = match name {
        "GSSAPI" => {
            Some("this client has no Kerberos: use a listener of the cluster with another mechanism".to_owned())
        }
        "AWS_MSK_IAM" => Some(
            "only Java clients sign in by IAM: the SCRAM listeners of MSK, port 9096, take SCRAM-SHA-512".to_owned(),
        ),
        BY_TOKEN => Some(format!(
            "this client gets no tokens by OpenID Connect: use a listener of the cluster with another mechanism; \
             \"{UNSIGNED_TOKENS}\" = true makes unsigned tokens, for brokers that take those"
        )),
        other => did_you_mean_value(other, built_in.iter().copied()),
    };
    Some(Problem::new(value.span(), message, allowed).maybe_help(help))
}

/// A protocol with users, whose mechanism would be the library's default: Kerberos.
fn without_mechanism(entry: &Entry<'_>) -> Option<Problem> {
    let protocol = entry
        .value
        .get_ref()
        .as_str()
        .filter(|_| entry.key == "security.protocol")?;
    protocol.to_ascii_lowercase().starts_with("sasl").then_some(())?;
    let allowed = format!("\"sasl.mechanism\" must be given: {}", any_value(built_in()));
    Some(Problem::new(
        entry.value.span(),
        format!("{protocol:?} needs a mechanism"),
        allowed,
    ))
}
