//! A thread that checks that its process runs: where it wakes up long after it should have, the process was stopped or
//! frozen, or had no core.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::measure::{BEAT_INTERVAL, Pulse, Stretch, clock};

/// The pauses of this process so far.
#[derive(Clone, Default)]
pub(super) struct Heartbeat(Arc<Mutex<Vec<Stretch>>>);

impl Heartbeat {
    /// Begins; the thread ends with the process.
    pub(super) fn start() -> Self {
        let heartbeat = Heartbeat::default();
        let pauses = heartbeat.clone();
        thread::spawn(move || {
            let mut pulse = Pulse::new(clock::now_ns(), clock::boot_ns());
            loop {
                thread::sleep(BEAT_INTERVAL);
                if let (Some(pause), _) = pulse.beat(clock::now_ns(), clock::boot_ns()) {
                    pauses.0.lock().unwrap_or_else(PoisonError::into_inner).push(pause);
                }
            }
        });
        heartbeat
    }

    /// Where the process did not run.
    pub(super) fn pauses(&self) -> Vec<Stretch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
