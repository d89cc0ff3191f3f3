//! A Java server: a process that can end and be started again, and its folder with its log. Knows nothing of what it
//! serves.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use super::error::LocalError;
use super::files::last_lines;
use super::ownership::{Keeper, RUN_VARIABLE};

/// How long it may take to end when asked to.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// What every start of it needs.
#[derive(Debug, Clone)]
pub(super) struct ServerCommand {
    pub java: PathBuf,
    pub arguments: Vec<String>,
    pub run_id: String,
}

/// A Java server run here; killed when dropped.
pub(super) struct Server {
    folder: PathBuf,
    command: ServerCommand,
    keeper: Arc<dyn Keeper>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    process: Option<Child>,
    /// CPU time of the processes that have ended.
    ended_cpu_ns: u64,
    /// CPU time of the running process when last read.
    last_cpu_ns: u64,
    /// How the last process ended.
    exit: Option<ExitStatus>,
}

impl Server {
    pub(super) fn new(folder: PathBuf, command: ServerCommand, keeper: Arc<dyn Keeper>) -> Self {
        Server {
            folder,
            command,
            keeper,
            state: Mutex::default(),
        }
    }

    /// The folder of its files.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its log.
    pub(super) fn log_path(&self) -> PathBuf {
        log_path(&self.folder)
    }

    /// The failures in its log, or else its last lines; and the last lines of its output, to which Java itself writes.
    pub(super) fn last_log_lines(&self) -> String {
        let log = self.log_path();
        let signs = [" ERROR ", " FATAL ", "Caused by: ", "Exception: "];
        let failures = last_lines(&log, 10, |line| signs.iter().any(|sign| line.contains(sign)));
        // Kafka lists all its settings, indented, while it starts.
        let last = || last_lines(&log, 10, |line| !line.starts_with(['\t', ' ']));
        let output = last_lines(&self.folder.join("output.log"), 5, |_| true);
        let log = if failures.is_empty() { last() } else { failures };
        [log, output]
            .into_iter()
            .filter(|lines| !lines.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Process id; `None` while it does not run.
    pub(super) fn pid(&self) -> Option<u32> {
        let mut state = self.lock();
        self.reap(&mut state);
        state.process.as_ref().map(Child::id)
    }

    /// How its last process ended; `None` while it runs or has never run.
    pub(super) fn exit_status(&self) -> Option<ExitStatus> {
        let mut state = self.lock();
        self.reap(&mut state);
        if state.process.is_some() { None } else { state.exit }
    }

    /// CPU nanoseconds of all its processes; of one that ended by itself, up to the last time this was asked.
    pub(super) fn cpu_ns(&self) -> u64 {
        let mut state = self.lock();
        self.reap(&mut state);
        read_cpu(&mut state);
        state.ended_cpu_ns + state.last_cpu_ns
    }

    /// Starts its process, unless it runs. It takes a while until it answers.
    pub(super) fn start(&self) -> Result<(), LocalError> {
        let mut state = self.lock();
        self.reap(&mut state);
        if state.process.is_some() {
            return Ok(());
        }
        let output = self.folder.join("output.log");
        let open = || OpenOptions::new().create(true).append(true).open(&output);
        let (stdout, stderr) = open()
            .and_then(|file| Ok((file.try_clone()?, file)))
            .map_err(LocalError::io("write", &output))?;
        let child = Command::new(&self.command.java)
            .args(&self.command.arguments)
            .env(RUN_VARIABLE, &self.command.run_id)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            // Ctrl-C in the terminal is for tandem, which ends its servers in its own time.
            .process_group(0)
            .spawn()
            .map_err(LocalError::io("run", &self.command.java))?;
        self.keeper.process_started(child.id());
        state.process = Some(child);
        state.exit = None;
        Ok(())
    }

    /// Asks it to end. Killed after 15 s.
    pub(super) fn stop(&self) -> io::Result<()> {
        self.signal(Signal::SIGTERM)?;
        // A suspended process would not get it.
        self.signal(Signal::SIGCONT)?;
        let deadline = Instant::now() + STOP_LIMIT;
        while self.pid().is_some() {
            if Instant::now() > deadline {
                return self.kill();
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Kills it at once (SIGKILL) and waits until it is gone.
    pub(super) fn kill(&self) -> io::Result<()> {
        let mut state = self.lock();
        read_cpu(&mut state);
        let Some(child) = state.process.as_mut() else {
            return Ok(());
        };
        let pid = child.id();
        child.kill()?;
        let exit = child.wait()?;
        self.ended(&mut state, pid, exit);
        Ok(())
    }

    /// Suspends it (SIGSTOP): its connections stay, and nothing answers.
    pub(super) fn suspend(&self) -> io::Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on after [`Broker::suspend`].
    pub(super) fn resume(&self) -> io::Result<()> {
        self.signal(Signal::SIGCONT)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        let mut state = self.lock();
        self.reap(&mut state);
        read_cpu(&mut state);
        let Some(child) = &state.process else { return Ok(()) };
        // The child has not been waited for, so its id cannot belong to another process.
        Ok(kill(Pid::from_raw(child.id().cast_signed()), signal)?)
    }

    /// Notices a process that has ended.
    fn reap(&self, state: &mut State) {
        let Some(child) = state.process.as_mut() else { return };
        let pid = child.id();
        if let Ok(Some(exit)) = child.try_wait() {
            self.ended(state, pid, exit);
        }
    }

    fn ended(&self, state: &mut State, pid: u32, exit: ExitStatus) {
        state.process = None;
        state.exit = Some(exit);
        state.ended_cpu_ns += std::mem::take(&mut state.last_cpu_ns);
        self.keeper.process_ended(pid);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody reads an error here; the guardian tries again.
        let _ = self.kill();
    }
}

/// The log of the server with this folder.
pub(super) fn log_path(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

fn read_cpu(state: &mut State) {
    let Some(child) = &state.process else { return };
    let clock = clock_getcpuclockid(Pid::from_raw(child.id().cast_signed()));
    if let Ok(time) = clock.and_then(clock_gettime) {
        let ns = time.tv_sec().cast_unsigned() * 1_000_000_000 + time.tv_nsec().cast_unsigned();
        // A process that has ended but was not waited for may read less.
        state.last_cpu_ns = state.last_cpu_ns.max(ns);
    }
}
