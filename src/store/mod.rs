//! The files of a run: `results/<scenario>/<run>/` is read and written here and nowhere else.

mod error;
mod files;
mod latency_files;
mod names;
mod run_dir;
mod stored;
#[cfg(test)]
mod tests;

pub use error::StoreError;
pub use files::write_atomically;
pub use names::SCENARIO_FILE;
pub use run_dir::RunDir;
pub use stored::{StoredFiles, find_run};
