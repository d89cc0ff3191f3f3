//! What the trials of a configuration show, as shares and cores: each figure is the median over the trials that have
//! it, and absent where none has.

use std::collections::BTreeSet;

use super::behind::{self, Behind};
use super::limits::{LimitsSeen, under_quota};
use super::of_trial::{busy_cores, of_clients, of_reading, process_cores, ratio, work_us, working};
use super::spread::{self, InOrder, Skew};
use super::store_seen::StoreSummary;
use super::threads::{self, BusyThread, ThreadRole};
use crate::measure::{ClientStatistics, HostCpu, LoadMeasurement, Measurement, OtherHost};
use crate::scenario::{Configuration, DatasetSpec};
use crate::stats::{count, median};

/// The figures that the rules are about.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Observed {
    /// Seconds from the start to the last record.
    pub(super) seconds: Option<f64>,
    /// The machine, where its CPU time was read.
    pub(super) machine: Option<Machine>,
    /// Other machines with workers, by the name that ssh has for them.
    pub(super) others: Vec<(String, Machine)>,
    /// Share of the members' working threads' time that was spent in work.
    pub(super) working: Option<f64>,
    /// Microseconds of work per record.
    pub(super) work_us: Option<f64>,
    /// The transactions of members that write to a store.
    pub(super) store: Option<StoreSummary>,
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
    /// Of these, the store's server, if it runs here.
    pub(super) store: Option<f64>,
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
            others: others(trials),
            working: of_each(&|m| working(m, threads)),
            work_us: work_us(trials),
            store: StoreSummary::of(configuration, trials),
            committing: of_each(&|m| of_reading(m, |time| time.committing_ns)),
            waiting: of_each(&|m| of_reading(m, |time| time.waiting_ns)),
            thread: threads::busiest(trials, None),
            fetcher: threads::busiest(trials, Some(ThreadRole::Fetcher)),
            process_cores: of_each(&process_cores),
            awaited: of_each(&|m| of_clients(m, ClientStatistics::awaited_share)),
            throttled: of_each(&|m| of_clients(m, ClientStatistics::throttled_share)),
            skew: spread::skew(trials, threads),
            in_order: spread::in_order(configuration, dataset, trials),
            idle: lower_median(trials.iter().map(|m| count(m.idle_members().count())).collect()),
            limits: LimitsSeen::of(trials),
            load: load(trials),
            behind: behind::behind(trials),
        }
    }

    /// The figures of the time with lag. Work, commits and CPU time of threads are attributed by the records read in
    /// that time, and a quota is assumed to act only then. Figures that exist only for the complete trial are left out.
    pub(super) fn while_behind(&self) -> Option<Observed> {
        let behind = self.behind?;
        let times = ratio(behind.records, behind.time)?;
        let scaled = |share: Option<f64>| share.map(|share| (share * times).min(1.0));
        let thread = |thread: &Option<BusyThread>| {
            let mut thread = thread.clone()?;
            thread.running = (thread.running * times).min(1.0);
            thread.wanting = (thread.wanting * times).min(1.0);
            Some(thread)
        };
        let mut scaled_figures = Observed {
            seconds: Some(behind.seconds),
            machine: None,
            others: Vec::new(),
            working: scaled(self.working),
            committing: scaled(self.committing),
            store: self.store.clone().map(|store| StoreSummary {
                in_transactions: scaled(store.in_transactions),
                // What the sessions were met in is known for the complete trial only.
                sessions: None,
                ..store
            }),
            waiting: None,
            thread: thread(&self.thread),
            fetcher: thread(&self.fetcher),
            awaited: None,
            throttled: self.throttled.map(|share| (share / behind.time).min(1.0)),
            behind: None,
            limits: self.limits.without_what_was_left(),
            ..self.clone()
        };
        if let Some(load) = &mut scaled_figures.load {
            load.behind = true;
        }
        if let Some(in_order) = &mut scaled_figures.in_order {
            in_order.working = (in_order.working * times).min(1.0);
        }
        let members = scaled_figures.skew.iter_mut().flat_map(|skew| &mut skew.working);
        members.for_each(|(share, _)| *share = (*share * times).min(1.0));
        Some(scaled_figures)
    }
}

fn lower_median(mut counts: Vec<u32>) -> u32 {
    counts.sort_unstable();
    let middle = counts.len().saturating_sub(1) / 2;
    counts.get(middle).copied().unwrap_or(0)
}

fn machine(trials: &[&Measurement]) -> Option<Machine> {
    let observed: Vec<&Measurement> = trials
        .iter()
        .copied()
        .filter(|m| m.host.wall_ns > 0 && m.host.cpu != HostCpu::default())
        .collect();
    let of_each = |figure: &dyn Fn(&Measurement) -> Option<f64>| {
        median(&observed.iter().filter_map(|m| figure(m)).collect::<Vec<f64>>())
    };
    let in_cores = |m: &Measurement, ns: u64| ns as f64 / m.host.wall_ns as f64;
    let quota = |m: &Measurement| under_quota(&m.host, busy_cores(m)?);
    Some(Machine {
        cores: of_each(&|m| {
            let cores = f64::from(m.host.cores) - in_cores(m, m.host.cpu.steal_ns);
            let cores = quota(m).map_or(cores, |(quota, _)| quota.min(cores));
            (cores > 0.0).then_some(cores)
        })?,
        busy: of_each(&|m| quota(m).map(|(_, used)| used).or_else(|| busy_cores(m)))?,
        clients: of_each(&|m| {
            let here = m.processes.iter().filter(|process| m.is_here(process.host));
            let windows = here.map(|process| Some(process.window.as_ref()?.cpu_ns));
            Some(in_cores(m, windows.sum::<Option<u64>>()?))
        }),
        brokers: of_each(&|m| {
            let brokers = &m.host.brokers_cpu_ns;
            (!brokers.is_empty()).then(|| in_cores(m, brokers.iter().sum()))
        }),
        store: of_each(&|m| Some(in_cores(m, m.host.store_cpu_ns?))),
        others: of_each(&|m| Some(in_cores(m, m.host.others_cpu_ns)))?,
        pressure: of_each(&|m| Some(in_cores(m, m.host.pressure_ns?).min(1.0))),
    })
}

/// The other machines; medians over the trials that had them.
fn others(trials: &[&Measurement]) -> Vec<(String, Machine)> {
    let of_trials = || {
        trials
            .iter()
            .flat_map(|m| m.other_hosts.iter().map(move |host| (*m, host)))
    };
    let names: BTreeSet<&String> = of_trials().map(|(_, host)| &host.ssh).collect();
    let machine = |name: &String| {
        let here: Vec<_> = of_trials().filter(|(_, host)| host.ssh == *name).collect();
        let of_each = |figure: &dyn Fn(&Measurement, &OtherHost) -> Option<f64>| {
            median(
                &here
                    .iter()
                    .filter_map(|(m, host)| figure(m, host))
                    .collect::<Vec<f64>>(),
            )
        };
        let busy = |host: &OtherHost| {
            let (busy, cores) = host.measured.busy_of_cores()?;
            Some(under_quota(&host.measured, busy).map_or((cores, busy), |(quota, used)| (quota.min(cores), used)))
        };
        let in_cores = |host: &OtherHost, ns: u64| ns as f64 / host.measured.wall_ns as f64;
        let machine = Machine {
            cores: of_each(&|_, host| Some(busy(host)?.0))?,
            busy: of_each(&|_, host| Some(busy(host)?.1))?,
            clients: of_each(&|m, host| {
                let there = m.processes.iter().filter(|process| host.has(process.host));
                let windows = there.map(|process| Some(process.window.as_ref()?.cpu_ns));
                Some(in_cores(host, windows.sum::<Option<u64>>()?))
            }),
            brokers: None,
            store: None,
            others: of_each(&|_, host| Some(in_cores(host, host.measured.others_cpu_ns)))?,
            pressure: of_each(&|_, host| Some(in_cores(host, host.measured.pressure_ns?).min(1.0))),
        };
        Some((name.clone(), machine))
    };
    names.into_iter().filter_map(machine).collect()
}

fn load(trials: &[&Measurement]) -> Option<LoadSeen> {
    let loads: Vec<_> = trials.iter().filter_map(|m| m.load.as_ref()).collect();
    let half = loads.len() as f64 / 2.0;
    let of_each =
        |figure: &dyn Fn(&LoadMeasurement) -> f64| median(&loads.iter().map(|load| figure(load)).collect::<Vec<f64>>());
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
