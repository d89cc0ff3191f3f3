//! The program: hands the command line to the library and its exit code to the system.

use std::process::ExitCode;

#[cfg(all(feature = "mimalloc", feature = "jemalloc"))]
compile_error!("one allocator can serve the program: give --no-default-features with --features jemalloc");

/// Serves Rust and, because it overrides the C symbols, the client library too.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    tandem::cli::main()
}
