//! Programs that are observed: whose partitions stood still, by descriptions of their group and by committed offsets.

use super::*;
use crate::measure::{GroupCommit, GroupLook, GroupState, HeldBy, MemberPlace, Outside};

fn look(ms: u64, held: &[(u32, &[i32])]) -> GroupLook {
    let held_by = |(process, partitions): &(u32, &[i32])| HeldBy {
        member: MemberPlace {
            process: *process,
            consumer: 0,
        },
        partitions: partitions.iter().map(|number| partition(*number)).collect(),
    };
    let held: Vec<HeldBy> = held.iter().map(held_by).collect();
    GroupLook {
        asked_ns: at(ms),
        at_ns: at(ms),
        group: 0,
        state: GroupState::Stable,
        members: held.iter().map(|held| held.member).collect(),
        others: 0,
        held,
    }
}

#[test]
fn gaps_of_programs_that_say_nothing_lie_between_their_commits() {
    let mut trial = Invented::new().act(process(1), Act::Kill, 5_000).0;
    trial.members[0].assigned = vec![partition(0)];
    trial.members[1].assigned = vec![partition(1)];
    // Each commits once a second; while the group is divided anew, its coordinator names no partitions.
    let commits = |number: i32, times_ms: &[u64]| {
        let commit = |ms: &u64| GroupCommit {
            group: 0,
            partition: partition(number),
            at_ns: at(*ms),
        };
        times_ms.iter().map(commit).collect::<Vec<_>>()
    };
    let all_ms: Vec<u64> = (0..30).map(|second| second * 1_000).collect();
    let killed_ms: Vec<u64> = all_ms
        .iter()
        .copied()
        .filter(|ms| !(5_000..12_000).contains(ms))
        .collect();
    let mut all = [commits(0, &all_ms), commits(1, &killed_ms)].concat();
    all.sort_by_key(|commit| commit.at_ns);
    trial.outside = Some(Outside {
        commit_interval_ns: Some(1_000 * MS),
        commits: all,
        left_behind: Vec::new(),
    });
    assert!(!is_recorded(&trial), "nobody says whose the partitions were");
    trial.group_looks = vec![
        look(0, &[(0, &[0]), (1, &[1])]),
        look(10_500, &[]),
        look(11_000, &[(0, &[0, 1])]),
    ];
    assert!(is_recorded(&trial));
    let episodes = episodes(&trial);
    assert_eq!(episodes[0].gaps.len(), 1, "{episodes:#?}");
    let gap = gap_of(&episodes[0], 1);
    assert_eq!((gap.kind, gap.members, gap.redelivered), (GapKind::Moved, [1, 0], 0));
    let stretch = Stretch::new(at(4_000), at(12_000));
    assert_eq!(gap.stretch, stretch);
    let expected = [
        (BeforeAct, 1_000),
        (Detection, 5_500),
        (Division, 500),
        (FirstRecord, 1_000),
    ];
    assert_eq!(in_ms(gap), expected);
}
