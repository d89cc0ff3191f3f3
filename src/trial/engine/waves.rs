//! Waves: of many members so many connect at a time. All at once, each would wait so long for the others' connections that
//! its client gives up.

use std::collections::{BTreeSet, VecDeque};

use crate::trial::cast::ActorId;

/// Members that connect at the same time: the client of each waits for the connections of so many, and gives up after a
/// while. On two cores that other programs kept busy, a wave of 100 beside 550 connected members took more than that.
const MEMBERS_MAX: usize = 50;

/// Who waits for its order, and who has it and is not ready.
#[derive(Debug, Default)]
pub(super) struct Waves {
    waiting: VecDeque<ActorId>,
    preparing: BTreeSet<ActorId>,
}

impl Waves {
    /// These may have their orders, each in its turn.
    pub(super) fn wait(&mut self, actors: impl IntoIterator<Item = ActorId>) {
        self.waiting.extend(actors);
    }

    /// One says that it is ready; false where it has no order yet, or has said so before.
    pub(super) fn get_ready(&mut self, actor: ActorId) -> bool {
        self.preparing.remove(&actor)
    }

    /// Those who may have their orders now. `is_preparing` is true for actors that are there and not ready, and `members`
    /// says how many consumers each has.
    pub(super) fn next(
        &mut self,
        is_preparing: impl Fn(&ActorId) -> bool,
        members: impl Fn(&ActorId) -> usize,
    ) -> Vec<ActorId> {
        self.preparing.retain(&is_preparing);
        let mut connecting: usize = self.preparing.iter().map(&members).sum();
        let mut next = Vec::new();
        while let Some(actor) = self.waiting.front().copied() {
            let joining = members(&actor);
            if connecting > 0 && connecting + joining > MEMBERS_MAX {
                break;
            }
            self.waiting.pop_front();
            if is_preparing(&actor) {
                connecting += joining;
                self.preparing.insert(actor);
                next.push(actor);
            }
        }
        next
    }
}
