//! Runs a reading thread: it works the records itself, or hands them to threads that do.

use super::reading::{Early, ReadAccounts, Reader};
use super::source::{Consumption, Source};
use super::{direct, pool};

impl<'a, S: Source, O: Consumption> Reader<'a, S, O> {
    /// Reads, inside its gate, until the member is told to stop. Records that came before the start are counted like
    /// any others.
    pub(crate) fn run(&'a self, early: Early<S::Message<'a>>) -> ReadAccounts {
        let gate = self.gate.enter();
        if self.threads > 1 {
            pool::run(self, gate, early)
        } else {
            direct::Pass::new(self, gate).run(early)
        }
    }
}
