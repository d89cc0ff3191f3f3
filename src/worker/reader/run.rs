//! Runs a reading thread: it works the records itself, or hands them to threads that do.

use super::reading::{Early, ReadAccounts, Reader};
use super::source::{Consumption, Source};
use super::{direct, pool};
use crate::work::Handler;

impl<'a, S: Source, O: Consumption> Reader<'a, S, O> {
    /// Reads, inside its gate, until the member is stopped. A single handler works on this thread, several have one each.
    /// Records that came before the start are counted like any others.
    pub(crate) fn run<H: Handler>(&'a self, handlers: Vec<H>, early: Early<S::Message<'a>>) -> ReadAccounts {
        let gate = self.gate.enter();
        match <[H; 1]>::try_from(handlers) {
            Ok([handler]) => direct::Pass::new(self, handler, gate).run(early),
            Err(handlers) => pool::run(self, handlers, gate, early),
        }
    }
}
