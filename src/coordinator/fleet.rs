//! The worker processes of a trial: started through their launcher, spoken to over their standard streams, and never
//! left running.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::measure::clock;
use crate::measure::limits::keep_to;
use crate::protocol::{FromWorker, ToWorker};
use crate::secret::Hidden;
use crate::server::RUN_VARIABLE;
use crate::trial::ActorId;

/// Lines of a worker's standard error that are kept for the message of its failure.
const LAST_WORDS: usize = 5;

/// How long the exit status of a worker may take that has closed its output.
const END_PATIENCE: Duration = Duration::from_secs(1);

/// How a process is started: the command line of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Variables of its environment besides those of this program.
    pub env: BTreeMap<String, String>,
    /// The processors that it is started on; `None` for all.
    pub processors: Option<BTreeSet<u32>>,
    /// Where its standard error goes besides the failure message.
    pub log: bool,
}

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

/// The processes that a trial talks to.
pub trait Fleet {
    /// Starts an actor's process. An error says why it could not be started.
    fn start(&mut self, actor: ActorId, launch: &Launch) -> Result<(), String>;
    /// Sends an actor a message; one that is gone is reported by [`Fleet::next`].
    fn send(&mut self, actor: ActorId, message: &ToWorker);
    /// Sends a signal to an actor's process and all that its launcher has started. An error says why it got none.
    fn signal(&mut self, actor: ActorId, signal: Signal) -> Result<(), String>;
    /// Waits for news of any worker.
    fn next(&mut self) -> impl Future<Output = FleetEvent>;
    /// Asks all to exit, waits for at most `limit`, and kills what is left. Returns what they reported meanwhile.
    fn shutdown(&mut self, limit: Duration) -> impl Future<Output = Vec<String>>;
    /// Kills all.
    fn kill(&mut self) -> impl Future<Output = ()>;
}

/// Worker processes on this machine (their launcher may reach others).
pub struct ProcessFleet {
    run_id: String,
    /// What is masked in what workers say.
    hidden: Arc<Hidden>,
    workers: BTreeMap<ActorId, Process>,
    events: UnboundedReceiver<FleetEvent>,
    sender: UnboundedSender<FleetEvent>,
    /// A worker's end whose exit status is still waited for.
    ending: Option<FleetEvent>,
}

struct Process {
    child: Child,
    pid: Option<u32>,
    outbox: Option<UnboundedSender<String>>,
    reader: JoinHandle<()>,
    /// Until when its exit status is waited for, once it has closed its output.
    ended: Option<tokio::time::Instant>,
}

impl Process {
    /// Signals a worker and all that its launcher has started: each worker leads a process group of its own. It does
    /// nothing for a group that has ended by itself.
    fn signal_group(&mut self, signal: Signal) {
        let group = self.pid.and_then(|pid| i32::try_from(pid).ok());
        if let Some(group) = group.filter(|_| self.child.id().is_some()) {
            let _ = killpg(Pid::from_raw(group), signal);
        }
    }
}

impl ProcessFleet {
    /// An empty fleet of a run. Its processes carry the run's id in their environment, by which the guardian finds
    /// those that do not end with their input. `hidden` is taken out of what they say: they know the secrets.
    pub fn new(run_id: &str, hidden: Arc<Hidden>) -> Self {
        let (sender, events) = unbounded_channel();
        ProcessFleet {
            run_id: run_id.to_owned(),
            hidden,
            workers: BTreeMap::new(),
            events,
            sender,
            ending: None,
        }
    }

    /// Process ids of the workers, as far as they run on this machine.
    pub fn pids(&self) -> Vec<u32> {
        self.workers.values().filter_map(|worker| worker.pid).collect()
    }

    async fn reap(&mut self, limit: Duration) {
        for worker in self.workers.values_mut() {
            // A worker ends with its input, even where `Exit` was not understood, unless it is paused.
            worker.outbox = None;
            worker.signal_group(Signal::SIGCONT);
        }
        let deadline = tokio::time::Instant::now() + limit;
        for worker in self.workers.values_mut() {
            if tokio::time::timeout_at(deadline, worker.child.wait()).await.is_err() {
                worker.signal_group(Signal::SIGKILL);
                // It fails only for a process that has ended by itself.
                let _ = worker.child.wait().await;
            }
            // What it said last comes before its end.
            let _ = timeout(END_PATIENCE, &mut worker.reader).await;
            worker.reader.abort();
        }
        self.workers.clear();
    }
}

impl Fleet for ProcessFleet {
    fn start(&mut self, actor: ActorId, launch: &Launch) -> Result<(), String> {
        let (program, arguments) = launch.command.split_first().ok_or("the launcher is empty")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(&launch.env)
            .env(RUN_VARIABLE, &self.run_id)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for the coordinator, which then ends its workers in order.
            .process_group(0)
            .kill_on_drop(true);
        let spawned = match &launch.processors {
            None => command.spawn().map_err(|error| error.to_string()),
            Some(processors) => spawn_on(processors, &mut command),
        };
        let mut child = spawned.map_err(|error| format!("cannot start {program}: {error}"))?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(format!("{program} was started without its standard streams"));
        };
        let pid = child.id();
        let (outbox, lines) = unbounded_channel();
        tokio::spawn(write_lines(stdin, lines));
        let said = Arc::new(Said {
            hidden: Arc::clone(&self.hidden),
            last_words: Mutex::default(),
            log: launch.log,
        });
        let errors = tokio::spawn(read_errors(stderr, Arc::clone(&said)));
        let reader = tokio::spawn(read_messages(actor, stdout, errors, said, self.sender.clone()));
        let process = Process {
            child,
            pid,
            outbox: Some(outbox),
            reader,
            ended: None,
        };
        self.workers.insert(actor, process);
        Ok(())
    }

    fn send(&mut self, actor: ActorId, message: &ToWorker) {
        let Ok(line) = serde_json::to_string(message) else {
            return;
        };
        if let Some(outbox) = self.workers.get(&actor).and_then(|worker| worker.outbox.as_ref()) {
            // Its writer is gone with the process, whose end is news of its own.
            let _ = outbox.send(line);
        }
    }

    fn signal(&mut self, actor: ActorId, signal: Signal) -> Result<(), String> {
        let worker = self.workers.get_mut(&actor).ok_or("it was not started")?;
        if let Ok(Some(status)) = worker.child.try_wait() {
            return Err(describe_end(Some(status)));
        }
        worker.signal_group(signal);
        Ok(())
    }

    async fn next(&mut self) -> FleetEvent {
        loop {
            // The fleet holds a sender itself, so the channel never closes.
            let received = match self.ending.take() {
                Some(event) => Some(event),
                None => self.events.recv().await,
            };
            let Some(event) = received else {
                std::future::pending().await
            };
            let FleetNews::Ended(last_words) = &event.what else {
                return event;
            };
            let words = match last_words.as_str() {
                "" => String::new(),
                words => format!("; its last words: {words}"),
            };
            let Some(worker) = self.workers.get_mut(&event.actor) else {
                continue;
            };
            let limit = || tokio::time::Instant::now() + END_PATIENCE;
            let deadline = *worker.ended.get_or_insert_with(limit);
            // Whoever waits for this may give up and ask again: the event must not go with the wait.
            self.ending = Some(event);
            let status = tokio::time::timeout_at(deadline, worker.child.wait()).await;
            if let Some(event) = self.ending.take() {
                let how = describe_end(status.ok().and_then(Result::ok));
                let what = FleetNews::Ended(format!("{how}{words}"));
                return FleetEvent { what, ..event };
            }
        }
    }

    async fn shutdown(&mut self, limit: Duration) -> Vec<String> {
        let actors: Vec<ActorId> = self.workers.keys().copied().collect();
        for actor in actors {
            self.send(actor, &ToWorker::Exit);
        }
        self.reap(limit).await;
        let mut reported = Vec::new();
        while let Ok(FleetEvent { what, .. }) = self.events.try_recv() {
            if let FleetNews::Message(message) = what
                && let FromWorker::Reported { message, .. } = *message
            {
                reported.push(message);
            }
        }
        reported
    }

    async fn kill(&mut self) {
        for worker in self.workers.values_mut() {
            worker.signal_group(Signal::SIGKILL);
        }
        self.reap(Duration::from_secs(5)).await;
    }
}

/// Starts a process that keeps to these processors from its first instruction: it inherits those of the thread that
/// starts it.
fn spawn_on(processors: &BTreeSet<u32>, command: &mut Command) -> Result<Child, String> {
    let runtime = Handle::current();
    let spawn = || {
        let _entered = runtime.enter();
        keep_to(processors)?;
        command.spawn().map_err(|error| error.to_string())
    };
    let spawned = thread::scope(|scope| scope.spawn(spawn).join());
    spawned.unwrap_or_else(|_| Err("starting it panicked".to_owned()))
}

fn describe_end(status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status {
        None => "it closed its output".to_owned(),
        Some(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("it ended with exit code {code}"),
            (None, Some(9)) => "it was killed (signal 9)".to_owned(),
            (None, Some(signal)) => format!("it was ended by signal {signal}"),
            (None, None) => "it ended".to_owned(),
        },
    }
}

async fn write_lines(mut stdin: ChildStdin, mut lines: UnboundedReceiver<String>) {
    while let Some(mut line) = lines.recv().await {
        line.push('\n');
        if stdin.write_all(line.as_bytes()).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

/// What a worker says beside its messages.
struct Said {
    hidden: Arc<Hidden>,
    last_words: Mutex<Vec<String>>,
    /// Whether it is printed as it comes.
    log: bool,
}

async fn read_errors(stderr: ChildStderr, said: Arc<Said>) {
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
async fn read_messages(
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
