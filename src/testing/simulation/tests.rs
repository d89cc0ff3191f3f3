//! The simulated trials, and the faults that they must find.

use std::collections::BTreeMap;
use std::time::Instant;

use super::chance::{Chance, MS};
use super::choose::plan_of;
use super::deed::{Deed, Planned};
use super::mischief::{Error, Mischief, What};
use super::plan::{Plan, Records};
use super::run::{Ending, Simulated, simplest, simulate};
use super::tamper::Tamper;
use crate::protocol::Capability;
use crate::trial::ActorId;

/// Simulated trials unless `TANDEM_TRIALS` says how many.
const TRIALS: u64 = 300;

/// Seeds whose trials found a bug.
const FOUND: [(u64, &str); 4] = [
    (114, "a member read a partition of another, and the trial was good"),
    (2_308, "a worker that had no order yet was taken to be ready"),
    (5_634, "a cluster did not answer, and the failure named a member"),
    (
        6_119,
        "records were lost that were unread, because somebody claimed others beyond them",
    ),
];

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is not a number")),
    )
}

/// Simulates the plans of these seeds on all cores; in the order of the seeds.
fn simulate_all(seeds: std::ops::Range<u64>) -> Vec<(u64, Simulated)> {
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let mut all: Vec<(u64, Simulated)> = std::thread::scope(|scope| {
        let parts = (0..threads).map(|part| {
            let seeds = seeds.clone().filter(move |seed| seed % threads == part);
            scope.spawn(|| {
                seeds
                    .map(|seed| (seed, simulate(&plan_of(seed), Tamper::Nothing, false)))
                    .collect::<Vec<_>>()
            })
        });
        let parts: Vec<_> = parts.collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    all.sort_by_key(|(seed, _)| *seed);
    all
}

/// What a person needs to look into a trial that broke an invariant.
fn report(seed: u64, what: &str) -> String {
    let simple = simplest(&plan_of(seed), Tamper::Nothing);
    let simulated = simulate(&simple, Tamper::Nothing, true);
    let still = simulated.ending.err().unwrap_or_default();
    format!(
        "seed {seed}: {what}\nwith its log: TANDEM_SEED={seed} cargo test --lib simulated -- --nocapture\nthe simplest plan \
         that fails too: {simple:?}\nby: {still}\n{}",
        simulated.log.join("\n")
    )
}

#[test]
fn simulated_trials_keep_every_invariant() {
    if let Some(seed) = number("TANDEM_SEED") {
        let simulated = simulate(&plan_of(seed), Tamper::Nothing, true);
        println!("{:?}\n{}", plan_of(seed), simulated.log.join("\n"));
        let ending = simulated
            .ending
            .unwrap_or_else(|what| panic!("{}", report(seed, &what)));
        println!("seed {seed}: {ending:?}");
        return;
    }
    let (begin, trials) = (Instant::now(), number("TANDEM_TRIALS").unwrap_or(TRIALS));
    let all = simulate_all(0..trials);
    let seconds = begin.elapsed().as_secs_f64();
    let mut endings: BTreeMap<String, u64> = BTreeMap::new();
    let mut events = 0;
    let mut broken = Vec::new();
    for (seed, simulated) in &all {
        events += simulated.events;
        let ending = match &simulated.ending {
            Ok(Ending::Good) => "good".to_owned(),
            Ok(Ending::Excluded(_)) => "excluded".to_owned(),
            Ok(Ending::Failed(failure)) => failure.kind.describe().to_owned(),
            Err(what) => {
                broken.push((*seed, what));
                "broken".to_owned()
            }
        };
        *endings.entry(ending).or_default() += 1;
    }
    println!("{trials} trials and {events} events in {seconds:.1} s: {endings:?}");
    if let Some((seed, what)) = broken.first() {
        let each: Vec<String> = broken
            .iter()
            .map(|(seed, what)| format!("seed {seed}: {what}"))
            .collect();
        panic!(
            "{} of {trials} trials broke an invariant:\n{}\n\n{}",
            broken.len(),
            each.join("\n"),
            report(*seed, what)
        );
    }
    // A world in which everything fails, or nothing, would prove nothing.
    let share = |ending: &str| endings.get(ending).copied().unwrap_or(0) as f64 / trials as f64;
    assert!((0.2..0.8).contains(&share("good")), "{endings:?}");
    assert!(endings.len() > 8, "{endings:?}");
}

#[test]
fn what_a_seed_has_found_stays_fixed() {
    for (seed, bug) in FOUND {
        if let Err(what) = simulate(&plan_of(seed), Tamper::Nothing, false).ending {
            panic!("{bug}: {}", report(seed, &what));
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_events_and_actions() {
    let mut lines = 0;
    for seed in 0..20 {
        let [first, second] = [(); 2].map(|()| simulate(&plan_of(seed), Tamper::Nothing, true));
        lines += first.log.len();
        assert_eq!(first.log, second.log, "seed {seed}");
    }
    assert!(lines > 1_000, "{lines}");
}

#[test]
fn times_of_another_host_are_true_within_their_bound_whatever_its_clock_shows_and_though_it_drifts() {
    for ahead_ns in [0, 7_300_000, -120_000_000, 100_000_000_000] {
        let mut good = 0;
        for seed in 0..200 {
            let plan = Plan {
                ahead_ns,
                drift_ppm: if seed % 2 == 0 { 50 } else { -50 },
                mischiefs: Vec::new(),
                deeds: Vec::new(),
                ..plan_of(seed)
            };
            let ending = simulate(&plan, Tamper::Nothing, false).ending;
            let ending = ending.unwrap_or_else(|what| panic!("seed {seed}, {ahead_ns} ns ahead: {what}"));
            good += u32::from(ending == Ending::Good);
        }
        // The others end for other reasons, such as retention that has removed what was to be read.
        assert!(good >= 100, "{good} of 200 with {ahead_ns} ns");
    }
}

/// A plan of a backlog for several processes in which nothing goes wrong but this, each between so many milliseconds.
fn plan_with(seed: u64, what: &[(What, (u64, u64))]) -> Plan {
    let mut chance = Chance::new(seed);
    let mut plan = Plan {
        records: Records::Backlog,
        manual: false,
        has_targets: false,
        groups: 1,
        processes: chance.between(2, 4).try_into().unwrap(),
        producers: 0,
        mischiefs: Vec::new(),
        deeds: Vec::new(),
        ahead_ns: 0,
        drift_ppm: 0,
        ..plan_of(seed)
    };
    plan.capabilities = vec![Capability::ALL.to_vec(); plan.readers()];
    for partitions in &mut plan.partitions {
        partitions.resize(4.max(partitions.len()), 0);
        for count in partitions {
            *count = (*count).max(50);
        }
    }
    let mischiefs = what.iter().map(|(what, (low_ms, high_ms))| Mischief {
        after_ns: chance.between(*low_ms, *high_ms) * MS,
        what: *what,
    });
    plan.mischiefs.extend(mischiefs);
    plan
}

/// Of a hundred trials with a fault of the engine: in how many it changed something, and how many of these were found out.
/// Each was good or failed as it should without the fault.
fn found(tamper: Tamper, plan: impl Fn(u64) -> Plan, says: &str) -> (u32, u32) {
    let (mut changed, mut found) = (0, 0);
    for seed in 0..100 {
        let plan = plan(seed);
        let healthy = simulate(&plan, Tamper::Nothing, false).ending;
        assert!(healthy.is_ok(), "seed {seed}: {healthy:?}");
        let simulated = simulate(&plan, tamper, false);
        changed += u32::from(simulated.has_changed);
        if let Err(what) = simulated.ending {
            assert!(simulated.has_changed && what.contains(says), "seed {seed}: {what}");
            found += 1;
        }
    }
    println!("{tamper:?}: found in {found} of the {changed} trials of 100 that it changed");
    (changed, found)
}

#[test]
fn an_account_that_hides_a_lost_record_is_found() {
    let loses = |seed| plan_with(seed, &[(What::Errs(0, Error::Loses), (0, 500))]);
    let (changed, found) = found(Tamper::HidesLoss, loses, "truly");
    assert!(changed > 80 && found == changed, "{found} of {changed}");
}

#[test]
fn a_start_with_two_owners_is_found() {
    // The group is not settled before its member keeps what another is given.
    let unsettled = (What::Unsettled(0, 4_000 * MS), (0, 0));
    let keeps = |seed| plan_with(seed, &[unsettled, (What::KeepsPartition(0), (1_500, 2_500))]);
    let (changed, found) = found(Tamper::AllowsTwoOwners, keeps, "2 owners");
    assert!(changed > 80 && found > 50, "{found} of {changed}");
}

#[test]
fn an_end_before_everything_was_read_is_found() {
    let (changed, found) = found(Tamper::EndsEarly, |seed| plan_with(seed, &[]), "reading ends while");
    assert!(changed > 90 && found > 60, "{found} of {changed}");
}

#[test]
fn a_death_taken_for_success_is_found() {
    let dies = |seed| plan_with(seed, &[(What::Dies(ActorId::Reader(1)), (0, 2_500))]);
    let (changed, found) = found(Tamper::DeathIsSuccess, dies, "");
    assert!(changed > 50 && found == changed, "{found} of {changed}");
}

#[test]
fn a_planned_death_taken_for_a_failure_is_found() {
    let killed = |seed| {
        let mut plan = plan_with(seed, &[]);
        let after_ns = Chance::new(seed).up_to(1_000 * MS);
        let (actor, what) = (ActorId::Reader(1), Planned::Kill);
        plan.deeds.push(Deed {
            after_ns,
            target: actor.into(),
            what,
        });
        plan
    };
    let (changed, found) = found(Tamper::PlannedDeathFails, killed, "nothing that happened explains");
    assert!(changed > 50 && found == changed, "{found} of {changed}");
}
