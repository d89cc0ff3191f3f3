#![allow(clippy::unwrap_used)]

use super::PartKind::{BeforeAct, Detection, Division, FirstRecord, LettingGo, Paused, Rejoin, Resuming, Unexplained};
use super::*;
use crate::measure::{
    Act, FlowBuilder, LagSeries, LoadMeasurement, MembershipTimes, OffsetRun, PartitionLag, PartitionMeasurement,
    Rebalance, TopicPartition,
};
use crate::testing::measurement;

mod brokers;
mod faults;
mod observed;

const MS: u64 = 1_000_000;
const START: u64 = 100_000 * MS;

/// Milliseconds after the start as a time.
fn at(ms: u64) -> u64 {
    START + ms * MS
}

fn partition(number: i32) -> TopicPartition {
    TopicPartition {
        topic: 0,
        partition: number,
    }
}

fn process(number: u32) -> Participant {
    Participant::Reader {
        group: 0,
        process: number,
    }
}

/// Invented trials of three processes with four partitions. Every partition gets a record each 10 ms that takes 1 ms.
struct Invented(Measurement);

impl Invented {
    fn new() -> Self {
        let mut measurement = measurement().processes(3).partitions(4).start_ns(START).build();
        measurement.end_ns = at(30_000);
        for member in &mut measurement.members {
            (member.partitions, member.assigned) = (Vec::new(), Vec::new());
        }
        Invented(measurement)
    }

    fn act(mut self, who: Participant, act: Act, ms: u64) -> Self {
        self.0.acts.push(PlannedAct {
            number: None,
            who,
            role: None,
            act,
            at_ns: at(ms),
            settled_ns: at(ms + 20_000),
        });
        self
    }

    fn rebalance(mut self, member: usize, kind: RebalanceKind, ms: u64, partitions: &[i32]) -> Self {
        self.0.members[member].rebalances.push(Rebalance {
            at_ns: at(ms),
            kind,
            partitions: partitions.iter().map(|number| partition(*number)).collect(),
        });
        self
    }

    /// A member reads offsets of a partition under an assignment, between these milliseconds.
    fn reads(mut self, member: usize, number: i32, (epoch, offsets): (u32, [i64; 2]), spells: &[[u64; 2]]) -> Self {
        let mut flow = FlowBuilder::default();
        for [from_ms, until_ms] in spells {
            for ms in (*from_ms..*until_ms).step_by(10) {
                flow.add(epoch, at(ms), at(ms + 1));
            }
            flow.add(epoch, at(until_ms - 1), at(*until_ms));
        }
        let read = &mut self.0.members[member].partitions;
        let place = read
            .iter()
            .position(|read| read.partition == number)
            .unwrap_or_else(|| {
                read.push(PartitionMeasurement {
                    partition: number,
                    runs: Some(Vec::new()),
                    ..PartitionMeasurement::default()
                });
                read.len() - 1
            });
        let read = &mut read[place];
        let [first, end] = offsets;
        read.records += u64::try_from(end - first).unwrap();
        read.runs.as_mut().unwrap().push(OffsetRun { first, end, epoch });
        read.flow.extend(flow.finish());
        self
    }

    fn episodes(&self) -> Vec<Episode> {
        let episodes = episodes(&self.0);
        for gap in episodes.iter().flat_map(|episode| &episode.gaps) {
            adds_up(gap);
        }
        episodes
    }
}

fn adds_up(gap: &Gap) {
    let mut reached_ns = gap.stretch.from_ns;
    for part in &gap.parts {
        assert_eq!(part.stretch.from_ns, reached_ns, "{gap:?}");
        reached_ns = part.stretch.until_ns;
    }
    assert_eq!(reached_ns, gap.stretch.until_ns, "{gap:?}");
}

/// The parts of a gap in milliseconds.
fn in_ms(gap: &Gap) -> Vec<(PartKind, u64)> {
    let parts = gap.parts.iter();
    parts.map(|part| (part.kind, part.stretch.length_ns() / MS)).collect()
}

fn gap_of(episode: &Episode, number: i32) -> &Gap {
    episode
        .gaps
        .iter()
        .find(|gap| gap.partition == partition(number))
        .unwrap()
}

const TO_THE_END: &[[u64; 2]] = &[[0, 30_000]];

/// Process 3 is started at 5 s and gets partition 1 of process 1 by the cooperative protocol.
fn cooperative_join() -> Invented {
    use RebalanceKind::{Assigned, Revoked};
    Invented::new()
        .act(process(2), Act::Start, 5_000)
        .rebalance(0, Assigned, 0, &[0, 1])
        .rebalance(0, Revoked, 6_000, &[1])
        .rebalance(2, Assigned, 7_500, &[1])
        .reads(0, 0, (1, [0, 3_000]), TO_THE_END)
        .reads(0, 1, (1, [0, 590]), &[[0, 5_990]])
        .reads(2, 1, (1, [590, 3_000]), &[[7_520, 30_000]])
        .reads(1, 2, (1, [0, 3_000]), TO_THE_END)
}

#[test]
fn a_partition_that_moves_has_a_gap_whose_parts_add_up_and_the_others_have_none() {
    let episodes = cooperative_join().episodes();
    assert_eq!((episodes.len(), episodes[0].gaps.len()), (1, 1));
    let gap = gap_of(&episodes[0], 1);
    assert_eq!((gap.kind, gap.members, gap.redelivered), (GapKind::Moved, [0, 2], 0));
    assert_eq!(in_ms(gap), [(LettingGo, 10), (Division, 1_500), (FirstRecord, 20)]);
    let moved = episodes[0].members.iter().find(|change| change.member == 2).unwrap();
    assert_eq!(
        (moved.assigned_ns, moved.first_record_ns),
        (Some(at(7_500)), Some(at(7_520)))
    );
    assert_eq!((episodes[0].collateral_ns(), episodes[0].flowing_ns()), (0, at(7_520)));
}

#[test]
fn an_eager_join_stops_partitions_that_come_back_to_their_owner() {
    use RebalanceKind::{Assigned, Revoked};
    let trial = Invented::new()
        .act(process(2), Act::Start, 5_000)
        .rebalance(0, Assigned, 0, &[0, 1])
        .rebalance(0, Revoked, 6_000, &[0, 1])
        .rebalance(0, Assigned, 6_100, &[0])
        .rebalance(2, Assigned, 6_100, &[1])
        .reads(0, 0, (1, [0, 590]), &[[0, 5_990]])
        .reads(0, 0, (2, [590, 3_000]), &[[6_110, 30_000]])
        .reads(0, 1, (1, [0, 590]), &[[0, 5_990]])
        .reads(2, 1, (1, [590, 3_000]), &[[6_150, 30_000]]);
    let episodes = trial.episodes();
    let kinds = [0, 1].map(|number| gap_of(&episodes[0], number).kind);
    assert_eq!(kinds, [GapKind::Collateral, GapKind::Moved]);
    assert_eq!(episodes[0].collateral_ns(), 120 * MS);
}

/// Process 2 is killed at 5 s, and process 1 gets its partition when the session has ended.
fn killed(given_ms: u64) -> Invented {
    use RebalanceKind::{Assigned, Revoked};
    let mut trial = Invented::new()
        .act(process(1), Act::Kill, 5_000)
        .rebalance(0, Assigned, 0, &[0])
        .rebalance(0, Revoked, given_ms - 100, &[0])
        .rebalance(0, Assigned, given_ms, &[0, 2])
        .reads(0, 0, (1, [0, given_ms.cast_signed() / 10]), &[[0, given_ms - 110]])
        .reads(
            0,
            0,
            (2, [given_ms.cast_signed() / 10, 3_000]),
            &[[given_ms + 10, 30_000]],
        )
        .reads(1, 2, (1, [0, 500]), &[[0, 4_990]])
        .reads(0, 2, (1, [480, 3_000]), &[[given_ms + 30, 30_000]]);
    trial.0.members[1].was_killed = true;
    trial.0.membership = Some(MembershipTimes {
        session_ns: 6_000 * MS,
        heartbeat_ns: 500 * MS,
        broker_session_ns: None,
    });
    trial
}

#[test]
fn a_paused_member_that_reads_what_it_held_after_another_went_on_does_not_lengthen_the_gap() {
    use RebalanceKind::{Assigned, Lost};
    let trial = Invented::new()
        .act(process(1), Act::Pause, 5_000)
        .act(process(1), Act::Resume, 17_000)
        .rebalance(1, Assigned, 0, &[2])
        .rebalance(1, Lost, 17_020, &[2])
        .rebalance(0, Assigned, 11_000, &[2])
        .reads(1, 2, (1, [0, 510]), &[[0, 4_990], [17_005, 17_010]])
        .reads(0, 2, (1, [500, 3_000]), &[[11_010, 30_000]]);
    let episodes = trial.episodes();
    let gaps: Vec<_> = episodes.iter().flat_map(|episode| &episode.gaps).collect();
    assert_eq!(gaps.len(), 1, "{gaps:#?}");
    assert_eq!(
        (gaps[0].kind, gaps[0].stretch.length_ns()),
        (GapKind::Moved, 6_020 * MS)
    );
}

#[test]
fn a_rate_that_is_changed_before_a_session_ends_is_not_why_partitions_are_assigned_anew() {
    let trial = killed(11_000).act(Participant::Load, Act::SetRate(10), 8_000);
    let episodes = trial.episodes();
    assert!(episodes[1].gaps.is_empty(), "{:#?}", episodes[1]);
    assert_eq!(gap_of(&episodes[0], 0).kind, GapKind::Collateral);
}

#[test]
fn a_killed_member_is_missed_when_its_session_ends_and_its_records_come_again() {
    let episodes = killed(11_000).episodes();
    let gap = gap_of(&episodes[0], 2);
    assert_eq!(
        (gap.kind, gap.redelivered, gap.resumed_at),
        (GapKind::Moved, 20, Some(480))
    );
    let expected = [(BeforeAct, 10), (Detection, 5_900), (Division, 100), (FirstRecord, 30)];
    assert_eq!(in_ms(gap), expected);
    // The survivor had to stop for it.
    assert_eq!(gap_of(&episodes[0], 0).kind, GapKind::Collateral);
}

#[test]
fn what_no_session_timeout_explains_is_unexplained() {
    let episodes = killed(14_000).episodes();
    let parts = in_ms(gap_of(&episodes[0], 2));
    assert!(parts.contains(&(Detection, 6_500)), "{parts:?}");
    assert!(parts.contains(&(Unexplained, 2_400)), "{parts:?}");
}

#[test]
fn a_paused_owner_stands_still_itself_and_one_that_pauses_without_a_cause_is_unexplained() {
    use RebalanceKind::Assigned;
    let trial = Invented::new()
        .act(process(0), Act::Pause, 5_000)
        .act(process(0), Act::Resume, 7_000)
        .rebalance(0, Assigned, 0, &[0])
        .rebalance(1, Assigned, 0, &[1])
        .reads(0, 0, (1, [0, 2_800]), &[[0, 4_995], [7_005, 30_000]])
        .reads(1, 1, (1, [0, 2_960]), &[[0, 5_200], [5_600, 30_000]]);
    let episodes = trial.episodes();
    let away = gap_of(&episodes[0], 0);
    assert_eq!(away.kind, GapKind::Away);
    assert_eq!(in_ms(away), [(BeforeAct, 5), (Paused, 2_000), (FirstRecord, 5)]);
    let other = gap_of(&episodes[0], 1);
    assert_eq!(
        (other.kind, in_ms(other)),
        (GapKind::Collateral, vec![(Unexplained, 400)])
    );
    assert_eq!(episodes[1].gaps, []);
}

#[test]
fn what_an_owner_keeps_in_a_rebalance_waits_until_its_client_looks_again_and_not_for_longer() {
    let parts = |resumed_ms: u64| {
        let trial = cooperative_join()
            .rebalance(1, RebalanceKind::Assigned, 6_003, &[])
            .reads(1, 3, (1, [0, 2_900]), &[[0, 5_990], [resumed_ms, 30_000]]);
        in_ms(gap_of(&trial.episodes()[0], 3))
    };
    // From the first that gave a partition up to its own part in the rebalance.
    assert_eq!(parts(6_800), [(Rejoin, 13), (Resuming, 797)]);
    assert_eq!(parts(8_000), [(Rejoin, 13), (Resuming, 1_100), (Unexplained, 897)]);
    // Another member gives its partitions up a moment later.
    let trial = cooperative_join()
        .rebalance(1, RebalanceKind::Assigned, 5_997, &[])
        .reads(1, 3, (1, [0, 2_900]), &[[0, 5_990], [6_800, 30_000]]);
    assert_eq!(in_ms(gap_of(&trial.episodes()[0], 3)), [(Rejoin, 7), (Resuming, 803)]);
}

#[test]
fn an_assignment_may_be_noted_after_the_first_record() {
    let mut trial = cooperative_join();
    trial.0.members[2].rebalances[0].at_ns = at(7_525);
    let parts = in_ms(gap_of(&trial.episodes()[0], 1));
    assert_eq!(parts, [(LettingGo, 10), (Division, 1_519), (FirstRecord, 0)]);
}

#[test]
fn pauses_that_were_as_long_before_are_no_standstill() {
    let spells: Vec<[u64; 2]> = (0..30).map(|second| [second * 1_000, second * 1_000 + 300]).collect();
    let trial = Invented::new()
        .act(process(2), Act::Start, 15_000)
        .reads(0, 0, (1, [0, 900]), &spells);
    assert_eq!(trial.episodes()[0].gaps, []);
}

#[test]
fn a_partition_with_few_records_does_not_stand_still_between_two_of_them() {
    let records = |numbers: &mut dyn Iterator<Item = u64>| -> Vec<[u64; 2]> {
        numbers.map(|number| [number * 300, number * 300 + 2]).collect()
    };
    let gaps = |act_ms: u64, spells: &[[u64; 2]]| {
        let trial = Invented::new()
            .act(process(2), Act::Start, act_ms)
            .reads(0, 0, (1, [0, 100]), spells);
        trial.episodes()[0].gaps.len()
    };
    let even = records(&mut (0..100));
    // Before the second record, too.
    assert_eq!([50, 200, 5_000].map(|act_ms| gaps(act_ms, &even)), [0, 0, 0]);
    let with_standstill = records(&mut (0..40).chain(60..100));
    assert_eq!(gaps(12_000, &with_standstill), 1);
}

#[test]
fn a_lower_rate_is_no_standstill() {
    let slow: Vec<[u64; 2]> = (0..27)
        .map(|number| [5_000 + number * 900, 5_002 + number * 900])
        .collect();
    let spells: Vec<[u64; 2]> = [[0, 5_000]].into_iter().chain(slow.into_iter().skip(1)).collect();
    let trial = Invented::new()
        .act(Participant::Load, Act::SetRate(4), 5_000)
        .reads(0, 0, (1, [0, 526]), &spells);
    assert_eq!(trial.episodes()[0].gaps, []);
}

#[test]
fn a_broker_that_goes_keeps_partitions_waiting_and_that_is_no_collateral() {
    let trial = Invented::new()
        .act(Participant::Broker(1), Act::Kill, 5_000)
        .reads(0, 0, (1, [0, 2_200]), &[[0, 5_010], [13_000, 30_000]])
        .reads(1, 1, (1, [0, 3_000]), TO_THE_END);
    let episodes = trial.episodes();
    let gap = gap_of(&episodes[0], 0);
    assert_eq!((gap.kind, episodes[0].collateral_ns()), (GapKind::Waiting, 0));
}

#[test]
fn a_broker_that_comes_back_is_not_why_a_partition_stood_still_before() {
    // What was fetched before is read for a moment after the broker is gone.
    let trial = Invented::new()
        .act(Participant::Broker(1), Act::Kill, 5_000)
        .act(Participant::Broker(1), Act::Start, 12_000)
        .reads(0, 0, (1, [0, 2_200]), &[[0, 5_300], [13_000, 30_000]]);
    let gaps: Vec<usize> = trial.episodes().iter().map(|episode| episode.gaps.len()).collect();
    assert_eq!(gaps, [1, 0]);
}

#[test]
fn the_lag_is_caught_up_with_when_it_is_what_it_was() {
    let mut trial = cooperative_join().0;
    let lag = |second: u64| match second {
        6..9 => 400,
        _ => 3,
    };
    trial.load = Some(LoadMeasurement {
        lag: LagSeries {
            at_ns: (0..30).map(|second| at(second * 1_000)).collect(),
            partitions: vec![PartitionLag {
                group: 0,
                topic: 0,
                partition: 1,
                lag: (0..30).map(lag).collect(),
            }],
        },
        ..LoadMeasurement::default()
    });
    assert_eq!(episodes(&trial)[0].caught_up_ns, Some(at(9_000)));
}

#[test]
fn nothing_is_known_of_members_that_do_not_say_when_they_read() {
    let mut trial = cooperative_join().0;
    assert!(is_recorded(&trial));
    trial.members[1].partitions[0].flow.clear();
    assert!(!is_recorded(&trial));
    trial.acts.clear();
    assert_eq!((episodes(&trial), is_recorded(&trial)), (Vec::new(), false));
}
