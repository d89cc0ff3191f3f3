use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::scenario::{StoreErrors, StoreWrite, Work};
use crate::testing::arrangement;
use crate::testing::script::{manual_spec, partition, spec, spec_of, topics};
use crate::trial::cast::AnyActor;

#[test]
fn members_and_groups_have_names_of_their_own() {
    let two_groups = Configuration {
        groups: 2,
        ..arrangement("case", 2, 3)
    };
    let spec = spec_of(&two_groups, 2);
    assert_eq!(spec.terms.groups, ["trial-g1", "trial-g2"]);
    let places: Vec<_> = spec
        .cast
        .readers
        .iter()
        .map(|reader| (reader.role.group, reader.role.process))
        .collect();
    assert_eq!(places, [(0, 0), (0, 1), (1, 0), (1, 1)]);
    let clients = spec.cast.readers.iter();
    let clients = clients.flat_map(|reader| &reader.role.prepare.consumers);
    let clients: BTreeSet<&str> = clients.map(|consumer| consumer.client_id.as_str()).collect();
    assert_eq!(clients.len(), 12);
    assert!(clients.contains("trial-g2-p1-c3"), "{clients:?}");
    let last = &spec.cast.readers[3];
    assert_eq!(
        (last.name(), last.role.member_name(2)),
        ("group 2, process 2".into(), "group 2, process 2, consumer 3".into())
    );
    assert_eq!(last.role.prepare.group_id, "trial-g2");
    assert_eq!(last.role.prepare.properties["group.id"].reveal(), "trial-g2");
}

#[test]
fn each_group_has_a_store_of_its_own() {
    let two_groups = Configuration {
        groups: 2,
        ..arrangement("case", 2, 1)
    };
    let order = |table: &str| StoreOrder {
        url: Secret::new("postgresql://me@db/mine"),
        table: table.to_owned(),
        write: StoreWrite::Insert,
        rows: 1,
        on_error: StoreErrors::Fail,
    };
    let spec = spec_of(&two_groups, 2).with_store(&[order("one"), order("two")]);
    let readers = spec.cast.readers.iter();
    let tables: Vec<_> = readers
        .map(|reader| reader.role.prepare.store.as_ref().map(|store| store.table.as_str()))
        .collect();
    assert_eq!(tables, [Some("one"), Some("one"), Some("two"), Some("two")]);
}

#[test]
fn members_of_a_group_are_dealt_nothing() {
    let spec = spec(2, 1, 2);
    assert!(!spec.terms.manual);
    assert!(
        spec.cast
            .readers
            .iter()
            .flat_map(|reader| &reader.role.prepare.consumers)
            .all(|c| c.manual.is_empty())
    );
}

#[test]
fn partitions_are_dealt_in_turn() {
    let spec = manual_spec(2, 5);
    let hands: Vec<_> = spec
        .cast
        .readers
        .iter()
        .map(|reader| reader.role.prepare.consumers[0].manual.clone())
        .collect();
    assert_eq!(hands[0], [partition(0), partition(2), partition(4)]);
    assert_eq!(hands[1], [partition(1), partition(3)]);
}

#[test]
fn the_limit_of_reading_grows_with_the_work() {
    let busy = Configuration {
        work: Work::Wait { ns: 1_000_000_000 },
        ..arrangement("case", 1, 1)
    };
    assert_eq!(spec_of(&busy, 3).terms.limits.read, Duration::from_secs(3_000));
    assert_eq!(spec(1, 1, 3).terms.limits.read, Limits::default().read);
    let unknown = longest_reading(&spec(1, 1, 3).terms.topics, None);
    assert_eq!(unknown, Duration::MAX, "nobody knows how long the work takes");
    assert_eq!(topics(3)[0].partitions.len(), 3);
}

#[test]
fn members_read_what_a_load_left_for_as_long_as_the_scenario_says() {
    // Shorter and longer than the default.
    for seconds in [5, 60] {
        let scenario = crate::testing::scenario(&format!("[load]\nrate = 100\ndrain = \"{seconds}s\""));
        let spec = spec_of(&scenario.configurations[0], 1);
        assert_eq!(spec.terms.limits.drain, Duration::from_secs(seconds));
    }
}

proptest! {
    #[test]
    fn every_partition_is_dealt_to_exactly_one_member_and_hands_differ_by_one_at_most(
        partitions in 0i32..50,
        members in 1u32..20,
    ) {
        let all: BTreeSet<TopicPartition> = (0..partitions).map(partition).collect();
        let hands = deal(&all, members);
        prop_assert_eq!(hands.len(), members as usize);
        let dealt: Vec<TopicPartition> = hands.iter().flatten().copied().collect();
        prop_assert_eq!(dealt.len(), all.len());
        prop_assert_eq!(dealt.into_iter().collect::<BTreeSet<_>>(), all);
        let sizes = hands.iter().map(Vec::len);
        prop_assert!(sizes.clone().max().unwrap_or(0) - sizes.min().unwrap_or(0) <= 1);
    }
}
