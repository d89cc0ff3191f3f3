//! A worker's end of the protocol: messages come on standard input and go to standard output, one JSON object a line.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::prctl;

use super::heartbeat::Heartbeat;
use crate::measure::usage::ProcessSnapshot;
use crate::measure::{ProcessUsage, Stretch, clock};
use crate::protocol::{Capability, ClockReading, FromWorker, Hello, PROTOCOL_VERSION, SILENCE_LIMIT_MS, ToWorker};

/// What a worker process does: it consumes, or it produces.
pub(super) trait Role {
    /// Does what a message says; the answer, if there is one.
    fn on(&mut self, message: ToWorker) -> Result<Option<FromWorker>, Failure>;
    /// Ends whatever is still under way when the worker ends.
    fn end(&mut self);
}

/// The process of a worker.
pub(super) struct Process {
    born: ProcessSnapshot,
    heartbeat: Heartbeat,
    pub(super) outbox: Outbox,
}

impl Process {
    /// What it used from its beginning to this moment.
    pub(super) fn used_until(&self, end: &ProcessSnapshot) -> ProcessUsage {
        end.since(&self.born)
    }

    /// Where it did not run.
    pub(super) fn pauses(&self) -> Vec<Stretch> {
        self.heartbeat.pauses()
    }
}

/// Runs a worker until `exit`, the end of its input, or a silence of [`SILENCE_LIMIT_MS`]. The exit code says whether it
/// could do what it was asked.
pub(super) fn run<R: Role>(capabilities: &[Capability], role: impl FnOnce(Process) -> R) -> ExitCode {
    refuse_huge_pages();
    let library = ("librdkafka".to_owned(), rdkafka::util::get_rdkafka_version().1);
    run_with(library, capabilities, role)
}

/// The variable by which mimalloc asks for huge pages (1) or does not (0).
const HUGE_PAGES: &str = "MIMALLOC_ALLOW_THP";

/// Keeps the memory of this process in small pages, unless the environment asks for huge ones: the allocator gives each
/// thread of a client a huge page at least, of which it uses some KiB and the kernel clears 2 MiB.
fn refuse_huge_pages() {
    if std::env::var_os(HUGE_PAGES).is_none_or(|value| value == "0") {
        // Fails only where the kernel has none.
        let _ = prctl::set_thp_disable(true);
    }
}

/// The same for a worker whose records are read by this client, with its version.
pub(super) fn run_with<R: Role>(
    (client, client_version): (String, String),
    capabilities: &[Capability],
    role: impl FnOnce(Process) -> R,
) -> ExitCode {
    let process = Process {
        born: ProcessSnapshot::of_birth(clock::now_ns()),
        heartbeat: Heartbeat::start(),
        outbox: Outbox::default(),
    };
    let outbox = process.outbox.clone();
    let hello = Hello {
        protocol: PROTOCOL_VERSION,
        client,
        client_version,
        pid: std::process::id(),
        capabilities: capabilities.to_vec(),
        host: clock::host(),
    };
    if outbox.send(&FromWorker::Hello(hello)).is_err() {
        return ExitCode::FAILURE;
    }
    let mut role = role(process);
    let served = serve(&mut role, &outbox);
    role.end();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&outbox),
    }
}

fn serve(role: &mut impl Role, outbox: &Outbox) -> Result<(), Failure> {
    let lines = input_lines();
    while let Some((received_ns, message)) = next_message(&lines)? {
        let answer = match message {
            ToWorker::Exit => return Ok(()),
            ToWorker::Ping => None,
            ToWorker::QueryClock => {
                let sent_ns = clock::now_ns();
                Some(FromWorker::Clock(ClockReading { received_ns, sent_ns }))
            }
            message => role.on(message)?,
        };
        if let Some(answer) = answer {
            let sent = outbox.send(&answer);
            sent.map_err(|error| Failure::new(format!("cannot answer: {error}")))?;
        }
    }
    Ok(())
}

/// Standard output as a channel for messages, shared by the process' threads.
#[derive(Clone, Default)]
pub(super) struct Outbox(Arc<Mutex<()>>);

impl Outbox {
    /// Writes one line. Fails when nobody reads any more.
    pub(super) fn send(&self, message: &FromWorker) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        let _guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stdout = io::stdout().lock();
        stdout.write_all(&line)?;
        stdout.flush()
    }
}

/// The lines of standard input from a thread of their own, each with when it came; the channel closes at the end of input.
fn input_lines() -> Receiver<(u64, String)> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send((clock::now_ns(), line)).is_err() {
                return;
            }
        }
    });
    lines
}

/// Silence is waited for in parts: a process that was stopped for long has missed one of them, and not all.
const SILENCE_PARTS: u64 = 10;

/// The next message and when it came; `None` at the end of input. Silence is a failure.
fn next_message(lines: &Receiver<(u64, String)>) -> Result<Option<(u64, ToWorker)>, Failure> {
    let part = Duration::from_millis(SILENCE_LIMIT_MS / SILENCE_PARTS);
    let mut parts = (0..SILENCE_PARTS).map(|_| lines.recv_timeout(part));
    let (received_ns, line) = match parts.find(|received| *received != Err(RecvTimeoutError::Timeout)) {
        Some(Ok(line)) => line,
        Some(Err(_)) => return Ok(None),
        None => return Err(Failure::new("no message from the coordinator for 10 s")),
    };
    // The line may hold secrets: an error must not repeat it.
    let message = serde_json::from_str(&line)
        .map_err(|error| Failure::new(format!("cannot read a message: {:?} error", error.classify())))?;
    Ok(Some((received_ns, message)))
}

/// Why a worker cannot go on.
pub(super) struct Failure {
    pub(super) consumer: Option<u32>,
    pub(super) connect: bool,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Failure {
            consumer: None,
            connect: false,
            message: message.into(),
        }
    }

    /// Reports it to the coordinator and to the log; the exit code that follows from it.
    fn report(self, outbox: &Outbox) -> ExitCode {
        eprintln!("tandem worker: {}", self.message);
        let failed = FromWorker::Failed {
            consumer: self.consumer,
            connect: self.connect,
            message: self.message,
        };
        // Where the coordinator has gone, the exit code has to do.
        let _ = outbox.send(&failed);
        ExitCode::FAILURE
    }

    pub(super) fn of(consumer: usize, message: String) -> Self {
        Failure {
            consumer: u32::try_from(consumer).ok(),
            connect: false,
            message,
        }
    }
}
