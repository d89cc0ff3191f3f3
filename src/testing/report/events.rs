//! What the events of a scenario cause in an invented trial: acts, gaps in reading, and what they are made of.

use crate::measure::*;
use crate::scenario::{
    ClusterSource, Configuration, EventAct, EventStep, Parties, Party, RestartHow, Scenario, event_steps,
};

const MS: u64 = 1_000_000;
const BROKER: i32 = 1;

/// A gap that an event causes, and those whom it hits.
struct Invented {
    party: Party,
    stretch: Stretch,
    /// Another process reads on.
    moves: bool,
}

/// Gives a trial what the events of its configuration cause: the later the configuration stands in the file, the longer.
pub(super) fn act(m: &mut Measurement, scenario: &Scenario, index: usize, number: u32) {
    let configuration = &scenario.configurations[index];
    let steps = event_steps(&configuration.events, parties(scenario, configuration));
    let more_ms = (index as u64 + 1) * 300 + u64::from(number % 5) * 10;
    let mut gaps = Vec::new();
    m.acts.clear();
    for (place, step) in (1..).zip(&steps) {
        let Some((from_ns, _)) = step.span_ns() else { continue };
        let at_ns = m.start_ns + from_ns;
        m.acts.extend(acts(step, place, at_ns));
        gaps.push(Invented {
            party: step.party,
            stretch: Stretch::new(at_ns - 4 * MS, at_ns + gap_ms(step, more_ms) * MS),
            moves: matches!(step.act, EventAct::Kill | EventAct::Leave | EventAct::Start),
        });
    }
    m.membership = Some(MembershipTimes {
        session_ns: configuration.session_timeout_ms.unwrap_or(45_000) * MS,
        heartbeat_ns: configuration.heartbeat_ms.unwrap_or(3_000) * MS,
        broker_session_ns: Some(9_000 * MS),
    });
    read(m, &gaps);
    elect(m, &gaps);
}

fn parties(scenario: &Scenario, configuration: &Configuration) -> Parties {
    let brokers = match scenario.cluster.source {
        ClusterSource::Local { brokers, .. } => brokers,
        ClusterSource::Bootstrap(_) => 0,
    };
    Parties {
        groups: configuration.groups,
        processes: configuration.processes,
        brokers,
    }
}

/// What is done, and what ends it.
fn acts(step: &EventStep, place: u32, at_ns: u64) -> Vec<PlannedAct> {
    let (first, then) = match step.act {
        EventAct::Start => (Act::Start, None),
        EventAct::Leave | EventAct::Stop => (Act::Leave, None),
        EventAct::Kill => (Act::Kill, None),
        EventAct::Pause { for_ns } => (Act::Pause, Some((for_ns, Act::Resume))),
        EventAct::Restart { for_ns, how } => {
            let ends = if how == RestartHow::Kill { Act::Kill } else { Act::Leave };
            (ends, Some((for_ns, Act::Start)))
        }
        EventAct::Rate(rate) => (Act::SetRate(rate), None),
    };
    let (who, role) = match step.party {
        Party::Process { group, process } => {
            let group = group.unwrap_or(1) - 1;
            (
                Participant::Reader {
                    group,
                    process: process - 1,
                },
                None,
            )
        }
        Party::Store => (Participant::Store, None),
        Party::Load => (Participant::Load, None),
        Party::Broker(broker) => (Participant::Broker(broker.cast_signed()), None),
        Party::LeaderOf { .. } | Party::Controller | Party::CoordinatorOf(_) => {
            let partition = TopicPartition { topic: 0, partition: 0 };
            (Participant::Broker(BROKER), Some(BrokerRole::LeaderOf(partition)))
        }
    };
    let number = |step| Some(ActNumber { event: place, step });
    let act = |number, act, at_ns| PlannedAct {
        number,
        who,
        role,
        act,
        at_ns,
        settled_ns: at_ns + 20_000 * MS,
    };
    let mut acts = vec![act(number(1), first, at_ns)];
    acts.extend(then.map(|(for_ns, then)| act(number(2), then, at_ns + for_ns)));
    acts
}

fn gap_ms(step: &EventStep, more_ms: u64) -> u64 {
    match (step.party.is_broker(), step.act) {
        (
            true,
            EventAct::Kill
            | EventAct::Restart {
                how: RestartHow::Kill, ..
            },
        ) => 8_500 + more_ms,
        (true, _) => more_ms,
        (false, EventAct::Kill) => 6_000 + more_ms,
        (false, act) => act.for_ns() / MS + more_ms,
    }
}

/// Every member reads its partitions but in the gaps; of a process that goes for good the first one reads on, and before a
/// process that comes it has read.
fn read(m: &mut Measurement, gaps: &[Invented]) {
    let (start_ns, end_ns) = (m.start_ns + 20 * MS, m.end_ns);
    let mut taken = Vec::new();
    for member in &mut m.members {
        let mut own = Vec::new();
        for partition in &mut member.partitions {
            let hits: Vec<&Invented> = gaps
                .iter()
                .filter(|gap| gap.hits(member.process, partition.partition))
                .collect();
            let moved = hits.iter().find(|gap| gap.moves);
            let comes = moved.is_some_and(|gap| gap.stretch.from_ns > start_ns && is_start(&m.acts, gap));
            let (mut flow, mut others) = (FlowBuilder::default(), FlowBuilder::default());
            match moved {
                Some(gap) if comes => {
                    others.add(1, start_ns, gap.stretch.from_ns);
                    flow.add(1, gap.stretch.until_ns, end_ns);
                    own.push(rebalance(gap.stretch.until_ns - 30 * MS, partition));
                    taken.push((rebalance(start_ns, partition), with(partition, others)));
                }
                Some(gap) => {
                    flow.add(1, start_ns, gap.stretch.from_ns);
                    others.add(1, gap.stretch.until_ns, end_ns);
                    taken.push((
                        rebalance(gap.stretch.until_ns - 30 * MS, partition),
                        with(partition, others),
                    ));
                }
                None => {
                    let mut from_ns = start_ns;
                    for gap in hits {
                        flow.add(1, from_ns, gap.stretch.from_ns);
                        from_ns = gap.stretch.until_ns;
                    }
                    flow.add(1, from_ns, end_ns);
                }
            }
            partition.flow = flow.finish();
        }
        member.rebalances.extend(own);
    }
    for (rebalance, partition) in taken {
        m.members[0].rebalances.push(rebalance);
        m.members[0].partitions.push(partition);
    }
}

fn is_start(acts: &[PlannedAct], gap: &Invented) -> bool {
    acts.iter()
        .any(|act| act.act == Act::Start && act.at_ns == gap.stretch.from_ns + 4 * MS)
}

impl Invented {
    fn hits(&self, process: u32, partition: i32) -> bool {
        match self.party {
            Party::Process { process: hit, .. } => hit == process + 1,
            _ => partition % 2 == 0,
        }
    }
}

fn rebalance(at_ns: u64, partition: &PartitionMeasurement) -> Rebalance {
    Rebalance {
        at_ns,
        kind: RebalanceKind::Assigned,
        partitions: vec![partition.topic_partition()],
    }
}

fn with(partition: &PartitionMeasurement, flow: FlowBuilder) -> PartitionMeasurement {
    PartitionMeasurement {
        flow: flow.finish(),
        ..partition.clone()
    }
}

/// Another broker leads the partitions that waited for one.
fn elect(m: &mut Measurement, gaps: &[Invented]) {
    let waited = gaps.iter().filter(|gap| gap.party.is_broker());
    let mut roles = BrokerRoles::default();
    roles.note_controller(m.start_ns, Some(3));
    for (epoch, gap) in (0..).zip(waited) {
        let partitions = m.members.iter().flat_map(|member| &member.partitions);
        let partitions = partitions.map(PartitionMeasurement::topic_partition);
        for partition in partitions.filter(|partition| partition.partition % 2 == 0) {
            let leader = match gap.party {
                Party::Broker(broker) => broker.cast_signed(),
                _ => BROKER,
            };
            let other = leader % 3 + 1;
            for (at_ns, leader, epoch, in_sync) in [
                (gap.stretch.from_ns - MS, leader, 2 * epoch, vec![leader, other]),
                (gap.stretch.until_ns - 100 * MS, other, 2 * epoch + 1, vec![other]),
                (
                    gap.stretch.until_ns + 2_000 * MS,
                    other,
                    2 * epoch + 1,
                    vec![leader, other],
                ),
            ] {
                roles.note_leader(LeaderSince {
                    at_ns,
                    partition,
                    leader: Some(leader),
                    epoch,
                    replicas: 2,
                    in_sync,
                });
            }
        }
        m.roles = Some(roles.clone());
    }
}
