//! Files that are no scenarios.

use std::path::{Path, PathBuf};

use crate::scenario::{LoadError, Source, load};

fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mine.toml");
    std::fs::write(&path, bytes).unwrap();
    (directory, path)
}

fn message(bytes: &[u8]) -> String {
    let (directory, path) = file(bytes);
    let error = load(&path).unwrap_err();
    error.plain().replace(&*directory.path().to_string_lossy(), "")
}

#[test]
fn a_file_becomes_a_scenario_with_its_name() {
    let (_directory, path) = file(b"question = \"?\"\n");
    assert_eq!(load(&path).unwrap().name, "mine");
}

#[test]
fn a_bare_name_is_a_scenario_that_comes_with_tandem() {
    let source = Source::read(Path::new("one-vs-two")).unwrap();
    assert_eq!(source.name, "one-vs-two");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/one-vs-two.toml");
    assert_eq!(source.parse().unwrap(), load(Path::new(file)).unwrap());
}

#[test]
fn a_missing_file_names_the_scenarios_that_exist() {
    insta::assert_snapshot!(load(Path::new("scenarios/one-vs-tow.toml")).unwrap_err().plain(), @"scenarios/one-vs-tow.toml: there is no such file (did you mean `one-vs-two`? tandem comes with `one-vs-two`, `record-size`, `compression`, `scaling`, `groups`, `many-topics`, `threads`, `latency`, `capacity`, `catch-up`, `burst`, `clients`, `spring-one-vs-two`, `spring-one-vs-two-stored`, `store-batch`, `rebalance-join`, `rebalance-crash`, `rolling-deploy`, `broker-failover`, `rolling-brokers`, `store-outage`, `stop-the-world` and `your-service`)");
}

#[test]
fn each_file_that_is_no_scenario_has_its_message() {
    insta::assert_snapshot!(message(b""), @"/mine.toml: the file is empty; a scenario has at least a question");
    insta::assert_snapshot!(message(b"\n# nothing\n  \n"), @"/mine.toml: the file is empty; a scenario has at least a question");
    insta::assert_snapshot!(message(b"question = \"\xff\""), @"/mine.toml: the file is not text (byte 12 is not), so it is no scenario");
    insta::assert_snapshot!(message(&vec![b'#'; 1024 * 1024 + 1]), @"/mine.toml: the file is larger than 1 MiB, so it is no scenario");
    insta::assert_snapshot!(message(b"\x7fELF\x02\x01\x01\x00\x00"), @"/mine.toml: the file is not text (byte 0 is not), so it is no scenario");
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(load(directory.path()), Err(LoadError::Directory(_))));
}
