//! The properties of a scenario's consumers and producers. Knows nothing of workers; makes no client.

mod consumers;
mod limits;
mod pauses;
mod producers;
mod properties;
mod secrets;

pub use consumers::{ConsumerSettings, ResolvedSettings};
pub use limits::with_largest_limits;
pub use properties::ClientProperties;
pub use secrets::{PropertyError, cluster_properties, hidden, resolve_all};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeMap;

    use super::{ClientProperties, PropertyError, cluster_properties};
    use crate::clients::ClientKind;
    use crate::scenario::{
        Assignor, Buffers, ClusterSource, ClusterSpec, Commit, GroupProtocol, Membership, PropertyValue,
    };
    use crate::testing::configuration;

    fn cluster(client: &[(&str, PropertyValue)]) -> ClusterSpec {
        ClusterSpec {
            source: ClusterSource::Bootstrap("host:9092".into()),
            prefix: "tandem-".into(),
            client: client
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            ..ClusterSpec::default()
        }
    }

    fn literal(value: &str) -> PropertyValue {
        PropertyValue::Literal(value.to_owned())
    }

    fn revealed(settings: &ClientProperties) -> BTreeMap<String, String> {
        settings
            .resolve()
            .unwrap()
            .into_iter()
            .map(|(name, value)| (name, value.reveal().to_owned()))
            .collect()
    }

    #[test]
    fn the_library_defaults_leave_out_what_tandem_would_set() {
        let mut configuration = configuration();
        let own = revealed(&ClientProperties::of_consumers(&cluster(&[]), &configuration, "h:1"));
        assert_eq!(own["fetch.queue.backoff.ms"], "10");
        configuration.client.library_defaults_only = true;
        let library = revealed(&ClientProperties::of_consumers(&cluster(&[]), &configuration, "h:1"));
        assert!(!library.contains_key("fetch.queue.backoff.ms"));
        assert_eq!(library["enable.auto.offset.store"], "false");
    }

    #[test]
    fn a_configuration_wins_over_the_cluster_and_the_method_over_both() {
        let mut configuration = configuration();
        configuration
            .client
            .properties
            .insert("fetch.min.bytes".into(), literal("7"));
        configuration
            .client
            .properties
            .insert("enable.partition.eof".into(), literal("true"));
        let cluster = cluster(&[
            ("fetch.min.bytes", literal("5")),
            ("fetch.queue.backoff.ms", literal("3")),
        ]);
        let properties = revealed(&ClientProperties::of_consumers(&cluster, &configuration, "h:1"));
        assert_eq!(properties["fetch.min.bytes"], "7");
        assert_eq!(properties["fetch.queue.backoff.ms"], "3");
        assert_eq!(properties["enable.partition.eof"], "false");
        assert_eq!(properties["bootstrap.servers"], "h:1");
    }

    #[test]
    fn total_buffers_are_divided_by_the_members_of_a_group_and_never_zero() {
        let mut configuration = configuration();
        (configuration.groups, configuration.processes, configuration.consumers) = (5, 2, 4);
        configuration.buffers = Buffers::Total;
        configuration
            .client
            .properties
            .insert("queued.min.messages".into(), literal("3"));
        let properties = revealed(&ClientProperties::of_consumers(&cluster(&[]), &configuration, "h:1"));
        assert_eq!(properties["queued.max.messages.kbytes"], "8192");
        assert_eq!(properties["queued.min.messages"], "1");
    }

    #[test]
    fn the_protocol_and_its_assignor_become_the_properties_that_the_protocol_accepts() {
        let mut configuration = configuration();
        configuration.membership = Membership::Group(GroupProtocol::Consumer {
            assignor: Some(Assignor::Range),
        });
        let properties = revealed(&ClientProperties::of_consumers(&cluster(&[]), &configuration, "h:1"));
        assert_eq!(properties["group.protocol"], "consumer");
        assert_eq!(properties["group.remote.assignor"], "range");
        assert!(!properties.contains_key("partition.assignment.strategy"));
        assert!(!properties.contains_key("session.timeout.ms"));
    }

    #[test]
    fn auto_commit_follows_the_commit_of_the_configuration() {
        let mut configuration = configuration();
        configuration.commit = Commit::Auto;
        let properties = revealed(&ClientProperties::of_consumers(&cluster(&[]), &configuration, "h:1"));
        assert_eq!(properties["enable.auto.commit"], "true");
        configuration.commit = Commit::PerBatch;
        let properties = revealed(&ClientProperties::of_consumers(&cluster(&[]), &configuration, "h:1"));
        assert_eq!(properties["enable.auto.commit"], "false");
    }

    #[test]
    fn deviations_leave_out_the_defaults_and_hide_secrets() {
        let mut configuration = configuration();
        configuration
            .client
            .properties
            .insert("fetch.min.bytes".into(), literal("1"));
        let secret = PropertyValue::Environment { env: "PATH".into() };
        let cluster = cluster(&[("sasl.password", literal("hunter2")), ("ssl.key.password", secret)]);
        let settings = ClientProperties::of_consumers(&cluster, &configuration, "h:1");
        let deviations = settings.deviations(ClientKind::Librdkafka);
        let names: Vec<_> = deviations.iter().map(|setting| setting.name.as_str()).collect();
        assert!(
            !names.contains(&"fetch.min.bytes") && !names.contains(&"enable.partition.eof"),
            "{names:?}"
        );
        assert!(
            names.contains(&"fetch.queue.backoff.ms") && names.contains(&"sasl.password"),
            "{names:?}"
        );
        assert!(!format!("{deviations:?}").contains("hunter2"));
        let resolved = settings.resolve().unwrap();
        assert!(!format!("{resolved:?}").contains(&std::env::var("PATH").unwrap()));
    }

    #[test]
    fn an_unset_environment_variable_is_named_with_its_property() {
        let cluster = cluster(&[(
            "sasl.password",
            PropertyValue::Environment {
                env: "TANDEM_NO_SUCH_VARIABLE".into(),
            },
        )]);
        let error = cluster_properties(&cluster).unwrap_err();
        assert!(matches!(
            error,
            PropertyError::Variable {
                problem: "is not set",
                ..
            }
        ));
        let message = error.to_string();
        assert!(
            message.contains("sasl.password") && message.contains("TANDEM_NO_SUCH_VARIABLE"),
            "{message}"
        );
    }

    #[test]
    fn a_file_gives_its_contents_without_the_end_of_the_line_and_is_named_where_it_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let resolved = |contents: &str| {
            let file = folder.path().join("secret");
            std::fs::write(&file, contents).unwrap();
            let file = file.display().to_string();
            cluster_properties(&cluster(&[("sasl.password", PropertyValue::File { file })]))
        };
        assert_eq!(resolved("hunter 2\n").unwrap()["sasl.password"].reveal(), "hunter 2");
        assert_eq!(resolved("hunter2\r\n").unwrap()["sasl.password"].reveal(), "hunter2");
        assert_eq!(resolved("two\nlines").unwrap()["sasl.password"].reveal(), "two\nlines");
        assert!(resolved("\n").unwrap_err().to_string().contains("it is empty"));
        let nowhere = PropertyValue::File {
            file: "/nowhere/secret".into(),
        };
        let error = cluster_properties(&cluster(&[("sasl.password", nowhere)])).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("sasl.password") && message.contains("/nowhere/secret"),
            "{message}"
        );
    }
}
