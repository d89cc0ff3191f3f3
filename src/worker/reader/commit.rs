//! When and what a reader commits: never beyond the lowest record whose work is not finished.

use super::source::{CommitError, Offsets, Place};
use crate::scenario::Commit;
use crate::worker::shared::{MemberShared, Slot};

/// Commits for one reading thread, or for a callback.
pub(crate) struct Committer<'a, O: ?Sized> {
    offsets: &'a O,
    shared: &'a MemberShared,
    commit: Commit,
    /// The first commit that failed: the figures are then not those of a reader that commits.
    error: Option<String>,
}

impl<'a, O: Offsets + ?Sized> Committer<'a, O> {
    pub(crate) fn new(offsets: &'a O, shared: &'a MemberShared, commit: Commit) -> Self {
        Committer {
            offsets,
            shared,
            commit,
            error: None,
        }
    }

    /// Commits, or stores, what those slots have finished and not committed. True where there was anything. A member
    /// whose work failed commits nothing more.
    pub(crate) fn run(&mut self, mine: impl Fn(&Slot) -> bool) -> bool {
        if self.commit == Commit::None || self.shared.failure().is_some() {
            return false;
        }
        let slots = self.shared.slots();
        let of_slot = |(index, slot): (usize, &Slot)| Some((index, slot.uncommitted()?));
        let places: Vec<Place> = (slots.iter().enumerate().filter(|(_, slot)| mine(slot)))
            .filter_map(of_slot)
            .collect();
        if places.is_empty() {
            return false;
        }
        let (what, done) = match self.commit {
            Commit::Auto => ("store offsets", self.offsets.store(&places)),
            _ => ("commit", self.offsets.commit(&places)),
        };
        match done {
            Ok(()) => {
                for (index, offset) in &places {
                    slots[*index].set_committed(*offset);
                    if self.commit != Commit::Auto && self.shared.records_flow() {
                        slots[*index].note_taken(*offset);
                    }
                }
                if self.commit != Commit::Auto {
                    self.shared.count_commit();
                }
            }
            Err(CommitError::NotOwner(error)) => eprintln!("did not {what}: {error}"),
            Err(CommitError::Failed(error)) => {
                let failure = format!("cannot {what}: {error}");
                self.shared.reported().report(&failure);
                self.error.get_or_insert(failure);
            }
        }
        true
    }

    /// The first failure that was no rebalance.
    pub(crate) fn into_error(self) -> Option<String> {
        self.error
    }
}
