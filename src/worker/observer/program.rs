//! A program that is observed: started in a process group of its own, watched, and ended with everything it has started.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use regex::Regex;
use tempfile::{Builder, NamedTempFile};

use crate::measure::clock;
use crate::measure::programs::observer_files;
use crate::measure::tree::{OBSERVER_VARIABLE, PROGRAM_VARIABLE, TreeWatch, marked};
use crate::measure::usage::ProcessSnapshot;
use crate::protocol::{FromWorker, PROPERTIES_FILE, Program};
use crate::secret::Secret;
use crate::worker::messages::Outbox;
use crate::worker::threads::spawn;

/// How often it is looked whether the program still runs.
const LOOK: Duration = Duration::from_millis(50);

/// From one look at what its processes use to the next.
const USAGE_INTERVAL: Duration = Duration::from_secs(1);

/// How long it may take to end after SIGTERM.
const TERM_LIMIT: Duration = Duration::from_secs(10);

/// How long processes that it started may take to follow it.
const FOLLOW_LIMIT: Duration = Duration::from_millis(500);

/// Lines of its output that are kept for the message of its end.
const LAST_WORDS: usize = 5;

/// A program that runs.
pub(super) struct Running {
    watched: Arc<Watched>,
    pid: u32,
    started_ns: u64,
    /// Removed with it.
    _properties: Option<NamedTempFile>,
}

struct Watched {
    child: Mutex<Child>,
    /// The name that it and all that it starts carry in their environment.
    mark: String,
    usage: Mutex<TreeWatch>,
    output: Output,
    /// True from when it is to end.
    ends: AtomicBool,
}

/// How a program was ended.
pub(super) struct Ending {
    /// What it left behind, as a sentence.
    pub(super) left_behind: Option<String>,
}

impl Running {
    /// Starts it, with `mark` in its environment. Its end before its time is reported as a failure.
    pub(super) fn start(program: &Program, mark: &str, outbox: &Outbox) -> Result<Self, String> {
        let files = observer_files(&program.file_prefix);
        let file = write_properties(program, &files)?;
        let path = file.as_ref().map(|file| file.path().to_string_lossy().into_owned());
        let with_path = |text: &Secret| match &path {
            Some(path) => text.reveal().replace(PROPERTIES_FILE, path),
            None => text.reveal().to_owned(),
        };
        let mut words = program.command.iter().map(with_path);
        let name = words.next().ok_or("the command of the program is empty")?;
        let ready = program.ready.as_deref().map(Regex::new).transpose();
        let ready = ready.map_err(|error| format!("`ready` is no regular expression: {error}"))?;
        let mut command = Command::new(&name);
        command
            .args(words)
            .envs(program.env.iter().map(|(name, value)| (name, with_path(value))))
            .env(PROGRAM_VARIABLE, mark)
            .env(OBSERVER_VARIABLE, &files)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let started_ns = clock::now_ns();
        let mut child = command
            .spawn()
            .map_err(|error| format!("the program cannot be started: {name}: {error}"))?;
        let pid = child.id();
        let streams = streams(&mut child);
        let watched = Arc::new(Watched {
            child: Mutex::new(child),
            mark: mark.to_owned(),
            usage: Mutex::new(TreeWatch::of(pid)),
            output: Output {
                ready,
                log: program.log,
                ..Output::default()
            },
            ends: AtomicBool::new(false),
        });
        for stream in streams {
            let (watched, outbox) = (Arc::clone(&watched), outbox.clone());
            spawn("output".to_owned(), move || watched.output.read(stream, &outbox))?;
        }
        let running = Running {
            watched: Arc::clone(&watched),
            pid,
            started_ns,
            _properties: file,
        };
        let outbox = outbox.clone();
        spawn("program".to_owned(), move || watched.watch(&outbox))?;
        Ok(running)
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn started_ns(&self) -> u64 {
        self.started_ns
    }

    /// When it said that it is ready.
    pub(super) fn ready_ns(&self) -> Option<u64> {
        self.watched.output.ready_ns.get().copied()
    }

    /// What it and all that it started have used by now.
    pub(super) fn used(&self) -> ProcessSnapshot {
        self.watched.usage.lock().unwrap_or_else(PoisonError::into_inner).look()
    }

    /// Asks it to end and, where it does not, kills it; then kills what it has left behind.
    pub(super) fn end(self) -> Ending {
        self.watched.ends.store(true, Ordering::Release);
        let group = Pid::from_raw(self.pid.cast_signed());
        // It fails only where all of the group have ended.
        let _ = killpg(group, Signal::SIGTERM);
        let in_time = wait_until(TERM_LIMIT, || self.watched.exit_status().is_some());
        if !in_time {
            let _ = killpg(group, Signal::SIGKILL);
            wait_until(TERM_LIMIT, || self.watched.exit_status().is_some());
        }
        let of_it = || marked(PROGRAM_VARIABLE, |mark| mark == self.watched.mark);
        wait_until(FOLLOW_LIMIT, || of_it().is_empty());
        let left = of_it();
        let described = describe(&left);
        wait_until(TERM_LIMIT, || {
            let left = of_it();
            for pid in &left {
                // It may have ended in this moment.
                let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
            }
            left.is_empty()
        });
        Ending {
            left_behind: in_time.then_some(described).flatten(),
        }
    }
}

impl Drop for Running {
    /// A group that was not ended in order is killed.
    fn drop(&mut self) {
        if self.watched.exit_status().is_none() {
            let _ = killpg(Pid::from_raw(self.pid.cast_signed()), Signal::SIGKILL);
        }
    }
}

/// What a program writes: its output and its errors.
fn streams(child: &mut Child) -> Vec<Box<dyn Read + Send>> {
    let output = child
        .stdout
        .take()
        .map(|stream| Box::new(stream) as Box<dyn Read + Send>);
    let errors = child
        .stderr
        .take()
        .map(|stream| Box::new(stream) as Box<dyn Read + Send>);
    output.into_iter().chain(errors).collect()
}

/// A file with the properties of a program that wants one; only this user may read it. Its name begins with `prefix`.
fn write_properties(program: &Program, prefix: &str) -> Result<Option<NamedTempFile>, String> {
    let Some(properties) = &program.properties else {
        return Ok(None);
    };
    let written = || {
        let mut builder = Builder::new();
        let mut file = builder.prefix(prefix).suffix(".properties").tempfile()?;
        for (name, value) in properties {
            writeln!(file, "{name}={}", value.reveal())?;
        }
        file.flush().map(|()| Some(file))
    };
    written().map_err(|error: std::io::Error| format!("the file of properties cannot be written: {error}"))
}

/// The processes that a program left behind when it ended, in a sentence.
fn describe(left: &[u32]) -> Option<String> {
    let name = |pid: &u32| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        format!("{} (process {pid})", name.trim_end())
    };
    let names: Vec<String> = left.iter().map(name).collect();
    (!names.is_empty()).then(|| {
        let names = names.join(", ");
        format!("the program ended and left behind what it had started: {names}; that was killed")
    })
}

/// Looks until `holds` or the time is over; whether it held.
fn wait_until(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

impl Watched {
    /// How its first process ended, once it has.
    fn exit_status(&self) -> Option<ExitStatus> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.try_wait().ok().flatten()
    }

    fn watch(&self, outbox: &Outbox) {
        let mut next_usage = Instant::now();
        while !self.ends.load(Ordering::Acquire) {
            if let Some(status) = self.exit_status() {
                // What it said last is still on its way.
                thread::sleep(LOOK);
                if !self.ends.load(Ordering::Acquire) {
                    let _ = outbox.send(&FromWorker::Failed {
                        consumer: None,
                        connect: false,
                        message: format!("the program {}{}", how(status), self.output.last_words()),
                    });
                }
                return;
            }
            if Instant::now() >= next_usage {
                self.usage.lock().unwrap_or_else(PoisonError::into_inner).look();
                next_usage = Instant::now() + USAGE_INTERVAL;
            }
            thread::sleep(LOOK);
        }
    }
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(9)) => "was killed (signal 9)".to_owned(),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

/// What a program prints.
#[derive(Default)]
struct Output {
    ready: Option<Regex>,
    ready_ns: OnceLock<u64>,
    last: Mutex<VecDeque<String>>,
    /// Whether it is passed on.
    log: bool,
}

impl Output {
    /// Reads a stream to its end: a program whose output nobody reads would stand still.
    fn read(&self, stream: Box<dyn Read + Send>, outbox: &Outbox) {
        for line in BufReader::new(stream).split(b'\n') {
            let Ok(line) = line else { return };
            self.note(String::from_utf8_lossy(&line).trim_end().to_owned(), outbox);
        }
    }

    fn note(&self, line: String, outbox: &Outbox) {
        if self.log {
            eprintln!("program: {line}");
        }
        let is_ready = self.ready.as_ref().is_some_and(|ready| ready.is_match(&line));
        if is_ready && self.ready_ns.get().is_none() {
            let at_ns = clock::now_ns();
            if self.ready_ns.set(at_ns).is_ok() {
                // Nobody listens any more only when the worker is about to end.
                let _ = outbox.send(&FromWorker::ProgramReady { at_ns });
            }
        }
        if line.is_empty() {
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() == LAST_WORDS {
            last.pop_front();
        }
        last.push_back(line);
    }

    fn last_words(&self) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last: Vec<&str> = last.iter().map(String::as_str).collect();
        if last.is_empty() {
            return "; it printed nothing".to_owned();
        }
        format!("; its last words: {}", last.join(" / "))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn start(script: &str, mark: &str) -> Running {
        let command = ["sh", "-c", script].map(Secret::new).to_vec();
        let program = Program {
            command,
            env: [("GREETING".to_owned(), Secret::new("hello"))].into(),
            ready: Some("^it is hello$".to_owned()),
            properties: None,
            file_prefix: String::new(),
            asks_offsets: false,
            log: false,
        };
        Running::start(&program, &format!("{mark}-{}", std::process::id()), &Outbox::default()).unwrap()
    }

    #[test]
    fn a_program_says_that_it_is_ready_in_its_environment_and_its_end_is_told_with_its_last_words() {
        let running = start("echo it is $GREETING; echo alas >&2; exit 3", "ready");
        assert!(wait_until(Duration::from_secs(5), || running.ready_ns().is_some()));
        assert!(wait_until(Duration::from_secs(5), || running
            .watched
            .exit_status()
            .is_some()));
        let status = running.watched.exit_status().unwrap();
        assert_eq!(how(status), "ended with exit code 3");
        assert!(wait_until(Duration::from_secs(5), || running
            .watched
            .output
            .last_words()
            .contains("alas")));
        assert!(running.ready_ns() > Some(running.started_ns()));
        assert_eq!(running.end().left_behind, None);
    }

    #[test]
    fn what_a_program_leaves_behind_is_named_and_killed() {
        let running = start("setsid sleep 77 & echo it is $GREETING; wait", "leaves");
        assert!(wait_until(Duration::from_secs(5), || running.ready_ns().is_some()));
        let mark = running.watched.mark.clone();
        // Only then it has a session of its own.
        let sleeps =
            |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n");
        assert!(wait_until(Duration::from_secs(5), || {
            marked(PROGRAM_VARIABLE, |found| found == mark).iter().any(sleeps)
        }));
        let left = running.end().left_behind.unwrap();
        assert!(left.contains("sleep (process "), "{left}");
        assert_eq!(marked(PROGRAM_VARIABLE, |found| found == mark), [0_u32; 0]);
    }

    #[test]
    fn a_program_that_cannot_be_started_is_named() {
        let program = Program {
            command: vec![Secret::new("/no/such/program")],
            env: [].into(),
            ready: None,
            properties: None,
            file_prefix: String::new(),
            asks_offsets: false,
            log: false,
        };
        let refused = Running::start(&program, "none", &Outbox::default()).err().unwrap();
        assert!(refused.contains("/no/such/program: No such file"), "{refused}");
    }
}
