//! A quota on the cluster: that clients are held back is seen and said.

use std::process::Command;

use tandem::kafka::local::Distribution;
use tandem::measure::FailureKind;
use tandem::scenario::DEFAULT_KAFKA_VERSION;
use tandem::store::RunDir;

use crate::scene::{Scene, failure};
use crate::shared_cluster::Shared;

/// Sets a quota for clients without one of their own, by Kafka's own tool.
fn limit_consumers(bootstrap: &str, bytes_per_second: u32) {
    let kafka = Distribution::find_or_get(DEFAULT_KAFKA_VERSION, &|message| eprintln!("{message}")).unwrap();
    let quota = format!("consumer_byte_rate={bytes_per_second}");
    let status = Command::new("java")
        .arg("-cp")
        .arg(kafka.libs.join("*"))
        .args(["kafka.admin.ConfigCommand", "--bootstrap-server", bootstrap])
        .args([
            "--alter",
            "--add-config",
            &quota,
            "--entity-type",
            "clients",
            "--entity-default",
        ])
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_run_that_a_quota_holds_back_says_so() {
    let cluster = Shared::start("quota");
    let scene = Scene::new();
    // The quota is counted over ten seconds, and this is more than it allows in so many.
    scene.scenario(
        "question = 'Who holds them back?'\nrepetitions = 2\nwarmup_blocks = 0\n[dataset]\nrecords = 40000\nsize = 100\n\
         [trial]\nrecords = 40000\n",
    );
    let bootstrap = cluster.bootstrap();
    limit_consumers(&bootstrap, 400_000);
    scene
        .tandem(&[
            "run",
            "scene.toml",
            "--bootstrap",
            &bootstrap,
            "--out",
            "out",
            "--stall-limit",
            "120",
        ])
        .exits(0);
    let trials = scene.trials();
    let throttled = trials
        .iter()
        .filter(|trial| trial.flags.iter().any(|flag| flag.kind.as_str() == "throttled"));
    assert!(
        throttled.count() > 0,
        "{:?}",
        trials.iter().map(|t| &t.flags).collect::<Vec<_>>()
    );
    let short = scene.path().join("short");
    let arguments = [
        "run",
        "scene.toml",
        "--bootstrap",
        &bootstrap,
        "--stall-limit",
        "1",
        "--out",
        "short",
    ];
    scene.tandem(&arguments).exits(1);
    let trials = RunDir::open(&short).unwrap().read_trials().unwrap();
    let found = failure(&trials[0]);
    assert_eq!(found.kind, FailureKind::Stall);
    assert!(
        found.message.contains("a quota of the brokers throttled it for"),
        "{found:?}"
    );
    let report = std::fs::read_to_string(scene.out().join("report.md")).unwrap();
    assert!(
        report.contains("The cluster throttled these clients (quota)"),
        "{report}"
    );
}
