//! One connection by OpenSSH that several sessions share: its master process, which the guardian ends with the run, and
//! the command lines of the sessions. The user's own configuration says how the host is reached.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::error::SshError;
use crate::coordinator::reached::{Remote, quoted};
use crate::measure::RunMark;
use crate::server::RUN_VARIABLE;

/// How long the way to the host and the log-in may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);

const PAUSE: Duration = Duration::from_millis(10);

/// What comes before ssh. `BatchMode` holds for ssh itself and not for the one that it starts for a jump host, which would
/// ask on the terminal. With these it asks a program that answers nothing.
const WITHOUT_QUESTIONS: [&str; 3] = ["env", "SSH_ASKPASS=false", "SSH_ASKPASS_REQUIRE=force"];

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

/// What the master runs on the host: it ends with its input. By its mark `tandem worker host` there knows that the run lives.
fn hold(run_id: &str) -> String {
    let mark = RunMark {
        variable: RUN_VARIABLE.to_owned(),
        value: run_id.to_owned(),
    };
    format!("exec env {}={} cat >/dev/null", mark.connection_variable(), mark.value)
}

/// Printed on the host before the answer to a script: what comes before is of a login shell's start-up files.
const ANSWER: &str = "tandem-answer";

/// How much of what is said on the host is kept, in bytes.
const KEPT_MAX: u64 = 4 << 20;

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
            probe: None,
        }
    }

    /// The words before a command that is to run on the host. The login shell there reads the command, so its words are
    /// quoted by [`quoted`].
    pub fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = WITHOUT_QUESTIONS.map(str::to_owned).to_vec();
        words.push("ssh".to_owned());
        words.extend(OPTIONS.map(str::to_owned));
        words.extend(["-T", "-oControlMaster=no", "-S"].map(str::to_owned));
        words.push(self.socket.to_string_lossy().into_owned());
        words.extend(["--".to_owned(), self.target.clone()]);
        words
    }

    /// Runs a script for `sh` on the host to its end, with a file as its input. Its output is what the script prints, without
    /// what start-up files there print before. Blocks.
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
            .arg(format!("echo {ANSWER}; exec /bin/sh -c {}", quoted(script)))
            .env(RUN_VARIABLE, &self.run_id)
            .stdin(input.map_or_else(Stdio::null, Stdio::from))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn().map_err(|error| SshError::Missing(error.to_string()))?;
        let (stdout, stderr) = (child.stdout.take().map(kept), child.stderr.take().map(kept));
        let deadline = Instant::now() + limit;
        while matches!(child.try_wait(), Ok(None)) {
            if let Err(error) = may_go_on(deadline, &self.interrupted, what, limit) {
                end_group(&mut child);
                return Err(error);
            }
            sleep(PAUSE);
        }
        let (stdout, stderr) = (joined(stdout), joined(stderr));
        let status = child.wait().map_err(|error| SshError::Ended {
            said: error.to_string(),
        })?;
        let answer = answer(&stdout);
        match status.code() {
            // The exit codes by which ssh, and `env` before it, say that they failed themselves.
            Some(255) | None => Err(SshError::of(&String::from_utf8_lossy(&stderr))),
            Some(127) if answer.is_none() => Err(SshError::of(&String::from_utf8_lossy(&stderr))),
            // Without an answer, what was printed says why.
            Some(_) => Ok(Output {
                status,
                stdout: answer.map_or_else(|| stdout.clone(), <[u8]>::to_vec),
                stderr,
            }),
        }
    }
}

/// Reads a stream to its end, so that nobody stands still who writes it, and keeps its beginning.
fn kept(mut stream: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is what there is.
        let _ = (&mut stream).take(KEPT_MAX).read_to_end(&mut bytes);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
        bytes
    })
}

fn joined(stream: Option<JoinHandle<Vec<u8>>>) -> Vec<u8> {
    stream.and_then(|stream| stream.join().ok()).unwrap_or_default()
}

/// What was printed after the mark of the answer; `None` where the login shell did not come so far.
fn answer(printed: &[u8]) -> Option<&[u8]> {
    let mark = format!("{ANSWER}\n").into_bytes();
    let position = printed.windows(mark.len()).position(|part| part == mark)?;
    printed.get(position + mark.len()..)
}

/// Kills a process of ours that leads its group, with all that it has started, and waits for it.
fn end_group(child: &mut Child) {
    if let Ok(group) = i32::try_from(child.id()) {
        // Both fail only where all have ended.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    let _ = child.wait();
}

impl Drop for Connection {
    fn drop(&mut self) {
        end_group(self.master.get_mut().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Starts a master and waits until sessions can use it: its socket appears once the user is logged in.
fn start_master(target: &str, socket: &Path, run_id: &str, interrupted: &AtomicBool) -> Result<Child, SshError> {
    let mut command = Command::new(WITHOUT_QUESTIONS[0]);
    command
        .args(&WITHOUT_QUESTIONS[1..])
        .arg("ssh")
        .args(OPTIONS)
        .args(["-T", "-oControlMaster=yes", "-oControlPersist=no", "-S"])
        .arg(socket)
        .args(["--", target, &hold(run_id)])
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
            end_group(&mut master);
            return Err(error);
        }
        sleep(PAUSE);
    }
    // Nobody reads what it says from now on, which must not hold it up.
    if let Some(mut stderr) = master.stderr.take() {
        spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
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

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn what_start_up_files_print_is_no_part_of_an_answer() {
        let is = |printed: &str, found: Option<&str>| assert_eq!(answer(printed.as_bytes()), found.map(str::as_bytes));
        is("Welcome!\ntandem-answer\nLinux x86_64\n", Some("Linux x86_64\n"));
        is("no new line>tandem-answer\n", Some(""));
        is("This account is not available.\n", None);
    }
}
