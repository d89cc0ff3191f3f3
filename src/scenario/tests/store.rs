//! Records that end in a store.

use super::{errors, said, scenario};
use crate::scenario::{Scenario, StoreErrors, StoreKind, StoreSpec, StoreWrite, Variable, Work, parse};

const STORE: &str = "[store]\nkind = 'postgres'\n";

#[test]
fn a_store_is_a_private_postgres_that_takes_inserts_of_one_row_unless_something_else_is_said() {
    let least = scenario(&format!("[consumer]\nwork = 'store'\n{STORE}"));
    assert_eq!(
        least.store,
        Some(StoreSpec {
            kind: StoreKind::Postgres,
            write: StoreWrite::Insert,
            url: None,
            on_error: StoreErrors::Fail,
        })
    );
    let configuration = &least.configurations[0];
    assert_eq!((configuration.work, configuration.store_batch), (Work::Store, 1));
    let all = scenario(
        "[matrix]\nwork = ['store']\nstore_batch = [1, 100]\n[store]\nkind = 'postgres'\nwrite = 'copy'\nurl = { env = \
         'DATABASE' }\non_error = 'retry'",
    );
    let batches: Vec<u32> = all.configurations.iter().map(|each| each.store_batch).collect();
    assert_eq!(batches, [1, 100]);
    assert_eq!(
        all.store,
        Some(StoreSpec {
            kind: StoreKind::Postgres,
            write: StoreWrite::Copy,
            url: Some(Variable {
                env: "DATABASE".to_owned()
            }),
            on_error: StoreErrors::Retry,
        })
    );
    assert!(all.configurations[1].baseline.is_some(), "batches are compared");
}

#[test]
fn a_configuration_means_its_store_only_where_its_records_end_there() {
    let text = format!("[matrix]\nwork = ['none', 'store']\n[consumer]\nstore_batch = 10\n{STORE}");
    let both = scenario(&text);
    let meaning = |configuration| -> Vec<String> {
        let all = both.meaning(configuration).into_iter();
        let of_store = all.filter(|each| each.key.starts_with("store"));
        of_store.map(|each| format!("{}={}", each.key, each.value)).collect()
    };
    assert!(meaning(0).is_empty());
    assert_eq!(
        meaning(1),
        [
            "store_batch=10",
            "store kind=postgres",
            "store write=insert",
            "store on_error=fail"
        ]
    );
}

#[test]
fn a_scenario_that_was_stored_before_there_was_a_store_still_reads() {
    let mut stored = serde_json::to_value(scenario("")).unwrap();
    assert!(stored.get("store").is_none());
    let configuration = stored["configurations"][0].as_object_mut().unwrap();
    assert_eq!(configuration.remove("store_batch"), Some(1.into()));
    let read: Scenario = serde_json::from_value(stored).unwrap();
    assert_eq!(read, scenario(""));
    assert_eq!(serde_json::to_value(Work::Store).unwrap(), "store");
}

#[test]
fn stores_that_cannot_be_are_errors() {
    let files = [
        "[consumer]\nwork = 'store'",
        "[consumer]\nwork = 'stor'\n[store]\nkind = 'postgres'",
        "[consumer]\nwork = 'store'\n[store]",
        "[consumer]\nwork = 'store'\n[store]\nkind = 'postgress'",
        "[consumer]\nwork = 'store'\n[store]\nkind = 'postgres'\nwrite = 'copies'",
        "[consumer]\nwork = 'store'\n[store]\nkind = 'postgres'\non_error = 'ignore'",
        "[consumer]\nwork = 'store'\n[store]\nkind = 'postgres'\nstore_batch = 5",
        "[consumer]\nwork = 'store'\n[store]\nkind = 'postgres'\nurl = { file = 'url' }",
        "[consumer]\nwork = 'store'\nstore_batch = 100_001\n[store]\nkind = 'postgres'",
        "[consumer]\nwork = 'store'\nstore_batch = 10\nread = 'poll'\n[store]\nkind = 'postgres'",
        "[consumer]\nwork = 'store'\n[store]\nkind = 'postgres'\n[[case]]\nname = 'a'\n[[case]]\nname = 'b'\nstore_batch = 2\n\
         work = 'none'",
        "[consumer]\nstore_batch = 10",
        "[store]\nkind = 'postgres'",
        "[consumer]\nwork = 'store'\n[store]\nkind = 'postgres'\n[[store]]\nkind = 'postgres'",
        "[[app]]\nname = 'mine'\ncommand = ['mine']\nspeaks = 'nothing'\n[consumer]\napp = 'mine'\nwork = 'store'\n[store]\n\
         kind = 'postgres'",
    ];
    insta::assert_snapshot!(said(&files));
}

#[test]
fn an_address_with_a_password_is_refused_and_not_shown() {
    for url in [
        "'postgresql://me:Zq7319Xw@db/mine'",
        "\"postgres://me:Zq7319Xw@db:5432/mine?sslmode=require\"",
        "{ url = 'postgresql://me:Zq7319Xw@db/mine' }",
        "'postgresql://db/mine?user=me&password=Zq7319Xw'",
        "'postgresql://me:Zq7319Xw@'",
        "postgresql://me:Zq7319Xw@db/mine",
    ] {
        let text = format!("question = '?'\n[consumer]\nwork = 'store'\n{STORE}url = {url}");
        let errors = parse("test", "test.toml", &text).unwrap_err();
        let printed = format!("{}{}{errors:?}", errors.plain(), errors.drawn());
        assert!(!printed.contains("Zq7319"), "{printed}");
    }
    let plain = errors(&format!(
        "[consumer]\nwork = 'store'\n{STORE}url = 'postgresql://me:pw@db/mine'"
    ));
    assert!(
        plain.contains("`url` cannot be this value") && plain.contains("{ env = \"NAME\" }"),
        "{plain}"
    );
    let commented = "question = '?'\n# url = 'postgresql://me:Zq7319Xw@db/mine'\n";
    let stored = crate::scenario::storable(commented);
    assert!(
        !stored.contains("Zq7319") && stored.contains("postgresql://me:"),
        "{stored}"
    );
}
