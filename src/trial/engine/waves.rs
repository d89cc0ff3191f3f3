//! Waves: of many members so many connect at a time. All at once, each would wait so long for the others' connections that
//! its client gives up.

use std::collections::{BTreeSet, VecDeque};

use super::{Action, Phase, TrialMachine};
use crate::protocol::ToWorker;
use crate::trial::cast::ActorId;

/// Members that connect at the same time. 200 did on two cores, and 500 did not.
const MEMBERS_MAX: usize = 100;

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
}

impl TrialMachine {
    /// The orders that can be given now.
    pub(super) fn next_orders(&mut self) -> Vec<Action> {
        let cast = &self.cast;
        let is_preparing = |actor: &ActorId| cast[*actor].is_present() && !cast[*actor].is_ready();
        self.waves.preparing.retain(is_preparing);
        let members = |actor: &ActorId| match actor {
            ActorId::Reader(reader) => cast.readers[*reader].role.prepare.consumers.len(),
            _ => 1,
        };
        let mut preparing: usize = self.waves.preparing.iter().map(members).sum();
        let mut orders = Vec::new();
        while let Some(actor) = self.waves.waiting.front().copied() {
            let joining = members(&actor);
            if preparing > 0 && preparing + joining > MEMBERS_MAX {
                break;
            }
            self.waves.waiting.pop_front();
            let Some(mut order) = cast[actor].order().filter(|_| is_preparing(&actor)) else {
                continue;
            };
            if let ToWorker::Prepare(prepare) = &mut order {
                prepare.joins_late = self.phase != Phase::Starting;
            }
            preparing += joining;
            self.waves.preparing.insert(actor);
            orders.push(Action::Send(actor, order));
        }
        orders
    }
}
