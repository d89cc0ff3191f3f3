//! A run in which a process is killed.

use super::Fixture;
use crate::measure::*;
use crate::plan::Plan;
use crate::scenario::parse;
use crate::summary::summarise;

const MS: u64 = 1_000_000;

const SCENARIO: &str = "question = 'What does a crash cost with either assignor?'\nwarmup_blocks = 0\nrepetitions = 8\n\
    metric = 'collateral_ms'\nthreshold = '50 ms'\n[dataset]\npartitions = 4\nsize = 100\n\
    [consumer]\nprocesses = 2\ncommit = 'per-batch'\n[load]\nrate = 400\nduration = 20\n\
    [[event]]\nat = '5s'\ndo = 'kill'\nwhat = 'process 2'\n\
    [[case]]\nname = 'eager'\nassignor = 'range'\n[[case]]\nname = 'cooperative'\nassignor = 'cooperative-sticky'\n";

impl Fixture {
    /// Two processes with four partitions, of which the second is killed after five seconds: its session ends six seconds
    /// later. With the eager protocol the first has to stop for that. Eight blocks.
    pub(crate) fn changes() -> Self {
        let scenario = parse("crash", "crash.toml", SCENARIO).unwrap_or_else(|errors| panic!("{}", errors.plain()));
        let mut fixture = Fixture::planned(scenario);
        for trial in &mut fixture.trials {
            let is_eager = trial.order.configuration == 0;
            if let Some(measurement) = &mut trial.measurement {
                kill(measurement, is_eager, u64::from(trial.order.number));
            }
        }
        fixture.summary = summarise(&Plan::new(fixture.scenario.clone()), &fixture.trials);
        fixture.source = SCENARIO.to_owned();
        fixture
    }
}

/// Kills the second process.
fn kill(m: &mut Measurement, is_eager: bool, number: u64) {
    let start_ns = m.start_ns;
    let after = |ms: u64| start_ns + ms * MS;
    let (given_ns, more_ms) = (after(11_000), number % 5 * 10);
    m.acts = vec![PlannedAct {
        number: Some(ActNumber { event: 1, step: 1 }),
        who: Participant::Reader { group: 0, process: 1 },
        role: None,
        act: Act::Kill,
        at_ns: after(5_000),
        settled_ns: after(31_000),
    }];
    m.membership = Some(MembershipTimes {
        session_ns: 6_000 * MS,
        heartbeat_ns: 500 * MS,
        broker_session_ns: None,
    });
    let end_ns = m.end_ns;
    let flow = |epoch, from_ns, until_ns| {
        let mut flow = FlowBuilder::default();
        flow.add(epoch, from_ns, until_ns);
        flow.finish()
    };
    let [survivor, killed] = &mut m.members[..] else {
        return;
    };
    killed.was_killed = true;
    let own: Vec<TopicPartition> = survivor
        .partitions
        .iter()
        .map(PartitionMeasurement::topic_partition)
        .collect();
    let mut moved = killed.partitions.clone();
    for read in &mut killed.partitions {
        read.flow = flow(1, after(20), after(4_990));
        read.runs = Some(vec![run(0, 500, 1)]);
    }
    for read in &mut survivor.partitions {
        read.flow = if is_eager {
            let mut both = flow(1, after(20), after(10_940));
            both.extend(flow(2, given_ns + (20 + more_ms) * MS, end_ns));
            both
        } else {
            flow(1, after(20), end_ns)
        };
    }
    for read in &mut moved {
        read.flow = flow(1, given_ns + 30 * MS, end_ns);
        read.runs = Some(vec![run(480, 2_000, 1)]);
    }
    let all: Vec<TopicPartition> = (own.iter().copied())
        .chain(moved.iter().map(PartitionMeasurement::topic_partition))
        .collect();
    let given = if is_eager {
        all.clone()
    } else {
        all[own.len()..].to_vec()
    };
    let change = |kind, at_ns, partitions: &[TopicPartition]| Rebalance {
        at_ns,
        kind,
        partitions: partitions.to_vec(),
    };
    survivor.rebalances = vec![change(RebalanceKind::Assigned, start_ns - 300 * MS, &own)];
    if is_eager {
        survivor
            .rebalances
            .push(change(RebalanceKind::Revoked, after(10_950), &own));
    }
    survivor
        .rebalances
        .push(change(RebalanceKind::Assigned, given_ns, &given));
    survivor.partitions.extend(moved);
}

fn run(first: i64, end: i64, epoch: u32) -> OffsetRun {
    OffsetRun { first, end, epoch }
}
