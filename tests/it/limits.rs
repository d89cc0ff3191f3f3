//! What is left of the machine is the same number wherever tandem says it. CPU quotas and memory limits need rights that a
//! test has not everywhere: their files are read from recordings in `measure/limits`.

use std::fs;

use tandem::measure::Environment;
use tandem::measure::limits::{Kernel, Limits, processors};

use crate::scenario::Scenario;
use crate::scene::Scene;

/// A processor that this test may run on.
fn some_processor() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    processors(list.unwrap()).unwrap().first().unwrap().to_string()
}

#[test]
fn under_taskset_one_core_is_what_every_part_of_a_run_counts_with() {
    let machine = Limits::of_this_process(&Kernel::running()).machine_cores;
    assert!(machine > 1, "a machine with one core has nothing to leave out");
    let cores = format!("1 of {machine} cores (CPU affinity or cpuset)");
    let scene = Scene::on_shared_cluster().under(&["taskset", "-c", &some_processor()]);
    scene.scenario(Scenario::reading(40_000).repetitions(2).consumer("work = 'cpu 5us'"));
    scene.run(&[]).exits(0);

    let environment = fs::read_to_string(scene.out().join("environment.json")).unwrap();
    let environment: Environment = serde_json::from_str(&environment).unwrap();
    assert_eq!((environment.cores, environment.cores_in_words()), (1, cores.clone()));
    for trial in scene.trials() {
        let host = trial.measurement.unwrap().host;
        assert_eq!((host.cores, host.machine_cores), (1, Some(machine)));
        // The brokers may run on all of them, and are none of the other programs.
        assert!(host.cpu.idle_ns <= host.wall_ns, "{host:?}");
    }
    let report = fs::read_to_string(scene.out().join("report.md")).unwrap();
    assert!(
        report.contains(&format!("This holds under limits: {cores}")),
        "{report}"
    );
    let others = report.replace(&cores, "");
    assert!(!others.contains(&format!("of {machine} cores")), "{others}");

    let plan = scene.tandem(&["plan", "scene.toml"]).exits(0);
    plan.prints(&format!("this machine: {cores}"));
    scene.tandem(&["doctor", "--json"]).prints(&cores);
}
