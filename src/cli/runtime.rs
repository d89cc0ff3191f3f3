//! The asynchronous runtime of a command.

use anyhow::{Context as _, Result};
use tokio::runtime::Runtime;

pub(super) fn runtime() -> Result<Runtime> {
    Runtime::new().context("cannot start the asynchronous runtime")
}

/// Runs a future to its end, and leaves behind what still blocks, such as a read of standard input.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = runtime()?;
    let output = runtime.block_on(future);
    runtime.shutdown_background();
    output
}
