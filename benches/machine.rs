//! How steady is this machine? Once a second, for so many seconds (20 by default): how long a line of memory takes from
//! one core to another, a dependent multiplication, and a dependent read within 4 MiB and within 64 MiB.
//!
//! `cargo bench --bench machine -- [SECONDS]`. A reader passes every record from one core to another and lives in the
//! processor's caches; where other guests of the same host share them, or the virtual cores move, trials differ for
//! reasons that no figure of this machine's own shows.
#![allow(clippy::expect_used)]

use std::env;
use std::hint::{black_box, spin_loop};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::StdRng};

const PASSES: u32 = 100_000;
const MULTIPLICATIONS: u32 = 10_000_000;
const READS: u32 = 500_000;
const DEFAULT_SECONDS: u32 = 20;
/// Links of a chain that stand in one line of 64 B.
const LINKS_IN_A_LINE: usize = 16;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let seconds = match &arguments[..] {
        [] => Some(DEFAULT_SECONDS),
        [seconds] => seconds.parse().ok().filter(|&seconds| seconds > 0),
        _ => None,
    };
    let (Some(seconds), Ok(cores)) = (seconds, cores()) else {
        eprintln!("usage: cargo bench --bench machine -- [SECONDS]");
        return ExitCode::from(2);
    };
    let &[first, second, ..] = &cores[..] else {
        eprintln!("this needs two cores, and the process may use {}", cores.len());
        return ExitCode::from(2);
    };
    let near = chain(4);
    let far = chain(64);
    println!("ns      core {first} to core {second}   multiplication   read in 4 MiB   read in 64 MiB");
    let mut seen: Vec<[f64; 4]> = Vec::new();
    for _ in 0..seconds {
        let row = [passing(first, second), multiplying(), walking(&near), walking(&far)];
        print_row("", row);
        seen.push(row);
        thread::sleep(Duration::from_secs(1));
    }
    for (name, share) in [("least", 0.0), ("median", 0.5), ("most", 1.0)] {
        print_row(name, std::array::from_fn(|column| quantile(&seen, column, share)));
    }
    ExitCode::SUCCESS
}

fn print_row(name: &str, [pass, multiplication, near, far]: [f64; 4]) {
    println!("{name:7} {pass:16.0} {multiplication:16.2} {near:15.0} {far:16.0}");
}

fn quantile(rows: &[[f64; 4]], column: usize, share: f64) -> f64 {
    let mut values: Vec<f64> = rows.iter().map(|row| row[column]).collect();
    values.sort_by(f64::total_cmp);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index below the length"
    )]
    values[((values.len() - 1) as f64 * share).round() as usize]
}

/// Cores that this process may use.
fn cores() -> nix::Result<Vec<usize>> {
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    Ok((0..CpuSet::count())
        .filter(|&core| allowed.is_set(core).unwrap_or(false))
        .collect())
}

fn stay_on(core: usize) {
    let mut only = CpuSet::new();
    only.set(core)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &only))
        .expect("the process may use this core");
}

/// Half the time of a round trip of one line between two threads, each on a core of its own, in nanoseconds.
fn passing(first: usize, second: usize) -> f64 {
    let turn = AtomicBool::new(false);
    let pass = |core: usize, mine: bool| {
        stay_on(core);
        let from = Instant::now();
        for _ in 0..PASSES {
            while turn.load(Ordering::Acquire) != mine {
                spin_loop();
            }
            turn.store(!mine, Ordering::Release);
        }
        from.elapsed()
    };
    let elapsed = thread::scope(|scope| {
        scope.spawn(|| pass(second, true));
        scope
            .spawn(|| pass(first, false))
            .join()
            .expect("the other thread passes the line on")
    });
    per(elapsed, 2 * PASSES)
}

fn multiplying() -> f64 {
    let from = Instant::now();
    let mut product = black_box(1u64);
    for _ in 0..MULTIPLICATIONS {
        product = product.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    }
    black_box(product);
    per(from.elapsed(), MULTIPLICATIONS)
}

/// A walk through so many MiB in which each line is read once, in random order.
fn chain(mib: usize) -> Vec<u32> {
    let lines = mib * 1024 * 1024 / 64;
    let mut order: Vec<usize> = (0..lines).collect();
    order.shuffle(&mut StdRng::seed_from_u64(1));
    let mut chain = vec![0; lines * LINKS_IN_A_LINE];
    for (at, &line) in order.iter().enumerate() {
        let next = order[(at + 1) % lines] * LINKS_IN_A_LINE;
        chain[line * LINKS_IN_A_LINE] = u32::try_from(next).expect("64 MiB have few lines");
    }
    chain
}

fn walking(chain: &[u32]) -> f64 {
    let mut at = 0;
    let mut walk = |reads: u32| {
        for _ in 0..reads {
            at = chain[at] as usize;
        }
    };
    // Once round what fits in a cache, so that it can be there.
    walk(65_536);
    let from = Instant::now();
    walk(READS);
    let elapsed = from.elapsed();
    black_box(at);
    per(elapsed, READS)
}

fn per(elapsed: Duration, times: u32) -> f64 {
    elapsed.as_nanos() as f64 / f64::from(times)
}
