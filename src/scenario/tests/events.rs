//! Events of a file: what they become, and what is wrong with them; with them the keys by which a group misses a member.

use super::{errors, said, scenario};
use crate::scenario::{EventAct, EventTime, Party, RestartHow, Scenario, Target, shipped};

fn texts(scenario: &Scenario, configuration: usize) -> Vec<String> {
    let events = scenario.configurations[configuration].events.iter();
    events.map(ToString::to_string).collect()
}

const LIVE: &str = "[dataset]\npartitions = 4\n[consumer]\nprocesses = 3\n[load]\nrate = 100\nduration = 30\n";

fn live(events: &str) -> String {
    format!("{LIVE}{events}")
}

#[test]
fn events_of_the_file_come_before_those_of_a_case_and_are_a_column_of_the_configuration() {
    let text = live(
        "[[event]]\nat = '1000ms'\ndo = 'kill'\nwhat = 'process 2'\n[[case]]\nname = 'a'\n[[case]]\nname = 'b'\n\
         [[case.event]]\nat = 5\ndo = 'start'\nwhat = 'process 2'\nspread = '3s'\n[[case.event]]\nat = '9s'\nrate = 2_000\n",
    );
    let scenario = scenario(&text);
    assert_eq!(texts(&scenario, 0), ["1s kill process 2"]);
    let of_b = ["1s kill process 2", "5s start process 2 spread 3s", "9s rate 2,000"];
    assert_eq!(texts(&scenario, 1), of_b);
    let column = scenario.keys_in_use.iter().position(|key| key == "event").unwrap();
    assert_eq!(scenario.configurations[1].key_values[column], of_b.join("; "));
    let meaning = scenario.meaning(0);
    assert!(
        meaning
            .iter()
            .any(|each| each.key == "event" && each.value == "1s kill process 2")
    );
    assert!(
        scenario.warnings.iter().all(|warning| !warning.contains("event")),
        "{:?}",
        scenario.warnings
    );
    let stored = serde_json::to_string(&scenario).unwrap();
    assert_eq!(serde_json::from_str::<Scenario>(&stored).unwrap(), scenario);
}

#[test]
fn every_kind_of_event_is_read() {
    let text = "[cluster]\nbrokers = 3\n[dataset]\npartitions = 2\nreplication = 2\n[consumer]\nprocesses = 2\n\
                [trial]\nrecords = 1000\n\
                [[event]]\nat = '12.5%'\ndo = 'pause'\nfor = '2s'\nwhat = 'process 1'\n\
                [[event]]\nat = '1s'\ndo = 'restart'\nhow = 'kill'\nfor = '1s'\nwhat = 'leader of 1'\nevery = '10s'\n\
                times = 3\n";
    let scenario = scenario(text);
    let events = &scenario.configurations[0].events;
    assert_eq!(events[0].at, EventTime::Progress(0.125));
    assert_eq!(events[0].act, EventAct::Pause { for_ns: 2_000_000_000 });
    let (for_ns, how) = (1_000_000_000, RestartHow::Kill);
    assert_eq!(events[1].act, EventAct::Restart { for_ns, how });
    let leader = Party::LeaderOf {
        topic: None,
        partition: 1,
    };
    assert_eq!(events[1].target, Target::One(leader));
    assert_eq!(
        texts(&scenario, 0),
        [
            "12.5% pause process 1 for 2s",
            "1s restart leader of 1 for 1s by kill every 10s 3 times"
        ]
    );
}

#[test]
fn what_is_wrong_with_an_event_is_said_at_its_place() {
    let wrong = [
        "do = 'kill'\nwhat = 'process 1'",
        "at = '10s'",
        "at = '10s'\ndo = 'kill'",
        "at = '10 s'\ndo = 'kill'\nwhat = 'process 1'",
        "at = '100%'\ndo = 'kill'\nwhat = 'process 1'",
        "at = '30%'\ndo = 'kill'\nwhat = 'process 1'",
        "at = '1s'\ndo = 'kil'\nwhat = 'process 1'",
        "at = '1s'\ndo = 'kill'\nwhat = 'proces 1'",
        "at = '1s'\ndo = 'kill'\nwhat = 'process 4'",
        "at = '1s'\ndo = 'kill'\nwhat = 'process 1 of group 2'",
        "at = '1s'\ndo = 'stop'\nwhat = 'process 1'",
        "at = '1s'\ndo = 'leave'\nwhat = 'broker 1'",
        "at = '1s'\ndo = 'start'\nwhat = 'controller'",
        "at = '1s'\ndo = 'kill'\nwhat = 'broker 2'",
        "at = '1s'\ndo = 'kill'\nwhat = 'broker 1'",
        "at = '1s'\ndo = 'kill'\nwhat = 'leader of 4'\nexpect = 'unavailable'",
        "at = '1s'\ndo = 'kill'\nwhat = 'store'",
        "at = '1s'\ndo = 'kill'\nwhat = 'load'",
        "at = '1s'\ndo = 'kill'\nrate = 5\nwhat = 'process 1'",
        "at = '1s'\nrate = 5\nwhat = 'process 1'",
        "at = '1s'\ndo = 'pause'\nwhat = 'process 1'",
        "at = '1s'\ndo = 'kill'\nfor = '2s'\nwhat = 'process 1'",
        "at = '1s'\ndo = 'kill'\nhow = 'kill'\nwhat = 'process 1'",
        "at = '1s'\ndo = 'kill'\nexpect = 'unavailable'\nwhat = 'process 1'",
        "at = '1s'\ndo = 'kill'\nevery = '2s'\nwhat = 'process 1'",
        "at = '1s'\ndo = 'pause'\nfor = '1s'\ntimes = 2\nwhat = 'process 1'",
        "at = '1s'\ndo = 'pause'\nfor = '3s'\nevery = '2s'\ntimes = 2\nwhat = 'process 1'",
        "at = '1s'\ndo = 'leave'\nwhat = 'each process'",
        "at = '1s'\ndo = 'start'\nwhat = 'each process'",
        "att = '1s'\ndo = 'kill'\nwhat = 'process 1'",
    ];
    let files: Vec<String> = wrong.iter().map(|event| live(&format!("[[event]]\n{event}"))).collect();
    let said = |(event, file): (&&str, &String)| format!("{}\n  {}", event.replace('\n', ", "), errors(file));
    let all: Vec<String> = wrong.iter().zip(&files).map(said).collect();
    insta::assert_snapshot!(all.concat());
}

#[test]
fn events_are_checked_together_and_with_the_rest_of_the_file() {
    let kill = "[[event]]\nat = '5s'\ndo = 'kill'\nwhat = 'process 2'\n";
    let on = |what: &str| format!("[[event]]\nat = '1s'\ndo = 'kill'\nwhat = '{what}'\n");
    let three = "[cluster]\nbrokers = 3\n[dataset]\npartitions = 4\nreplication = 2\n[load]\nrate = 5\n";
    let wrong = [
        live(&format!(
            "{kill}[[event]]\nat = '8s'\ndo = 'pause'\nfor = '1s'\nwhat = 'process 2'"
        )),
        live(
            "[[event]]\nat = '2s'\ndo = 'start'\nwhat = 'process 2'\n[[event]]\nat = '4s'\ndo = 'start'\nwhat = 'process 2'",
        ),
        live(&format!(
            "{kill}[[event]]\nat = '4s'\ndo = 'pause'\nfor = '2s'\nwhat = 'process 2'"
        )),
        format!("[consumer]\nprocesses = 2\n{kill}[[event]]\nat = '50%'\ndo = 'start'\nwhat = 'process 2'"),
        format!("{three}{}", on("broker 1") + &on("broker 2")),
        format!(
            "{three}{}[[event]]\nat = '9s'\ndo = 'kill'\nwhat = 'broker 2'",
            on("leader of 0")
        ),
        format!("[cluster]\nbootstrap = 'h:1'\n[load]\nrate = 5\n{}", on("broker 1")),
        format!("[dataset]\ntopics = 2\n[load]\nrate = 5\n{}", on("leader of 0")),
        format!(
            "[consumer]\ngroups = 2\nprocesses = 2\n[load]\nrate = 5\n{}",
            on("process 1")
        ),
        format!(
            "[dataset]\npartitions = 2\n[consumer]\nprocesses = 2\nassignment = 'manual'\n{}",
            on("process 2")
        ),
        format!(
            "[consumer]\nprocesses = 2\n[load]\nrate = 5\n[capacity]\np99_ms = 5\n{}",
            on("process 2")
        ),
        format!(
            "[consumer]\nprocesses = 2\nwork = 'store'\n[store]\nkind = 'postgres'\nurl = {{ env = 'DB' }}\n{}",
            on("store")
        ),
        "[load]\nrate = 5\nprofile = { ramp = [1, 2] }\n[[event]]\nat = '1s'\nrate = 9".to_owned(),
        format!(
            "[[app]]\nname = 'a'\ncommand = ['a']\nspeaks = 'nothing'\n[[place]]\nname = 'far'\nssh = 'h'\n[consumer]\napp = 'a'\n\
             place = 'far'\nprocesses = 2\n{}",
            on("process 2")
        ),
        "[[case]]\nname = 'a'\nevent = 3".to_owned(),
    ];
    insta::assert_snapshot!(said(&wrong.iter().map(String::as_str).collect::<Vec<_>>()));
}

#[test]
fn a_broker_may_go_where_replication_makes_up_for_it_or_unavailability_is_expected() {
    let three = "[cluster]\nbrokers = 3\n[dataset]\npartitions = 4\nreplication = 2\n[load]\nrate = 5\nduration = 90\n";
    let each = "[[event]]\nat = '1s'\ndo = 'restart'\nfor = '2s'\nwhat = 'each broker'\nevery = '20s'";
    scenario(&format!("{three}{each}"));
    let overlapping = errors(&format!("{three}{}", each.replace("20s", "1s")));
    assert!(overlapping.contains("makes partitions unavailable"), "{overlapping}");
    let alone = "[load]\nrate = 5\n[[event]]\nat = '1s'\ndo = 'restart'\nfor = '2s'\nwhat = 'broker 1'\n";
    assert!(errors(alone).contains("partitions have 1 replica, and 1 broker would be away"));
    scenario(&format!("{alone}expect = 'unavailable'"));
    scenario(&alone.replace("restart", "pause"));
}

#[test]
fn a_broker_may_not_take_the_only_replica_of_commits_with_it() {
    let cluster = "[cluster]\nbrokers = 3\n[cluster.broker]\n'offsets.topic.replication.factor' = ";
    let event = "[[event]]\nat = '1s'\ndo = 'restart'\nfor = '2s'\nwhat = 'broker 2'\n";
    let with = |factor: u32| {
        format!(
            "{cluster}{factor}\n[dataset]\npartitions = 4\nreplication = 2\n[load]\nrate = 5\nduration = 90\n{event}"
        )
    };
    let wrong = errors(&with(1));
    let why =
        "the topic of groups' commits has 1 replica (`offsets.topic.replication.factor`), and 1 broker would be away";
    assert!(wrong.contains(why), "{wrong}");
    scenario(&with(2));
    scenario(&format!("{}[consumer]\nassignment = 'manual'\n", with(1)));
}

#[test]
fn more_acts_than_a_trial_may_have_are_counted_before_they_are_made() {
    let times = |what: &str, times: u32| {
        live(&format!(
            "[[event]]\nat = '1s'\ndo = 'pause'\nfor = '1ms'\nevery = '5ms'\nwhat = '{what}'\ntimes = {times}"
        ))
    };
    let wrong = errors(&times("each process", 1_000));
    assert!(wrong.contains("do 3,000 acts in each trial"), "{wrong}");
    scenario(&times("process 1", 1_000));
}

#[test]
fn an_event_after_the_end_is_a_warning_that_names_it() {
    let warning = scenario(&live("[[event]]\nat = '40s'\ndo = 'kill'\nwhat = 'process 2'")).warnings;
    assert!(
        warning.iter().any(|warning| warning.starts_with(
            "event 1 (40s kill process 2) in \"test\" may not be over by the end of the trial, 32s after the start"
        )),
        "{warning:?}"
    );
    let restart = "[[event]]\nat = '31s'\ndo = 'restart'\nfor = '4s'\nwhat = 'process 2'";
    let warning = scenario(&live(restart)).warnings;
    let names_it = |warning: &String| warning.starts_with("event 1 (31s restart process 2");
    assert!(warning.iter().any(names_it), "{warning:?}");
    // One after the other: the third is back after 32 s.
    let each = "[[event]]\nat = '2s'\ndo = 'restart'\nfor = '10s'\nwhat = 'each process'";
    let warning = scenario(&live(each)).warnings;
    let names_it = |warning: &String| warning.starts_with("event 1 (2s restart each process");
    assert!(warning.iter().any(names_it), "{warning:?}");
    let backlog = scenario("[consumer]\nprocesses = 2\n[[event]]\nat = '5s'\ndo = 'kill'\nwhat = 'process 2'").warnings;
    assert!(
        backlog.iter().any(|warning| warning.contains("`seconds`")),
        "{backlog:?}"
    );
}

#[test]
fn how_a_group_misses_a_member_is_said_once_and_only_where_it_can_be_set() {
    let consumer = "[consumer]\nprotocol = 'consumer'\n";
    let wrong = [
        "[consumer]\nsession_timeout = '6s'\n[consumer.client]\n'session.timeout.ms' = 6000".to_owned(),
        "[consumer]\napp = 'go'\nheartbeat = '1s'\n[consumer.client]\nHeartbeatInterval = '1s'".to_owned(),
        "[consumer]\nsession_timeout = '6s'\n[consumer.java]\n'session.timeout.ms' = 6000".to_owned(),
        "[cluster.client]\n'heartbeat.interval.ms' = 5\n[consumer]\nheartbeat = '1s'".to_owned(),
        format!("[cluster]\nbootstrap = 'h:1'\n{consumer}session_timeout = '6s'"),
        "[consumer]\nsession_timeout = '2s'".to_owned(),
        "[consumer]\nsession_timeout = '1500us'".to_owned(),
        "[dataset]\npartitions = 2\n[consumer]\nassignment = 'manual'\nstatic = true".to_owned(),
        "[consumer.client]\n'group.instance.id' = 'a'".to_owned(),
        "[consumer]\nstatic = 'true'".to_owned(),
        "[cluster.broker]\n'node.id' = 5".to_owned(),
        "[cluster.broker]\n'controller.quorum.election.timeout.ms' = 5".to_owned(),
        "[cluster.broker]\nlog.dirs = '/x'".to_owned(),
        "[cluster.broker]\n'ssl.keystore.password' = 'hunter2hunter2'".to_owned(),
        "[cluster]\nbootstrap = 'h:1'\n[cluster.broker]\n'num.io.threads' = 4".to_owned(),
    ];
    insta::assert_snapshot!(said(&wrong.iter().map(String::as_str).collect::<Vec<_>>()));
    let fine = scenario(&format!(
        "[cluster.broker]\n'num.io.threads' = 4\n{consumer}session_timeout = '3s'\nheartbeat = '500ms'\nstatic = true"
    ));
    assert_eq!(fine.cluster.broker["num.io.threads"], "4");
    let configuration = &fine.configurations[0];
    assert!(configuration.is_static);
    let timeouts = configuration.group_timeouts().unwrap();
    assert_eq!((timeouts.session_ms, timeouts.heartbeat_ms), (Some(3_000), Some(500)));
    let needs = fine.needs(0);
    assert_eq!(
        (needs.group_sessions_ms, needs.sessions_ms),
        ([3_000].into(), [].into())
    );
}

#[test]
fn scenarios_of_changes_plan_what_their_names_say() {
    for (name, event) in [
        ("rebalance-join", "5s start process 3 spread 3s"),
        ("rebalance-crash", "5s kill process 3 spread 500ms"),
        ("rolling-deploy", "4s restart each process for 2s every 10s"),
        ("broker-failover", "5s restart leader of 0 for 12s"),
        ("rolling-brokers", "4s restart each broker for 1s every 20s"),
        ("store-outage", "5s restart store for 3s"),
        ("stop-the-world", "5s pause process 3 for 2s"),
    ] {
        let scenario = crate::scenario::parse(name, name, shipped(name).unwrap()).unwrap();
        assert_eq!(texts(&scenario, 0), [event], "{name}");
    }
}
