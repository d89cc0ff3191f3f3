//! A worker's process while it runs: how it is signalled wherever it is, and how it has ended.

use std::future::ready;
use std::pin::Pin;
use std::process::ExitStatus;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use super::confinement::Confined;
use super::containers::Contained;
use super::reached::Remote;
use crate::measure::clock;
use crate::measure::limits::ProcessGroup;
use crate::measure::tree::with_descendants;

/// When a signal came to a process; nobody else waits meanwhile.
pub type Signalled = Pin<Box<dyn Future<Output = Result<u64, String>> + Send>>;

/// The process of an actor.
pub(super) struct Process {
    pub(super) child: Child,
    pub(super) pid: Option<u32>,
    pub(super) outbox: Option<UnboundedSender<String>>,
    pub(super) reader: JoinHandle<()>,
    /// Until when its exit status is waited for, once it has closed its output.
    pub(super) ended: Option<tokio::time::Instant>,
    /// How it is reached on another host, and its process id there once it has introduced itself.
    pub(super) remote: Option<(Remote, Option<u32>)>,
    /// The container that it runs in.
    pub(super) container: Option<Contained>,
    /// It was stopped by a signal.
    pub(super) is_stopped: bool,
    /// Its pod is asked why it has ended.
    pub(super) explaining: Option<JoinHandle<Option<String>>>,
    /// The control group that holds it to its limits, and what they are.
    pub(super) group: Option<(ProcessGroup, Confined)>,
}

impl Process {
    /// Signals a worker and all that its launcher has started: each worker leads a process group of its own. It does
    /// nothing for a group that has ended by itself.
    pub(super) fn signal_group(&mut self, signal: Signal) {
        let group = self.pid.and_then(|pid| i32::try_from(pid).ok());
        if let Some(group) = group.filter(|_| self.child.id().is_some()) {
            let _ = killpg(Pid::from_raw(group), signal);
        }
    }

    /// Lets a stopped process of another host go on: only then it notices that its input has ended.
    pub(super) fn continue_there(&self) {
        if self.is_stopped && (self.remote.is_some() || self.container.is_some()) {
            // It fails only for one that has ended, or whose host is gone.
            if let Ok(sent) = self.signal_there(Signal::SIGCONT) {
                tokio::spawn(sent);
            }
        }
    }

    /// Signals one that is no child of this process. The future says when that was done.
    fn signal_there(&self, signal: Signal) -> Result<Signalled, String> {
        let sent: Pin<Box<dyn Future<Output = Result<(), String>> + Send>> = match (&self.container, &self.remote) {
            (Some(container), _) => Box::pin(container.signal(signal)),
            (None, Some((remote, pid))) => Box::pin(remote.signal(pid.ok_or("it has not said who it is")?, signal)),
            (None, None) => Box::pin(ready(Ok(()))),
        };
        Ok(Box::pin(async move { sent.await.map(|()| clock::now_ns()) }))
    }

    /// Sends a signal now, or to another host.
    pub(super) fn signal(&mut self, signal: Signal) -> Result<Signalled, String> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Err(describe_end(Some(status)));
        }
        self.is_stopped = signal == Signal::SIGSTOP;
        if self.remote.is_none() && self.container.is_none() {
            // A program that is observed leads a process group of its own.
            let started = self.pid.map(|pid| with_descendants(&[pid])).unwrap_or_default();
            let at_ns = clock::now_ns();
            self.signal_group(signal);
            for pid in started.into_iter().skip(1).filter_map(|pid| i32::try_from(pid).ok()) {
                // It fails only for one that has ended.
                let _ = kill(Pid::from_raw(pid), signal);
            }
            return Ok(Box::pin(ready(Ok(at_ns))));
        }
        self.signal_there(signal)
    }

    /// That its memory limit was why it was killed, where that is so.
    fn memory_kill(&self) -> Option<String> {
        let (group, confined) = self.group.as_ref()?;
        group.was_killed().then(|| confined.memory_kill())
    }

    /// What its pod says of its end. Whoever waits for this may give up and ask again.
    async fn explained(&mut self, status: Option<ExitStatus>) -> Option<String> {
        if self.explaining.is_none() {
            let (remote, _) = self.remote.as_ref()?;
            let probe = remote.probe.clone()?;
            self.explaining = Some(tokio::spawn(probe.explain(status.and_then(|status| status.code()))));
        }
        let cause = self.explaining.as_mut()?.await;
        self.explaining = None;
        cause.ok().flatten()
    }

    /// Removes its control group. What cannot be removed now goes with the group of the run.
    pub(super) fn remove_group(&mut self) {
        if let Some((group, _)) = self.group.take() {
            let _ = group.remove();
        }
    }

    /// How it ended, as all that knows of it says: its exit status, its pod, its container and its control group. Whoever
    /// waits for this may give up and ask again.
    pub(super) async fn ending(&mut self, status: Option<ExitStatus>) -> String {
        let cause = self.explained(status).await;
        let mut how = describe_end(status);
        if let Some((remote, _)) = &self.remote {
            how = format!("{}: {how}", remote.ended);
        }
        if let Some(container) = &mut self.container {
            how = container.ended(&how, status.is_some_and(is_by_signal)).await;
        }
        match self.memory_kill().or(cause) {
            Some(cause) => format!("{how}: {cause}"),
            None => how,
        }
    }
}

fn is_by_signal(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal().is_some()
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
