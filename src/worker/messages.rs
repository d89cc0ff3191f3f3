//! A worker's end of the protocol: messages come on standard input and go to standard output, one JSON object a line.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::protocol::{Capability, FromWorker, Hello, PROTOCOL_VERSION, SILENCE_LIMIT_MS, ToWorker};

/// The introduction of a worker that can do this.
pub(super) fn hello(capabilities: &[Capability]) -> Hello {
    Hello {
        protocol: PROTOCOL_VERSION,
        client: "librdkafka".to_owned(),
        client_version: rdkafka::util::get_rdkafka_version().1,
        pid: std::process::id(),
        capabilities: capabilities.to_vec(),
    }
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

/// The lines of standard input from a thread of their own; the channel closes at the end of input.
pub(super) fn input_lines() -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The next message; `None` at the end of input. Silence is a failure.
pub(super) fn next_message(lines: &Receiver<String>) -> Result<Option<ToWorker>, Failure> {
    let line = match lines.recv_timeout(Duration::from_millis(SILENCE_LIMIT_MS)) {
        Ok(line) => line,
        Err(RecvTimeoutError::Disconnected) => return Ok(None),
        Err(RecvTimeoutError::Timeout) => return Err(Failure::new("heard nothing from the coordinator for 10 s")),
    };
    // The line may hold secrets: an error must not repeat it.
    let message = serde_json::from_str(&line)
        .map_err(|error| Failure::new(format!("cannot read a message: {:?} error", error.classify())))?;
    Ok(Some(message))
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

    /// Says it to the coordinator and in the log; the exit code that follows from it.
    pub(super) fn tell(self, outbox: &Outbox) -> ExitCode {
        eprintln!("tandem worker: {}", self.message);
        let failed = FromWorker::Failed {
            consumer: self.consumer,
            connect: self.connect,
            message: self.message,
        };
        // Nobody to tell means that the coordinator has gone, and the exit code is all that is left to say.
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
