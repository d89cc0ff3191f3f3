//! tandem's lists of names are those of a real Kafka and of its Java clients.

use std::collections::{BTreeMap, BTreeSet};

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use tandem::clients::ClientKind;
use tandem::scenario::{json_schema, parse};

use crate::clients::client;
use crate::kafka_tools::kafka_tool;
use crate::scenario::Scenario;
use crate::scene::Scene;
use crate::shared_cluster::{bootstrap, names};

/// Settings of a topic of the shared cluster, as its broker describes them.
fn settings_of(topic: &str) -> BTreeMap<String, String> {
    let admin: AdminClient<DefaultClientContext> = client(&bootstrap(), &[]).create().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let topic = ResourceSpecifier::Topic(topic);
    let described = runtime
        .block_on(admin.describe_configs([&topic], &AdminOptions::new()))
        .unwrap();
    let entries = described.into_iter().flat_map(|resource| resource.unwrap().entries);
    entries
        .map(|entry| (entry.name, entry.value.unwrap_or_default()))
        .collect()
}

#[test]
fn topics_are_made_with_the_settings_of_the_scenario_whose_names_are_those_of_the_broker() {
    let scene = Scene::on_shared_cluster();
    let settings = "[dataset.topic]\n'segment.ms' = 1_234_567\n'min.insync.replicas' = 1";
    scene.scenario(Scenario::reading(2_000).prefix("settings-").tables(settings));
    scene.run(&["--keep-data"]).exits(0);
    let (topics, _) = names("settings-");
    let settings = settings_of(topics.iter().find(|topic| !topic.ends_with("-about")).unwrap());
    assert_eq!(
        (settings["segment.ms"].as_str(), settings["retention.ms"].as_str()),
        ("1234567", "-1")
    );

    let schema = json_schema();
    let known = &schema["properties"]["dataset"]["properties"]["topic"]["anyOf"][1]["properties"];
    let known: BTreeSet<&String> = known.as_object().unwrap().keys().collect();
    assert_eq!(settings.keys().collect::<BTreeSet<_>>(), known);
    scene
        .tandem(&["clean", "scene.toml", "--bootstrap", &bootstrap(), "--yes"])
        .exits(0);
}

/// The page of documentation that the class of one of Java's clients prints.
fn page_of(class: &str) -> String {
    kafka_tool(&format!("org.apache.kafka.clients.{class}"), &[])
}

/// Names of the properties of one of Java's clients.
fn properties_of(class: &str) -> Vec<String> {
    let page = page_of(class);
    let anchors = page.split("id=\"").skip(1).filter_map(|rest| rest.split('"').next());
    anchors
        .map(|anchor| anchor.rsplit("configs_").next().unwrap_or(anchor).to_owned())
        .collect()
}

#[test]
fn every_property_of_java_clients_is_one_here_or_has_a_counterpart_or_none_but_never_a_likeness() {
    for class in [
        "consumer.ConsumerConfig",
        "producer.ProducerConfig",
        "admin.AdminClientConfig",
    ] {
        let properties = properties_of(class);
        assert!(properties.len() > 80, "{properties:?}");
        for name in properties {
            let text = format!("question = 'q'\n[cluster.client]\n\"{name}\" = 1\n");
            let Err(errors) = parse("java", "java.toml", &text) else {
                continue;
            };
            let said = errors.plain();
            let unknown = said.contains("the client has no property");
            assert!(!unknown || said.contains("a property of Java's clients"), "{said}");
        }
    }
}

#[test]
fn the_names_and_defaults_of_javas_consumer_are_those_of_its_class() {
    let page = page_of("consumer.ConsumerConfig");
    // Such as `5000 (5 seconds)`, `""` and `null`.
    let default = |property: &str| {
        let (_, default) = property.split_once("<th>Default:</th><td>")?;
        let default = default.split(" (").next()?.split("</td>").next()?.trim_matches('"');
        Some(default.replace("&quot;", "")).filter(|default| !["", "null"].contains(&default.as_str()))
    };
    let properties = page.split("<h4><a id=\"").skip(1);
    let properties: BTreeMap<&str, Option<String>> = properties
        .map(|property| (property.split('"').next().unwrap(), default(property)))
        .collect();
    let known = ClientKind::Java
        .names()
        .map(|name| (name, ClientKind::Java.default_of(name)));
    assert_eq!(known.collect::<BTreeMap<_, _>>(), properties);
}
