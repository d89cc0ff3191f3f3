//! The worker processes of a trial: started through their launcher, spoken to over their standard streams, and never
//! left running.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::confinement::Confined;
use super::containers::{self, Contained, ContainerLaunch};
pub use super::news::{FleetEvent, FleetNews};
use super::news::{Said, read_errors, read_messages, write_lines};
use super::reached::Remote;
use super::worker_process::Process;
pub use super::worker_process::Signalled;
use crate::measure::limits::{ProcessGroup, keep_to};
use crate::measure::tree::{is_marked as has_variable, with_inner_pids};
use crate::protocol::{FromWorker, ToWorker};
use crate::secret::Hidden;
use crate::server::RUN_VARIABLE;
use crate::trial::ActorId;

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
    /// The limits that it is started under.
    pub confined: Option<Confined>,
    /// How it is reached where it is started on another host.
    pub remote: Option<Remote>,
    /// How its container is made where it runs in one; the command line is then part of that.
    pub container: Option<ContainerLaunch>,
    /// Where its standard error goes besides the failure message.
    pub log: bool,
}

/// The processes that a trial talks to.
pub trait Fleet {
    /// Starts an actor's process. An error says why it could not be started.
    fn start(&mut self, actor: ActorId, launch: &Launch) -> Result<(), String>;
    /// Sends an actor a message; one that is gone is reported by [`Fleet::next`].
    fn send(&mut self, actor: ActorId, message: &ToWorker);
    /// Sends a signal to an actor's process and all that its launcher has started. Says when that was done: on another host
    /// at its answer. An error says why it got none.
    fn signal(&mut self, actor: ActorId, signal: Signal) -> Signalled;
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
        let started = self.workers.values().filter_map(|worker| worker.pid);
        // One that ssh starts on this very machine is none of our children.
        let here = |pid: &u32| is_marked(*pid, &self.run_id);
        let remote = || self.workers.values().filter_map(|worker| worker.remote.as_ref());
        let by_ssh = remote()
            .filter(|(remote, _)| remote.probe.is_none())
            .filter_map(|(_, pid)| *pid);
        // Those of a pod have other ids here than there.
        let there = remote()
            .filter(|(remote, _)| remote.probe.is_some())
            .filter_map(|(_, pid)| *pid);
        let in_pods = with_inner_pids(&there.collect(), RUN_VARIABLE, &self.run_id);
        let contained = self.workers.values().filter_map(|worker| worker.container.as_ref());
        let contained = containers::pids(contained).into_iter().chain(in_pods);
        started.chain(by_ssh.filter(here)).chain(contained).collect()
    }

    /// Keeps the process id of a worker on another host, by which it is signalled there.
    fn note_introduction(&mut self, event: &FleetEvent) {
        if let FleetNews::Message(message) = &event.what
            && let FromWorker::Hello(hello) = &**message
            && let Some(worker) = self.workers.get_mut(&event.actor)
            && let Some((_, pid)) = &mut worker.remote
        {
            *pid = Some(hello.pid);
        }
    }

    async fn reap(&mut self, limit: Duration) {
        for worker in self.workers.values_mut() {
            // A worker ends with its input, even where `Exit` was not understood, unless it is paused.
            worker.outbox = None;
            worker.signal_group(Signal::SIGCONT);
            worker.continue_there();
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
            worker.remove_group();
        }
        let workers = std::mem::take(&mut self.workers).into_values();
        let contained: Vec<Contained> = workers.filter_map(|worker| worker.container).collect();
        if !contained.is_empty() {
            // Were it to panic, they would go with the run.
            let _ = tokio::task::spawn_blocking(move || containers::remove(&contained)).await;
        }
    }
}

impl Fleet for ProcessFleet {
    fn start(&mut self, actor: ActorId, launch: &Launch) -> Result<(), String> {
        let group = launch.confined.as_ref().map(|confined| confined.open(actor));
        let group = group.transpose()?;
        let entering = group.as_ref().map(ProcessGroup::enter).unwrap_or_default();
        let container = launch.container.as_ref().map(ContainerLaunch::begin);
        let (container, command) =
            container.map_or((None, launch.command.clone()), |(made, words)| (Some(made), words));
        let words: Vec<&String> = entering.iter().chain(&command).collect();
        let (program, arguments) = words.split_first().ok_or("the launcher is empty")?;
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
        let said = Said::new(Arc::clone(&self.hidden), launch.log);
        let errors = tokio::spawn(read_errors(stderr, Arc::clone(&said)));
        let reader = tokio::spawn(read_messages(actor, stdout, errors, said, self.sender.clone()));
        let process = Process {
            child,
            pid,
            outbox: Some(outbox),
            reader,
            ended: None,
            remote: launch.remote.clone().map(|remote| (remote, None)),
            container,
            is_stopped: false,
            explaining: None,
            group: group.zip(launch.confined.clone()),
        };
        // One that is started again has a new container.
        let before = self.workers.insert(actor, process);
        if let Some(container) = before.and_then(|before| before.container) {
            tokio::task::spawn_blocking(move || containers::remove(&[container]));
        }
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

    fn signal(&mut self, actor: ActorId, signal: Signal) -> Signalled {
        let worker = self
            .workers
            .get_mut(&actor)
            .ok_or_else(|| "it was not started".to_owned());
        let sent = worker.and_then(|worker| worker.signal(signal));
        sent.unwrap_or_else(|cause| Box::pin(ready(Err(cause))))
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
                self.note_introduction(&event);
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
            let status = status.ok().and_then(Result::ok);
            let how = worker.ending(status).await;
            if let Some(event) = self.ending.take() {
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

/// True for a process of this machine that carries the run's mark.
fn is_marked(pid: u32, run_id: &str) -> bool {
    has_variable(pid, RUN_VARIABLE, |value| value == run_id)
}
