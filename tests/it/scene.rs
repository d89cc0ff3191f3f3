//! A place for one run: a working folder and a state folder of its own, scenario files, and the program in it. All
//! processes that come of it carry a mark, so that a test can see what is left of them.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Display;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tandem::measure::{Failure, Status, Trial};
use tandem::store::RunDir;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_tandem");

/// Marks the processes of a scene.
const MARK: &str = "TANDEM_TEST_SCENE";

/// How long anything may take before a test gives up; much more than it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

pub struct Scene {
    folder: tempfile::TempDir,
    environment: Vec<(String, Option<String>)>,
    bootstrap: Option<String>,
    launcher: Vec<String>,
}

impl Scene {
    /// Runs start brokers of their own.
    pub fn new() -> Self {
        Scene {
            folder: tempfile::tempdir().unwrap(),
            environment: Vec::new(),
            bootstrap: None,
            launcher: Vec::new(),
        }
    }

    /// Runs use the broker that the tests share.
    pub fn on_shared_cluster() -> Self {
        Scene::on_cluster(&crate::shared_cluster::bootstrap())
    }

    /// Runs use the cluster at this address.
    pub fn on_cluster(bootstrap: &str) -> Self {
        let mut scene = Scene::new();
        scene.bootstrap = Some(bootstrap.to_owned());
        scene
    }

    /// Sets an environment variable for what is run here, or removes it.
    pub fn environment(mut self, name: &str, value: Option<&str>) -> Self {
        self.environment.push((name.to_owned(), value.map(str::to_owned)));
        self
    }

    /// Has another program start the one under test.
    pub fn under(mut self, launcher: &[&str]) -> Self {
        self.launcher = launcher.iter().copied().map(str::to_owned).collect();
        self
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where runs of this scene are stored.
    pub fn out(&self) -> PathBuf {
        self.path().join("out")
    }

    /// Writes the scenario file of this scene.
    pub fn scenario(&self, text: impl Display) -> &Self {
        fs::write(self.path().join("scene.toml"), text.to_string()).unwrap();
        self
    }

    /// The command line of the program in this scene.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let line: Vec<&str> = self.launcher.iter().map(String::as_str).chain([PROGRAM]).collect();
        self.command_of(line[0], &[&line[1..], arguments].concat())
    }

    /// The command line of any program in this scene.
    pub fn command_of(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.path())
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("COLUMNS", "100")
            .env("NO_COLOR", "1")
            .env(MARK, self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Starts the program and lets it go on.
    pub fn spawn(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments))
    }

    /// Runs the program to its end.
    pub fn tandem(&self, arguments: &[&str]) -> Ended {
        self.spawn(arguments).end()
    }

    /// The arguments of a run of this scene's file.
    fn run_arguments<'a>(&'a self, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let mut arguments = vec!["run", "scene.toml", "--out", out];
        if let Some(bootstrap) = &self.bootstrap {
            arguments.extend(["--bootstrap", bootstrap]);
        }
        arguments.extend(more);
        arguments
    }

    /// Starts a run of this scene's file.
    pub fn spawn_run(&self, more: &[&str]) -> Running {
        self.spawn(&self.run_arguments("out", more))
    }

    /// Runs this scene's file.
    pub fn run(&self, more: &[&str]) -> Ended {
        self.spawn_run(more).end()
    }

    /// Starts a run of this scene's file that is stored in a folder of this name.
    pub fn spawn_run_to(&self, out: &str, more: &[&str]) -> Running {
        self.spawn(&self.run_arguments(out, more))
    }

    /// Goes on with the run of this scene.
    pub fn resume(&self) -> Ended {
        self.tandem(&["run", "--resume", "out"])
    }

    /// The stored trials.
    pub fn trials(&self) -> Vec<Trial> {
        RunDir::open(&self.out()).unwrap().read_trials().unwrap()
    }

    /// The files of the trials with their contents.
    pub fn trial_files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files_below(&self.out().join("trials"))
    }

    /// The rows of a table of the run.
    pub fn table(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_path(self.out().join(name)).unwrap();
        reader.deserialize().map(Result::unwrap).collect()
    }

    /// Processes of this scene that run now: id and command line.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let mark = format!("{MARK}={}", self.path().display());
        let all = fs::read_dir("/proc").unwrap().flatten();
        let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let marked = pids.filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == mark.as_bytes())
        });
        marked
            .map(|pid| {
                let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                (pid, String::from_utf8_lossy(&line).replace('\0', " "))
            })
            .collect()
    }

    /// Processes whose command line contains these words.
    pub fn processes_of(&self, words: &str) -> Vec<u32> {
        let all = self.processes().into_iter();
        all.filter(|(_, line)| line.contains(words))
            .map(|(pid, _)| pid)
            .collect()
    }

    /// The folders with brokers' data that the run has noted.
    pub fn data_folders(&self) -> Vec<PathBuf> {
        let text = fs::read_to_string(self.out().join("leftovers.json")).unwrap_or_default();
        let record: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let folders = record["directories"].as_array().cloned().unwrap_or_default();
        folders
            .iter()
            .map(|folder| PathBuf::from(folder.as_str().unwrap()))
            .collect()
    }

    /// Checks that no process of the scene runs.
    pub fn assert_no_processes(&self) {
        let left = || self.processes();
        assert!(
            within(Duration::from_secs(3), || left().is_empty()),
            "left: {:?}",
            left()
        );
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // Only where a test failed is there anything left to end.
        for (pid, _) in self.processes() {
            signal(pid, Signal::SIGKILL);
        }
    }
}

/// All files below a folder with their contents.
pub fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if let Ok(contents) = fs::read(&path) {
            files.insert(path, contents);
        }
    }
    files
}

/// Sends a signal; a process that is gone gets none.
pub fn signal(pid: u32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
}

/// Waits for a condition.
pub fn within(limit: Duration, condition: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
    true
}

/// Waits for a condition that must come.
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    assert!(within(PATIENCE, condition), "never: {what}");
}

/// Runs a test whose figures other programs on the machine can spoil: one of three attempts must succeed. The test gets
/// the number of the attempt, from 0, for names of its own.
pub fn undisturbed(test: impl Fn(u32)) {
    for attempt in 0..2 {
        if panic::catch_unwind(AssertUnwindSafe(|| test(attempt))).is_ok() {
            return;
        }
        note_retry();
    }
    test(2);
}

/// Adds the name of this test to the list of retries, which scripts/test prints and limits.
fn note_retry() {
    let test = thread::current().name().unwrap_or("unnamed").to_owned();
    eprintln!("{test} is retried");
    if let Some(list) = env::var_os("TANDEM_TEST_RETRIES") {
        let mut list = fs::OpenOptions::new().append(true).open(list).unwrap();
        writeln!(list, "{test}").unwrap();
    }
}

/// The program while it runs.
pub struct Running {
    child: Child,
    stderr: Receiver<String>,
    stdout: thread::JoinHandle<String>,
    said: String,
    began: Instant,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (sender, stderr) = channel();
        let lines = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            for line in lines.split(b'\n').map_while(Result::ok) {
                let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
            }
        });
        let mut output = child.stdout.take().unwrap();
        let stdout = thread::spawn(move || {
            let mut bytes = Vec::new();
            output.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Running {
            child,
            stderr,
            stdout,
            said: String::new(),
            began: Instant::now(),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: Signal) {
        signal(self.pid(), name);
    }

    /// Waits for a line on standard error that contains a text.
    pub fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self
                .stderr
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    let found = line.contains(text);
                    self.said += &(line + "\n");
                    if found {
                        return;
                    }
                }
                Err(error) => panic!("{text:?} was not said ({error}); said was:\n{}", self.said),
            }
        }
    }

    /// Waits for its end.
    pub fn end(self) -> Ended {
        self.end_within(PATIENCE)
    }

    /// Waits so long for its end.
    pub fn end_within(mut self, limit: Duration) -> Ended {
        let deadline = Instant::now() + limit;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.child.kill().unwrap();
                panic!("it does not end; said was:\n{}", self.said);
            }
            thread::sleep(Duration::from_millis(10));
        };
        let took = self.began.elapsed();
        // A guardian that outlives the program holds no stream of it; a second is for the last lines.
        while let Ok(line) = self.stderr.recv_timeout(Duration::from_secs(1)) {
            self.said += &(line + "\n");
        }
        Ended {
            code: status.code(),
            stdout: self.stdout.join().unwrap(),
            stderr: self.said,
            took,
        }
    }
}

/// What the program came to.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Ended {
    /// Checks the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that standard error contains a text.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "{text:?} is not in:\n{}", self.stderr);
        self
    }

    /// Checks that standard output contains a text.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "{text:?} is not in:\n{}", self.stdout);
        self
    }

    /// Checks that this command was refused: exit code 2, one message with these parts, and no output.
    #[track_caller]
    pub fn refuses(self, parts: &[&str]) -> Self {
        let ended = parts.iter().fold(self.exits(2), |ended, part| ended.says(part));
        let messages = ended.stderr.lines().filter(|line| line.starts_with("tandem: ")).count();
        assert_eq!(messages, 1, "one message:\n{}", ended.stderr);
        assert!(
            !ended.stderr.contains("panicked") && ended.stdout.is_empty(),
            "{ended:?}"
        );
        ended
    }

    /// Checks that exactly one check of `tandem doctor` failed, and that the output has these parts.
    #[track_caller]
    pub fn fails_one_check(self, parts: &[&str]) -> Self {
        let ended = parts.iter().fold(self.exits(1), |ended, part| ended.prints(part));
        assert_eq!(ended.failed_checks(), 1, "{}", ended.stdout);
        ended
    }

    /// How many checks of `tandem doctor` failed.
    pub fn failed_checks(&self) -> usize {
        self.stdout.lines().filter(|line| line.starts_with("FAILED")).count()
    }
}

/// Client properties with which a broker holds a fetch that finds no record for longer than any trial takes.
pub const HELD_FETCHES: &str = "[consumer.client]\n'fetch.wait.max.ms' = 30000\n";

/// Checks that a run with [`HELD_FETCHES`] has waited neither for a fetch of empty partitions nor for a member that did
/// not leave.
#[track_caller]
pub fn assert_no_held_fetch(ended: &Ended, trials: &[Trial]) {
    for trial in trials {
        let measurement = trial.measurement.as_ref().unwrap();
        assert_eq!(trial.status, Status::Complete, "{}", trial.configuration_name);
        let read = Duration::from_nanos(measurement.read_ns());
        assert!(read < Duration::from_secs(20), "{}: {read:?}", trial.configuration_name);
    }
    assert!(!ended.stderr.contains("drop the members"), "{}", ended.stderr);
}

/// The failure of a trial that must have failed.
#[track_caller]
pub fn failure(trial: &Trial) -> &Failure {
    match &trial.status {
        Status::Failed(failure) => failure,
        other => panic!("trial {} has not failed: {other:?}", trial.order.number),
    }
}

/// Checks that a trial read everything exactly once.
#[track_caller]
pub fn read_once(trial: &Trial) {
    let name = &trial.configuration_name;
    assert!(!matches!(trial.status, Status::Failed(_)), "{name}: {:?}", trial.status);
    let measurement = trial.measurement.as_ref().unwrap();
    let groups = 1 + measurement
        .members
        .iter()
        .map(|member| u64::from(member.group))
        .max()
        .unwrap();
    assert_eq!(measurement.records(), measurement.records_expected * groups, "{name}");
    assert_eq!((measurement.lost, measurement.duplicated), (0, 0), "{name}");
}
