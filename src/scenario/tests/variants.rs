//! Scenarios on two clusters and with several builds.

use std::path::PathBuf;

use proptest::prelude::*;

use super::scenario;
use crate::scenario::{ClusterSource, KafkaVersion, Scenario, Source, VariantError, shipped};

const TWO_CASES: &str = "repetitions = 8\n[cluster]\nbootstrap = 'a:9092,b:9092'\n[matrix]\nwork = ['none', 'wait 1ms']\n\
                         [[case]]\nname = 'one'\n[[case]]\nname = 'two'\nprocesses = 2";

fn paths(paths: &[&str]) -> Vec<PathBuf> {
    paths.iter().map(PathBuf::from).collect()
}

fn against(scenario: &Scenario, other: &str) -> Scenario {
    scenario.with_variants(Some(other), &[]).unwrap()
}

fn with_builds(scenario: &Scenario, builds: &[&str]) -> Scenario {
    scenario.with_variants(None, &paths(builds)).unwrap()
}

fn refused(scenario: &Scenario, other: Option<&str>, builds: &[&str]) -> String {
    scenario.with_variants(other, &paths(builds)).unwrap_err().to_string()
}

/// Each configuration with what it is compared with.
fn pairs(scenario: &Scenario) -> String {
    let name = |index: usize| &*scenario.configurations[index].name;
    let line = |each: &crate::scenario::Configuration| {
        let [baseline, own] = [each.baseline, each.variant.own_baseline].map(|b| b.map_or("-", name));
        format!("{} | {baseline} | {own}\n", each.name)
    };
    scenario.configurations.iter().map(line).collect()
}

fn names(builds: &[&str]) -> Vec<String> {
    let scenario = with_builds(&scenario(""), builds);
    scenario.variants.builds.into_iter().map(|build| build.name).collect()
}

#[test]
fn every_configuration_is_there_once_per_cluster_and_compared_with_itself_on_the_first() {
    let scenario = against(&scenario(TWO_CASES), "c:9092");
    insta::assert_snapshot!(pairs(&scenario), @r"
    one work=none cluster=a:9092,b:9092 | - | -
    one work=none cluster=c:9092 | one work=none cluster=a:9092,b:9092 | -
    one work=wait 1ms cluster=a:9092,b:9092 | - | -
    one work=wait 1ms cluster=c:9092 | one work=wait 1ms cluster=a:9092,b:9092 | -
    two work=none cluster=a:9092,b:9092 | - | one work=none cluster=a:9092,b:9092
    two work=none cluster=c:9092 | two work=none cluster=a:9092,b:9092 | one work=none cluster=c:9092
    two work=wait 1ms cluster=a:9092,b:9092 | - | one work=wait 1ms cluster=a:9092,b:9092
    two work=wait 1ms cluster=c:9092 | two work=wait 1ms cluster=a:9092,b:9092 | one work=wait 1ms cluster=c:9092
    ");
    let axis = &scenario.axes[1];
    assert_eq!(
        (&*axis.key, &*axis.values),
        ("cluster", &["a:9092,b:9092".to_owned(), "c:9092".to_owned()][..])
    );
    assert_eq!(
        (scenario.is_variant_axis(0), scenario.is_variant_axis(1)),
        (false, true)
    );
    let clusters: Vec<usize> = scenario
        .configurations
        .iter()
        .map(|each| each.variant.cluster)
        .collect();
    assert_eq!(clusters, [0, 1, 0, 1, 0, 1, 0, 1]);
    let addresses = scenario
        .configurations
        .iter()
        .map(|each| scenario.cluster_of(each).bootstrap());
    assert_eq!(
        addresses.take(2).collect::<Vec<_>>(),
        [Some("a:9092,b:9092"), Some("c:9092")]
    );
}

#[test]
fn variants_of_a_configuration_are_of_its_family_and_read_its_data() {
    let plain = scenario(TWO_CASES);
    let scenario = with_builds(&plain, &["/old/tandem", "/new/tandem"]);
    assert_eq!(scenario.datasets, plain.datasets);
    assert_eq!(scenario.families.len(), 2);
    assert_eq!(scenario.families[1].configurations, [2, 3, 6, 7]);
    for (index, each) in scenario.configurations.iter().enumerate() {
        assert_eq!(each.family, plain.configurations[index / 2].family);
        assert!(scenario.families[each.family].configurations.contains(&index));
        assert_eq!(scenario.build_of(each).unwrap().name, ["old", "new"][index % 2]);
    }
    let keys: Vec<&str> = scenario.keys_in_use.iter().map(String::as_str).collect();
    assert_eq!(keys.last(), Some(&"binary"));
    assert_eq!(scenario.configurations[3].key_values.last().unwrap(), "new");
}

#[test]
fn clusters_and_builds_together_are_all_held_against_the_first_of_both() {
    let scenario = scenario("[cluster]\nbootstrap = 'a:1'").with_variants(Some("b:1"), &paths(&["/x/t", "/y/t"]));
    insta::assert_snapshot!(pairs(&scenario.unwrap()), @r"
    cluster=a:1 binary=x | - | -
    cluster=a:1 binary=y | cluster=a:1 binary=x | -
    cluster=b:1 binary=x | cluster=a:1 binary=x | -
    cluster=b:1 binary=y | cluster=a:1 binary=x | -
    ");
}

#[test]
fn a_scenario_without_cases_is_named_by_its_variants_alone() {
    let scenario = with_builds(&scenario(""), &["/old/tandem", "/new/tandem"]);
    insta::assert_snapshot!(pairs(&scenario), @r"
    binary=old | - | -
    binary=new | binary=old | -
    ");
}

#[test]
fn builds_are_named_by_as_little_of_their_paths_as_tells_them_apart() {
    assert_eq!(
        names(&["/a/old/target/release/tandem", "/a/new/target/release/tandem"]),
        ["old", "new"]
    );
    assert_eq!(
        names(&["/p/target/release/tandem", "/tmp/old/tandem"]),
        ["release", "old"]
    );
    assert_eq!(
        names(&["/bin/tandem-1", "/bin/tandem-2", "/x/tandem-2"]),
        ["bin/tandem-1", "bin/tandem-2", "x/tandem-2"]
    );
    assert_eq!(names(&["/a/tandem", "/a/tandem"]), ["tandem#1", "tandem#2"]);
    assert_eq!(names(&["/a/x", "/a/y", "/a/x"]), ["x#1", "y", "x#2"]);
    assert_eq!(names(&["/tandem", "/x/tandem"]), ["tandem#1", "tandem#2"]);
}

#[test]
fn what_is_no_second_cluster_or_build_is_refused() {
    let plain = scenario(TWO_CASES);
    insta::assert_snapshot!([
        refused(&plain, Some("a:9092"), &[]),
        refused(&plain, Some("SSL://B:9092, c:1"), &[]),
        refused(&plain, Some(" ,"), &[]),
        refused(&plain, None, &["/a"]),
        refused(&plain, None, &["/a", ""]),
    ].join("\n"), @r"
    --against a:9092 is a cluster that the scenario already runs on; name another one
    --against SSL://B:9092, c:1 is a cluster that the scenario already runs on; name another one
    --against has an empty value
    --binary takes two builds or more, separated by commas: --binary OLD,NEW
    --binary has an empty value
    ");
}

#[test]
fn a_launcher_that_names_its_own_program_cannot_be_given_another() {
    let place = |launcher: &str| {
        scenario(&format!(
            "[consumer]\nplace = 'box'\n[[place]]\nname = 'box'\nlauncher = {launcher}\n[[place]]\nname = 'idle'\n\
             launcher = ['ssh', 'idle', 'tandem', 'worker']"
        ))
    };
    let own = place("['python3', 'worker.py']");
    assert_eq!(
        own.with_variants(None, &paths(&["/a", "/b"])),
        Err(VariantError::Launcher {
            place: "box".to_owned()
        })
    );
    assert!(own.with_variants(Some("b:1"), &[]).is_ok());
    assert!(
        place("['nice', '{tandem}', 'worker']")
            .with_variants(None, &paths(&["/a", "/b"]))
            .is_ok()
    );
}

#[test]
fn the_program_of_an_image_cannot_be_another_build() {
    let made = scenario(
        "[consumer]\nplace = 'box'\n[[place]]\nname = 'box'\ncontainer = { image = 'tandem:slim' }\n\
         [[place]]\nname = 'idle'\ncontainer = { image = 'b' }",
    );
    let image = VariantError::Image {
        place: "box".to_owned(),
    };
    assert_eq!(made.with_variants(None, &paths(&["/a", "/b"])), Err(image));
    assert!(made.with_variants(Some("b:1"), &[]).is_ok());
}

#[test]
fn local_brokers_held_against_a_cluster_elsewhere_are_warned_of() {
    let local = against(&scenario("repetitions = 8"), "b:9092");
    assert_eq!(local.axes[0].values, ["local", "b:9092"]);
    assert!(
        local.warnings.len() == 1 && local.warnings[0].contains("b:9092"),
        "{:?}",
        local.warnings
    );
    assert!(against(&scenario(TWO_CASES), "c:1").warnings.is_empty());
}

fn on_versions(text: &str, versions: &[&str]) -> Result<Scenario, String> {
    let source = Source {
        name: "mine".to_owned(),
        path: "mine.toml".to_owned(),
        text: format!("question = '?'\n{text}"),
    };
    let versions: Vec<KafkaVersion> = versions.iter().map(|version| version.parse().unwrap()).collect();
    let (scenario, clusters) = source.parse_on_versions(&versions).map_err(|errors| errors.drawn())?;
    scenario
        .with_versions(&clusters, &[])
        .map_err(|error| error.to_string())
}

#[test]
fn every_configuration_is_there_once_per_version_each_on_a_cluster_of_its_own() {
    let text = "repetitions = 8\n[cluster]\nbrokers = 2\nversion = '4.0.0'\n[[case]]\nname = 'one'\n[[case]]\n\
                name = 'two'\nprocesses = 2";
    let scenario = on_versions(text, &["2.8.1", "3.9.2", "4.3.1"]).unwrap();
    insta::assert_snapshot!(pairs(&scenario), @r"
    one kafka=2.8.1 | - | -
    one kafka=3.9.2 | one kafka=2.8.1 | -
    one kafka=4.3.1 | one kafka=2.8.1 | -
    two kafka=2.8.1 | - | one kafka=2.8.1
    two kafka=3.9.2 | two kafka=2.8.1 | one kafka=3.9.2
    two kafka=4.3.1 | two kafka=2.8.1 | one kafka=4.3.1
    ");
    let sources: Vec<&ClusterSource> = scenario.clusters().map(|cluster| &cluster.source).collect();
    let local = |version: &str, zookeeper| ClusterSource::Local {
        brokers: 2,
        version: version.parse().unwrap(),
        zookeeper,
        port: None,
        address: None,
    };
    let expected = [local("2.8.1", true), local("3.9.2", false), local("4.3.1", false)];
    assert_eq!(sources, expected.iter().collect::<Vec<_>>());
    assert_eq!(scenario.configurations[4].variant.cluster, 1);
    // All are started here, in the same way.
    assert_eq!(scenario.warnings, Vec::<String>::new());
}

#[test]
fn zookeeper_is_used_for_every_version_where_the_file_asks_for_it() {
    let scenario = on_versions("[cluster]\nzookeeper = true", &["3.1.0", "3.9.2"]).unwrap();
    assert!(
        scenario
            .clusters()
            .all(|cluster| matches!(cluster.source, ClusterSource::Local { zookeeper: true, .. }))
    );
}

#[test]
fn versions_that_cannot_be_compared_are_refused_with_the_line_that_forbids_it() {
    let said = |text: &str, versions: &[&str]| on_versions(text, versions).unwrap_err();
    insta::assert_snapshot!(
        [
            said("", &["4.3.1"]),
            said("", &["4.3.1", "2.8.1", "4.3.1"]),
            said("[cluster]\nzookeeper = true", &["3.9.2", "4.3.1"]),
            said("[cluster]\nzookeeper = false", &["4.3.1", "2.8.1"]),
            said("[cluster]\nbootstrap = 'b:9092'", &["4.3.1", "2.8.1"]),
            said("[consumer]\nprotocol = 'consumer'", &["4.3.1", "2.8.1"]),
        ]
        .join("\n")
    );
}

#[test]
fn too_few_blocks_are_counted_for_the_comparisons_that_are_made() {
    let text = |blocks: u32| TWO_CASES.replace("repetitions = 8", &format!("repetitions = {blocks}"));
    // 2 comparisons without builds, which 7 blocks can decide; 4 with them, which 8 can.
    assert!(scenario(&text(7)).warnings.is_empty());
    let warnings = |blocks| with_builds(&scenario(&text(blocks)), &["/a", "/b"]).warnings;
    assert_eq!(warnings(8), Vec::<String>::new());
    let seven = warnings(7);
    assert!(seven.len() == 1 && seven[0].contains("4 comparisons"), "{seven:?}");
}

#[test]
fn without_a_second_cluster_or_build_nothing_changes() {
    let plain = scenario(TWO_CASES);
    assert_eq!(plain.with_variants(None, &[]), Ok(plain));
}

#[test]
fn parts_of_a_scenario_with_variants_keep_what_they_are_compared_with() {
    let scenario = with_builds(&scenario(TWO_CASES), &["/old/tandem", "/new/tandem"]);
    insta::assert_snapshot!(pairs(&scenario.only(&["two work=none binary=new"]).unwrap()), @r"
    two work=none binary=old | - | -
    two work=none binary=new | two work=none binary=old | -
    ");
}

#[test]
fn what_was_stored_before_there_were_variants_still_loads() {
    let plain = scenario(TWO_CASES);
    let mut stored = serde_json::to_value(&plain).unwrap();
    stored.as_object_mut().unwrap().remove("variants");
    for each in stored["configurations"].as_array_mut().unwrap() {
        each.as_object_mut().unwrap().remove("variant");
    }
    assert_eq!(serde_json::from_value::<Scenario>(stored).unwrap(), plain);
}

fn needs_own_brokers(scenario: &Scenario) -> bool {
    let mut all = scenario.configurations.iter();
    all.any(|each| each.group_timeouts().is_some() || each.events.iter().any(|event| event.target.is_broker()))
}

#[test]
fn what_is_done_to_brokers_and_set_on_them_forbids_another_cluster() {
    for name in ["broker-failover", "rebalance-join"] {
        let plain = crate::scenario::parse(name, name, shipped(name).unwrap()).unwrap();
        assert!(needs_own_brokers(&plain), "{name}");
        let refused = plain.with_variants(Some("b:9092"), &[]).unwrap_err().to_string();
        assert!(refused.starts_with("--against cannot be used with"), "{refused}");
    }
}

proptest! {
    #[test]
    fn names_stay_unique_and_baselines_differ_in_the_variant_alone(
        shipped_scenario in 0..crate::scenario::SHIPPED.len(),
        cluster in any::<bool>(),
        builds in 0usize..4,
    ) {
        prop_assume!(builds != 1);
        let name = crate::scenario::SHIPPED[shipped_scenario].0;
        let plain = crate::scenario::parse(name, name, shipped(name).unwrap()).unwrap();
        // Builds are of tandem, so no other app can be chosen for them.
        prop_assume!(builds == 0 || plain.apps.len() == 1);
        // Another cluster has brokers of somebody else.
        prop_assume!(!cluster || !needs_own_brokers(&plain));
        let builds: Vec<PathBuf> = (0..builds).map(|build| PathBuf::from(format!("/builds/{build}/tandem"))).collect();
        let scenario = plain.with_variants(cluster.then_some("b:9092"), &builds).unwrap();
        let all = &scenario.configurations;
        let names: std::collections::BTreeSet<&String> = all.iter().map(|each| &each.name).collect();
        prop_assert_eq!(names.len(), all.len());
        let several = (1 + usize::from(cluster)) * builds.len().max(1);
        prop_assert_eq!(all.len(), plain.configurations.len() * several);
        let own = plain.axes.len();
        for each in all {
            prop_assert_eq!(each.axis_values.len(), scenario.axes.len());
            prop_assert_eq!(each.key_values.len(), scenario.keys_in_use.len());
            if several == 1 { continue; }
            if let Some(baseline) = each.baseline {
                prop_assert_eq!(&all[baseline].case, &each.case);
                prop_assert_eq!(&all[baseline].axis_values[..own], &each.axis_values[..own]);
                prop_assert_eq!((all[baseline].variant.cluster, all[baseline].variant.build), (0, 0));
            }
            if let Some(within) = each.variant.own_baseline {
                prop_assert_eq!(all[within].variant.cluster, each.variant.cluster);
                prop_assert_eq!(all[within].variant.build, each.variant.build);
            }
        }
    }
}
