//! Shares of time and numbers of cores in one trial; `None` where nobody measured them.

use crate::measure::{ClientStatistics, HostCpu, Measurement, MemberMeasurement, ReadingTime};

pub(super) fn ratio(part: f64, total: f64) -> Option<f64> {
    (total > 0.0).then(|| part / total)
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

/// Start to a member's own last record, for the members that read any.
pub(super) fn reading_members(m: &Measurement) -> impl Iterator<Item = (&MemberMeasurement, f64)> {
    let length = |member: &MemberMeasurement| Some(member.last_record_ns?.saturating_sub(m.start_ns) as f64);
    m.members
        .iter()
        .filter_map(move |member| Some((member, length(member)?)))
        .filter(|(_, length_ns)| *length_ns > 0.0)
}

pub(super) fn working(m: &Measurement, threads: f64) -> Option<f64> {
    let observed = || reading_members(m).filter_map(|(member, length_ns)| Some((member.work_ns?, length_ns)));
    let work_ns: u64 = observed().map(|(work_ns, _)| work_ns).sum();
    ratio(
        work_ns as f64,
        observed().map(|(_, length_ns)| length_ns * threads).sum(),
    )
}

/// Microseconds of work per record over all trials, as the figure `work_us_mean`.
pub(super) fn work_us(trials: &[&Measurement]) -> Option<f64> {
    let members = || trials.iter().flat_map(|m| &m.members);
    let observed = || members().filter_map(|member| Some((member.work_ns?, member)));
    let records: u64 = observed().map(|(_, member)| member.records()).sum();
    let work_ns: u64 = observed().map(|(work_ns, _)| work_ns).sum();
    ratio(work_ns as f64 / 1e3, records as f64)
}

pub(super) fn of_reading(m: &Measurement, ns: impl Fn(&ReadingTime) -> u64) -> Option<f64> {
    let observed = || reading_members(m).filter_map(|(member, length_ns)| Some((member.reading?, length_ns)));
    let spent: u64 = observed().map(|(time, _)| ns(&time)).sum();
    let total_ns: f64 = observed()
        .map(|(time, length_ns)| f64::from(time.readers) * length_ns)
        .sum();
    ratio(spent as f64, total_ns).map(|share| share.min(1.0))
}

pub(super) fn process_cores(m: &Measurement) -> Option<f64> {
    let windows = m.processes.iter().filter_map(|process| process.window.as_ref());
    windows
        .filter_map(|window| ratio(window.cpu_ns as f64, window.wall_ns as f64))
        .reduce(f64::max)
}

/// Members weigh by the time that their statistics cover.
pub(super) fn of_clients(m: &Measurement, share: fn(&ClientStatistics) -> Option<f64>) -> Option<f64> {
    let clients = || m.members.iter().filter_map(|member| member.client);
    let covered: f64 = clients().filter(|c| c.brokers > 0).map(|c| c.covered_ns() as f64).sum();
    let shares = clients().filter_map(|c| Some(share(&c)? * c.covered_ns() as f64));
    ratio(shares.sum(), covered)
}
