//! Workers in pods of a real Kubernetes cluster: the one that `kubectl` reaches, whose nodes must use the Docker engine that
//! `docker` reaches, so that they have the image with the program under test.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use tandem::measure::FailureKind;

use crate::scenario::Scenario;
use crate::scene::{PROGRAM, Running, Scene, failure, read_once, signal, wait_until, within};
use crate::ssh::reads;
use crate::ssh_faults::{kill_guardian, line_of};

const RUN: &str = "TANDEM_RUN";

/// An image with the program under test, on the nodes of the cluster; removed with this.
struct Image {
    name: String,
}

fn kubectl(arguments: &[&str]) -> Output {
    Command::new("kubectl").args(arguments).output().unwrap()
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

impl Image {
    /// `None`, with the reason printed, where there is no such cluster.
    fn on_cluster() -> Option<Self> {
        if !succeeds("kubectl", &["get", "nodes", "--request-timeout=5s"]) {
            eprintln!("skipped: no Kubernetes cluster: `kubectl get nodes` fails");
            return None;
        }
        let runtime = kubectl(&[
            "get",
            "nodes",
            "-o",
            "jsonpath={.items[*].status.nodeInfo.containerRuntimeVersion}",
        ]);
        if !String::from_utf8_lossy(&runtime.stdout).contains("docker://") || !succeeds("docker", &["info"]) {
            eprintln!("skipped: the nodes of the cluster do not use the Docker engine that `docker` reaches");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("lib")).unwrap();
        // Symbols would be most of the image.
        let stripped = Command::new("strip")
            .arg("-o")
            .arg(root.join("tandem"))
            .arg(PROGRAM)
            .status();
        assert!(stripped.unwrap().success());
        for library in libraries() {
            fs::copy(
                &library,
                root.join("lib").join(Path::new(&library).file_name().unwrap()),
            )
            .unwrap();
        }
        let lines =
            "FROM debian:bookworm-slim\nCOPY lib /opt/lib\nENV LD_LIBRARY_PATH=/opt/lib\nCOPY tandem /usr/local/bin/\n";
        fs::write(root.join("Dockerfile"), lines).unwrap();
        let name = format!("tandem-test-pods:{}-{:x}", std::process::id(), rand::random::<u32>());
        let built = Command::new("docker")
            .args(["build", "-q", "-t", &name])
            .arg(root)
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Some(Image { name })
    }

    /// A place `pods` with this image, and further keys of its pods.
    fn place(&self, keys: &str) -> String {
        format!(
            "[[place]]\nname = 'pods'\n[place.kubernetes]\nimage = '{}'\nimage_pull_policy = 'Never'\nhost_network = \
             true\n{keys}\n",
            self.name
        )
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", "--force", &self.name]).output();
    }
}

/// The files of the libraries that the program is linked to, those of the C library left out.
fn libraries() -> Vec<String> {
    let listed = Command::new("ldd").arg(PROGRAM).output().unwrap();
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let paths = text.split_whitespace().filter(|word| word.starts_with('/'));
    let is_ours = |path: &&str| {
        !["libc.so", "libm.so", "ld-linux", "libpthread", "libdl", "librt"]
            .iter()
            .any(|part| path.contains(part))
    };
    paths.filter(is_ours).map(str::to_owned).collect()
}

/// Id of the run of a scene, which goes on or was killed.
fn run_id(scene: &Scene) -> Option<String> {
    let text = fs::read_to_string(scene.out().join("leftovers.json")).ok()?;
    let record: Value = serde_json::from_str(&text).ok()?;
    record["run_id"].as_str().map(str::to_owned)
}

/// Names of things of a run on the cluster.
fn things(kind: &str, run: &str) -> Vec<String> {
    let label = format!("tandem-run={run}");
    let output = kubectl(&["get", kind, "-l", &label, "-o", "name"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Processes of a run that are in pods.
fn in_pods(run: &str) -> Vec<u32> {
    let mark = format!("{RUN}={run}");
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_one = |pid: &u32| {
        let text = |file: &str| {
            String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default()).into_owned()
        };
        let status = text("status");
        let ids = status
            .lines()
            .find_map(|line| line.strip_prefix("NSpid:"))
            .unwrap_or_default();
        ids.split_whitespace().count() > 1 && text("environ").split('\0').any(|entry| entry == mark)
    };
    pids.filter(is_one).collect()
}

/// Those of them that read.
fn reading(run: &str) -> Vec<u32> {
    in_pods(run).into_iter().filter(|pid| reads(*pid)).collect()
}

/// The command lines of processes, with what they are looked for by.
fn with_words(run: &str, words: &str) -> Vec<(u32, String)> {
    let line = |pid: u32| (pid, line_of(pid));
    let lines = in_pods(run).into_iter().map(line);
    lines.filter(|(_, line)| line.contains(words)).collect()
}

/// A run whose workers read in pods for a while, and its id.
fn slow(image: &Image, trials: u32) -> (Scene, Running, String) {
    let scene = Scene::on_shared_cluster();
    let slow = Scenario::reading(2_000)
        .consumer("work = 'wait 2ms'")
        .consumer("processes = 2");
    scene.scenario(
        slow.repetitions(trials)
            .tables(&image.place(""))
            .case("pods", "place = 'pods'"),
    );
    let run = scene.spawn_run(&[]);
    wait_until("two workers in pods that read", || {
        run_id(&scene).is_some_and(|id| reading(&id).len() == 2)
    });
    let id = run_id(&scene).unwrap();
    (scene, run, id)
}

/// Kills a run so that nobody deletes its Job. Its workers end by themselves.
fn kill_with_guardian(scene: &Scene, run: &Running, id: &str) {
    kill_guardian(scene);
    run.signal(Signal::SIGKILL);
    assert!(
        within(Duration::from_secs(15), || reading(id).is_empty()),
        "workers go on"
    );
    assert_eq!(things("jobs", id).len(), 1);
}

fn assert_nothing_left(run: &str) {
    let is_clean = || things("jobs", run).is_empty() && things("pods", run).is_empty() && reading(run).is_empty();
    assert!(
        within(Duration::from_secs(15), || reading(run).is_empty()) && within(Duration::from_secs(30), is_clean),
        "{:?}, {:?}",
        things("jobs", run),
        things("pods", run)
    );
}

#[test]
#[ignore = "scripts/test --all; needs a Kubernetes cluster; pods::manifest::tests has the Job"]
fn pods_give_the_same_account_and_leave_nothing() {
    let Some(image) = Image::on_cluster() else { return };
    let scene = Scene::on_shared_cluster();
    let trials = Scenario::reading(20_000)
        .consumer("processes = 2")
        .tables(&image.place("requests = { cpu = 0.1 }"));
    scene.scenario(trials.case("here", "").case("pods", "place = 'pods'"));
    let bootstrap = crate::shared_cluster::bootstrap();
    let doctor = scene.tandem(&["doctor", "scene.toml", "--bootstrap", &bootstrap, "--place", "pods"]);
    let doctor = doctor
        .prints("create pods/exec")
        .prints("runs on node")
        .prints("on this machine")
        .prints("checks of the doctor there are well");
    assert_eq!(doctor.failed_checks(), 0, "{}", doctor.stdout);
    let run = scene.run(&[]).exits(0);
    eprintln!("{}", run.stderr);
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    let there = trials.iter().find(|trial| trial.configuration_name == "pods").unwrap();
    let measured = there.measurement.as_ref().unwrap();
    assert_eq!(measured.processes.len(), 2);
    // The node is this machine: its processes are found here.
    assert!(measured.clocks.0.is_empty() && measured.other_hosts.is_empty());
    let left = kubectl(&["get", "jobs", "-l", "app.kubernetes.io/managed-by=tandem", "-o", "name"]);
    eprintln!("left: {}", String::from_utf8_lossy(&left.stdout));
    scene.assert_no_processes();
}

#[test]
#[ignore = "scripts/test --all; needs a Kubernetes cluster; pods::state::tests has the causes"]
fn pods_that_cannot_run_are_one_error_with_the_cause() {
    let Some(image) = Image::on_cluster() else { return };
    let refused = |place: &str, parts: &[&str]| {
        let scene = Scene::on_cluster("127.0.0.1:1");
        scene.scenario(Scenario::reading(1_000).tables(place).case("pods", "place = 'pods'"));
        let ended = scene.run(&[]);
        ended.refuses(&["place pods (pods of"]).says(parts[0]).says(parts[1]);
    };
    let missing = image.place("").replace(&image.name, "tandem-test-pods:none");
    refused(
        &missing,
        &["does not get the image tandem-test-pods:none", "ErrImageNeverPull"],
    );
    refused(
        &image.place("requests = { cpu = 1000 }"),
        &["is pending", "Insufficient cpu"],
    );
    refused(
        &image.place("namespace = 'no-such'"),
        &["there is no such namespace", "no-such"],
    );
    refused(
        &image.place("context = 'no-such'"),
        &["kubectl has no such context", "no-such"],
    );
    let elsewhere = image
        .place("")
        .replace("name = 'pods'\n", "name = 'pods'\ntandem = '/no/such/tandem'\n");
    refused(&elsewhere, &["does not start", "/no/such/tandem"]);
}

#[test]
#[ignore = "scripts/test --all; needs a Kubernetes cluster; guardian.rs has what it does on this machine"]
fn a_killed_run_leaves_no_job_and_no_pod() {
    let Some(image) = Image::on_cluster() else { return };
    let (scene, run, id) = slow(&image, 1);
    run.signal(Signal::SIGKILL);
    assert_nothing_left(&id);
    run.end();
    scene.assert_no_processes();
}

#[test]
#[ignore = "scripts/test --all; needs a Kubernetes cluster; place_leftovers::tests says what may be deleted"]
fn what_a_run_leaves_whose_guardian_is_killed_too_is_listed_and_removed() {
    let Some(image) = Image::on_cluster() else { return };
    let (scene, run, id) = slow(&image, 1);
    let clean = |more: &[&str]| scene.tandem(&[&["clean", "scene.toml", "--place", "pods"], more].concat());
    let in_use = clean(&["--yes"]);
    in_use
        .exits(1)
        .prints("is not deleted: the run goes on on this machine");
    kill_with_guardian(&scene, &run, &id);
    clean(&[]).exits(1).prints(&format!("run {id}: Job tandem-{id}-0"));
    clean(&["--yes"]).exits(0).prints("deleted; nothing is left");
    assert_nothing_left(&id);
    run.end();
}

#[test]
#[ignore = "scripts/test --all; needs a Kubernetes cluster; pods::manifest::tests has the deadline"]
fn pods_that_nobody_deletes_end_at_the_deadline_of_their_job() {
    let Some(image) = Image::on_cluster() else { return };
    let (scene, run, id) = slow(&image, 1);
    kill_with_guardian(&scene, &run, &id);
    // More than ten minutes are too long for a test.
    let job = things("jobs", &id)[0].clone();
    let earlier = kubectl(&["patch", &job, "-p", r#"{ "spec": { "activeDeadlineSeconds": 20 } }"#]);
    assert!(earlier.status.success(), "{}", String::from_utf8_lossy(&earlier.stderr));
    let have_ended = || things("pods", &id).is_empty() && in_pods(&id).is_empty();
    assert!(within(Duration::from_secs(60), have_ended), "{:?}", things("pods", &id));
    let clean = scene.tandem(&["clean", "scene.toml", "--place", "pods", "--yes"]);
    clean.exits(0).prints("with 0 pods").prints("deleted; nothing is left");
    assert_nothing_left(&id);
    run.end();
}

#[test]
#[ignore = "scripts/test --all; needs a Kubernetes cluster; ssh.rs kills a session to a host"]
fn a_worker_that_is_killed_in_its_pod_fails_its_trial_by_name_and_the_next_one_reads() {
    let Some(image) = Image::on_cluster() else { return };
    let (scene, run, id) = slow(&image, 2);
    signal(reading(&id)[0], Signal::SIGKILL);
    run.end();
    let trials = scene.trials();
    let found = failure(&trials[0]);
    eprintln!("{found:?}");
    assert_eq!(found.kind, FailureKind::WorkerDied, "{found:?}");
    assert!(found.message.contains("its session in pod tandem-"), "{found:?}");
    read_once(trials.last().unwrap());
    assert_nothing_left(&id);
}

#[test]
#[ignore = "scripts/test --all; needs a Kubernetes cluster; ssh.rs kills a session to a host"]
fn a_kubectl_that_is_killed_and_a_pod_that_is_deleted_fail_their_trials_by_name() {
    let Some(image) = Image::on_cluster() else { return };
    let (scene, run, id) = slow(&image, 3);
    let before = reading(&id);
    let is_session = |line: &str| line.contains(" exec -i ") && line.contains("worker consumer");
    let sessions = || scene.processes().into_iter().filter(move |(_, line)| is_session(line));
    let (session, _) = sessions().next().unwrap();
    signal(session, Signal::SIGKILL);
    wait_until("workers of the next trial that read", || {
        let now = reading(&id);
        now.len() == 2 && !now.iter().any(|pid| before.contains(pid))
    });
    let pod = things("pods", &id)[0].clone();
    assert!(kubectl(&["delete", &pod, "--wait=false"]).status.success());
    run.end();
    let trials = scene.trials();
    let [first, second] = [&trials[0], &trials[1]].map(failure);
    eprintln!("{first:?}\n{second:?}");
    assert!(first.message.contains("its session in pod tandem-"), "{first:?}");
    assert!(second.message.contains("the pod "), "{second:?}");
    read_once(trials.last().unwrap());
    assert_nothing_left(&id);
}

#[test]
#[ignore = "scripts/test --all; needs a Kubernetes cluster; ssh_faults.rs has a host, measure::programs the end"]
fn a_silent_program_and_its_file_of_properties_go_from_a_pod_with_a_killed_observer() {
    let Some(image) = Image::on_cluster() else { return };
    let scene = Scene::on_shared_cluster();
    // It does not end when it is asked to.
    let command = "['sh', '-c', 'trap : TERM; while :; do sleep 0.1; done', 'stubborn', '{properties_file}']";
    let app = format!("[[app]]\nname = 'service'\ncommand = {command}\nspeaks = 'nothing'\n");
    let trials = Scenario::reading(1_000).consumer("app = 'service'").repetitions(2);
    scene.scenario(trials.tables(&(app + &image.place(""))).case("pods", "place = 'pods'"));
    let run = scene.spawn_run(&["--join-limit", "180"]);
    let id = || run_id(&scene).unwrap_or_default();
    let program = || with_words(&id(), "stubborn").pop();
    wait_until("the program in its pod", || program().is_some());
    let (pid, line) = program().unwrap();
    let file = line.split(' ').find(|word| word.ends_with(".properties")).unwrap();
    let pod = things("pods", &id())[0].clone();
    let has_file = || kubectl(&["exec", &pod, "--", "test", "-e", file]).status.success();
    assert!(has_file());
    let (observer, _) = with_words(&id(), "worker observer").pop().unwrap();
    signal(observer, Signal::SIGKILL);
    let is_gone = || with_words(&id(), "stubborn").iter().all(|(other, _)| *other != pid) && !has_file();
    assert!(within(Duration::from_secs(10), is_gone));
    // It went before its pod did.
    assert_eq!(things("pods", &id()).first(), Some(&pod));
    let id = id();
    run.end();
    let trials = scene.trials();
    let found = failure(&trials[0]);
    assert!(found.message.contains("its session in pod tandem-"), "{found:?}");
    assert_nothing_left(&id);
}

#[test]
#[ignore = "scripts/test --all; needs a Kubernetes cluster; limits.rs has a place on this machine"]
fn a_worker_that_needs_more_memory_than_its_pod_may_have_is_named() {
    let Some(image) = Image::on_cluster() else { return };
    let scene = Scene::on_shared_cluster();
    let trials = Scenario::reading(400_000).tables(&image.place("limits = { memory = '12MiB' }"));
    scene.scenario(trials.case("pods", "place = 'pods'"));
    scene.run(&[]);
    let trials = scene.trials();
    let found = failure(&trials[0]);
    assert!(
        found
            .message
            .contains("needed more memory than `limits` gives it, 12 MiB"),
        "{found:?}"
    );
}
