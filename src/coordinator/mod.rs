//! coordinator

pub mod guardian;
pub mod leftovers;
mod processes;

pub use processes::{ProcessIdentity, end_all};
