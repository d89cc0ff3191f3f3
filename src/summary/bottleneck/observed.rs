//! What the trials of a configuration show, as shares and cores: each figure is the median over the trials that have
//! it, and absent where none has.

use std::collections::BTreeSet;

use super::behind::{self, Behind};
use super::limit::{self, LimitsSeen};
use super::spread::{self, InOrder, Skew};
use super::threads::{self, BusyThread, ThreadRole};
use crate::measure::{ClientStatistics, HostCpu, Measurement, MemberMeasurement};
use crate::scenario::{Configuration, DatasetSpec};
use crate::stats::median;

/// The figures that the rules are about.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Observed {
    /// Seconds from the start to the last record.
    pub(super) seconds: Option<f64>,
    /// The machine, where its CPU time was read.
    pub(super) machine: Option<Machine>,
    /// Share of the members' working threads' time that was spent in work.
    pub(super) working: Option<f64>,
    /// Microseconds of work per record.
    pub(super) work_us: Option<f64>,
    /// Share of the reading threads' time that was spent waiting for answers to commits.
    pub(super) committing: Option<f64>,
    /// Share of the reading threads' time that was spent waiting for records with an empty queue.
    pub(super) waiting: Option<f64>,
    /// The client thread that came nearest to a full core.
    pub(super) thread: Option<BusyThread>,
    /// The thread of the client library that came nearest to a full core.
    pub(super) fetcher: Option<BusyThread>,
    /// Cores that the busiest process used.
    pub(super) process_cores: Option<f64>,
    /// Share of the time in which the client library awaited an answer of a broker.
    pub(super) awaited: Option<f64>,
    /// Share of the time for which a quota held answers back.
    pub(super) throttled: Option<f64>,
    /// The member that had most to read.
    pub(super) skew: Option<Skew>,
    /// Records whose order keeps one of several threads busy.
    pub(super) in_order: Option<InOrder>,
    /// Members without a partition; the lower median where trials differ, so that one odd assignment names nothing.
    pub(super) idle: u32,
    /// What limits did.
    pub(super) limits: LimitsSeen,
    /// The load of live and mixed trials.
    pub(super) load: Option<LoadSeen>,
    /// The part of live and mixed trials in which records lay before the readers.
    pub(super) behind: Option<Behind>,
}

/// Cores between start and end: those of the machine that may be used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Machine {
    /// Cores less what a hypervisor took, or what a CPU quota leaves.
    pub(super) cores: f64,
    /// Cores that ran something; under a quota, something that it is on.
    pub(super) busy: f64,
    /// Of these, the consumers' processes, as they measured themselves.
    pub(super) clients: Option<f64>,
    /// Of these, brokers that run here.
    pub(super) brokers: Option<f64>,
    /// Of these, what is no part of the run.
    pub(super) others: f64,
    /// Share of the time in which some thread was ready and had no core.
    pub(super) pressure: Option<f64>,
}

impl Machine {
    /// Share of the cores that was busy.
    pub(super) fn busy_share(&self) -> f64 {
        self.busy / self.cores
    }

    /// Cores that ran nothing.
    pub(super) fn idle(&self) -> f64 {
        (self.cores - self.busy).max(0.0)
    }
}

/// The load as it was.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LoadSeen {
    /// True where it was reached in at least half of the trials.
    pub(super) reached: bool,
    /// True where readers fell behind, or records were left unread, in more than half of the trials.
    pub(super) behind: bool,
    /// Trials in which the load was not reached or readers fell behind, and all.
    pub(super) not_held: (usize, usize),
    /// Records per second asked for.
    pub(super) offered: f64,
    /// Records per second sent and acknowledged.
    pub(super) sent: f64,
    /// The producers' thread that came nearest to a full core.
    pub(super) thread: Option<BusyThread>,
    /// Share of the time in which producers waited because their clients' queues were full.
    pub(super) queue_full: f64,
}

impl Observed {
    pub(super) fn of(configuration: &Configuration, dataset: &DatasetSpec, trials: &[&Measurement]) -> Self {
        let of_each = |figure: &dyn Fn(&Measurement) -> Option<f64>| {
            median(&trials.iter().filter_map(|m| figure(m)).collect::<Vec<f64>>())
        };
        let threads = f64::from(configuration.threads);
        Observed {
            seconds: of_each(&|m| Some(m.read_ns() as f64 / 1e9)),
            machine: machine(trials),
            working: of_each(&|m| working(m, threads)),
            work_us: of_each(&work_us),
            committing: of_each(&|m| of_reading(m, |time| time.committing_ns)),
            waiting: of_each(&|m| of_reading(m, |time| time.waiting_ns)),
            thread: threads::busiest(trials, None),
            fetcher: threads::busiest(trials, Some(ThreadRole::Fetcher)),
            process_cores: of_each(&process_cores),
            awaited: of_each(&|m| of_clients(m, ClientStatistics::awaited_share)),
            throttled: of_each(&|m| of_clients(m, ClientStatistics::throttled_share)),
            skew: spread::skew(trials, threads),
            in_order: spread::in_order(configuration, dataset, trials),
            idle: lower_median(trials.iter().map(|m| idle(m)).collect()),
            limits: LimitsSeen::of(trials),
            load: load(trials),
            behind: behind::behind(trials),
        }
    }
}

fn lower_median(mut counts: Vec<u32>) -> u32 {
    counts.sort_unstable();
    let middle = counts.len().saturating_sub(1) / 2;
    counts.get(middle).copied().unwrap_or(0)
}

pub(super) fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// Cores of the machine that ran something; `None` where its CPU time was not read.
pub(super) fn busy_cores(m: &Measurement) -> Option<f64> {
    if m.host.wall_ns == 0 || m.host.cpu == HostCpu::default() {
        return None;
    }
    // From the idle side: the kernel counts idle time exactly, but samples busy time at its ticks.
    let not_busy = m.host.cpu.idle_ns + m.host.cpu.iowait_ns + m.host.cpu.steal_ns;
    Some((f64::from(m.host.cores) - not_busy as f64 / m.host.wall_ns as f64).max(0.0))
}

fn machine(trials: &[&Measurement]) -> Option<Machine> {
    let seen: Vec<&Measurement> = trials
        .iter()
        .copied()
        .filter(|m| m.host.wall_ns > 0 && m.host.cpu != HostCpu::default())
        .collect();
    let of_each = |figure: &dyn Fn(&Measurement) -> Option<f64>| {
        median(&seen.iter().filter_map(|m| figure(m)).collect::<Vec<f64>>())
    };
    let in_cores = |m: &Measurement, ns: u64| ns as f64 / m.host.wall_ns as f64;
    let under_quota = |m: &Measurement| limit::under_quota(&m.host, busy_cores(m)?);
    Some(Machine {
        cores: of_each(&|m| {
            let cores = f64::from(m.host.cores) - in_cores(m, m.host.cpu.steal_ns);
            let cores = under_quota(m).map_or(cores, |(quota, _)| quota.min(cores));
            (cores > 0.0).then_some(cores)
        })?,
        busy: of_each(&|m| under_quota(m).map(|(_, used)| used).or_else(|| busy_cores(m)))?,
        clients: of_each(&|m| {
            let windows = m.processes.iter().map(|process| Some(process.window.as_ref()?.cpu_ns));
            Some(in_cores(m, windows.sum::<Option<u64>>()?))
        }),
        brokers: of_each(&|m| {
            let brokers = &m.host.brokers_cpu_ns;
            (!brokers.is_empty()).then(|| in_cores(m, brokers.iter().sum()))
        }),
        others: of_each(&|m| Some(in_cores(m, m.host.others_cpu_ns)))?,
        pressure: of_each(&|m| Some(in_cores(m, m.host.pressure_ns?).min(1.0))),
    })
}

/// Start to a member's own last record, for the members that read any.
pub(super) fn reading_members(m: &Measurement) -> impl Iterator<Item = (&MemberMeasurement, f64)> {
    let length = |member: &MemberMeasurement| Some(member.last_record_ns?.saturating_sub(m.start_ns) as f64);
    m.members
        .iter()
        .filter_map(move |member| Some((member, length(member)?)))
        .filter(|(_, length_ns)| *length_ns > 0.0)
}

fn working(m: &Measurement, threads: f64) -> Option<f64> {
    let observed = || reading_members(m).filter_map(|(member, length_ns)| Some((member.work_ns?, length_ns)));
    let work_ns: u64 = observed().map(|(work_ns, _)| work_ns).sum();
    ratio(
        work_ns as f64,
        observed().map(|(_, length_ns)| length_ns * threads).sum(),
    )
}

fn work_us(m: &Measurement) -> Option<f64> {
    let observed = || m.members.iter().filter_map(|member| Some((member.work_ns?, member)));
    let records: u64 = observed().map(|(_, member)| member.records()).sum();
    let work_ns: u64 = observed().map(|(work_ns, _)| work_ns).sum();
    ratio(work_ns as f64 / 1e3, records as f64)
}

fn of_reading(m: &Measurement, ns: impl Fn(&crate::measure::ReadingTime) -> u64) -> Option<f64> {
    let observed = || reading_members(m).filter_map(|(member, length_ns)| Some((member.reading?, length_ns)));
    let spent: u64 = observed().map(|(time, _)| ns(&time)).sum();
    let whole: f64 = observed()
        .map(|(time, length_ns)| f64::from(time.readers) * length_ns)
        .sum();
    ratio(spent as f64, whole).map(|share| share.min(1.0))
}

fn process_cores(m: &Measurement) -> Option<f64> {
    let windows = m.processes.iter().filter_map(|process| process.window.as_ref());
    windows
        .filter_map(|window| ratio(window.cpu_ns as f64, window.wall_ns as f64))
        .reduce(f64::max)
}

/// Members weigh by the time that their statistics cover.
fn of_clients(m: &Measurement, share: fn(&ClientStatistics) -> Option<f64>) -> Option<f64> {
    let clients = || m.members.iter().filter_map(|member| member.client);
    let covered: f64 = clients().filter(|c| c.brokers > 0).map(|c| c.covered_ns() as f64).sum();
    let shares = clients().filter_map(|c| Some(share(&c)? * c.covered_ns() as f64));
    ratio(shares.sum(), covered)
}

/// Where nobody of a group is seen with a partition, its assignment was not observed, which is not idleness.
fn idle(m: &Measurement) -> u32 {
    let seen: BTreeSet<u32> = m
        .members
        .iter()
        .filter(|member| !member.assigned.is_empty())
        .map(|member| member.group)
        .collect();
    let idle = m
        .members
        .iter()
        .filter(|member| member.assigned.is_empty() && seen.contains(&member.group));
    u32::try_from(idle.count()).unwrap_or(u32::MAX)
}

fn load(trials: &[&Measurement]) -> Option<LoadSeen> {
    let loads: Vec<_> = trials.iter().filter_map(|m| m.load.as_ref()).collect();
    let half = loads.len() as f64 / 2.0;
    let of_each = |figure: &dyn Fn(&crate::measure::LoadMeasurement) -> f64| {
        median(&loads.iter().map(|load| figure(load)).collect::<Vec<f64>>())
    };
    let reached = loads.iter().filter(|load| load.reached).count();
    let behind = loads.iter().filter(|load| load.overload.is_some() || load.unread > 0);
    let not_held = loads.iter().filter(|load| !load.is_meaningful()).count();
    Some(LoadSeen {
        reached: reached as f64 >= half,
        behind: behind.count() as f64 > half,
        not_held: (not_held, loads.len()),
        offered: of_each(&|load| load.offered_per_second)?,
        sent: of_each(&|load| load.sent_per_second)?,
        thread: threads::busiest_of_producers(&loads),
        queue_full: of_each(&|load| {
            let full = load
                .producers
                .iter()
                .map(|producer| producer.queue_full_ns as f64 / load.window_ns().max(1) as f64);
            full.fold(0.0, f64::max).min(1.0)
        })?,
    })
}
