//! What is left of the machine is the same number wherever tandem says it. CPU quotas and memory limits need rights that a
//! test has not everywhere: their files are read from recordings in `measure/limits`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tandem::measure::Environment;
use tandem::measure::limits::{Kernel, Limits, processors};

use crate::scenario::Scenario;
use crate::scene::{PROGRAM, Scene, read_once};

/// Processors that a thread or process may run on, by its file in `/proc`; `None` if it has ended.
fn allowed(status: &Path) -> Option<BTreeSet<u32>> {
    let status = fs::read_to_string(status).ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    processors(list?)
}

/// A processor that this test may run on.
fn some_processor() -> String {
    let allowed = allowed(Path::new("/proc/self/status")).unwrap();
    allowed.first().unwrap().to_string()
}

/// Processors of all threads of a process, and how many threads it has.
fn of_threads(pid: u32) -> (BTreeSet<u32>, usize) {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let allowed: Vec<BTreeSet<u32>> = threads
        .filter_map(|thread| allowed(&thread.path().join("status")))
        .collect();
    (allowed.iter().flatten().copied().collect(), allowed.len())
}

#[test]
fn every_thread_of_a_worker_keeps_to_the_processors_of_its_place() {
    let machine = Limits::of_this_process(&Kernel::running()).machine_cores;
    assert!(machine > 1, "a machine with one core has nothing to leave out");
    let scene = Scene::on_shared_cluster();
    std::os::unix::fs::symlink(PROGRAM, scene.path().join("other-program")).unwrap();
    let one = some_processor();
    // A launcher that sets the processors anew stands for ssh and containers, whose workers do not inherit any.
    let places = format!(
        "[[place]]\nname = 'own'\ncpus = '{one}'\n\
         launcher = ['taskset', '-c', '0-{}', '{{tandem}}', 'worker']\n\
         [[place]]\nname = 'other'\ncpus = '{one}'\nlauncher = ['./other-program', 'worker']",
        machine - 1
    );
    let trials = Scenario::reading(20_000)
        .consumer("work = 'cpu 20us'\nconsumers = 2")
        .tables(&places);
    scene.scenario(
        trials
            .case("own", "place = 'own'")
            .case("other", "place = 'other'")
            .case("here", ""),
    );
    let running = scene.spawn_run(&[]);
    let words = [
        format!("worker consumer --cpus {one}"),
        "other-program worker consumer".to_owned(),
    ];
    let mut observed = words.each_ref().map(|_| (BTreeSet::new(), 0));
    while Path::new(&format!("/proc/{}/environ", running.pid())).exists() && !scene.out().join("report.md").exists() {
        for (words, (processors, most)) in words.iter().zip(&mut observed) {
            for pid in scene.processes_of(words) {
                let (allowed, threads) = of_threads(pid);
                // The moment in which it is still the launcher, or has only begun.
                if threads > 3 {
                    processors.extend(allowed);
                    *most = threads.max(*most);
                }
            }
        }
    }
    running.end().exits(0);
    for (words, (processors, threads)) in words.iter().zip(observed) {
        assert!(threads > 6, "{words}: {threads} threads, those of two clients and more");
        assert_eq!(processors, BTreeSet::from([one.parse().unwrap()]), "{words}");
    }
    scene.trials().iter().for_each(read_once);
}

#[test]
fn processors_that_tandem_may_not_run_on_are_errors_of_the_file() {
    let machine = Limits::of_this_process(&Kernel::running()).machine_cores;
    let one = some_processor();
    let scene = Scene::new().under(&["taskset", "-c", &one]);
    let place = |cpus: &str| scene.scenario(format!("question = 'q'\n[[place]]\nname = 'a'\ncpus = '{cpus}'\n"));
    place("1023");
    let plan = || scene.tandem(&["plan", "scene.toml"]);
    plan().refuses(&[
        "[scene.toml:4:8]",
        "`cpus` cannot be \"1023\" here",
        &format!(
            "must be among {one}: tandem may not run on all of the machine's 0-{}",
            machine - 1
        ),
    ]);
    place(&format!("0-{}", machine - 1));
    scene
        .tandem(&["run", "scene.toml"])
        .refuses(&["[scene.toml:4:8]", "`cpus` cannot be"]);
    place("");
    plan().refuses(&["[scene.toml:4:8]", "must be processors in quotes"]);
    place(&one);
    plan().exits(0);
    let worker = scene.tandem(&["worker", "consumer", "--cpus", "1023"]);
    worker.exits(1).says("cannot keep to the processors 1023");
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
