//! The program: hands the command line to the library and its exit code to the system.

use std::process::ExitCode;

/// Serves Rust and, because it overrides the C symbols, the client library too.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tandem::cli::main()
}
