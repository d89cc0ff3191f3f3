//! The script of a trial, made from the events of its configuration. Pure: what is due when, to whom, and in which order.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::measure::{Act, ActNumber, BrokerRole, TopicPartition, TrialKind, TrialOrder};
use crate::scenario::{Configuration, EventAct, EventStep, Parties, Party, RestartHow, StepTime, event_steps};
use crate::trial::{ActorId, Script, Step, StepTarget, When};

/// Keeps what is drawn here from being what others draw from the same seed.
const DRAWN_FOR_EVENTS: u64 = 0x6576_656e_7473;

/// What is done on purpose in a trial. Pilots are undisturbed: they find how many records take the wanted time. What is
/// drawn is the same for all configurations of a block.
pub(super) fn script(configuration: &Configuration, parties: Parties, order: &TrialOrder, seed: u64) -> Script {
    if order.kind == TrialKind::Pilot {
        return Script::default();
    }
    let seed = seed.wrapping_add(u64::from(order.block)) ^ DRAWN_FOR_EVENTS;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut chains: Vec<Chain> = Vec::new();
    let mut latest = ActNumber { event: 0, step: 0 };
    for step in event_steps(&configuration.events, parties) {
        let when = match step.when {
            StepTime::After(at_ns) => {
                let later_ns = if step.spread_ns > 0 {
                    random.random_range(0..step.spread_ns)
                } else {
                    0
                };
                When::At(Duration::from_nanos(at_ns.saturating_add(later_ns)))
            }
            StepTime::Progress(share) => When::AtProgress(share),
            StepTime::Next => When::AfterStep(Duration::ZERO),
        };
        let event = u32::try_from(step.event + 1).unwrap_or(u32::MAX);
        if latest.event != event {
            latest = ActNumber { event, step: 0 };
        }
        let numbered = steps_of(&step, when, parties).into_iter().map(|step| {
            latest.step += 1;
            (latest, step)
        });
        match chains.last_mut() {
            // Each of an event whose times are not given begins when the one before is over.
            Some(chain) if step.when == StepTime::Next => chain.steps.extend(numbered),
            _ => chains.push(Chain {
                steps: numbered.collect(),
            }),
        }
    }
    chains.sort_by(|a, b| a.due().partial_cmp(&b.due()).unwrap_or(std::cmp::Ordering::Equal));
    let (numbers, steps) = chains.into_iter().flat_map(|chain| chain.steps).unzip();
    Script { steps, numbers }
}

/// Steps one after the other, the first at a time of its own.
struct Chain {
    steps: Vec<(ActNumber, Step)>,
}

impl Chain {
    /// For the order of what is done to one of them: all of it has times, or all of it is a single chain.
    fn due(&self) -> (f64, Duration) {
        match self.steps[0].1.when {
            When::At(at) | When::AfterJoin(at) | When::AfterStep(at) => (0.0, at),
            When::AtProgress(share) => (1.0 + share, Duration::ZERO),
        }
    }
}

/// What is done in one act of an event.
fn steps_of(step: &EventStep, when: When, parties: Parties) -> Vec<Step> {
    let target = target_of(step.party, parties);
    let first = |act| Step { when, target, act };
    let then = |for_ns, act| Step {
        when: When::AfterStep(Duration::from_nanos(for_ns)),
        target: match target {
            StepTarget::Actor(_) => target,
            // It may have lost its role by then.
            StepTarget::Role(_) | StepTarget::AsBefore => StepTarget::AsBefore,
        },
        act,
    };
    match step.act {
        EventAct::Start => vec![first(Act::Start)],
        EventAct::Leave | EventAct::Stop => vec![first(Act::Leave)],
        EventAct::Kill => vec![first(Act::Kill)],
        EventAct::Pause { for_ns } => vec![first(Act::Pause), then(for_ns, Act::Resume)],
        EventAct::Restart { for_ns, how } => {
            let end = match how {
                RestartHow::Clean => Act::Leave,
                RestartHow::Kill => Act::Kill,
            };
            vec![first(end), then(for_ns, Act::Start)]
        }
        EventAct::Rate(rate) => vec![first(Act::SetRate(rate))],
    }
}

/// Whom a party means; everybody is counted from 0 there.
fn target_of(party: Party, parties: Parties) -> StepTarget {
    let from_0 = |number: u32| number.saturating_sub(1);
    let actor = match party {
        Party::Process { group, process } => {
            let group = from_0(group.unwrap_or(1));
            ActorId::Reader((group * parties.processes + from_0(process)) as usize)
        }
        Party::Broker(broker) => ActorId::Broker(from_0(broker) as usize),
        Party::Store => ActorId::Store,
        Party::Load => ActorId::Load,
        Party::LeaderOf { topic, partition } => {
            return StepTarget::Role(BrokerRole::LeaderOf(TopicPartition {
                topic: from_0(topic.unwrap_or(1)),
                partition: partition.cast_signed(),
            }));
        }
        Party::Controller => return StepTarget::Role(BrokerRole::Controller),
        Party::CoordinatorOf(group) => return StepTarget::Role(BrokerRole::CoordinatorOf(from_0(group))),
    };
    StepTarget::Actor(actor)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    const PARTIES: Parties = Parties {
        groups: 2,
        processes: 2,
        brokers: 3,
    };

    fn scripted(events: &str, block: u32, kind: TrialKind) -> Script {
        let text = format!(
            "question = '?'\n[cluster]\nbrokers = 3\n[dataset]\npartitions = 2\nreplication = 2\n[consumer]\ngroups = 2\n\
             processes = 2\n[load]\nrate = 5\nduration = 60\n{events}"
        );
        let scenario = parse("s", "s.toml", &text).unwrap_or_else(|errors| panic!("{}", errors.plain()));
        let order = TrialOrder {
            number: 1,
            kind,
            block,
            position: 0,
            configuration: 0,
            records: 0,
            load: None,
        };
        script(&scenario.configurations[0], PARTIES, &order, scenario.seed)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn events_become_steps_in_the_order_of_their_times_and_what_lasts_has_two() {
        let script = scripted(
            "[[event]]\nat = '9s'\ndo = 'restart'\nhow = 'kill'\nfor = '2s'\nwhat = 'leader of 1'\n\
             [[event]]\nat = '3s'\ndo = 'pause'\nfor = '1s'\nwhat = 'process 1 of group 2'\n\
             [[event]]\nat = '5s'\nrate = 7\n",
            0,
            TrialKind::Counted,
        );
        let leader = StepTarget::Role(BrokerRole::LeaderOf(TopicPartition { topic: 0, partition: 1 }));
        let expected = [
            (When::At(seconds(3)), ActorId::Reader(2).into(), Act::Pause),
            (When::AfterStep(seconds(1)), ActorId::Reader(2).into(), Act::Resume),
            (When::At(seconds(5)), ActorId::Load.into(), Act::SetRate(7)),
            (When::At(seconds(9)), leader, Act::Kill),
            (When::AfterStep(seconds(2)), StepTarget::AsBefore, Act::Start),
        ];
        assert_eq!(
            script.steps,
            expected.map(|(when, target, act)| Step { when, target, act })
        );
        let numbers = [(2, 1), (2, 2), (3, 1), (1, 1), (1, 2)];
        assert_eq!(script.numbers, numbers.map(|(event, step)| ActNumber { event, step }));
    }

    #[test]
    fn each_process_is_restarted_when_the_one_before_is_back_unless_distances_are_given() {
        let each = "[[event]]\nat = '3s'\ndo = 'restart'\nfor = '1s'\nwhat = 'each process of group 1'\n";
        let whens = |events: &str| -> Vec<When> {
            let script = scripted(events, 0, TrialKind::Counted);
            script.steps.iter().map(|step| step.when).collect()
        };
        let after = |after| When::AfterStep(seconds(after));
        assert_eq!(whens(each), [When::At(seconds(3)), after(1), after(0), after(1)]);
        let even = format!("{each}every = '10s'\n");
        assert_eq!(
            whens(&even),
            [When::At(seconds(3)), after(1), When::At(seconds(13)), after(1)]
        );
    }

    #[test]
    fn what_is_drawn_is_within_the_spread_equal_within_a_block_and_other_in_the_next() {
        let event = "[[event]]\nat = '3s'\nspread = '2s'\ndo = 'kill'\nwhat = 'process 2 of group 1'\n";
        let time_in = |block| match scripted(event, block, TrialKind::Counted).steps[0].when {
            When::At(at) => at,
            other => panic!("{other:?}"),
        };
        let drawn: Vec<Duration> = (0..20).map(time_in).collect();
        assert_eq!(drawn, (0..20).map(time_in).collect::<Vec<_>>());
        assert!(
            drawn.iter().all(|at| (seconds(3)..seconds(5)).contains(at)),
            "{drawn:?}"
        );
        let late = drawn.iter().filter(|at| **at >= seconds(4)).count();
        assert!((4..=16).contains(&late), "{drawn:?}");
    }

    #[test]
    fn a_pilot_is_undisturbed() {
        let event = "[[event]]\nat = '3s'\ndo = 'kill'\nwhat = 'process 2 of group 1'\n";
        assert_eq!(scripted(event, 0, TrialKind::Pilot), Script::default());
    }
}
