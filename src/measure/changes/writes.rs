//! What planned acts on brokers cost those who write: how long partitions acknowledged nothing, and when all replicas were
//! in sync again.

use std::collections::{BTreeMap, BTreeSet};

use crate::measure::{Act, BrokerRoles, DeliveryDelay, LeaderSince, Measurement, PlannedAct, Stretch, TopicPartition};

/// A time in which a partition acknowledged no record that had been sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteGap {
    /// Which.
    pub partition: TopicPartition,
    /// From when the first record was sent that waited, until the last of those was acknowledged.
    pub stretch: Stretch,
}

/// The gaps of those who write because of an act on a broker, one for each time and partition; nothing because of other acts.
pub(super) fn writes(measurement: &Measurement, number: usize) -> Vec<WriteGap> {
    let Some(load) = &measurement.load else {
        return Vec::new();
    };
    let mut by_partition: BTreeMap<TopicPartition, Vec<Stretch>> = BTreeMap::new();
    for DeliveryDelay { partition, delay } in load.producers.iter().flat_map(|producer| &producer.delays) {
        if cause(&measurement.acts, *delay) == Some(number) {
            by_partition.entry(*partition).or_default().push(*delay);
        }
    }
    let joined = by_partition.into_iter().flat_map(|(partition, mut delays)| {
        delays.sort_unstable_by_key(|delay| delay.from_ns);
        // Several producers may wait for one partition.
        delays.dedup_by(|next, delay| {
            let is_joined = next.from_ns <= delay.until_ns;
            if is_joined {
                delay.until_ns = delay.until_ns.max(next.until_ns);
            }
            is_joined
        });
        delays.into_iter().map(move |stretch| WriteGap { partition, stretch })
    });
    joined.collect()
}

/// The act on a broker that a delay goes back to: the first within it, or the latest before it that may have an effect. That
/// a broker comes back is the cause only where none went away.
fn cause(acts: &[PlannedAct], delay: Stretch) -> Option<usize> {
    let comes_back = |act: &PlannedAct| matches!(act.act, Act::Start | Act::Resume);
    let within = |act: &PlannedAct| act.is_on_broker() && (delay.from_ns..delay.until_ns).contains(&act.at_ns);
    let before = |act: &PlannedAct| act.is_on_broker() && (act.at_ns..=act.settled_ns).contains(&delay.from_ns);
    let found = |is_return: bool| {
        let first = acts.iter().position(|act| comes_back(act) == is_return && within(act));
        first.or_else(|| acts.iter().rposition(|act| comes_back(act) == is_return && before(act)))
    };
    found(false).or_else(|| found(true))
}

/// When all replicas were in sync again that an act on a broker had put out of sync; `None` where there are none, and where
/// that never came.
pub(super) fn restored_ns(measurement: &Measurement, number: usize) -> Option<u64> {
    let act = &measurement.acts[number];
    let roles = measurement.roles.as_ref()?;
    if !act.is_on_broker() || matches!(act.act, Act::Start | Act::Resume) {
        return None;
    }
    let mut later = measurement.acts[number + 1..].iter();
    let other = later.find(|other| other.is_on_broker() && other.who != act.who);
    let until_ns = other.map_or(u64::MAX, |other| other.at_ns);
    let partitions: BTreeSet<TopicPartition> = roles.partitions.iter().map(|since| since.partition).collect();
    let lost = |partition: &TopicPartition| lost_ns(roles, *partition, act.at_ns).filter(|lost_ns| *lost_ns < until_ns);
    let times = partitions.iter().filter(|partition| lost(partition).is_some());
    let times = times.map(|partition| roles.restored_ns(*partition, act.at_ns));
    times.collect::<Option<Vec<u64>>>()?.into_iter().max()
}

/// When a replica of a partition was first out of sync after a moment.
fn lost_ns(roles: &BrokerRoles, partition: TopicPartition, at_ns: u64) -> Option<u64> {
    let is_less = |since: &&LeaderSince| since.at_ns > at_ns && since.in_sync.len() < since.replicas as usize;
    roles.of(partition).find(is_less).map(|since| since.at_ns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{LoadMeasurement, Participant, ProducerMeasurement};
    use crate::testing::measurement;

    const SECOND: u64 = 1_000_000_000;
    const P: TopicPartition = TopicPartition { topic: 0, partition: 0 };
    const Q: TopicPartition = TopicPartition { topic: 0, partition: 1 };

    fn act(who: Participant, act: Act, second: u64) -> PlannedAct {
        PlannedAct {
            number: None,
            who,
            role: None,
            act,
            at_ns: second * SECOND,
            settled_ns: (second + 20) * SECOND,
        }
    }

    fn delay(partition: TopicPartition, from: u64, until: u64) -> DeliveryDelay {
        let delay = Stretch::new(from * SECOND, until * SECOND);
        DeliveryDelay { partition, delay }
    }

    fn since(partition: TopicPartition, second: u64, epoch: i32, in_sync: &[i32]) -> LeaderSince {
        LeaderSince {
            at_ns: second * SECOND,
            partition,
            leader: in_sync.first().copied(),
            epoch,
            replicas: 2,
            in_sync: in_sync.to_vec(),
        }
    }

    /// A broker is killed after 5 s and started after 30 s; a process is killed between.
    fn trial() -> Measurement {
        let mut m = measurement().processes(2).partitions(2).build();
        m.acts = vec![
            act(Participant::Broker(1), Act::Kill, 5),
            act(Participant::Reader { group: 0, process: 0 }, Act::Kill, 20),
            act(Participant::Broker(1), Act::Start, 30),
        ];
        let producer = |delays| ProducerMeasurement {
            delays,
            ..ProducerMeasurement::default()
        };
        m.load = Some(LoadMeasurement {
            producers: vec![
                producer(vec![delay(P, 4, 12), delay(Q, 40, 41)]),
                producer(vec![delay(P, 6, 13), delay(Q, 1, 2), delay(P, 60, 61)]),
            ],
            ..LoadMeasurement::default()
        });
        m
    }

    #[test]
    fn partitions_that_acknowledged_nothing_belong_to_the_act_on_a_broker_that_was_why() {
        let m = trial();
        let gap = |partition, from, until| WriteGap {
            partition,
            stretch: Stretch::new(from * SECOND, until * SECOND),
        };
        assert_eq!(writes(&m, 0), [gap(P, 4, 13)]);
        assert_eq!(writes(&m, 1), [], "nobody writes to a process that reads");
        assert_eq!(writes(&m, 2), [gap(Q, 40, 41)]);
    }

    #[test]
    fn replicas_are_restored_when_the_last_partition_that_lost_one_has_it_back() {
        let mut m = trial();
        m.roles = Some(BrokerRoles {
            partitions: vec![
                since(P, 0, 0, &[1, 2]),
                since(Q, 0, 0, &[2, 3]),
                since(P, 13, 1, &[2]),
                since(P, 32, 1, &[1, 2]),
            ],
            ..BrokerRoles::default()
        });
        assert_eq!((restored_ns(&m, 0), restored_ns(&m, 1)), (Some(32 * SECOND), None));
        assert_eq!(
            restored_ns(&m, 2),
            None,
            "what brings a broker back puts nothing out of sync"
        );
        if let Some(roles) = &mut m.roles {
            roles.partitions.pop();
        }
        assert_eq!(restored_ns(&m, 0), None, "it never was");
    }
}
