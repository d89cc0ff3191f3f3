//! One connection by OpenSSH that several sessions share: its master process, which the guardian ends with the run, and
//! the command lines of the sessions. The user's own configuration says how the host is reached.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::error::SshError;
use crate::coordinator::reached::{Remote, quoted};
use crate::server::RUN_VARIABLE;

/// How long the way to the host and the log-in may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);

const PAUSE: Duration = Duration::from_millis(10);

/// What every ssh of tandem is started with: it asks for nothing, begins no forwarding, command or terminal of the
/// user's configuration, and notices within ten seconds that the way to the host is cut.
const OPTIONS: [&str; 7] = [
    "-oBatchMode=yes",
    "-oConnectTimeout=10",
    "-oClearAllForwardings=yes",
    "-oServerAliveInterval=5",
    "-oServerAliveCountMax=2",
    "-oRemoteCommand=none",
    "-oRequestTTY=no",
];

/// What the master runs on the host: it ends with its input.
const HOLD: &str = "exec cat >/dev/null";

/// A shared connection to a host.
pub struct Connection {
    target: String,
    socket: PathBuf,
    run_id: String,
    interrupted: Arc<AtomicBool>,
    master: Mutex<Child>,
}

impl Connection {
    /// Connects. `socket` is where sessions find the connection; the master carries the run's mark. Blocks.
    pub fn open(target: &str, socket: &Path, run_id: &str, interrupted: &Arc<AtomicBool>) -> Result<Self, SshError> {
        let master = start_master(target, socket, run_id, interrupted)?;
        Ok(Connection {
            target: target.to_owned(),
            socket: socket.to_owned(),
            run_id: run_id.to_owned(),
            interrupted: Arc::clone(interrupted),
            master: Mutex::new(master),
        })
    }

    /// Connects again if the connection has ended. Blocks.
    pub fn reopen(&self) -> Result<(), SshError> {
        let mut master = self.master.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(master.try_wait(), Ok(None)) {
            return Ok(());
        }
        // A master that was killed leaves its socket.
        let _ = std::fs::remove_file(&self.socket);
        *master = start_master(&self.target, &self.socket, &self.run_id, &self.interrupted)?;
        Ok(())
    }

    /// How processes on the host are reached: the login shell there reads a command as one text.
    pub fn remote(&self) -> Remote {
        Remote {
            what: format!("ssh {}", self.target),
            ended: format!("its session by ssh to {} is over", self.target),
            words: self.words(),
            is_shell: true,
        }
    }

    /// The words before a command that is to run on the host. The login shell there reads the command, so its words are
    /// quoted by [`quoted`].
    pub fn words(&self) -> Vec<String> {
        let mut words = vec!["ssh".to_owned()];
        words.extend(OPTIONS.map(str::to_owned));
        words.extend(["-T", "-oControlMaster=no", "-S"].map(str::to_owned));
        words.push(self.socket.to_string_lossy().into_owned());
        words.extend(["--".to_owned(), self.target.clone()]);
        words
    }

    /// Runs a script for `sh` on the host to its end, with a file as its input. Blocks.
    pub fn run(
        &self,
        script: &str,
        input: Option<File>,
        what: &'static str,
        limit: Duration,
    ) -> Result<Output, SshError> {
        let words = self.words();
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .arg(format!("exec /bin/sh -c {}", quoted(script)))
            .env(RUN_VARIABLE, &self.run_id)
            .stdin(input.map_or_else(Stdio::null, Stdio::from))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn().map_err(|error| SshError::Missing(error.to_string()))?;
        let deadline = Instant::now() + limit;
        // What it says here is a few lines, which the pipes hold.
        while matches!(child.try_wait(), Ok(None)) {
            if let Err(error) = may_go_on(deadline, &self.interrupted, what, limit) {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
            sleep(PAUSE);
        }
        let output = child.wait_with_output().map_err(|error| SshError::Ended {
            said: error.to_string(),
        })?;
        // The exit code by which ssh says that it failed itself.
        if output.status.code() == Some(255) || output.status.code().is_none() {
            return Err(SshError::of(&String::from_utf8_lossy(&output.stderr)));
        }
        Ok(output)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let master = self.master.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Both fail only for one that has ended.
        let _ = master.kill();
        let _ = master.wait();
    }
}

/// Starts a master and waits until sessions can use it: its socket appears once the user is logged in.
fn start_master(target: &str, socket: &Path, run_id: &str, interrupted: &AtomicBool) -> Result<Child, SshError> {
    let mut command = Command::new("ssh");
    command
        .args(OPTIONS)
        .args(["-T", "-oControlMaster=yes", "-oControlPersist=no", "-S"])
        .arg(socket)
        .args(["--", target, HOLD])
        .env(RUN_VARIABLE, run_id)
        // Closed by the end of this process, however it ends, which ends the command, and with it the connection.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Ctrl-C is for the coordinator.
        .process_group(0);
    let mut master = command.spawn().map_err(|error| SshError::Missing(error.to_string()))?;
    let deadline = Instant::now() + CONNECT_LIMIT;
    while !socket.exists() {
        if !matches!(master.try_wait(), Ok(None)) {
            let mut said = String::new();
            if let Some(mut stderr) = master.stderr.take() {
                let _ = stderr.read_to_string(&mut said);
            }
            return Err(SshError::of(&said));
        }
        if let Err(error) = may_go_on(deadline, interrupted, "connecting", CONNECT_LIMIT) {
            let _ = master.kill();
            let _ = master.wait();
            return Err(error);
        }
        sleep(PAUSE);
    }
    // Nobody reads what it says from now on, which must not hold it up.
    if let Some(mut stderr) = master.stderr.take() {
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
    }
    Ok(master)
}

/// Fails after the limit, and where the user asked to stop.
fn may_go_on(deadline: Instant, interrupted: &AtomicBool, what: &'static str, limit: Duration) -> Result<(), SshError> {
    if interrupted.load(Ordering::Relaxed) {
        return Err(SshError::Interrupted);
    }
    let seconds = limit.as_secs();
    if Instant::now() > deadline {
        return Err(SshError::Slow { what, seconds });
    }
    Ok(())
}
