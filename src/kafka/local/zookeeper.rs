//! The ZooKeeper of a cluster that keeps its metadata there: one, whatever the number of brokers, in the cluster's own
//! folder.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::distribution::Distribution;
use super::error::LocalError;
use super::options::READY_LIMIT;
use super::programs::{FAILURE_SIGNS, LOG, write_logging, zookeeper_arguments};
use super::properties::{self, SAY_SETTINGS, zookeeper_address};
use crate::server::{Keeper, Server, ServerCommand, write_private};

/// Heap of a ZooKeeper, in MiB: it holds a KiB or so for each partition.
pub const ZOOKEEPER_HEAP_MIB: u32 = 64;

/// Pause between two looks at one that starts.
const PAUSE: Duration = Duration::from_millis(25);

/// How long it may take to answer a question.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// A ZooKeeper run here; killed when dropped.
pub struct ZooKeeper {
    port: u16,
    data: PathBuf,
    version: String,
    server: Server,
}

impl ZooKeeper {
    /// Makes its folder and files in the cluster's folder.
    pub(super) fn lay_out(
        distribution: &Distribution,
        port: u16,
        cluster: &Path,
        run_id: &str,
        keeper: Arc<dyn Keeper>,
    ) -> Result<Self, LocalError> {
        let version = distribution.zookeeper_version()?;
        let folder = cluster.join("zookeeper");
        let data = folder.join("data");
        fs::create_dir_all(&data).map_err(LocalError::io("make the folder", &data))?;
        write_private(
            &folder.join("zookeeper.properties"),
            &properties::zookeeper(port, &data),
        )?;
        write_logging(distribution, &folder)?;
        let command = ServerCommand {
            program: distribution.java.program.clone(),
            arguments: zookeeper_arguments(distribution, ZOOKEEPER_HEAP_MIB, &folder),
            run_id: run_id.to_owned(),
            account: None,
            stop: Signal::SIGTERM,
            log: LOG,
            failure_signs: FAILURE_SIGNS,
        };
        Ok(ZooKeeper {
            port,
            data,
            version,
            server: Server::new(folder, command, keeper),
        })
    }

    /// Its address for brokers, `host:port`.
    pub fn address(&self) -> String {
        zookeeper_address(self.port)
    }

    /// Version of Apache ZooKeeper.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Process id; `None` where it does not run.
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// How it ended; `None` while it runs.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.server.exit_status()
    }

    /// The failures in its log, or else its last lines.
    pub fn last_log_lines(&self) -> String {
        self.server.last_log_lines()
    }

    pub(super) fn log_path(&self) -> PathBuf {
        self.server.log_path()
    }

    /// Kills it at once (SIGKILL) and waits until it is gone.
    pub fn kill(&self) -> io::Result<()> {
        self.server.kill()
    }

    /// Starts it and waits until it answers.
    pub(super) fn start(&self, interrupted: &AtomicBool) -> Result<(), LocalError> {
        self.server.start()?;
        let deadline = Instant::now() + READY_LIMIT;
        while !self.answers() {
            self.check()?;
            if interrupted.load(Ordering::Relaxed) {
                return Err(LocalError::Interrupted);
            }
            if Instant::now() > deadline {
                return Err(self.failure(&format!("does not answer after {} s", READY_LIMIT.as_secs())));
            }
            sleep(PAUSE);
        }
        Ok(())
    }

    /// Fails where it has ended.
    pub(super) fn check(&self) -> Result<(), LocalError> {
        let exit = self.exit_status();
        exit.map_or(Ok(()), |exit| {
            Err(self.failure(&format!("ended while the cluster started ({exit})")))
        })
    }

    /// True where this ZooKeeper listens at its port. Another one that took the port in between has other data, and brokers
    /// would join that one's cluster.
    fn answers(&self) -> bool {
        let ask = || -> io::Result<String> {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
            let mut stream = TcpStream::connect_timeout(&address, ANSWER_LIMIT)?;
            stream.set_read_timeout(Some(ANSWER_LIMIT))?;
            stream.write_all(SAY_SETTINGS.as_bytes())?;
            stream.shutdown(Shutdown::Write)?;
            let mut settings = String::new();
            stream.take(1 << 16).read_to_string(&mut settings)?;
            Ok(settings)
        };
        ask().is_ok_and(|said| said.contains(&self.data.display().to_string()))
    }

    fn failure(&self, problem: &str) -> LocalError {
        LocalError::ZooKeeper {
            problem: problem.to_owned(),
            log: self.last_log_lines(),
        }
    }
}
