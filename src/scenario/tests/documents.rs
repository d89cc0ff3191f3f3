//! The shipped scenarios, the documentation and the schema, against the parser and each other.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::scenario::{Key, SHIPPED, Table, json_schema, keys, parse};
use crate::testing::Document;

const REFERENCE: &str = include_str!("../../../docs/scenarios.md");

/// The schema's opinion of a TOML text: its complaints.
fn complaints(text: &str) -> Vec<String> {
    let value: toml::Value = toml::from_str(text).unwrap();
    let instance = serde_json::to_value(value).unwrap();
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    validator
        .iter_errors(&instance)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// The TOML blocks of the reference, with a question where it is a fragment.
fn examples() -> Vec<String> {
    let blocks = REFERENCE
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    let question = |block: &str| {
        if block.contains("question =") {
            String::new()
        } else {
            "question = '?'\n".to_owned()
        }
    };
    blocks.map(|block| question(block) + block).collect()
}

#[test]
fn every_shipped_scenario_is_valid_and_has_blocks_enough_for_verdicts() {
    for (name, text) in SHIPPED {
        let scenario = parse(name, name, text).unwrap_or_else(|errors| panic!("{}", errors.plain()));
        assert!(scenario.warnings.is_empty(), "{name}: {:?}", scenario.warnings);
        assert!(
            scenario.configurations.iter().any(|each| each.baseline.is_some()),
            "{name} compares nothing"
        );
        assert_eq!(complaints(text), Vec::<String>::new(), "{name}");
        assert!(
            text.starts_with("# ") && text.contains("# Takes "),
            "{name} does not say what it costs"
        );
    }
}

#[test]
fn every_file_in_the_folder_of_scenarios_is_shipped() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let stem = |file: std::io::Result<std::fs::DirEntry>| file.unwrap().path().file_stem().unwrap().to_owned();
    let files: BTreeSet<_> = folder.read_dir().unwrap().map(stem).collect();
    assert_eq!(files, SHIPPED.iter().map(|(name, _)| (*name).into()).collect());
}

#[test]
fn every_example_of_the_reference_is_a_valid_scenario_and_fits_the_schema() {
    let examples = examples();
    assert!(examples.len() > 5);
    for example in examples {
        let parsed = parse("example", "docs/scenarios.md", &example);
        assert!(parsed.is_ok(), "{example}\n{}", parsed.unwrap_err().plain());
        assert_eq!(complaints(&example), Vec::<String>::new(), "{example}");
    }
}

/// The tables of keys are made from the declarations: `INSTA_UPDATE=always` renews them.
#[test]
fn the_tables_of_the_reference_are_the_declarations_of_the_keys() {
    const HEADERS: [&str; 5] = ["key", "where", "values", "default", "meaning"];
    let mut document = Document::read("docs/scenarios.md");
    let tables: Vec<Table> = std::iter::once(Table::Top)
        .chain(Table::LISTS)
        .chain(Table::NESTED)
        .chain(Table::SINGLE)
        .collect();
    let mut rows_made = 0;
    for table in tables.into_iter().filter(|table| *table != Table::Matrix) {
        let home = |key: &&Key| key.tables.first() == Some(&table);
        let rows: Vec<Vec<String>> = keys().filter(home).map(row).collect();
        rows_made += rows.len();
        document.table(&format!("keys of {}", table.header()), &HEADERS, &rows);
    }
    assert_eq!(rows_made, keys().count());
    document.check();
}

fn row(key: &Key) -> Vec<String> {
    let tables: Vec<String> = key.tables.iter().map(|table| place(*table)).collect();
    let cells = [
        format!("`{}`", key.name),
        tables.join(", "),
        key.allowed(),
        key.default_text(),
        key.doc.to_owned(),
    ];
    cells.map(|cell| cell.replace('|', "\\|")).to_vec()
}

fn place(table: Table) -> String {
    if table == Table::Top {
        "top".to_owned()
    } else {
        format!("`{}`", table.header())
    }
}

#[test]
fn the_schema_has_every_key_in_every_table_of_the_list_and_no_other() {
    let schema = json_schema();
    for table in [
        Table::Top,
        Table::Trial,
        Table::Cluster,
        Table::Place,
        Table::Kubernetes,
        Table::App,
        Table::Dataset,
        Table::Consumer,
        Table::Load,
        Table::Store,
        Table::Capacity,
        Table::Require,
        Table::Event,
        Table::Matrix,
        Table::Case,
    ] {
        let name = table.header().trim_matches(['[', ']']);
        let object = match table {
            Table::Top => &schema,
            Table::Kubernetes => &schema["properties"]["place"]["items"]["properties"]["kubernetes"],
            Table::Place | Table::App | Table::Require | Table::Event | Table::Case => {
                &schema["properties"][name]["items"]
            }
            _ => &schema["properties"][name],
        };
        let found: BTreeSet<&str> = object["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut listed: BTreeSet<&str> = keys()
            .filter(|key| key.tables.contains(&table))
            .map(|key| key.name)
            .collect();
        match table {
            Table::Top => listed.extend([
                "trial", "cluster", "place", "app", "dataset", "consumer", "load", "store", "capacity", "require",
                "matrix", "case", "event",
            ]),
            Table::Place => listed.extend(["kubernetes"]),
            Table::Cluster => listed.extend(["client", "broker"]),
            Table::Dataset | Table::Load | Table::App => listed.extend(["client"]),
            Table::Consumer => listed.extend(["java", "spring", "python", "go"]),
            Table::Case => listed.extend(["java", "spring", "python", "go", "event"]),
            _ => {}
        }
        assert_eq!(found, listed, "{name}");
        assert_eq!(object["additionalProperties"], json!(false), "{name}");
    }
}

#[test]
fn every_property_of_the_schema_is_described() {
    fn check(path: &str, object: &Value) {
        for (name, property) in object["properties"].as_object().unwrap() {
            let described = property["description"].as_str().is_some_and(|text| text.ends_with('.'));
            assert!(described, "{path}.{name}");
        }
    }
    let schema = json_schema();
    check("top", &schema);
    check("matrix", &schema["properties"]["matrix"]);
    check("case", &schema["properties"]["case"]["items"]);
    check("dataset", &schema["properties"]["dataset"]);
    check("load", &schema["properties"]["load"]);
    check("store", &schema["properties"]["store"]);
    check("event", &schema["properties"]["event"]["items"]);
    check("capacity", &schema["properties"]["capacity"]);
    let place = &schema["properties"]["place"]["items"];
    check("place", place);
    check("kubernetes", &place["properties"]["kubernetes"]);
}

#[test]
fn what_the_parser_refuses_by_its_form_the_schema_refuses_too() {
    for wrong in [
        "",
        "question = ''",
        "question = '?'\nrepetitions = 0",
        "question = '?'\nrepetition = 3",
        "question = '?'\n[trial]\nseconds = 1\nrecords = 5",
        "question = '?'\n[cluster]\nbootstrap = 'a:1'\nbrokers = 3",
        "question = '?'\n[cluster]\nversion = '2.7.2'",
        "question = '?'\n[dataset]\npartitions = 0",
        "question = '?'\n[dataset]\nsize = { min = 3 }",
        "question = '?'\n[dataset]\nweights = [0]",
        "question = '?'\n[consumer]\nwork = 'sleep 5us'",
        "question = '?'\n[consumer]\ncommit = 'every 0'",
        "question = '?'\n[consumer]\nwork = 'store'\n[store]",
        "question = '?'\n[consumer]\nwork = 'store'\n[store]\nkind = 'oracle'",
        "question = '?'\n[consumer]\nwork = 'store'\nstore_batch = 0\n[store]\nkind = 'postgres'",
        "question = '?'\n[consumer]\nwork = 'store'\n[store]\nkind = 'postgres'\nurl = 'postgresql://a:b@c'",
        "question = '?'\n[consumer.client]\nfetch.min.bytes = 1",
        "question = '?'\n[consumer.client]\n'linger.ms' = 1",
        "question = '?'\n[consumer.client]\n'sasl.password' = 'x'",
        "question = '?'\n[matrix]\nconsumers = 2",
        "question = '?'\n[matrix]\nrecords = [2]",
        "question = '?'\n[[case]]\nconsumers = 2",
        "question = '?'\n[[place]]\nname = 'a'\ncpus = 'all'",
        "question = '?'\n[[place]]\nname = 'a'\nkubernetes = { namespace = 'n' }",
        "question = '?'\n[[place]]\nname = 'a'\nkubernetes = { image = 'i', pods = -1 }",
        "question = '?'\n[[place]]\nname = 'a'\nkubernetes = { image = 'i', limits = { cpu = '500m' } }",
        "question = '?'\n[[place]]\nname = 'a'\nkubernetes = { image = 'i', replicas = 2 }",
        "question = '?'\n[[app]]\nname = 'a'",
        "question = '?'\n[[app]]\nname = 'a'\ncommand = 'x'",
        "question = '?'\n[[app]]\nname = 'a'\ncommand = ['x']\nspeaks = 'all'",
        "question = '?'\n[[app]]\nname = 'a'\ncommand = ['x']\nenv = { 'A B' = 'x' }",
        "question = '?'\n[consumer.java]\n'linger.ms' = 1",
        "question = '?'\n[consumer.go]\nFetchMinBytes = 0",
        "question = '?'\n[load]\nrate = 0",
        "question = '?'\n[load]\nrate = 10\nmib_per_second = 1",
        "question = '?'\n[load]\nrate = 10\nduration = '10 s'",
        "question = '?'\n[load]\nrate = 10\nduration = 0.01",
        "question = '?'\n[load]\nrate = 10\nprofile = { ramp = [1] }",
        "question = '?'\n[load]\nrate = 10\nprofile = { burst = 5, every = '10s' }",
        "question = '?'\n[load]\nrate = 10\n[load.client]\n'fetch.min.bytes' = 1",
        "question = '?'\n[load]\nrate = 10\n[load.client]\n'compression.type' = 'lz4'",
        "question = '?'\n[dataset.client]\n'acks' = 1",
        "question = '?'\n[dataset.client]\n'fetch.min.bytes' = 1",
        "question = '?'\n[matrix]\n'dataset.client.batch.size' = 5",
        "question = '?'\n[matrix]\n'dataset.client.batch.size' = [0]",
        "question = '?'\n[[case]]\nname = 'a'\n'dataset.client.retries' = 5",
        "question = '?'\n[load]\nrate = 10\n[matrix]\n'producer.linger.ms' = 5",
        "question = '?'\n[load]\nrate = 10\n[matrix]\n'producer.fetch.min.bytes' = [5]",
        "question = '?'\n[load]\nrate = 10\n[capacity]\np99_ms = 50\np50_ms = 5",
        "question = '?'\n[load]\nrate = 10\n[capacity]\np99_ms = 50\nlag = 'any'",
        "question = '?'\n[cluster]\nbootstrap = 'a:1'\nbroker = { 'num.io.threads' = 4 }",
        "question = '?'\n[[event]]\ndo = 'kill'\nwhat = 'process 1'",
        "question = '?'\n[consumer]\nprocesses = 2\n[[event]]\nat = '130%'\ndo = 'kill'\nwhat = 'process 1'",
        "question = '?'\n[consumer]\nprocesses = 2\n[[event]]\nat = '1s'\ndo = 'kill'\nwhat = 'process one'",
        "question = '?'\n[consumer]\nsession_timeout = '0s'",
    ] {
        assert!(!complaints(wrong).is_empty(), "the schema accepts\n{wrong}");
        assert!(
            parse("wrong", "wrong.toml", wrong).is_err(),
            "the parser accepts\n{wrong}"
        );
    }
}

#[test]
fn the_schema_has_an_id_and_defines_each_property_once() {
    let schema = json_schema();
    let id = schema["$id"].as_str().unwrap();
    assert!(
        id.starts_with("urn:") && id.ends_with(env!("CARGO_PKG_VERSION")),
        "{id}"
    );
    let text = schema.to_string();
    assert!(text.len() < 160_000, "{} bytes", text.len());
    // A property that may stand in six places, and a key that may stand in three.
    assert_eq!(text.matches("\"fetch.queue.backoff.ms\":{\"anyOf\"").count(), 1);
    assert_eq!(
        text.matches("\"LZ4\"").count(),
        2,
        "compression.codec and compression.type"
    );
}
