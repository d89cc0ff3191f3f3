//! Which thread of the run's processes came nearest to a full core, and what it is called in words.

use std::collections::BTreeMap;

use crate::measure::{LoadMeasurement, Measurement, ProcessUsage, ThreadUsage};
use crate::stats::median;

/// A thread, with medians over the trials.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BusyThread {
    /// What it is, such as `the reader thread of process 1`.
    pub(super) name: String,
    /// What it does for its process.
    pub(super) role: ThreadRole,
    /// Share of the time in which it ran.
    pub(super) running: f64,
    /// Share of the time in which it ran or was ready to and had no core.
    pub(super) wanting: f64,
}

/// What a thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ThreadRole {
    /// Takes records from the client and, with one thread per consumer, works them.
    Reader,
    /// Works records that another one takes.
    Worker,
    /// The client library's, one for each broker: it fetches and unpacks.
    Fetcher,
    /// Any other.
    Other,
}

/// A thread of a process: its group, its process and the thread's name.
type Key = (u32, u32, String);

/// The consumers' thread, among those of a role where one is given, that wanted a core for most of the time.
pub(super) fn busiest(trials: &[&Measurement], role: Option<ThreadRole>) -> Option<BusyThread> {
    let groups = trials.iter().flat_map(|m| &m.processes).map(|p| p.group).max()?;
    let of_each = trials.iter().map(|m| {
        let windows = (m.processes.iter()).filter_map(|p| Some(((p.group, p.process), p.window.as_ref()?)));
        windows.collect::<Vec<_>>()
    });
    let (key, running, wanting) = busiest_of(of_each, role)?;
    let (group, process, thread) = key;
    let whose = if groups > 0 {
        format!("group {}, process {}", group + 1, process + 1)
    } else {
        format!("process {}", process + 1)
    };
    let (role, what) = described(&thread);
    Some(BusyThread {
        name: format!("{what} of {whose}"),
        role,
        running,
        wanting,
    })
}

/// The producers' thread that wanted a core for most of the time.
pub(super) fn busiest_of_producers(loads: &[&LoadMeasurement]) -> Option<BusyThread> {
    let of_each = loads.iter().map(|load| {
        let windows = (load.producers.iter()).filter_map(|p| Some(((0, p.producer), p.window.as_ref()?)));
        windows.collect::<Vec<_>>()
    });
    let ((_, producer, thread), running, wanting) = busiest_of(of_each, None)?;
    let (role, what) = match described(&thread) {
        (ThreadRole::Fetcher, _) => (ThreadRole::Other, "the client library's broker thread".to_owned()),
        named => named,
    };
    Some(BusyThread {
        name: format!("{what} of producer {}", producer + 1),
        role,
        running,
        wanting,
    })
}

type Windows<'a> = Vec<((u32, u32), &'a ProcessUsage)>;

fn busiest_of<'a>(trials: impl Iterator<Item = Windows<'a>>, role: Option<ThreadRole>) -> Option<(Key, f64, f64)> {
    let mut shares_by_thread: BTreeMap<Key, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    let mut number = 0;
    for windows in trials {
        number += 1;
        for (key, thread) in busiest_by_name(windows) {
            let shares = shares_by_thread.entry(key).or_default();
            shares.0.push(thread.0);
            shares.1.push(thread.1);
        }
    }
    // A thread that a trial does not report used no CPU in it.
    let over_all = |mut shares: Vec<f64>| {
        shares.resize(number, 0.0);
        median(&shares).unwrap_or(0.0)
    };
    let threads = shares_by_thread
        .into_iter()
        .filter(|((_, _, thread), _)| role.is_none_or(|role| described(thread).0 == role))
        .map(|(key, (running, wanting))| (key, over_all(running), over_all(wanting)));
    threads.max_by(|a, b| a.2.total_cmp(&b.2))
}

/// The busiest thread of each name: consumers of one process have threads of the same names.
fn busiest_by_name(windows: Windows<'_>) -> BTreeMap<Key, (f64, f64)> {
    let mut found: BTreeMap<Key, (f64, f64)> = BTreeMap::new();
    for ((group, process), window) in windows {
        if window.wall_ns == 0 {
            continue;
        }
        let share = |ns: u64| (ns as f64 / window.wall_ns as f64).min(1.0);
        for thread in &window.threads {
            let ThreadUsage { name, cpu_ns, wait_ns } = thread;
            let entry = found.entry((group, process, name.clone())).or_default();
            let wanting = share(cpu_ns + wait_ns);
            if wanting > entry.1 {
                *entry = (share(*cpu_ns), wanting);
            }
        }
    }
    found
}

/// From the names that tandem and librdkafka give their threads.
fn described(thread: &str) -> (ThreadRole, String) {
    let consumer = |index: &str| match index.parse::<u32>() {
        Ok(0) | Err(_) => String::new(),
        Ok(index) => format!(" (consumer {})", index + 1),
    };
    if let Some(rest) = thread.strip_prefix("reader-") {
        return match rest.split_once('-') {
            None => (ThreadRole::Reader, format!("the reader thread{}", consumer(rest))),
            Some((index, number)) => (
                ThreadRole::Worker,
                format!("working thread {number}{}", consumer(index)),
            ),
        };
    }
    if let Some(broker) = thread.strip_prefix("rdk:broker") {
        let what = format!("the client library's thread for broker {broker} (it fetches and unpacks)");
        return (ThreadRole::Fetcher, what);
    }
    match thread {
        "rdk:main" => (ThreadRole::Other, "the client library's main thread".to_owned()),
        _ => (ThreadRole::Other, format!("the thread `{thread}`")),
    }
}
