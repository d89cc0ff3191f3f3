//! A server: a process that can end and be started again, and its folder with its log. Knows nothing of what it serves.

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

use super::error::FileError;
use super::files::last_lines;
use super::ownership::{Keeper, RUN_VARIABLE};
use crate::measure::tree::{ProcessStat, with_descendants};

/// How long what it has started may take to be gone after it was killed.
const KILL_LIMIT: Duration = Duration::from_secs(1);

/// The file of what it prints, in its folder.
pub const OUTPUT: &str = "output.log";

/// How long it may take to end when asked to.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAccount {
    /// Its name.
    pub name: String,
    /// Its id.
    pub uid: u32,
    /// The id of its group.
    pub gid: u32,
}

/// What every start of a server needs, and how it is read and ended.
#[derive(Debug, Clone)]
pub struct ServerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Id of the run, with which its processes are marked.
    pub run_id: String,
    /// Whose processes they are; `None` for those of this user.
    pub account: Option<UserAccount>,
    /// The signal that asks it to end in order.
    pub stop: Signal,
    /// The file of its log, in its folder; [`OUTPUT`] where it logs by printing.
    pub log: &'static str,
    /// What lines of its log contain that report a failure.
    pub failure_signs: &'static [&'static str],
}

/// A server run here; killed when dropped.
pub struct Server {
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
    /// One that has this folder and was not started yet.
    pub fn new(folder: PathBuf, command: ServerCommand, keeper: Arc<dyn Keeper>) -> Self {
        Server {
            folder,
            command,
            keeper,
            state: Mutex::default(),
        }
    }

    /// The folder of its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its log.
    pub fn log_path(&self) -> PathBuf {
        self.folder.join(self.command.log)
    }

    /// The failures in its log, or else its last lines; and the last lines of its output, to which its runtime writes.
    pub fn last_log_lines(&self) -> String {
        let log = self.log_path();
        let signs = self.command.failure_signs;
        let failures = last_lines(&log, 10, |line| signs.iter().any(|sign| line.contains(sign)));
        // Some list all their settings, indented, while they start.
        let last = || last_lines(&log, 10, |line| !line.starts_with(['\t', ' ']));
        let output = match self.command.log {
            OUTPUT => String::new(),
            _ => last_lines(&self.folder.join(OUTPUT), 5, |_| true),
        };
        let log = if failures.is_empty() { last() } else { failures };
        [log, output]
            .into_iter()
            .filter(|lines| !lines.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Process id; `None` while it does not run.
    pub fn pid(&self) -> Option<u32> {
        let mut state = self.lock();
        self.reap(&mut state);
        state.process.as_ref().map(Child::id)
    }

    /// How its last process ended; `None` while it runs or has never run.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        let mut state = self.lock();
        self.reap(&mut state);
        if state.process.is_some() { None } else { state.exit }
    }

    /// CPU nanoseconds of all its processes; of one that ended by itself, up to the last time this was asked.
    pub fn cpu_ns(&self) -> u64 {
        let mut state = self.lock();
        self.reap(&mut state);
        read_cpu(&mut state);
        state.ended_cpu_ns + state.last_cpu_ns
    }

    /// Starts its process, unless it runs. It takes a while until it answers.
    pub fn start(&self) -> Result<(), FileError> {
        let mut state = self.lock();
        self.reap(&mut state);
        if state.process.is_some() {
            return Ok(());
        }
        let output = self.folder.join(OUTPUT);
        let open = || OpenOptions::new().create(true).append(true).open(&output);
        let (stdout, stderr) = open()
            .and_then(|file| Ok((file.try_clone()?, file)))
            .map_err(FileError::new("write", &output))?;
        let child = command_as(self.command.account.as_ref(), &self.command.program)
            .args(&self.command.arguments)
            .env(RUN_VARIABLE, &self.command.run_id)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            // Ctrl-C in the terminal is for tandem, which ends its servers in its own time.
            .process_group(0)
            .spawn()
            .map_err(FileError::new("run", &self.command.program))?;
        self.keeper.process_started(child.id());
        state.process = Some(child);
        state.exit = None;
        Ok(())
    }

    /// Asks it to end in order. Killed after 15 s.
    pub fn stop(&self) -> io::Result<()> {
        self.stop_by(self.command.stop)
    }

    /// Asks it by this signal to end. Killed after 15 s.
    pub fn stop_by(&self, signal: Signal) -> io::Result<()> {
        self.signal(signal)?;
        // A suspended process would not get it.
        self.resume()?;
        let deadline = Instant::now() + STOP_LIMIT;
        while self.pid().is_some() {
            if Instant::now() > deadline {
                return self.kill();
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Kills it and all that it has started at once (SIGKILL) and waits until it is gone.
    pub fn kill(&self) -> io::Result<()> {
        let mut state = self.lock();
        read_cpu(&mut state);
        let Some(child) = state.process.as_mut() else {
            return Ok(());
        };
        let pid = child.id();
        let started = started_by(pid);
        child.kill()?;
        let exit = child.wait()?;
        for pid in &started {
            // Most end by themselves when their parent does.
            let _ = kill(*pid, Signal::SIGKILL);
        }
        let deadline = Instant::now() + KILL_LIMIT;
        while started.iter().any(|pid| runs(*pid)) && Instant::now() < deadline {
            sleep(Duration::from_millis(2));
        }
        self.ended(&mut state, pid, exit);
        Ok(())
    }

    /// Suspends it and all that it has started (SIGSTOP): its connections stay, and nothing answers.
    pub fn suspend(&self) -> io::Result<()> {
        self.signal(Signal::SIGSTOP)?;
        self.signal_started(Signal::SIGSTOP);
        Ok(())
    }

    /// Lets it go on after [`Server::suspend`].
    pub fn resume(&self) -> io::Result<()> {
        self.signal_started(Signal::SIGCONT);
        self.signal(Signal::SIGCONT)
    }

    fn signal_started(&self, signal: Signal) {
        for pid in self.pid().into_iter().flat_map(started_by) {
            // It may have ended in this moment.
            let _ = kill(pid, signal);
        }
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

/// A command that another user of this machine runs, where one is named.
pub fn command_as(account: Option<&UserAccount>, program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody reads an error here; the guardian tries again.
        let _ = self.kill();
    }
}

/// What a process has started, and these in turn.
fn started_by(pid: u32) -> Vec<Pid> {
    let all = with_descendants(&[pid]).into_iter().skip(1);
    all.map(|pid| Pid::from_raw(pid.cast_signed())).collect()
}

fn runs(pid: Pid) -> bool {
    ProcessStat::of(pid.as_raw().cast_unsigned()).is_some_and(|stat| stat.runs())
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
