use super::*;
use crate::testing::script::{group, partition};

/// Checks a group of two members over two partitions.
fn look(own: [Option<&[i32]>; 2], cluster: Option<&GroupDescription>) -> Result<Vec<Vec<TopicPartition>>, Obstacle> {
    look_by(Ownership::One, own, cluster)
}

fn look_by(
    ownership: Ownership,
    own: [Option<&[i32]>; 2],
    cluster: Option<&GroupDescription>,
) -> Result<Vec<Vec<TopicPartition>>, Obstacle> {
    let own = own.map(|held| held.map(|held| held.iter().map(|p| partition(*p)).collect::<Vec<_>>()));
    let members = [("trial-g1-p1-c1", "one"), ("trial-g1-p2-c1", "two")];
    let views: Vec<MemberView<'_>> = members
        .iter()
        .zip(&own)
        .map(|((client_id, name), own)| MemberView {
            client_id,
            name,
            own: own.as_deref(),
        })
        .collect();
    check(
        &views,
        cluster,
        &["t".to_owned()],
        &[partition(0), partition(1)].into(),
        (ownership, Recognised::ByName),
    )
    .map(|checked| checked.held)
}

fn unsettled(result: &Result<Vec<Vec<TopicPartition>>, Obstacle>, part: &str) {
    assert!(
        matches!(result, Err(Obstacle::Unsettled(message)) if message.contains(part)),
        "{result:?}"
    );
}

fn member(result: &Result<Vec<Vec<TopicPartition>>, Obstacle>, name: &str, part: &str) {
    let fits = |who: &str, message: &str| who == name && message.contains(part);
    assert!(
        matches!(result, Err(Obstacle::Member { who, message }) if fits(who, message)),
        "{result:?}"
    );
}

#[test]
fn a_group_that_agrees_with_its_members_is_passed_in_the_members_order() {
    let cluster = group(&[((1, 0), &[0]), ((0, 0), &[1])]);
    assert_eq!(
        look([Some(&[1]), Some(&[0])], Some(&cluster)),
        Ok(vec![vec![partition(1)], vec![partition(0)]])
    );
}

#[test]
fn a_member_without_partitions_passes_where_others_hold_all() {
    let cluster = group(&[((0, 0), &[1, 0]), ((1, 0), &[])]);
    assert_eq!(
        look([Some(&[0, 1]), Some(&[])], Some(&cluster)),
        Ok(vec![vec![partition(0), partition(1)], vec![]])
    );
}

#[test]
fn members_that_cannot_say_what_they_hold_hold_what_the_cluster_says() {
    let cluster = group(&[((0, 0), &[0]), ((1, 0), &[1])]);
    assert!(look([None, None], Some(&cluster)).is_ok());
    member(
        &look([Some(&[0]), None], None),
        "two",
        "neither the worker nor the cluster says",
    );
}

#[test]
fn a_member_that_says_other_than_the_cluster_is_named() {
    let cluster = group(&[((0, 0), &[0, 1]), ((1, 0), &[])]);
    let result = look([Some(&[0]), Some(&[])], Some(&cluster));
    member(
        &result,
        "one",
        "says it holds partition 0 of topic 1, the cluster says partition 0 of topic 1, partition 1",
    );
}

#[test]
fn two_members_that_hold_one_partition_are_both_named() {
    let both = |result: Result<Vec<Vec<TopicPartition>>, Obstacle>| {
        assert!(
            matches!(&result, Err(Obstacle::Overlap { who, .. }) if who == "one and two"),
            "{result:?}"
        );
    };
    both(look([None, None], Some(&group(&[((0, 0), &[0, 1]), ((1, 0), &[1])]))));
    both(look(
        [Some(&[0, 1]), Some(&[1])],
        Some(&group(&[((0, 0), &[0]), ((1, 0), &[1])])),
    ));
    both(look([Some(&[0, 1]), Some(&[0])], None));
}

#[test]
fn an_incomplete_group_is_waited_for() {
    let alone = group(&[((0, 0), &[0, 1])]);
    member(
        &look([Some(&[0, 1]), Some(&[])], Some(&alone)),
        "two",
        "not in the group exactly once",
    );
    let twice = group(&[((0, 0), &[0]), ((1, 0), &[1]), ((1, 0), &[])]);
    member(
        &look([Some(&[0]), Some(&[1])], Some(&twice)),
        "two",
        "not in the group exactly once",
    );
    unsettled(
        &look([Some(&[0]), Some(&[])], Some(&group(&[((0, 0), &[0]), ((1, 0), &[])]))),
        "has no owner",
    );
}

#[test]
fn partitions_that_are_not_of_the_trial_are_no_success() {
    let mut foreign = group(&[((0, 0), &[0]), ((1, 0), &[1])]);
    foreign.members[0].assignment.push(("other".to_owned(), 0));
    unsettled(&look([None, None], Some(&foreign)), "foreign topic: other");
    let more = group(&[((0, 0), &[0]), ((1, 0), &[1, 2])]);
    unsettled(&look([None, None], Some(&more)), "not part of the trial");
}

#[test]
fn where_members_share_partitions_each_may_have_several_owners_or_none_and_no_foreign_one() {
    let shared = Ownership::Shared;
    let both = look_by(
        shared,
        [Some(&[0, 1]), Some(&[1])],
        Some(&group(&[((0, 0), &[0, 1]), ((1, 0), &[1])])),
    );
    assert_eq!(both, Ok(vec![vec![partition(0), partition(1)], vec![partition(1)]]));
    let nobody = look_by(
        shared,
        [Some(&[]), Some(&[])],
        Some(&group(&[((0, 0), &[]), ((1, 0), &[])])),
    );
    assert_eq!(nobody, Ok(vec![vec![], vec![]]));
    let foreign = look_by(
        shared,
        [Some(&[7]), Some(&[])],
        Some(&group(&[((0, 0), &[7]), ((1, 0), &[])])),
    );
    unsettled(&foreign, "not part of the trial");
}

/// Two processes of a program whose members are called so.
fn observed(names: [&str; 2], held: [&[i32]; 2]) -> Result<Checked, Obstacle> {
    let members = [("trial-g1-p1-c1", "one"), ("trial-g1-p2-c1", "two")];
    let view = |(client_id, name): (&'static str, &'static str)| MemberView {
        client_id,
        name,
        own: None,
    };
    let mut found = group(&[((0, 0), held[0]), ((1, 0), held[1])]);
    for (member, name) in found.members.iter_mut().zip(names) {
        name.clone_into(&mut member.client_id);
    }
    found.members.retain(|member| !member.client_id.is_empty());
    check(
        &members.map(view),
        Some(&found),
        &["t".to_owned()],
        &[partition(0), partition(1)].into(),
        (Ownership::One, Recognised::ByNumber),
    )
}

#[test]
fn members_that_carry_one_name_are_counted_and_those_with_partitions_come_first() {
    let checked = observed(["rdkafka", "rdkafka"], [&[], &[0, 1]]).unwrap();
    assert_eq!(checked.held, [vec![partition(0), partition(1)], vec![]]);
    assert!(!checked.by_name);
}

#[test]
fn members_that_took_the_names_that_they_were_given_are_distinguished() {
    let checked = observed(["trial-g1-p1-c1", "trial-g1-p2-c1"], [&[], &[0, 1]]).unwrap();
    assert_eq!(checked.held, [vec![], vec![partition(0), partition(1)]]);
    assert!(checked.by_name);
}

#[test]
fn a_group_that_lacks_members_of_a_program_says_how_many() {
    let lacks = |names| match observed(names, [&[0, 1], &[]]) {
        Err(Obstacle::Unsettled(message)) => message,
        other => panic!("{other:?}"),
    };
    assert!(lacks(["rdkafka", ""]).ends_with("with 1 of 2 members"));
    assert!(lacks(["", ""]).starts_with("no member has joined the group"));
}

#[test]
fn a_program_that_joins_with_several_members_is_said_what_would_be_right() {
    let mut found = group(&[((0, 0), &[0]), ((1, 0), &[1])]);
    for member in &mut found.members {
        "rdkafka".clone_into(&mut member.client_id);
    }
    let process = MemberView {
        client_id: "trial-g1-p1-c1",
        name: "one",
        own: None,
    };
    let wanted = [partition(0), partition(1)].into();
    let checked = check(
        &[process],
        Some(&found),
        &["t".to_owned()],
        &wanted,
        (Ownership::One, Recognised::ByNumber),
    );
    let Err(Obstacle::Unsettled(message)) = checked else {
        panic!("{checked:?}")
    };
    assert!(
        message.contains("has 2 members of 1 process:") && message.contains("concurrency must be 1"),
        "{message}"
    );
}
