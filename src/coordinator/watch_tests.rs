#![allow(clippy::unwrap_used)]

use super::*;

const MS: u64 = 1_000_000;

fn address(id: i32) -> BrokerAddress {
    BrokerAddress {
        id,
        host: "127.0.0.1".to_owned(),
        port: 9_091 + id,
    }
}

/// A broker that has run until 0.
fn here(ticks: bool) -> Here {
    Here {
        watched: Watched {
            broker: address(1),
            is_here: true,
            processes: Vec::new(),
        },
        ticks,
        cpu_ns: 0,
        ran_ns: 0,
        gone_ns: None,
    }
}

/// What comes of looks that are a tenth of a second apart.
fn watched(broker: &mut Here, looks: impl IntoIterator<Item = (Look, bool)>) -> Interruptions {
    let mut interruptions = Interruptions::default();
    for (index, (look, was_away)) in (1..).zip(looks) {
        broker.note(index * 100 * MS, look, was_away, &mut interruptions);
    }
    interruptions
}

#[test]
fn a_broker_whose_processes_use_no_time_stands_still() {
    let used = [1, 2, 2, 2, 2, 2, 2, 2, 3, 4].map(|ns| (Look::Used(ns), false));
    let pause = Stretch::new(200 * MS, 900 * MS);
    assert_eq!(
        watched(&mut here(true), used).brokers,
        [BrokerPause { broker: 1, pause }]
    );
    // A proxy in front of a broker has nothing to do where nobody reads.
    assert_eq!(watched(&mut here(false), used).brokers, []);
}

#[test]
fn a_process_stopped_by_a_signal_stands_still_whatever_it_is() {
    let looks = std::iter::repeat_n((Look::Stopped, false), 12);
    let mut broker = here(false);
    let mut interruptions = watched(&mut broker, looks);
    assert_eq!(interruptions.brokers, []);
    // The trial ends before it goes on.
    broker.end_pause(1_200 * MS, &mut interruptions);
    let pause = Stretch::new(0, 1_200 * MS);
    assert_eq!(interruptions.brokers, [BrokerPause { broker: 1, pause }]);
}

#[test]
fn nothing_is_said_of_a_broker_while_the_coordinator_itself_stood_still() {
    let looks = [(Look::Used(1), false), (Look::Used(1), true), (Look::Used(2), false)];
    let mut broker = here(true);
    let mut interruptions = Interruptions::default();
    for ((look, was_away), at_ms) in looks.into_iter().zip([100, 6_100, 6_200]) {
        broker.note(at_ms * MS, look, was_away, &mut interruptions);
    }
    assert_eq!(interruptions, Interruptions::default());
}

#[test]
fn a_broker_that_ends_and_comes_back_is_reported_twice_and_its_absence_is_no_pause() {
    let mut looks = vec![(Look::Used(7), false)];
    looks.extend([(Look::Gone, false); 9]);
    looks.extend([(Look::Used(1), false), (Look::Used(2), false)]);
    let interruptions = watched(&mut here(true), looks);
    let changes: Vec<(u64, bool)> = interruptions
        .changes
        .iter()
        .map(|change| (change.at_ns / MS, change.came))
        .collect();
    assert_eq!(changes, [(200, false), (1_100, true)]);
    assert_eq!(interruptions.changes[0].address, "127.0.0.1:9092");
    assert_eq!(interruptions.brokers, []);
}

#[test]
fn a_real_process_runs_is_stopped_and_ends() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let mut broker = here(true);
    broker.watched.processes = vec![ProcessIdentity::of(child.id()).unwrap()];
    assert!(matches!(broker.look(0), Look::Used(_)));
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGSTOP).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while broker.look(0) != Look::Stopped {
        assert!(std::time::Instant::now() < deadline, "it does not count as stopped");
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(broker.look(0), Look::Gone);
}

#[test]
fn a_cluster_elsewhere_tells_by_its_answers_what_it_lost() {
    let watched = [1, 2].map(|id| Watched {
        broker: address(id),
        is_here: false,
        processes: Vec::new(),
    });
    let mut asked = Asked::new(&watched);
    asked.answered(100, vec![address(1), address(2)]);
    assert_eq!(asked.changes, []);
    asked.answered(200, vec![address(1)]);
    asked.answered(300, vec![address(1), address(2), address(3)]);
    let changes: Vec<(i32, u64, bool)> = asked.changes.iter().map(|c| (c.broker, c.at_ns, c.came)).collect();
    assert_eq!(changes, [(2, 200, false), (2, 300, true), (3, 300, true)]);

    // A broker that came before this watch is no change of this trial; one that is missing from the start is.
    let mut later = Asked::new(&watched);
    later.answered(100, vec![address(1), address(3)]);
    later.answered(200, vec![address(1), address(3)]);
    let changes: Vec<(i32, bool)> = later.changes.iter().map(|c| (c.broker, c.came)).collect();
    assert_eq!(changes, [(2, false)]);
}

#[test]
fn an_answer_that_is_late_is_a_silence_from_its_question_on() {
    let mut asked = Asked::new(&[]);
    asked.silent_ns = Some(1_000 * MS);
    asked.answered(1_400 * MS, Vec::new());
    assert_eq!(asked.unanswered, []);
    asked.silent_ns = Some(2_000 * MS);
    // The trial ends before there is an answer.
    asked.end_silence(4_000 * MS);
    assert_eq!(asked.unanswered, [Stretch::new(2_000 * MS, 4_000 * MS)]);
}
