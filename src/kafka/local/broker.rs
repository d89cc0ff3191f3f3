//! A broker as a handle: its process, its listeners, its log.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use super::error::LocalError;
use super::properties::Listener;
use crate::server::Server;

/// A broker run here. Its process can end and be started again; its identity, data and addresses stay.
pub struct Broker {
    id: u32,
    listeners: Vec<Listener>,
    server: Server,
}

impl Broker {
    pub(super) fn new(id: u32, listeners: Vec<Listener>, server: Server) -> Self {
        Broker { id, listeners, server }
    }

    /// Its id in the cluster, from 1.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Its listeners, the internal one first.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// The folder of its files.
    pub(super) fn folder(&self) -> &Path {
        self.server.folder()
    }

    /// Its log.
    pub fn log_path(&self) -> PathBuf {
        self.server.log_path()
    }

    /// The failures in its log, or else its last lines; and the last lines of its output, to which Java itself writes.
    pub fn last_log_lines(&self) -> String {
        self.server.last_log_lines()
    }

    /// Process id; `None` while it does not run.
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// How its last process ended; `None` while it runs or has never run.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.server.exit_status()
    }

    /// CPU nanoseconds of all its processes; of one that ended by itself, up to the last time this was asked.
    pub fn cpu_ns(&self) -> u64 {
        self.server.cpu_ns()
    }

    /// Starts its process, unless it runs. It takes a while until it answers: `LocalCluster::wait_until_ready`.
    pub fn start(&self) -> Result<(), LocalError> {
        Ok(self.server.start()?)
    }

    /// Asks it to end, as for an upgrade: it hands its partitions over first. Killed after 15 s.
    pub fn stop(&self) -> io::Result<()> {
        self.server.stop()
    }

    /// Kills it at once (SIGKILL) and waits until it is gone.
    pub fn kill(&self) -> io::Result<()> {
        self.server.kill()
    }

    /// Suspends it (SIGSTOP): its connections stay, and nothing answers.
    pub fn suspend(&self) -> io::Result<()> {
        self.server.suspend()
    }

    /// Lets it go on after [`Broker::suspend`].
    pub fn resume(&self) -> io::Result<()> {
        self.server.resume()
    }
}
