//! docs/first-steps.md, command by command, and what its commands refuse.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::LazyLock;

use regex::Regex;

use crate::scene::{PROGRAM, Scene};

const PAGE: &str = include_str!("../../docs/first-steps.md");

/// Ends the output of each block of commands.
const MARK: &str = "== end of a block ==";

/// The fenced blocks of the page: language and contents.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let parts: Vec<&str> = PAGE.split("```").collect();
    let fenced = parts.iter().skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').unwrap()).collect()
}

/// The lines of an output in an order of their own: records of two partitions arrive in any.
fn lines(output: &str) -> Vec<String> {
    static READER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"tandem-consume-\d+").unwrap());
    let output = READER.replace_all(output, "tandem-consume-PID");
    let mut lines: Vec<String> = output.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.sort();
    lines
}

#[test]
fn the_first_steps_do_what_the_page_shows() {
    let scene = Scene::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut script = String::from("set -euo pipefail\nexec 2>&1\n");
    for (_, commands) in blocks().into_iter().filter(|(language, _)| *language == "sh") {
        script += &commands.replace("9092", &port.to_string());
        writeln!(script, "echo '{MARK}'").unwrap();
    }
    let folder = std::path::Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let shell = scene
        .command_of("bash", &["-c", &script])
        .env("PATH", path)
        .output()
        .unwrap();
    let output = String::from_utf8(shell.stdout).unwrap();
    assert!(shell.status.success(), "{output}");

    let mut outputs = output.split(MARK).map(str::trim_start);
    let mut compared = 0;
    let mut last = "";
    for (language, expected) in blocks() {
        match language {
            "sh" => last = outputs.next().unwrap(),
            _ => {
                assert_eq!(lines(last), lines(expected));
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 7);
    assert!(
        fs::read_to_string(scene.path().join("plan.txt"))
            .unwrap()
            .contains("trials")
    );
}

#[test]
fn what_is_missing_or_there_already_is_named_with_exit_code_2() {
    let scene = Scene::new().environment("TANDEM_BOOTSTRAP", Some(&crate::shared_cluster::bootstrap()));
    scene
        .tandem(&[
            "topics",
            "create",
            "by-hand",
            "--partitions",
            "2",
            "--config",
            "retention.ms=60000",
        ])
        .exits(0);
    scene
        .tandem(&["topics", "create", "by-hand", "--partitions", "2"])
        .exits(2)
        .says("already exists");
    scene
        .tandem(&[
            "topics",
            "create",
            "by-hand-2",
            "--partitions",
            "1",
            "--config",
            "retention=1",
        ])
        .exits(2)
        .says("retention=1");
    let described = scene.tandem(&["topics", "describe", "by-hand"]).exits(0).stdout;
    assert!(
        described.contains("retention.ms = 60000 (set on the topic)"),
        "{described}"
    );
    scene
        .tandem(&["consume", "by-hand", "--partition", "2"])
        .exits(2)
        .says("its partitions are 0 to 1");
    for missing in [
        ["topics", "describe", "no-such"].as_slice(),
        &["topics", "delete", "no-such", "--yes"],
        &["produce", "no-such"],
        &["consume", "no-such"],
    ] {
        scene.tandem(missing).exits(2).says("there is no topic no-such");
    }
    let refused = scene.tandem(&["topics", "delete", "by-hand"]).exits(1).stdout;
    assert!(refused.contains("add --yes"), "{refused}");
    scene.tandem(&["topics", "delete", "by-hand", "--yes"]).exits(0);
    let nowhere = Scene::new().environment("TANDEM_BOOTSTRAP", None);
    nowhere.tandem(&["topics", "list"]).exits(2).says("no cluster is named");
}

#[test]
fn a_line_without_a_key_is_named_and_the_lines_before_it_are_sent() {
    let scene = Scene::new().environment("TANDEM_BOOTSTRAP", Some(&crate::shared_cluster::bootstrap()));
    scene
        .tandem(&["topics", "create", "keyless", "--partitions", "1"])
        .exits(0);
    let mut command = scene.command(&["produce", "keyless", "--key-separator", ":"]);
    let mut produce = command.stdin(Stdio::piped()).spawn().unwrap();
    produce
        .stdin
        .take()
        .unwrap()
        .write_all(b"a:1\nb:2\nnothing\nc:3\n")
        .unwrap();
    let ended = produce.wait_with_output().unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr),
    );
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("line 3 has no key separator \":\""), "{stderr}");
    assert_eq!(stdout.lines().count(), 2, "{stdout}");
    scene.tandem(&["topics", "delete", "keyless", "--yes"]).exits(0);
}
