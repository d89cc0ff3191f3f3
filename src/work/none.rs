//! `work = "none"`: records are only counted.

use super::handler::{Failure, Handler, Record};

/// Does nothing.
#[derive(Debug, Clone, Copy)]
pub struct Nothing;

impl Handler for Nothing {
    const IS_NONE: bool = true;

    fn record_ns(&self) -> Option<u64> {
        Some(0)
    }

    #[inline]
    fn handle<'r, R: Record + 'r>(&mut self, _: impl Iterator<Item = &'r R>) -> Result<(), Failure> {
        Ok(())
    }
}
