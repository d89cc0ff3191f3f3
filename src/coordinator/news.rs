//! The standard streams of a worker: lines to it, and its messages, other lines and last words as news.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::measure::clock;
use crate::protocol::FromWorker;
use crate::secret::Hidden;
use crate::trial::ActorId;

/// Lines of a worker's standard error that are kept for the message of its failure.
const LAST_WORDS: usize = 5;

/// What happened to a process, and when.
#[derive(Debug)]
pub struct FleetEvent {
    /// Whose process it is.
    pub actor: ActorId,
    /// When it was noticed.
    pub at_ns: u64,
    /// What.
    pub what: FleetNews,
}

/// News of a worker.
#[derive(Debug)]
pub enum FleetNews {
    /// It said something.
    Message(Box<FromWorker>),
    /// It wrote something else.
    Garbage(String),
    /// It ended, with how and its last words.
    Ended(String),
}

pub(super) async fn write_lines(mut stdin: ChildStdin, mut lines: UnboundedReceiver<String>) {
    while let Some(mut line) = lines.recv().await {
        line.push('\n');
        if stdin.write_all(line.as_bytes()).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

/// What a worker says beside its messages.
pub(super) struct Said {
    hidden: Arc<Hidden>,
    last_words: Mutex<Vec<String>>,
    /// Whether it is printed as it comes.
    log: bool,
}

impl Said {
    /// Nothing yet.
    pub(super) fn new(hidden: Arc<Hidden>, log: bool) -> Arc<Self> {
        let last_words = Mutex::default();
        Arc::new(Said {
            hidden,
            last_words,
            log,
        })
    }
}

pub(super) async fn read_errors(stderr: ChildStderr, said: Arc<Said>) {
    let mut lines = BufReader::new(stderr).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = said.hidden.mask(String::from_utf8_lossy(&line).into_owned());
        if said.log {
            eprintln!("worker: {line}");
        }
        let mut last_words = said.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        if last_words.len() == LAST_WORDS {
            last_words.remove(0);
        }
        last_words.push(line);
    }
}

/// A worker's message with nothing in its own words that must not show. Everything else in messages is numbers and names
/// of the protocol, which a secret may happen to be spelled like.
fn message(line: &str, hidden: &Hidden) -> serde_json::Result<FromWorker> {
    let mut message = serde_json::from_str(line)?;
    if let FromWorker::Failed { message, .. } | FromWorker::Reported { message, .. } = &mut message {
        *message = hidden.mask(std::mem::take(message));
    }
    Ok(message)
}

/// Turns a worker's lines into events; its end of output is the last one.
pub(super) async fn read_messages(
    actor: ActorId,
    stdout: ChildStdout,
    errors: JoinHandle<()>,
    said: Arc<Said>,
    events: UnboundedSender<FleetEvent>,
) {
    let mut lines = BufReader::new(stdout).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let at_ns = clock::now_ns();
        let line = String::from_utf8_lossy(&line).into_owned();
        let what = match message(&line, &said.hidden) {
            Ok(message) => FleetNews::Message(Box::new(message)),
            Err(_) => FleetNews::Garbage(said.hidden.mask(line)),
        };
        if events.send(FleetEvent { actor, at_ns, what }).is_err() {
            return;
        }
    }
    // What it said last explains its end; a grandchild that keeps the stream open must not hold this up.
    let _ = timeout(Duration::from_millis(300), errors).await;
    let words = said
        .last_words
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .join(" / ");
    let _ = events.send(FleetEvent {
        actor,
        at_ns: clock::now_ns(),
        what: FleetNews::Ended(words),
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn what_a_worker_says_of_failures_and_its_clients_report_is_masked_and_the_protocols_own_words_are_not() {
        let hidden = Hidden::of(["ready", "hunter2"].map(Secret::new));
        let ready = message(r#"{"type":"ready"}"#, &hidden).unwrap();
        assert_eq!(ready, FromWorker::Ready);
        let line = r#"{"type":"failed","consumer":null,"connect":true,"message":"password hunter2 is refused"}"#;
        let FromWorker::Failed { message, .. } = message(line, &hidden).unwrap() else {
            panic!("another message");
        };
        assert_eq!(message, "password (hidden) is refused");
        let line = r#"{"type":"reported","consumer":0,"message":"SASL of hunter2 failed","times":1}"#;
        let FromWorker::Reported { message, .. } = super::message(line, &hidden).unwrap() else {
            panic!("another message");
        };
        assert_eq!(message, "SASL of (hidden) failed");
    }
}
