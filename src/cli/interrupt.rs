//! Ctrl-C and its like.

use std::io::Write as _;

use tokio::signal::unix::{SignalKind, signal};

use super::INTERRUPTED;
use crate::coordinator::Interrupt;

/// The first signal asks for an end in order, and `promise` says what becomes of the work; the second ends this process at
/// once, and the guardian, where there is one, does the rest.
pub(super) async fn listen(interrupt: Interrupt, promise: &'static str) {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [Ok(mut first), Ok(mut second), Ok(mut third)] = kinds.map(signal) else {
        return;
    };
    loop {
        tokio::select! {
            _ = first.recv() => {}
            _ = second.recv() => {}
            _ = third.recv() => {}
        }
        if interrupt.is_set() {
            std::process::exit(i32::from(INTERRUPTED));
        }
        interrupt.set();
        // The terminal may be gone, which is then the reason for the signal.
        let _ = writeln!(std::io::stderr(), "\nending: {promise} (once more ends at once)");
    }
}
