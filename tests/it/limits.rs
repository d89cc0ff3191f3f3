//! What is left of the machine is the same number wherever tandem says it. CPU quotas and memory limits need rights that a
//! test has not everywhere: their files are read from recordings in `measure/limits`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use tandem::measure::limits::{Kernel, Limits, processors};
use tandem::measure::{Environment, FailureKind, Measurement};

use crate::scenario::Scenario;
use crate::scene::{PROGRAM, Scene, failure, read_once, undisturbed, wait_until, within};

/// Processors that a thread or process may run on, by its file in `/proc`; `None` if it has ended.
fn allowed(status: &Path) -> Option<BTreeSet<u32>> {
    let status = fs::read_to_string(status).ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    processors(list?)
}

/// A processor that this test may run on.
pub fn some_processor() -> String {
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

/// The folder of control groups that a run has made for one of its workers, in the hierarchy of v1 or v2 that has the
/// controller; `None` before it is in one.
pub fn group_of_run(pid: u32, controller: &str) -> Option<PathBuf> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let line = groups.lines().find(|line| line.contains("/tandem-limits-"))?;
    let path = line.splitn(3, ':').last()?;
    let roots = [format!("/sys/fs/cgroup/{controller}"), "/sys/fs/cgroup".to_owned()];
    let folders = roots.map(|root| PathBuf::from(root + path));
    let folder = folders.into_iter().find(|folder| folder.exists())?;
    Some(folder.parent()?.to_owned())
}

/// True where a place can have limits. Continuous integration is root.
fn can_limit(ended: &crate::scene::Ended) -> bool {
    if ended.stdout.contains("can be set") {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "{}", ended.stdout);
    eprintln!("skipped: {}", ended.stdout);
    false
}

/// Reads with work under a limit of half a core. Its share of it, how much it stood still, and the report.
fn with_half_a_core() -> Option<(f64, u64, String)> {
    let scene = Scene::on_shared_cluster();
    let half = "[[place]]\nname = 'half'\ncpu_limit = 0.5\n";
    let trials = Scenario::reading(40_000).consumer("work = 'cpu 50us'");
    scene.scenario(trials.tables(half).case("half", "place = 'half'"));
    let doctor = scene.tandem(&["doctor", "scene.toml", "--place", "half"]);
    if !can_limit(&doctor) {
        return None;
    }
    let run = scene.spawn_run(&[]);
    let group = || {
        scene
            .processes_of("worker consumer")
            .into_iter()
            .find_map(|pid| group_of_run(pid, "cpu"))
    };
    wait_until("a worker in its control group", || group().is_some());
    let group = group();
    run.end().exits(0);
    assert!(group.is_none_or(|group| !group.exists()), "its control group is left");
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    let measured = trials[0].measurement.as_ref().unwrap();
    let cores = cores_of_the_first(measured);
    let effects = &measured.host.quotas;
    let effect = effects
        .iter()
        .find(|effect| effect.quota.place() == Some("half"))
        .unwrap();
    assert!(!effect.covers_all, "{effect:?}");
    let report = fs::read_to_string(scene.out().join("report.md")).unwrap();
    Some((cores, effect.throttled_ns, report))
}

/// Cores that the first process used in its window.
pub fn cores_of_the_first(measured: &Measurement) -> f64 {
    let window = measured.processes[0].window.as_ref().unwrap();
    let cores = window.cpu_ns as f64 / window.wall_ns as f64;
    eprintln!("{cores:.4} cores in {} ms", window.wall_ns / 1_000_000);
    cores
}

/// The first trial failed because a worker needed more than the 12 MiB of its place.
pub fn fails_for_want_of_memory(scene: &Scene) {
    let trials = scene.trials();
    let found = failure(&trials[0]);
    assert_eq!(found.kind, FailureKind::WorkerDied, "{found:?}");
    let named = "the kernel killed it for want of memory: `memory_limit` of place small is 12 MiB";
    assert!(found.message.contains(named), "{found:?}");
}

#[test]
fn a_cpu_limit_is_more_than_a_worker_gets() {
    if let Some((cores, _, _)) = with_half_a_core() {
        assert!(cores <= 0.515, "{cores} cores");
    }
}

#[test]
#[ignore = "scripts/test --all; beside other tests a worker may get less than its limit: a_cpu_limit_is_more_than_a_worker_gets"]
fn a_cpu_limit_is_what_a_worker_gets_and_what_limits_it() {
    undisturbed(|_| {
        let Some((cores, throttled_ns, report)) = with_half_a_core() else {
            return;
        };
        assert!((cores - 0.5).abs() <= 0.015, "{cores} cores");
        assert!(throttled_ns > 0);
        let named = "the `cpu_limit` of place half gives 0.5 cores to workers";
        assert!(report.contains(named), "{report}");
        assert!(!report.contains("machine saturated"), "{report}");
    });
}

#[test]
fn a_worker_beyond_its_memory_limit_fails_by_the_limits_name_and_a_killed_run_leaves_no_control_group() {
    let scene = Scene::on_shared_cluster();
    let small = "[[place]]\nname = 'small'\nmemory_limit = '12MiB'\n[[place]]\nname = 'large'\nmemory_limit = '1GiB'\n";
    let of_place = |place: &str, work: &str| {
        let trials = Scenario::reading(200_000).consumer(work).tables(small);
        scene.scenario(trials.case("one", &format!("place = '{place}'")));
    };
    of_place("small", "");
    if !can_limit(&scene.tandem(&["doctor", "scene.toml", "--place", "small"])) {
        return;
    }
    scene.run(&[]).exits(1);
    fails_for_want_of_memory(&scene);
    of_place("large", "work = 'wait 1ms'");
    let run = scene.spawn_run_to("killed", &[]);
    let group = || {
        scene
            .processes_of("worker consumer")
            .into_iter()
            .find_map(|pid| group_of_run(pid, "memory"))
    };
    wait_until("a worker in its control group", || group().is_some());
    let group = group().unwrap();
    run.signal(Signal::SIGKILL);
    assert!(
        within(Duration::from_secs(15), || !group.exists()),
        "{} is left",
        group.display()
    );
    run.end();
    scene.assert_no_processes();
}

#[test]
fn limits_that_a_launcher_or_ssh_would_not_pass_on_are_errors_of_the_file() {
    let scene = Scene::new();
    scene.scenario(
        "question = 'q'\n[[place]]\nname = 'a'\ncpu_limit = 0.5\nlauncher = ['ssh', 'a', '{tandem}', 'worker']\n",
    );
    let plan = scene.tandem(&["plan", "scene.toml"]);
    plan.refuses(&["[scene.toml:4:1]", "`cpu_limit` cannot stand beside `launcher`"]);
}
