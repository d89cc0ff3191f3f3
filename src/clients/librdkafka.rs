//! The properties of librdkafka 2.12.1, from its CONFIGURATION.md: names, who uses them, values, and which of them need
//! what is not built in. Callbacks, which cannot be set from a file, are left out, and so is the read-only
//! `builtin.features`.

use std::sync::LazyLock;

use super::property::{Property, Use, Values, rows};

/// Properties that the client refuses under `protocol = "consumer"`, because the broker decides.
pub(crate) const REFUSED_BY_CONSUMER_PROTOCOL: &[&str] =
    &["session.timeout.ms", "heartbeat.interval.ms", "group.protocol.type"];

/// Properties that the client knows but refuses, because what they need is not built into it. A name that ends with a
/// dot stands for all that begin with it.
pub(crate) const NOT_BUILT_IN: &[(&str, &str)] = &[
    ("https.ca.", "HTTPS by libcurl"),
    ("sasl.oauthbearer.", "OpenID Connect by libcurl"),
    ("ssl.ca.certificate.stores", "Windows"),
];

/// Every property that can be set by text, sorted by name.
pub(super) static PROPERTIES: LazyLock<Vec<Property>> = LazyLock::new(|| {
    let rows = rows(include_str!("librdkafka.tsv"));
    rows.map(|[name, user, values, alias]| Property {
        name,
        user: match user {
            "consumer" => Use::Consumer,
            "producer" => Use::Producer,
            _ => Use::Both,
        },
        values: Values::read(values),
        alias_of: Some(alias).filter(|alias| !alias.is_empty()),
        default: None,
    })
    .collect()
});
