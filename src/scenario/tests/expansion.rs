//! Configurations, names, baselines, families, data sets and warnings.

use super::{errors, scenario};
use crate::scenario::{
    Assignor, Commit, Compression, GroupProtocol, Keys, Membership, PropertyValue, Read, Repetitions, Scenario, Size,
    TrialLength, Work, WorkOrdering, shipped,
};

fn names(scenario: &Scenario) -> Vec<&str> {
    scenario.configurations.iter().map(|each| each.name.as_str()).collect()
}

fn baselines(scenario: &Scenario) -> Vec<Option<usize>> {
    scenario.configurations.iter().map(|each| each.baseline).collect()
}

#[test]
fn work_that_takes_longer_than_the_time_between_polls_is_warned_of_where_a_stream_is_read() {
    let warnings = |read: &str, work: &str, max_ms: &str| {
        scenario(&format!(
            "[consumer]\nread = {read:?}\nwork = {work:?}\n[consumer.client]\n{max_ms}\n"
        ))
        .warnings
    };
    let short = "'max.poll.interval.ms' = 6_000";
    let found = warnings("stream", "wait 7s", short);
    assert!(
        found.len() == 1 && found[0].contains("longer than max.poll.interval.ms = 6000"),
        "{found:?}"
    );
    for (read, work, max_ms) in [
        ("batch", "wait 7s", short),
        ("stream", "wait 5s", short),
        ("stream", "wait 7s", ""),
    ] {
        assert!(warnings(read, work, max_ms).is_empty(), "{read}, {work}, {max_ms}");
    }
}

#[test]
fn the_first_scenario_has_three_cases_in_three_families() {
    let text = shipped("one-vs-two").unwrap();
    let scenario = crate::scenario::parse("one-vs-two", "one-vs-two.toml", text).unwrap();
    insta::assert_snapshot!(names(&scenario).join("\n"), @r"
    one process, both partitions work=none
    one process, both partitions work=cpu 5us
    one process, both partitions work=wait 200us
    one process, two consumers work=none
    one process, two consumers work=cpu 5us
    one process, two consumers work=wait 200us
    two processes, one partition each work=none
    two processes, one partition each work=cpu 5us
    two processes, one partition each work=wait 200us
    ");
    let families: Vec<&str> = scenario.families.iter().map(|family| family.name.as_str()).collect();
    assert_eq!(families, ["work=none", "work=cpu 5us", "work=wait 200us"]);
    assert_eq!(scenario.families[1].configurations, [1, 4, 7]);
    assert_eq!(baselines(&scenario)[3..], [0, 1, 2, 0, 1, 2].map(Some));
    assert_eq!(scenario.datasets.len(), 1);
    assert_eq!(
        scenario.keys_in_use,
        ["partitions", "records", "size", "work", "consumers", "processes"]
    );
    assert_eq!(
        scenario.configurations[8].key_values,
        ["2", "6000000", "100", "wait 200us", "1", "2"]
    );
    assert!(scenario.warnings.is_empty());
}

#[test]
fn the_scenario_of_threads_differs_in_one_way_of_working_four_at_once_per_case() {
    let scenario = crate::scenario::parse("threads", "threads.toml", shipped("threads").unwrap()).unwrap();
    let four = |each: &crate::scenario::Configuration| each.members_per_group() * each.threads;
    let at_once: Vec<u32> = scenario.configurations.iter().map(four).collect();
    assert_eq!(at_once, [1, 4, 4, 4, 4, 4]);
    assert_eq!(baselines(&scenario)[1..], [Some(0); 5]);
    assert_eq!(
        scenario.keys_in_use[5..],
        ["threads", "ordering", "consumers", "processes"]
    );
    assert_eq!(scenario.configurations[2].key_values[5..], ["4", "key", "1", "1"]);
}

#[test]
fn an_empty_scenario_is_one_configuration_of_defaults_named_after_the_file() {
    let scenario = scenario("");
    assert_eq!(names(&scenario), ["test"]);
    assert_eq!(
        (scenario.seed, scenario.repetitions(), scenario.warmup_blocks),
        (1, Repetitions::Fixed(10), 1)
    );
    assert_eq!(scenario.trial, TrialLength::Seconds(1.0));
    assert_eq!(scenario.places.len(), 1);
    assert_eq!(scenario.places[0].name, "here");
    assert_eq!(baselines(&scenario), [None]);
    assert_eq!(scenario.families[0].name, "");
}

#[test]
fn a_matrix_key_with_one_value_is_no_part_of_names() {
    let scenario = scenario("[matrix]\nconsumers = [2]\nprocesses = [1, 2]");
    assert_eq!(names(&scenario), ["processes=1", "processes=2"]);
    assert_eq!(scenario.axes.len(), 2);
    assert_eq!(scenario.configurations[1].axis_values, ["2", "2"]);
    assert_eq!(scenario.configurations[1].members(), 4);
}

#[test]
fn matrix_keys_stand_in_file_order_and_the_last_is_fastest() {
    let scenario =
        scenario("[matrix]\nprocesses = [1, 2]\nconsumers = [1, 3]\n[matrix.client]\n\"fetch.min.bytes\" = [1]");
    let expected = ["processes=1 consumers=1", "processes=1 consumers=3"];
    assert_eq!(names(&scenario)[..2], expected);
    assert_eq!(scenario.axes[2].key, "client.fetch.min.bytes");
}

#[test]
fn without_cases_the_baseline_is_the_first_value_of_the_first_axis_that_keeps_the_family() {
    let scenario =
        scenario("[matrix]\nwork = [\"none\", \"wait 1ms\"]\nconsumers = [1, 2, 4]\nread = [\"batch\", \"poll\"]");
    let baseline_of = |name: &str| {
        let baseline = scenario
            .configurations
            .iter()
            .find(|each| each.name == name)
            .unwrap()
            .baseline;
        baseline.map(|baseline| scenario.configurations[baseline].name.as_str())
    };
    assert_eq!(baseline_of("work=none consumers=1 read=poll"), None);
    assert_eq!(
        baseline_of("work=none consumers=4 read=poll"),
        Some("work=none consumers=1 read=poll")
    );
    assert_eq!(
        baseline_of("work=wait 1ms consumers=2 read=batch"),
        Some("work=wait 1ms consumers=1 read=batch")
    );
}

#[test]
fn a_case_named_as_baseline_serves_all_others_at_equal_values() {
    let text =
        "baseline = \"b\"\n[matrix]\nread = [\"batch\", \"poll\"]\n[[case]]\nname = \"a\"\n[[case]]\nname = \"b\"";
    let scenario = scenario(text);
    assert_eq!(baselines(&scenario), [Some(2), Some(3), None, None]);
}

#[test]
fn a_configuration_named_as_baseline_serves_its_family_only() {
    let scenario =
        scenario("baseline = \"work=none consumers=2\"\n[matrix]\nwork = [\"none\", \"cpu 1us\"]\nconsumers = [1, 2]");
    assert_eq!(baselines(&scenario), [Some(1), None, None, None]);
}

#[test]
fn a_case_of_another_family_has_no_baseline() {
    let scenario = scenario("[[case]]\nname = \"a\"\n[[case]]\nname = \"b\"\nsize = 1000\n[[case]]\nname = \"c\"");
    assert_eq!(baselines(&scenario), [None, None, Some(0)]);
    let families: Vec<&str> = scenario.families.iter().map(|family| family.name.as_str()).collect();
    assert_eq!(families, ["size=100", "size=1000"]);
}

#[test]
fn records_of_another_compressibility_are_another_data_set_and_another_family() {
    let scenario = scenario(
        "[dataset]\ncompression = \"lz4\"\n[[case]]\nname = \"text\"\n[[case]]\nname = \"noise\"\n\
                             compression_ratio = 1\n[[case]]\nname = \"tight\"\ncompression_ratio = 4",
    );
    let ratios: Vec<Option<f64>> = scenario
        .datasets
        .iter()
        .map(|dataset| dataset.compression_ratio)
        .collect();
    assert_eq!(ratios, [None, Some(1.0), Some(4.0)]);
    let families: Vec<&str> = scenario.families.iter().map(|family| family.name.as_str()).collect();
    let expected = ["compression_ratio=text", "compression_ratio=1", "compression_ratio=4"];
    assert_eq!(families, expected);
    assert_eq!(baselines(&scenario), [None, None, None]);
    let part = scenario.only(&["noise", "tight"]).unwrap();
    let families: Vec<&str> = part.families.iter().map(|family| family.name.as_str()).collect();
    assert_eq!(families, expected[1..]);
}

#[test]
fn records_are_rounded_up_so_that_partitions_are_equal_everywhere_and_that_is_said() {
    let scenario = scenario("[dataset]\nrecords = 100\ntopics = 3\n[matrix]\npartitions = [2, 5]");
    let records: Vec<u64> = scenario.datasets.iter().map(|dataset| dataset.records).collect();
    assert_eq!(records, [120, 120]);
    assert_eq!(scenario.families[0].record_multiple, 30);
    assert_eq!(scenario.families[0].records_max, 120);
    assert_eq!(
        scenario.warnings,
        ["100 records are rounded up to 120, so that all partitions are equal in every configuration"]
    );
}

#[test]
fn keyed_and_weighted_data_sets_are_not_rounded() {
    let weighted = scenario("[dataset]\nrecords = 101\npartitions = 2\nweights = [0.9, 0.1]");
    assert_eq!(weighted.datasets[0].records, 101);
    assert_eq!(weighted.families[0].record_multiple, 1);
    let keyed = scenario("[dataset]\nrecords = 101\npartitions = 2\nkeys = { zipf = 1.1, count = 50 }");
    assert_eq!(keyed.datasets[0].records, 101);
    assert_eq!(
        keyed.datasets[0].keys,
        Keys::Zipf {
            exponent: 1.1,
            count: 50
        }
    );
}

#[test]
fn partition_counts_without_a_sane_common_multiple_are_an_error() {
    insta::assert_snapshot!(errors("[dataset]\nrecords = 1000\n[matrix]\npartitions = [9973, 9967, 9949]"), @"test.toml:5:1: 1,000 records cannot be dealt out equally to all partitions: partitions over all topics are 9949, 9967, 9973; their common multiple is too large (use numbers that divide each other, such as 1, 2, 4, 8)");
}

#[test]
fn too_few_blocks_are_a_warning_with_the_number_needed() {
    let scenario = scenario("repetitions = 5\n[matrix]\nconsumers = [1, 2, 4]");
    assert_eq!(
        scenario.warnings,
        [
            "5 blocks are too few for a verdict on 2 comparisons: at least 7 are needed, so differences will stay \
          undecided; set repetitions = 7 or more"
        ]
    );
}

#[test]
fn the_blocks_needed_follow_from_the_smallest_p_of_the_test() {
    use crate::scenario::families::blocks_needed;
    // 2 m / 2^n <= 0.05.
    assert_eq!([1, 2, 3, 6, 12].map(blocks_needed), [6, 7, 7, 8, 9]);
}

#[test]
fn an_ordering_that_no_threads_can_make_use_of_is_a_warning_for_each_place_that_gives_it() {
    let warnings = |text: &str| scenario(text).warnings;
    let unused = |name: &str| {
        format!(
            "`ordering` has no effect with threads = 1, as in {name:?}: its records are worked one after another anyway"
        )
    };
    assert_eq!(warnings("[consumer]\nordering = \"none\""), [unused("test")]);
    assert_eq!(
        warnings("[matrix]\nordering = [\"none\", \"partition\"]"),
        [unused("ordering=none")]
    );
    let cases = "[consumer]\nwork = \"wait 1ms\"\n[[case]]\nname = \"a\"\nthreads = 2\nordering = \"none\"\n[[case]]\n\
                 name = \"b\"\nordering = \"none\"";
    assert_eq!(warnings(cases), [unused("b")]);
    let used = "[consumer]\nwork = \"wait 1ms\"\n[matrix]\nthreads = [1, 4]\nordering = [\"none\", \"partition\"]";
    assert!(warnings(used).is_empty());
}

#[test]
fn threads_without_work_are_a_warning_that_only_handing_over_is_measured() {
    let one = scenario("[consumer]\nthreads = 4").warnings;
    assert_eq!(
        one,
        [
            "threads = 4 with work = \"none\" in \"test\": there is nothing to share out, so this measures only what \
             handing records to threads costs"
        ]
    );
    let several = scenario("[matrix]\nthreads = [1, 2, 4]\nwork = [\"none\", \"wait 1ms\"]").warnings;
    assert_eq!(several.len(), 1, "{several:?}");
    let start = "threads = 2 with work = \"none\" in \"threads=2 work=none\" and 1 other configuration: ";
    assert!(several[0].starts_with(start), "{several:?}");
    assert!(
        scenario("[consumer]\nthreads = 4\nwork = \"wait 1ms\"")
            .warnings
            .is_empty()
    );
}

#[test]
fn keyed_records_can_be_worked_in_the_order_of_their_keys() {
    let text = "[dataset]\nkeys = \"unique\"\n[consumer]\nthreads = 4\nordering = \"key\"\nwork = \"wait 1ms\"";
    assert_eq!(scenario(text).configurations[0].ordering, WorkOrdering::Key);
}

#[test]
fn every_key_reaches_the_configuration() {
    let scenario = scenario(
        r#"
        [cluster]
        brokers = 3
        version = "3.9.1"
        prefix = "x-"
        client."socket.nagle.disable" = true
        [dataset]
        topics = 2
        partitions = 2
        records = 400
        size = { min = 10, max = 20 }
        weights = [0.75, 0.25]
        compression = "zstd"
        compression_ratio = 2.5
        replication = 2
        [[place]]
        name = "other"
        launcher = ["ssh", "host", "{tandem}", "worker"]
        cpus = "0-1,3"
        listener = "OUTSIDE"
        [consumer]
        processes = 2
        consumers = 3
        groups = 4
        assignor = "cooperative-sticky"
        commit = "every 500"
        work = "cpu 1500ns"
        buffers = "total"
        read = "poll"
        threads = 4
        ordering = "none"
        place = "other"
        [consumer.client]
        "fetch.min.bytes" = 1_000
        "client.rack" = { env = "RACK" }
        [[case]]
        name = "a"
        client = "defaults"
        "#,
    );
    let each = &scenario.configurations[0];
    assert_eq!(
        (each.groups, each.processes, each.consumers, each.members()),
        (4, 2, 3, 24)
    );
    let assignor = Some(Assignor::CooperativeSticky);
    assert_eq!(each.membership, Membership::Group(GroupProtocol::Classic { assignor }));
    assert_eq!((each.commit, each.work), (Commit::Every(500), Work::Cpu { ns: 1_500 }));
    assert_eq!(
        (each.read, each.threads, each.ordering),
        (Read::Poll, 4, WorkOrdering::None)
    );
    assert_eq!(each.places, [1]);
    assert!(each.client.library_defaults_only);
    assert_eq!(
        each.client.properties["fetch.min.bytes"],
        PropertyValue::Literal("1000".to_owned())
    );
    assert_eq!(
        each.client.properties["client.rack"],
        PropertyValue::Environment { env: "RACK".to_owned() }
    );
    let dataset = &scenario.datasets[0];
    assert_eq!(
        (dataset.size, dataset.compression),
        (Size::Uniform { min: 10, max: 20 }, Compression::Zstd)
    );
    assert_eq!(dataset.compression_ratio, Some(2.5));
    assert_eq!(
        (dataset.weights.as_slice(), dataset.replication),
        ([0.75, 0.25].as_slice(), 2)
    );
    assert_eq!(scenario.places[1].cpus.as_deref(), Some("0-1,3"));
    assert_eq!(
        scenario.cluster.client["socket.nagle.disable"],
        PropertyValue::Literal("true".to_owned())
    );
    let value = |key: &str| &each.key_values[scenario.keys_in_use.iter().position(|used| used == key).unwrap()];
    assert_eq!(value("work"), "cpu 1500ns");
    assert_eq!(value("client.client.rack"), "$RACK");
    assert_eq!(value("client"), "defaults");
}

#[test]
fn equal_times_in_other_units_have_one_name() {
    let scenario = scenario(
        "[matrix]\nwork = [\"wait 1000us\", \"wait 1ms\", \"wait 1001us\"]"
            .replace("\"wait 1ms\", ", "")
            .as_str(),
    );
    assert_eq!(names(&scenario), ["work=wait 1ms", "work=wait 1001us"]);
    assert!(errors("[matrix]\nwork = [\"wait 1000us\", \"wait 1ms\"]").contains("has the value wait 1ms twice"));
}

#[test]
fn ten_thousand_configurations_are_built_and_one_more_axis_is_refused_unbuilt() {
    let ten = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
    let sizes: Vec<String> = (1..=100).map(|size| size.to_string()).collect();
    let text = format!(
        "[matrix]\nprocesses = {ten}\nconsumers = {ten}\nsize = [{}]",
        sizes.join(", ")
    );
    assert_eq!(scenario(&text).configurations.len(), 10_000);
    let text = format!("{text}\nreplication = [{}]", sizes.join(", "));
    insta::assert_snapshot!(errors(&text), @"test.toml:3:1: cases and matrix make 1,000,000 configurations: must be at most 10,000 (each runs once per block; leave out values, or split the question over several files)");
}

#[test]
fn settings_of_topics_are_part_of_what_makes_a_data_set() {
    let with = scenario(
        "[dataset]\nreplication = 1\n[dataset.topic]\n\"min.insync.replicas\" = 1\n\"retention.ms\" = 60_000\n\
                         \"unclean.leader.election.enable\" = true",
    );
    let settings = &with.datasets[0].settings;
    let expected = [
        ("min.insync.replicas", "1"),
        ("retention.ms", "60000"),
        ("unclean.leader.election.enable", "true"),
    ];
    assert_eq!(
        *settings,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    );
    assert!(with.keys_in_use.contains(&"topic.retention.ms".to_owned()));
    assert_eq!(with.configurations[0].key_values[1], "1");
    let without = scenario("");
    assert!(without.datasets[0].settings.is_empty() && without.datasets != with.datasets);
    // What was stored before has the same hash as what has none.
    assert!(!serde_json::to_string(&without).unwrap().contains("settings"));
    let there = scenario("[cluster]\nbootstrap = \"h:1\"\n[dataset]\ntopic = \"orders\"");
    assert!(there.datasets[0].existing().is_some());
}

#[test]
fn processes_are_spread_over_a_list_of_places_in_turn() {
    let places = "[[place]]\nname = 'a'\ncpus = '0'\n[[place]]\nname = 'b'\nlistener = 'OUTSIDE'\n";
    let scenario = scenario(&format!(
        "{places}[matrix]\nplace = ['a', ['here', 'b', 'here']]\nprocesses = [1, 4]"
    ));
    let names: Vec<&str> = scenario.configurations.iter().map(|c| c.name.as_str()).collect();
    let expected = [
        "place=a processes=1",
        "place=a processes=4",
        "place=here+b+here processes=1",
        "place=here+b+here processes=4",
    ];
    assert_eq!(names, expected);
    let spread = &scenario.configurations[3];
    let places: Vec<usize> = (0..4).map(|process| spread.place_of(process)).collect();
    assert_eq!((places, spread.distinct_places()), (vec![0, 2, 0, 0], vec![0, 2]));
    assert_eq!(spread.key_values[0], "here+b+here");
    assert!(scenario.needs(0).listeners.contains("OUTSIDE"));
    assert!(spread.producers_beside().is_empty());
    let warned = &scenario.warnings;
    assert!(
        warned.iter().any(|warning| warning
            == "place \"b\" has no effect in \"place=here+b+here processes=1\": each group has 1 process, spread over 3 \
                places in turn"),
        "{warned:?}"
    );
    // What was stored before there were lists is read, and one place is stored as it was.
    let stored = serde_json::to_value(&scenario.configurations).unwrap();
    assert_eq!(
        (&stored[0]["place"], &stored[3]["place"]),
        (&1.into(), &vec![0, 2, 0].into())
    );
    let read: Vec<crate::scenario::Configuration> = serde_json::from_value(stored).unwrap();
    assert_eq!(read, scenario.configurations);
}

#[test]
fn a_producer_stands_beside_the_processes_of_each_place() {
    let scenario = scenario(
        "[[place]]\nname = 'a'\ncpus = '0'\n[load]\nrate = 5\nproducers = 'beside'\n[consumer]\nprocesses = 3\n\
         place = ['a', 'here', 'a']",
    );
    let spread = &scenario.configurations[0];
    assert_eq!(spread.mode.load().unwrap().producers, 2);
    assert_eq!(spread.producers_beside(), [0, 1, 0]);
    let text = spread.mode.load().unwrap().to_string();
    assert!(
        text.ends_with("from 2 producer processes beside the consumers"),
        "{text}"
    );
    let value = |key: &str| &spread.key_values[scenario.keys_in_use.iter().position(|used| used == key).unwrap()];
    assert_eq!(value("producers"), "beside");
}
