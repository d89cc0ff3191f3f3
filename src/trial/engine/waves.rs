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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Capability, FromWorker};
    use crate::testing::script::{Reader, Script, hello, spec};

    fn ordered(actions: &[Action]) -> Vec<ActorId> {
        let order = |action: &Action| match action {
            Action::Send(actor, ToWorker::Prepare(_)) => Some(*actor),
            _ => None,
        };
        actions.iter().filter_map(order).collect()
    }

    #[test]
    fn of_many_members_the_next_connect_when_others_are_ready() {
        let mut script = Script::new(spec(4, 40, 200));
        let introduced: Vec<Vec<ActorId>> = (0..4)
            .map(|reader| ordered(&script.says(Reader(reader), FromWorker::Hello(hello(Capability::ALL)))))
            .collect();
        assert_eq!(introduced, [vec![Reader(0)], vec![Reader(1)], vec![], vec![]]);
        assert_eq!(ordered(&script.says(Reader(1), FromWorker::Ready)), [Reader(2)]);
        assert_eq!(ordered(&script.says(Reader(2), FromWorker::Ready)), [Reader(3)]);
        script.says(Reader(0), FromWorker::Ready);
        let actions = script.says(Reader(3), FromWorker::Ready);
        assert_eq!(script.machine.phase(), Phase::Joining);
        assert!(actions.contains(&Action::Send(Reader(3), ToWorker::Subscribe)));
    }

    #[test]
    fn a_process_with_more_members_than_a_wave_connects_alone() {
        let mut script = Script::new(spec(2, 150, 300));
        let first = script.says(Reader(1), FromWorker::Hello(hello(Capability::ALL)));
        assert_eq!(ordered(&first), [Reader(1)]);
        let second = script.says(Reader(0), FromWorker::Hello(hello(Capability::ALL)));
        assert_eq!(ordered(&second), []);
        assert_eq!(ordered(&script.says(Reader(1), FromWorker::Ready)), [Reader(0)]);
    }
}
