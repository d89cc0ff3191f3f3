//! Threads with names, which the tools of the system show.

use std::thread::{self, JoinHandle};

/// Starts one; the error says why it cannot be.
pub(super) fn spawn<T: Send + 'static>(
    name: String,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, String> {
    thread::Builder::new()
        .name(name)
        .spawn(body)
        .map_err(|error| format!("cannot start a thread: {error}"))
}
