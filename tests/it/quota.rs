//! A quota on the cluster: that clients are held back is seen and said.

use tandem::measure::FailureKind;
use tandem::store::RunDir;

use crate::kafka_tools::kafka_tool;
use crate::scenario::Scenario;
use crate::scene::{Scene, failure};
use crate::shared_cluster::Shared;

/// Sets a quota for clients without one of their own, by Kafka's own tool.
fn limit_consumers(bootstrap: &str, bytes_per_second: u32) {
    let quota = format!("consumer_byte_rate={bytes_per_second}");
    let change = [
        "--alter",
        "--add-config",
        &quota,
        "--entity-type",
        "clients",
        "--entity-default",
    ];
    let arguments = [&["--bootstrap-server", bootstrap][..], &change].concat();
    kafka_tool("kafka.admin.ConfigCommand", &arguments);
}

#[test]
fn a_run_that_a_quota_holds_back_says_so() {
    let cluster = Shared::start("quota");
    let scene = Scene::on_cluster(&cluster.bootstrap());
    // The quota is counted over ten seconds, and this is more than it allows in so many.
    scene.scenario(Scenario::reading(40_000));
    limit_consumers(&cluster.bootstrap(), 400_000);
    scene.run(&["--stall-limit", "120"]).exits(0);
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
    scene.spawn_run_to("short", &["--stall-limit", "1"]).end().exits(1);
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
