//! The first process of a pod: waits while workers are started beside it, and ends when it is asked to or at its deadline.
//! It also ends programs whose observers were killed: nobody else is in the pod all the time.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};

use crate::measure::programs::end_abandoned_programs;

/// How often it looks for programs whose observers were killed.
const LOOK: Duration = Duration::from_millis(500);

/// Waits for SIGTERM or SIGINT, for at most so many seconds. The kernel ends all that runs in the pod with its first process.
/// What has lost its parent there becomes its child, and is waited for. Programs of this run without observers are killed.
pub fn run_idle(seconds: u64, run_id: String) -> ExitCode {
    // Without this, the kernel would not deliver them to the first process of a pod, which has no handler.
    let signals = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT, Signal::SIGCHLD]);
    if let Err(error) = signals.thread_block() {
        eprintln!("tandem worker: cannot block signals: {error}");
        return ExitCode::FAILURE;
    }
    let deadline = Instant::now() + Duration::from_secs(seconds);
    thread::spawn(move || {
        while Instant::now() < deadline {
            thread::sleep(LOOK);
            end_abandoned_programs(&run_id);
        }
        std::process::exit(0);
    });
    loop {
        match signals.wait() {
            Ok(Signal::SIGCHLD) => wait_for_children(),
            // As a shell says it of SIGTERM: a pod that ends so is replaced, one that succeeds is not.
            Ok(_) => return ExitCode::from(143),
            Err(error) => {
                eprintln!("tandem worker: cannot wait for signals: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
}

/// Several may have ended for one signal.
fn wait_for_children() {
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        if status == WaitStatus::StillAlive {
            return;
        }
    }
}
