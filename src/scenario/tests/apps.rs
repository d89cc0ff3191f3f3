//! What runs in the workers of a configuration: the key `app`, `[[app]]`, and properties of one app alone.

use crate::clients::{ClientKind, ReadyMade};
use crate::scenario::{App, AppProgram, AppSpec, PropertyValue, Scenario, Speaks};
use crate::testing::scenario;

fn names(scenario: &Scenario) -> Vec<&str> {
    scenario.apps.iter().map(|app| app.name.as_str()).collect()
}

#[test]
fn without_the_key_tandem_runs_alone_and_a_stored_scenario_of_before_is_read_so() {
    let plain = scenario("");
    assert_eq!((names(&plain), plain.configurations[0].app), (vec!["tandem"], 0));
    assert_eq!(plain.app_of(&plain.configurations[0]), App::Tandem);
    let mut stored = serde_json::to_value(&plain).unwrap();
    stored.as_object_mut().unwrap().remove("apps");
    stored["configurations"][0].as_object_mut().unwrap().remove("app");
    assert_eq!(serde_json::from_value::<Scenario>(stored).unwrap(), plain);
}

#[test]
fn an_axis_of_apps_is_compared_with_its_first_and_is_a_column() {
    let all = scenario(
        "[matrix]\napp = [\"tandem\", \"java\", \"java:4.2.0\", \"mine\"]\n[[app]]\nname = \"mine\"\ncommand = [\"./mine\"]",
    );
    assert_eq!(names(&all), ["tandem", "mine", "java", "java:4.2.0"]);
    assert_eq!(all.keys_in_use, ["app"]);
    let found: Vec<(&str, usize, Option<usize>)> = all
        .configurations
        .iter()
        .map(|each| (each.name.as_str(), each.app, each.baseline))
        .collect();
    let expected = [
        ("app=tandem", 0, None),
        ("app=java", 2, Some(0)),
        ("app=java:4.2.0", 3, Some(0)),
        ("app=mine", 1, Some(0)),
    ];
    assert_eq!(found, expected);
    let version = |app: usize| match &all.apps[app].runs {
        AppProgram::ReadyMade {
            which: ReadyMade::Java,
            version,
        } => version.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((version(2), version(3)), ("4.3.1".to_owned(), "4.2.0".to_owned()));
    let meaning = |index: usize| {
        let all = all.meaning(index);
        all.into_iter().find(|meaning| meaning.key == "app").unwrap().value
    };
    assert_eq!(meaning(1), "java, kafka-clients 4.3.1");
    assert_eq!(meaning(3), "mine, command ./mine");
}

#[test]
fn a_program_keeps_its_command_its_variables_and_what_it_speaks() {
    let all = scenario(
        "[consumer]\napp = \"s\"\n[[app]]\nname = \"s\"\ncommand = [\"./s\", \"{topic}\"]\nenv = { A = \"{group}\", P = \"{properties_file}\" }\n\
         speaks = \"nothing\"\nready = \"up .* now\"\n[app.client]\n\"x.y\" = true\n[[app]]\nname = \"t\"\ncommand = [\"t\", \"{process}\"]",
    );
    let program = all.apps[1].program().unwrap();
    assert_eq!(
        (program.speaks, program.ready.as_deref()),
        (Speaks::Nothing, Some("up .* now"))
    );
    assert_eq!(program.placeholders().count(), 3);
    assert!(matches!(all.app_of(&all.configurations[0]), App::Other(app) if app.name == "s"));
    assert_eq!(all.apps[2].program().unwrap().speaks, Speaks::Tandem);
    let stored: Scenario = serde_json::from_str(&serde_json::to_string(&all).unwrap()).unwrap();
    assert_eq!(stored, all);
}

#[test]
fn properties_go_by_the_client_that_runs_and_those_of_one_app_win_there() {
    let all = scenario(
        "[consumer.client]\n\"fetch.min.bytes\" = 5\n[consumer.java]\n\"max.poll.records\" = 7\n\"fetch.min.bytes\" = 6\n\
         [matrix]\napp = [\"tandem\", \"java\", \"python\"]",
    );
    let set = |index: usize| -> Vec<(&str, String)> {
        let properties = all.configurations[index].client.properties.iter();
        properties
            .map(|(name, value)| (name.as_str(), value.to_string()))
            .collect()
    };
    assert_eq!(set(0), [("fetch.min.bytes", "5".to_owned())]);
    assert_eq!(
        set(1),
        [
            ("fetch.min.bytes", "6".to_owned()),
            ("max.poll.records", "7".to_owned())
        ]
    );
    assert_eq!(set(2), set(0));
    let kinds: Vec<ClientKind> = all.apps.iter().map(AppSpec::kind).collect();
    assert_eq!(
        kinds,
        [ClientKind::Librdkafka, ClientKind::Java, ClientKind::Librdkafka]
    );
    let of_cases = scenario(
        "[[case]]\nname = \"a\"\napp = \"go\"\n[case.client]\nFetchMaxWait = \"250ms\"\n[[case]]\nname = \"b\"\napp = \"java\"\n\
         [case.client]\n\"fetch.max.wait.ms\" = 250",
    );
    let waits = |index: usize| {
        of_cases.configurations[index]
            .client
            .properties
            .values()
            .next()
            .cloned()
    };
    assert_eq!(waits(0), Some(PropertyValue::Literal("250ms".to_owned())));
    assert_eq!(waits(1), Some(PropertyValue::Literal("250".to_owned())));
}

#[test]
fn properties_of_an_app_that_nothing_runs_are_a_warning() {
    let all = scenario("[consumer.go]\nFetchMinBytes = 5");
    assert!(
        all.warnings
            .iter()
            .any(|warning| warning.starts_with("[consumer.go] has no effect")),
        "{:?}",
        all.warnings
    );
}

#[test]
fn builds_are_compared_of_tandem_alone() {
    let builds = ["a/tandem".into(), "b/tandem".into()];
    let error = scenario("[consumer]\napp = \"java\"")
        .with_variants(None, &builds)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "--binary compares builds of tandem's own worker, and the scenario runs app \"java\": leave one of them out"
    );
}
