#![allow(clippy::unwrap_used)]
use super::*;
use crate::scenario::{Scenario, Table, keys};

/// Flags with values, as in `--partitions 12`.
fn given(command_line: &[&str]) -> Vec<GivenFlag> {
    let pairs = command_line.chunks(2);
    pairs
        .map(|pair| GivenFlag {
            flag: flag(pair[0].trim_start_matches("--")),
            value: pair[1].to_owned(),
        })
        .collect()
}

fn flag(name: &str) -> SettingFlag {
    let flag = setting_flags().into_iter().find(|flag| flag.name() == name);
    flag.unwrap_or_else(|| panic!("no flag {name}"))
}

fn written(command_line: &[&str]) -> WrittenScenario {
    WrittenScenario::of(&given(command_line)).unwrap()
}

fn text(command_line: &[&str]) -> String {
    written(command_line).source().text
}

fn scenario(command_line: &[&str]) -> Scenario {
    let written = written(command_line);
    let parsed = written.source().parse();
    parsed.unwrap_or_else(|errors| panic!("{}\n{}", written.source().text, written.explain(&errors)))
}

/// What is wrong with the flags, by their names.
fn refused(command_line: &[&str]) -> String {
    match WrittenScenario::of(&given(command_line)) {
        Err(error) => error.to_string(),
        Ok(written) => written.explain(&written.source().parse().unwrap_err()),
    }
}

#[test]
fn flags_make_a_scenario_that_can_be_kept() {
    let flags = [
        "--partitions",
        "12",
        "--work",
        "wait 3ms",
        "--consumers",
        "6,12",
        "--rate",
        "2000",
    ];
    insta::assert_snapshot!(text(&flags));
    let scenario = scenario(&flags);
    let names = scenario.configurations.iter().map(|each| each.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["consumers=6", "consumers=12"]);
    assert_eq!(scenario.configurations[1].baseline, Some(0));
    assert_eq!(scenario.name, "consumers");
}

#[test]
fn axes_stand_in_the_order_of_the_flags_and_properties_among_them() {
    let flags = [
        "--client",
        "fetch.min.bytes=1,100000",
        "--load-client",
        "linger.ms=0,5",
        "--rate",
        "500,1000",
        "--client",
        "fetch.wait.max.ms=100",
        "--topic",
        "retention.ms=-1",
        "--cluster-client",
        "socket.nagle.disable=true",
        "--arrivals",
        "poisson",
    ];
    insta::assert_snapshot!(text(&flags));
    let axes: Vec<String> = scenario(&flags).axes.into_iter().map(|axis| axis.key).collect();
    assert_eq!(axes, ["client.fetch.min.bytes", "producer.linger.ms", "rate"]);
}

#[test]
fn a_value_with_commas_of_its_own_stands_in_brackets_or_quotes() {
    let flags = [
        "--partitions",
        "2",
        "--weights",
        "[0.5, 0.5],[0.9, 0.1]",
        "--size",
        "{ min = 100, max = 200 }",
        "--client",
        "debug='cgrp,fetch'",
    ];
    let scenario = scenario(&flags);
    assert_eq!(scenario.configurations.len(), 2);
    assert_eq!(scenario.datasets[1].weights, [0.9, 0.1]);
    assert!(
        scenario
            .question
            .contains("whether weights is [0.5, 0.5] or [0.9, 0.1]"),
        "{}",
        scenario.question
    );
}

#[test]
fn a_property_of_flags_takes_commas_and_varies_where_it_is_given_again() {
    let one = scenario(&["--client", "debug=cgrp,fetch", "--client", "fetch.min.bytes=1,2"]);
    assert_eq!(one.configurations.len(), 2, "fetch.min.bytes varies");
    let debug = |scenario: &Scenario| -> Vec<String> {
        let values = scenario
            .configurations
            .iter()
            .map(|each| &each.client.properties["debug"]);
        values.map(|value| format!("{value:?}")).collect()
    };
    assert_eq!(debug(&one), [r#"Literal("cgrp,fetch")"#; 2]);
    let two = scenario(&["--client", "debug=cgrp,fetch", "--client", "debug=broker"]);
    assert_eq!(debug(&two), [r#"Literal("cgrp,fetch")"#, r#"Literal("broker")"#]);
    let refused = refused(&["--client", "debug=cgrp,fetsh"]);
    assert!(refused.contains("cgrp,fetsh"), "{refused}");
}

#[test]
fn a_flag_that_is_given_again_adds_values() {
    assert_eq!(
        scenario(&["--consumers", "1", "--consumers", "2,4"])
            .configurations
            .len(),
        3
    );
    let topics = scenario(&["--topic", "orders", "--topic", "clicks"]);
    assert_eq!(topics.datasets[0].existing().unwrap().wanted, ["orders", "clicks"]);
    let topics = scenario(&["--topic", "orders,clicks"]);
    assert_eq!(topics.datasets[0].existing().unwrap().wanted, ["orders", "clicks"]);
}

#[test]
fn client_is_a_word_or_a_property_and_both_together() {
    let both = scenario(&["--client", "defaults", "--client", "fetch.min.bytes=2"]);
    let client = &both.configurations[0].client;
    assert!(client.library_defaults_only && client.properties.contains_key("fetch.min.bytes"));
    let both = scenario(&["--client", "tandem,defaults", "--client", "fetch.min.bytes=2"]);
    assert_eq!(both.configurations.len(), 2);
}

#[test]
fn a_scenario_of_one_configuration_asks_how_fast_it_is() {
    let asked = |flags: &[&str]| scenario(flags).question;
    assert_eq!(asked(&["--seed", "3"]), "How fast are records read?");
    assert_eq!(
        asked(&["--partitions", "2", "--rate", "100"]),
        "With partitions 2 and rate 100: how soon are records processed?"
    );
    assert_eq!(
        asked(&["--rate", "10", "--question", "Is 1, or 2, enough?"]),
        "Is 1, or 2, enough?"
    );
    let weights = format!("[{}],[{}]", vec!["0.015625"; 64].join(", "), vec!["1"; 64].join(", "));
    let question = text(&["--partitions", "64", "--weights", &weights]);
    let question = question.lines().next().unwrap();
    assert!(question.chars().count() <= "question = \"\"".len() + 300, "{question}");
}

#[test]
fn errors_name_the_flag() {
    let all = [
        refused(&["--partitions", "0", "--work", "wit 3ms"]),
        refused(&["--consumers", "1,1"]),
        refused(&["--records", "1,2"]),
        refused(&["--arrivals", "poisson"]),
        refused(&["--client", "fetch.mim.bytes=3"]),
        refused(&["--client", "max.poll.records=3"]),
        refused(&["--client", "fetch.min.bytes"]),
        refused(&["--load-client", "5"]),
        refused(&["--rate", "100", "--load-client", "fetch.min.bytes=5"]),
        refused(&["--topic", "orders", "--topic", "retention.ms=1"]),
        refused(&["--client", "defaults,tandem", "--client", "fetch.min.bytes=1,2"]),
        refused(&["--replication", "3"]),
        refused(&["--place", "there"]),
        refused(&["--baseline", "two", "--consumers", "1,2"]),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_secret_is_refused_and_not_repeated() {
    for flag in ["--client", "--cluster-client"] {
        let said = refused(&[flag, "sasl.username=bob,sasl.password=hunter2hunter2"]);
        assert!(said.contains("takes one property"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    let said = refused(&["--client", "sasl.password=hunter2hunter2"]);
    assert!(
        said.starts_with("--client sasl.password: ") && said.contains("env"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
    let from_outside = text(&["--cluster-client", "sasl.password={ env = 'PASSWORD' }"]);
    assert!(
        from_outside.contains("\"sasl.password\" = { env = 'PASSWORD' }"),
        "{from_outside}"
    );
}

#[test]
fn every_key_of_the_data_set_the_consumers_and_the_load_is_a_flag_once() {
    let flags = setting_flags();
    for key in keys().filter(|key| [Table::Dataset, Table::Consumer, Table::Load].contains(&key.tables[0])) {
        let of_key = |flag: &&SettingFlag| flag.key.is_some_and(|other| other.name == key.name);
        let found: Vec<&SettingFlag> = flags.iter().filter(of_key).collect();
        assert_eq!(found.len(), 1, "{}", key.name);
        assert_eq!(found[0].table(), key.tables[0], "{}", key.name);
        assert!(found[0].help().contains(key.doc.trim_end_matches('.')), "{}", key.name);
    }
    assert_eq!(flag("mib-per-second").alias(), Some("mib_per_second"));
    assert_eq!(flag("rate").alias(), None);
}
