//! What the client library itself says of properties and of what is built into it.

use rdkafka::ClientConfig;

/// A value in the library's own spelling, such as `read_committed` for `READ_COMMITTED`; `None` if the library refuses it.
pub(super) fn spelled(name: &str, value: &str) -> Option<String> {
    let config = ClientConfig::new().set(name, value).create_native_config().ok()?;
    config.get(name).ok()
}

/// The default of a property.
pub(super) fn default_of(name: &str) -> Option<String> {
    ClientConfig::new().create_native_config().ok()?.get(name).ok()
}

/// The features that the library was built with, by its names for them and separated by commas.
pub(crate) fn features() -> String {
    let config = ClientConfig::new().create_native_config();
    config
        .and_then(|config| config.get("builtin.features"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::librdkafka::{PROPERTIES, REFUSED_BY_CONSUMER_PROTOCOL};
    use crate::clients::{ClientKind, Property, Values};
    use crate::scenario::{built_in_mechanisms, read_property};

    fn missing(name: &str) -> Option<&'static str> {
        ClientKind::Librdkafka.missing(name)
    }

    /// Why the client refuses the property, given a value of its kind.
    fn refusal(property: &Property) -> Option<String> {
        let value = match property.values {
            Values::Integer(_, max) => max.to_string(),
            Values::WordOrInteger(word, ..) => word.to_owned(),
            Values::Boolean => "true".to_owned(),
            Values::OneOf(names) | Values::SomeOf(names) => names[0].to_owned(),
            Values::Text => "/dev/null".to_owned(),
        };
        let mut config = ClientConfig::new();
        let refused = config.set(property.name, value).create_native_config().err()?;
        Some(format!("{}: {refused}", property.name))
    }

    #[test]
    fn the_client_accepts_every_property_of_the_list_that_is_built_in() {
        // A plugin would have to exist.
        let built_in =
            |property: &&Property| missing(property.name).is_none() && property.name != "plugin.library.paths";
        let refused: Vec<String> = PROPERTIES.iter().filter(built_in).filter_map(refusal).collect();
        assert!(refused.is_empty(), "{refused:#?}");
    }

    #[test]
    fn the_client_refuses_what_is_said_not_to_be_built_in() {
        let without = PROPERTIES.iter().filter(|property| missing(property.name).is_some());
        let accepted: Vec<&str> = without
            .filter(|property| refusal(property).is_none())
            .map(|property| property.name)
            .collect();
        assert!(accepted.is_empty(), "{accepted:?}");
    }

    /// What a scenario makes of a value of the file.
    fn taken(name: &str, value: &str) -> Option<String> {
        read_property(name, value)
    }

    #[test]
    fn values_are_taken_as_the_client_takes_them_and_kept_in_its_own_spelling() {
        let literal = |text: &str| Some(text.to_owned());
        assert_eq!(taken("acks", "\"all\""), literal("all"));
        assert_eq!(taken("acks", "-1"), literal("-1"));
        assert_eq!(taken("security.protocol", "\"SASL_SSL\""), literal("sasl_ssl"));
        assert_eq!(
            taken("isolation.level", "\"READ_COMMITTED\""),
            literal("read_committed")
        );
        assert_eq!(taken("check.crcs", "\"True\""), literal("true"));
        assert_eq!(taken("compression.type", "\"LZ4\""), literal("lz4"));
        for (name, value) in [
            ("acks", "\"most\""),
            ("check.crcs", "\"yes\""),
            ("isolation.level", "\"committed\""),
            ("linger.ms", "\"5ms\""),
        ] {
            assert_eq!(taken(name, value), None, "{name} = {value}");
        }
    }

    #[test]
    fn every_value_of_the_list_is_taken_in_capitals_where_the_client_does() {
        for property in PROPERTIES.iter().filter(|property| missing(property.name).is_none()) {
            let Values::OneOf(names) = property.values else {
                continue;
            };
            for name in names {
                let capitals = name.to_uppercase();
                let mut config = ClientConfig::new();
                let client_takes = config.set(property.name, &capitals).create_native_config().is_ok();
                let taken = taken(property.name, &format!("{capitals:?}")).is_some();
                assert_eq!(taken, client_takes, "{} = {capitals}", property.name);
            }
        }
    }

    /// Whether the library makes a client with this mechanism.
    fn makes_client(mechanism: &str) -> bool {
        let mut config = ClientConfig::new();
        config
            .set("security.protocol", "sasl_plaintext")
            .set("sasl.mechanism", mechanism)
            .set("sasl.username", "u")
            .set("sasl.password", "p")
            .set("group.id", "g");
        config.create::<rdkafka::consumer::BaseConsumer>().is_ok()
    }

    #[test]
    fn the_library_has_the_mechanisms_that_are_named_and_not_those_that_are_refused() {
        let built_in = built_in_mechanisms();
        assert_eq!(built_in, ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]);
        assert!(built_in.into_iter().all(makes_client));
        assert!(!["GSSAPI", "AWS_MSK_IAM", "plain"].into_iter().any(makes_client));
    }

    #[test]
    fn the_list_is_sorted_and_names_are_unique() {
        assert!(PROPERTIES.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn the_version_whose_properties_are_listed_is_the_one_that_is_built_in() {
        let version = rdkafka::util::get_rdkafka_version().1;
        assert_eq!(ClientKind::Librdkafka.title(), format!("librdkafka {version}"));
        assert!(
            REFUSED_BY_CONSUMER_PROTOCOL
                .iter()
                .all(|name| ClientKind::Librdkafka.property(name).is_some())
        );
    }

    #[test]
    fn defaults_are_those_of_the_library() {
        assert_eq!(
            ClientKind::Librdkafka.default_of("fetch.wait.max.ms").as_deref(),
            Some("500")
        );
        assert_eq!(ClientKind::Librdkafka.default_of("max.poll.records"), None);
    }
}
