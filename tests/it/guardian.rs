//! The guardian with real processes: however its coordinator dies, nothing of the run is left.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;
use tandem::coordinator::ProcessIdentity;
use tandem::coordinator::guardian::Guardian;
use tandem::coordinator::leftovers::{LEFTOVERS_FILE, clean_leftovers};
use tandem::server::{Keeper, RUN_VARIABLE, marker_name};

use crate::scene::{PROGRAM, signal, within};

/// Where the stand-in for a coordinator works; it does nothing without it.
const FOLDER: &str = "TANDEM_TEST_STAND_IN";

/// A coordinator with a guardian, a registered process, one that it had no time to register, and a directory.
struct StandIn {
    process: Child,
    children: Vec<ProcessIdentity>,
    guardian: ProcessIdentity,
    folder: tempfile::TempDir,
}

impl StandIn {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "guardian::stand_in_for_a_coordinator",
                "--ignored",
                "--nocapture",
            ])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let pids = lines
            .map(Result::unwrap)
            .find_map(|line| line.split_once("pids: ").map(|(_, pids)| pids.to_owned()));
        let pids = pids.unwrap();
        let mut children: Vec<_> = pids
            .split(' ')
            .map(|pid| ProcessIdentity::of(pid.parse().unwrap()).unwrap())
            .collect();
        let guardian = children.pop().unwrap();
        StandIn {
            process,
            children,
            guardian,
            folder,
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn run_id(&self) -> String {
        run_id(self.folder.path())
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn anything_left(&self) -> bool {
        self.data().exists() || self.guardian.is_running() || self.children.iter().any(|child| child.is_running())
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // Where a test failed: its guardian does the rest.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The id of a run that is made from the name of its folder.
pub fn run_id(folder: &Path) -> String {
    folder
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .trim_start_matches('.')
        .to_owned()
}

/// Not a test: the process that the tests start and kill.
#[test]
#[ignore = "the tests start it as a process of its own"]
#[allow(
    clippy::zombie_processes,
    reason = "it is killed, and its guardian ends its children"
)]
fn stand_in_for_a_coordinator() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let run = run_id(&folder);
    let guardian = Guardian::start(Path::new(PROGRAM), &run, &folder, &folder.join("state")).unwrap();
    let data = folder.join("data");
    guardian.directory_planned(&data);
    fs::create_dir_all(data.join("broker-1/topic-0")).unwrap();
    fs::write(data.join(marker_name(&run)), "").unwrap();
    fs::write(data.join("broker-1/topic-0/segment.log"), vec![0; 1 << 20]).unwrap();
    let registered = Command::new("sleep").arg("60").spawn().unwrap();
    guardian.process_started(registered.id());
    let unregistered = Command::new("sleep").arg("60").env(RUN_VARIABLE, &run).spawn().unwrap();
    println!(
        "pids: {} {} {}",
        registered.id(),
        unregistered.id(),
        guardian.pid().unwrap()
    );
    sleep(Duration::from_secs(60));
}

#[test]
fn a_killed_coordinator_leaves_no_process_and_no_data_within_three_seconds() {
    let mut run = StandIn::start();
    assert!(run.children.iter().all(|child| child.is_running()) && run.data().exists());
    run.kill();
    assert!(
        within(Duration::from_secs(3), || !run.anything_left()),
        "left: {:?}",
        run.children
    );
}

#[test]
fn the_guardian_outlives_the_signals_that_end_a_terminal_s_programs() {
    let mut run = StandIn::start();
    for name in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signal(run.guardian.pid, name);
    }
    sleep(Duration::from_millis(200));
    assert!(run.guardian.is_running());
    let session = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(") ").unwrap().1.split(' ').nth(3).unwrap().to_owned()
    };
    assert_eq!(session(run.guardian.pid), run.guardian.pid.to_string());
    run.kill();
    assert!(within(Duration::from_secs(3), || !run.anything_left()));
}

#[test]
fn what_stays_when_the_guardian_is_killed_too_is_removed_by_the_next_start() {
    let mut run = StandIn::start();
    let state = run.folder.path().join("state");
    assert!(clean_leftovers(&state).is_empty());
    assert!(
        run.children.iter().all(|child| child.is_running()),
        "a living run was cleaned"
    );
    signal(run.guardian.pid, Signal::SIGKILL);
    run.kill();
    assert!(run.children.iter().all(|child| child.is_running()) && run.data().exists());
    assert!(state.join(format!("{}.json", run.run_id())).exists());
    assert_eq!(clean_leftovers(&state), []);
    assert!(!run.anything_left());
    assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
    assert!(!run.folder.path().join(LEFTOVERS_FILE).exists());
}

#[test]
fn a_run_that_ends_well_leaves_neither_guardian_nor_record() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let run = run_id(folder.path());
    let guardian = Guardian::start(Path::new(PROGRAM), &run, folder.path(), &state).unwrap();
    let process = ProcessIdentity::of(guardian.pid().unwrap()).unwrap();
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    guardian.process_started(child.id());
    assert!(
        fs::read_to_string(folder.path().join(LEFTOVERS_FILE))
            .unwrap()
            .contains(&child.id().to_string())
    );
    child.kill().unwrap();
    child.wait().unwrap();
    guardian.process_ended(child.id());
    guardian.finish().unwrap();
    assert!(!process.is_running() && guardian.problem().is_none());
    assert!(!folder.path().join(LEFTOVERS_FILE).exists());
    assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
}

#[test]
fn a_run_whose_guardian_was_killed_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(PROGRAM);
    let guardian = Guardian::start(
        program,
        &run_id(folder.path()),
        folder.path(),
        &folder.path().join("state"),
    )
    .unwrap();
    let pid = guardian.pid().unwrap();
    signal(pid, Signal::SIGKILL);
    assert!(within(Duration::from_secs(2), || ProcessIdentity::of(pid).is_none()));
    guardian.directory_planned(&folder.path().join("data"));
    assert!(guardian.problem().unwrap().contains("guardian"));
}

#[test]
fn a_program_that_is_no_guardian_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Guardian::start(Path::new("/bin/true"), "x", folder.path(), &folder.path().join("state"))
        .err()
        .unwrap();
    assert!(error.to_string().contains("does not answer"), "{error}");
}
