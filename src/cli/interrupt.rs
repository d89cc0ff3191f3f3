//! Ctrl-C and its like.

use std::io::{self, Write as _};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::INTERRUPTED;
use crate::coordinator::Interrupt;

/// The signals that ask a process to end.
struct Signals([Signal; 3]);

impl Signals {
    fn new() -> io::Result<Self> {
        let [first, second, third] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Signals([first?, second?, third?]))
    }

    async fn next(&mut self) {
        let [first, second, third] = &mut self.0;
        tokio::select! {
            _ = first.recv() => {}
            _ = second.recv() => {}
            _ = third.recv() => {}
        }
    }
}

/// The first signal asks for an end in order; `promise` says what becomes of the work. The second ends this process at
/// once, and the guardian, where there is one, does the rest.
pub(super) async fn listen(interrupt: Interrupt, promise: &'static str) {
    let Ok(mut signals) = Signals::new() else { return };
    loop {
        signals.next().await;
        if interrupt.is_set() {
            std::process::exit(i32::from(INTERRUPTED));
        }
        interrupt.set();
        // The terminal may be gone, which is then the reason for the signal.
        let _ = writeln!(io::stderr(), "\nending: {promise} (once more ends at once)");
    }
}

/// Sets the interrupt at the first signal; further ones change nothing.
pub(super) async fn set_by_signal(interrupt: Interrupt) {
    if let Ok(mut signals) = Signals::new() {
        signals.next().await;
        interrupt.set();
    }
}
