//! What one trial recorded: times in `CLOCK_MONOTONIC` nanoseconds of the coordinator's host, counts and bytes as
//! integers, nothing derived that can be computed again.

use serde::{Deserialize, Serialize};

use super::elsewhere::OtherHost;
use super::group::{GroupEpoch, GroupLook};
use super::host::HostMeasurement;
use super::interruption::Interruptions;
use super::latency::{CompactLatencies, Latencies, LatencyPart, LatencyRecorder};
use super::limits::QuotaEffect;
use super::load::LoadMeasurement;
use super::member::MemberMeasurement;
use super::outside::Outside;
use super::planned::{MembershipTimes, PlannedAct};
use super::process::ProcessMeasurement;
use super::roles::BrokerRoles;
use super::stored::StoreMeasurement;
use crate::time::{HostClocks, HostId};

/// The figures of one trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The common start: the time at which all members begin to read.
    pub start_ns: u64,
    /// The first process was being started.
    pub spawn_ns: u64,
    /// The coordinator asked all members to subscribe.
    pub subscribe_ns: u64,
    /// The barrier was passed: every member has its assignment and the cluster agrees.
    pub joined_ns: u64,
    /// The last record of the trial was finished, anywhere.
    pub end_ns: u64,
    /// The last process sent its result; `None` in runs of versions that did not note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results_ns: Option<u64>,
    /// The last process had left its group and ended; `None` as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ns: Option<u64>,
    /// Records that each group was to read.
    pub records_expected: u64,
    /// Records lost, over all groups.
    pub lost: u64,
    /// Records read twice by one owner, over all groups.
    pub duplicated: u64,
    /// Records read again after a change of owner.
    pub redelivered: u64,
    /// Offsets of what was to be read that hold no record for readers (control records, records of aborted transactions
    /// and compacted ones), over all groups.
    pub not_delivered: u64,
    /// Records that the cluster had removed before they were read, as its retention does, over all groups.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub removed: u64,
    /// Of each worker process.
    pub processes: Vec<ProcessMeasurement>,
    /// Of each member, groups outermost, then processes, then consumers.
    pub members: Vec<MemberMeasurement>,
    /// The machine and its brokers between start and end.
    pub host: HostMeasurement,
    /// What could not be observed, and why; empty for tandem's own workers.
    pub not_observed: Vec<String>,
    /// Of the records that arrived, in live and mixed trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadMeasurement>,
    /// What stood still, went or came meanwhile.
    #[serde(default, skip_serializing_if = "Interruptions::is_unknown")]
    pub interruptions: Interruptions,
    /// What was done on purpose to those who took part, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<PlannedAct>,
    /// What the coordinators of the groups said of them, in order; recorded where something is done on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_looks: Vec<GroupLook>,
    /// The epochs of groups of the consumer protocol on brokers that the run started, in order; recorded like those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_epochs: Vec<GroupEpoch>,
    /// Which broker was what; recorded where something is done to brokers on purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<BrokerRoles>,
    /// How members show that they live, in trials with planned acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership: Option<MembershipTimes>,
    /// The clocks of the other hosts that took part, in the order of their ids; a time of one of them is as wrong as its
    /// bound says.
    #[serde(default, skip_serializing_if = "HostClocks::is_empty")]
    pub clocks: HostClocks,
    /// Other machines with worker processes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_hosts: Vec<OtherHost>,
    /// Of readers that speak nothing; `None` of workers that speak the protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<Outside>,
    /// Of the store that members write to; `None` where they write to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreMeasurement>,
    /// Of all partitions together, where [`Measurement::condense`] keeps no more.
    #[serde(skip)]
    pub overall: Option<CompactLatencies>,
}

/// What a CPU quota did on a machine of a trial.
#[derive(Debug, Clone, Copy)]
pub struct QuotaOnHost<'a> {
    /// As ssh names the machine; `None` for this one.
    pub host: Option<&'a str>,
    /// What the machine did.
    pub measured: &'a HostMeasurement,
    /// What the quota did.
    pub effect: &'a QuotaEffect,
}

impl QuotaOnHost<'_> {
    /// The name of the quota, with the machine if it is another one and no place says so.
    pub fn name(&self) -> String {
        let name = self.effect.quota.name();
        let host = self.host.filter(|_| self.effect.quota.place().is_none());
        host.map_or(name.clone(), |host| format!("{name} on host {host}"))
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Measurement {
    /// Keeps of the latencies only those of all partitions together. A histogram takes a hundred kilobytes and a trial
    /// has five for each partition: a report of thousands of trials would need all memory for what it does not show.
    pub fn condense(&mut self) {
        self.overall = self.latencies().as_ref().map(CompactLatencies::from);
        for partition in self.members.iter_mut().flat_map(|member| &mut member.partitions) {
            partition.latencies = None;
        }
    }

    /// False where readers began when they were started, whatever the common start: nothing holds a program that speaks
    /// nothing, so of its backlog only the stopwatch tells.
    pub fn has_read_time(&self) -> bool {
        self.outside.is_none() || self.load.is_some()
    }

    /// Nanoseconds from the common start to the last record finished.
    pub fn read_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }

    /// Nanoseconds from the first process being started to the last record finished.
    pub fn stopwatch_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.spawn_ns)
    }

    /// The most by which response times are wrong: they begin on the clock of a producer's host and end on that of a
    /// reader's. 0 where both are of one host, as with a producer beside each consumer.
    pub fn response_bound_ns(&self) -> u64 {
        let between = self.load.iter().filter(|load| !load.is_beside);
        let producers = between.flat_map(|load| &load.producers);
        let bounds = producers.flat_map(|producer| {
            let readers = self.processes.iter();
            readers.map(|reader| self.clocks.bound_between_ns(producer.host, reader.host))
        });
        bounds.max().unwrap_or(0)
    }

    /// True for a host that is the coordinator's machine, as far as the machines of the trial are known.
    pub fn is_here(&self, host: HostId) -> bool {
        host.is_coordinator() || !self.other_hosts.is_empty() && !self.other_hosts.iter().any(|other| other.has(host))
    }

    /// The CPU quotas on processes of the trial, on whatever machine.
    pub fn quotas(&self) -> impl Iterator<Item = QuotaOnHost<'_>> {
        let others = self
            .other_hosts
            .iter()
            .map(|other| (Some(other.ssh.as_str()), &other.measured));
        let hosts = std::iter::once((None, &self.host)).chain(others);
        hosts.flat_map(|(host, measured)| {
            let quotas = measured.quotas.iter();
            quotas.map(move |effect| QuotaOnHost { host, measured, effect })
        })
    }

    /// Seconds from the common start to this time.
    pub fn since_start_s(&self, at_ns: u64) -> f64 {
        at_ns.saturating_sub(self.start_ns) as f64 / 1e9
    }

    /// Nanoseconds from the request to subscribe until the barrier was passed.
    pub fn join_ns(&self) -> u64 {
        self.joined_ns.saturating_sub(self.subscribe_ns)
    }

    /// True where a member's process was started in the middle of the trial, for the first time or again.
    pub fn was_started_later(&self, member: &MemberMeasurement) -> bool {
        self.acts.iter().any(|act| act.starts(member))
    }

    /// True where something was done to a broker on purpose.
    pub fn acted_on_brokers(&self) -> bool {
        self.acts.iter().any(PlannedAct::is_on_broker)
    }

    /// True where something was done to the store on purpose.
    pub fn acted_on_store(&self) -> bool {
        self.acts.iter().any(PlannedAct::is_on_store)
    }

    /// Members that held no partition when reading began. Where no member of a group is seen with one, its assignment was
    /// not observed, which is not idleness.
    pub fn idle_members(&self) -> impl Iterator<Item = &MemberMeasurement> {
        let is_observed = |group| self.members.iter().any(|m| m.group == group && !m.assigned.is_empty());
        let idle = self.members.iter().filter(|member| member.assigned.is_empty());
        let idle = idle.filter(|member| !self.was_started_later(member));
        idle.filter(move |member| is_observed(member.group))
    }

    /// Records delivered over all groups.
    pub fn records(&self) -> u64 {
        self.members.iter().map(MemberMeasurement::records).sum()
    }

    /// Records per second over all groups: from the common start to the last record, and where records arrive those
    /// finished in the window over its length. Whatever is drained after it has no part in the rate.
    pub fn records_per_second(&self) -> f64 {
        let until_last_record = || self.records() as f64 / (self.read_ns().max(1) as f64 / 1e9);
        let Some(load) = self.load.as_ref().filter(|load| load.window_ns() > 0) else {
            return until_last_record();
        };
        let window = [load.window_from_ns, load.window_end_ns].map(|at_ns| at_ns.saturating_sub(self.start_ns));
        let partitions = self.members.iter().flat_map(|member| &member.partitions);
        let finished = partitions.map(|p| Some(p.series.as_ref()?.between(window)));
        let finished: Option<f64> = finished.sum();
        finished.map_or_else(until_last_record, |records| records / (load.window_ns() as f64 / 1e9))
    }

    /// How long the records of the window waited, over all members; `None` if it was not measured.
    pub fn latencies(&self) -> Option<Latencies> {
        if let Some(overall) = &self.overall {
            return Some(overall.unpack());
        }
        let of_partitions = self.members.iter().flat_map(|member| &member.partitions);
        Latencies::merged(of_partitions.filter_map(|partition| partition.latencies.as_ref()))
    }

    /// One part of [`Measurement::latencies`].
    pub fn latency(&self, part: LatencyPart) -> Option<LatencyRecorder> {
        match &self.overall {
            Some(overall) => Some(overall.unpack_part(part)),
            None => self.latencies().map(|latencies| latencies.part(part).clone()),
        }
    }

    /// What brokers here read from storage as a share of what was delivered; `None` where it is not known.
    pub fn storage_share(&self) -> Option<f64> {
        let (read, delivered) = (self.host.brokers_storage_read_bytes?, self.bytes());
        (delivered > 0).then(|| read as f64 / delivered as f64)
    }

    /// Bytes of keys and values delivered over all groups.
    pub fn bytes(&self) -> u64 {
        self.members.iter().flat_map(|m| &m.partitions).map(|p| p.bytes).sum()
    }
}
