//! Processes that are spread over this machine and another one, by a real OpenSSH server on the loopback whose boot and
//! clock are another machine's.

use std::fs;

use tandem::measure::latency::LatencyPart;

use crate::scenario::Scenario;
use crate::scene::{Scene, read_once};
use crate::ssh_server::{HOST, Server};

/// Its clock is 100 s ahead.
const AHEAD: [&str; 4] = ["--time", "--monotonic", "100", "--fork"];
const AHEAD_NS: i64 = 100_000_000_000;

fn places() -> String {
    ["there", "also there"]
        .map(|name| format!("[[place]]\nname = '{name}'\nssh = '{HOST}'\n"))
        .concat()
}

#[test]
fn processes_of_a_list_of_places_read_each_record_once_and_each_machine_is_sampled_by_itself() {
    let Some(server) = Server::other_machine(&AHEAD) else {
        return;
    };
    let scene = server.known_to(Scene::on_shared_cluster());
    let trials = Scenario::reading(20_000).partitions(6).consumer("processes = 6");
    let spread = "place = ['here', 'there', 'also there']";
    scene.scenario(trials.tables(&places()).case("spread", spread));
    let plan = scene.tandem(&["plan", "scene.toml"]).exits(0);
    assert!(
        plan.stdout
            .contains("2 processes of each group at here, 2 at there, 2 at also there"),
        "{}",
        plan.stdout
    );
    scene.run(&[]).exits(0);
    scene.assert_no_processes();
    assert!(server.workers().is_empty());
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    let measured = trials[0].measurement.as_ref().unwrap();
    let is_here: Vec<bool> = measured.processes.iter().map(|p| p.host.is_coordinator()).collect();
    assert_eq!(is_here, [true, false, false, true, false, false]);
    // Two places on one machine are one host, with one clock.
    let [clock] = &measured.clocks.0[..] else {
        panic!("{:?}", measured.clocks)
    };
    let wrong_ns = clock.offset_ns.abs_diff(-AHEAD_NS);
    assert!(wrong_ns <= clock.bound_ns, "{clock:?}");
    assert!(
        clock.fitted_bound_ns.unwrap() <= clock.bound_ns + clock.bound_ns / 100 + 10,
        "{clock:?}"
    );
    let [other] = &measured.other_hosts[..] else {
        panic!("{:?}", measured.other_hosts)
    };
    let places: Vec<&str> = other.places.iter().map(String::as_str).collect();
    assert_eq!(places, ["also there", "there"]);
    assert!(
        measured
            .processes
            .iter()
            .all(|p| other.has(p.host) != measured.is_here(p.host))
    );
    let report = fs::read_to_string(scene.out().join("report.md")).unwrap();
    assert!(report.contains("| far | also there and there |"), "{report}");
}

#[test]
fn a_producer_beside_each_consumer_measures_without_a_shared_clock() {
    let Some(server) = Server::other_machine(&AHEAD) else {
        return;
    };
    let scene = server.known_to(Scene::on_shared_cluster());
    scene.scenario(format!(
        "question = 'q'\nrepetitions = 1\nwarmup_blocks = 0\n[dataset]\npartitions = 4\n[consumer]\nprocesses = 4\n\
         [load]\nrate = 1_000\nduration = 3\nwarmup = 0.5\nproducers = 'beside'\n{}\
         [[case]]\nname = 'spread'\nplace = ['here', 'there']\n",
        places()
    ));
    scene.run(&[]).exits(0);
    scene.assert_no_processes();
    assert!(server.workers().is_empty());
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    let measured = trials[0].measurement.as_ref().unwrap();
    let load = measured.load.as_ref().unwrap();
    let producers: Vec<bool> = load.producers.iter().map(|p| p.host.is_coordinator()).collect();
    assert_eq!((producers, load.is_beside), (vec![true, false], true));
    assert_eq!((load.due, load.acknowledged), (3_500, 3_500));
    // No figure is as wrong as the comparison of two clocks.
    assert_eq!(measured.response_bound_ns(), 0);
    // Each reader has the response times of what the producer beside it sent, which is about half, and works all.
    let count = |part| measured.latency(part).unwrap().count();
    let (response, work) = (count(LatencyPart::Response), count(LatencyPart::Work));
    assert!((2_900..=3_100).contains(&work), "{work}");
    assert!(response >= work / 3 && response <= work * 2 / 3, "{response} of {work}");
    let latest_ns = measured.latency(LatencyPart::Response).unwrap().max_ns().unwrap();
    assert!(
        latest_ns < 30_000_000_000,
        "{latest_ns}: by another clock they would be 100 s"
    );
}
