//! Another machine on which a trial has worker processes: what it is, and what it did during the trial.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::clock;
use super::host::{HostCpu, HostMeasurement};
use super::limits::{Kernel, LimitWatch, Limits, QuotaEffect};
use super::tree::{marked, with_descendants};
use super::usage::{HostProcessors, cpu_ns_of, host_pressure_ns};
use crate::time::HostId;

/// What a machine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// Its name, as it says it itself.
    pub name: String,
    /// Names its clock, as [`clock::host`] does.
    pub clock: Option<String>,
    /// Release of its kernel.
    pub kernel: String,
    /// Logical processors that worker processes may run on.
    pub cores: u32,
    /// Logical processors of the machine.
    pub machine_cores: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
}

impl HostFacts {
    /// Of the machine that this process runs on.
    pub fn of_this_machine() -> Self {
        let limits = Limits::of_this_process(&Kernel::running());
        let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        HostFacts {
            name: text("/proc/sys/kernel/hostname"),
            clock: clock::host(),
            kernel: text("/proc/sys/kernel/osrelease"),
            cores: limits.cores,
            machine_cores: limits.machine_cores,
            memory_bytes: limits.machine_memory_bytes,
        }
    }

    /// True for two descriptions of one machine, by whatever ways it was reached.
    pub fn is_same_machine(&self, other: &HostFacts) -> bool {
        self.has_clock(other.clock.as_deref())
    }

    /// True for a clock of this machine, by the name that [`clock::host`] gives it there.
    pub fn has_clock(&self, name: Option<&str>) -> bool {
        boot(self.clock.as_deref()).is_some_and(|own| Some(own) == boot(name))
    }

    /// True for the machine that this process runs on, whatever clock it was asked through.
    pub fn is_this_machine(&self) -> bool {
        self.has_clock(clock::host().as_deref())
    }
}

/// The part of a clock's name that all clocks of a machine share.
fn boot(clock: Option<&str>) -> Option<String> {
    clock.and_then(|name| Some(name.split(' ').next()?.to_owned()))
}

/// By which processes of a run are known: a variable of their environment, and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunMark {
    /// Name of the variable.
    pub variable: String,
    /// Its value.
    pub value: String,
}

impl RunMark {
    /// The variable of the processes that hold the run's connections to a machine.
    pub fn connection_variable(&self) -> String {
        format!("{}_CONNECTION", self.variable)
    }
}

/// Tells the process that samples a machine that its trial ended in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialOver {
    /// Id of the run.
    pub run_id: String,
    /// How the names of members of the trial's programs begin. What is left of these programs is ended.
    pub programs: String,
}

/// How far a machine and the worker processes on it had come at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostReading {
    /// Time of the reading, by the clock of its host.
    pub at_ns: u64,
    /// CPU time of the processors that worker processes may run on; `None` where it cannot be read.
    pub cpu: Option<HostCpu>,
    /// As [`HostMeasurement::pressure_ns`].
    pub pressure_ns: Option<u64>,
    /// CPU time of the run's processes, those left out that have ended.
    pub ours_ns: u64,
    /// What the CPU quotas on them did until then; a process of a version before does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<QuotaEffect>,
}

impl HostReading {
    /// Reads this machine now; `mark` is that of the run.
    pub fn take(mark: &RunMark) -> Self {
        let processes = with_descendants(&marked(&mark.variable, |value| value == mark.value));
        let watch = LimitWatch::find(&Kernel::running(), &processes, &[]);
        let used = processes.iter().filter_map(|pid| cpu_ns_of(*pid)).sum::<u64>();
        HostReading {
            at_ns: clock::now_ns(),
            cpu: HostProcessors::read().map(|all| all.of(&watch.clients)),
            pressure_ns: host_pressure_ns(),
            ours_ns: used + clock::process_cpu_ns(),
            quotas: watch.until_now(),
        }
    }

    /// What passed since an `earlier` reading of the same machine.
    pub fn since(&self, earlier: &HostReading, facts: &HostFacts) -> HostMeasurement {
        let wall_ns = self.at_ns.saturating_sub(earlier.at_ns);
        let cpu = match (&self.cpu, &earlier.cpu) {
            (Some(now), Some(before)) => now.since(before),
            _ => HostCpu::default(),
        };
        let busy_ns = (wall_ns * u64::from(facts.cores)).saturating_sub(cpu.idle_ns + cpu.iowait_ns + cpu.steal_ns);
        let ours = self.ours_ns.saturating_sub(earlier.ours_ns);
        HostMeasurement {
            wall_ns,
            cores: facts.cores,
            machine_cores: (facts.machine_cores > facts.cores).then_some(facts.machine_cores),
            others_cpu_ns: if cpu == HostCpu::default() {
                0
            } else {
                busy_ns.saturating_sub(ours)
            },
            cpu,
            pressure_ns: (self.pressure_ns.zip(earlier.pressure_ns)).map(|(now, before)| now.saturating_sub(before)),
            quotas: self
                .quotas
                .iter()
                .filter_map(|now| now.since_any(&earlier.quotas))
                .collect(),
            ..HostMeasurement::default()
        }
    }
}

/// Another machine in a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherHost {
    /// What it is.
    pub facts: HostFacts,
    /// As ssh names it.
    pub ssh: String,
    /// The places that have their workers there.
    pub places: BTreeSet<String>,
    /// Pods of these places there. One of them samples the machine, and sees the limits of itself only.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pods: usize,
    /// The hosts of the trial that are this machine: those whose clocks are its own. Empty in trials of versions that knew
    /// one other machine at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostId>,
    /// What it did between the common start and the end of the trial.
    pub measured: HostMeasurement,
}

impl OtherHost {
    /// True for a process of this machine, which is on this host of the trial.
    pub fn has(&self, host: HostId) -> bool {
        if self.hosts.is_empty() {
            return !host.is_coordinator();
        }
        self.hosts.contains(&host)
    }

    /// Takes what the workers there say that they used out of the figure for other programs: who samples the machine from a
    /// pod does not see those of other pods.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time of a trial, which is not negative"
    )]
    pub fn know_workers(&mut self, used_ns: u64) {
        if let Some((busy, _)) = self.measured.busy_of_cores() {
            let busy_ns = (busy * self.measured.wall_ns as f64) as u64;
            let others = &mut self.measured.others_cpu_ns;
            *others = (*others).min(busy_ns.saturating_sub(used_ns));
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::limits::{Party, Quota};

    #[test]
    fn what_is_neither_idle_nor_of_the_run_is_of_others() {
        let facts = HostFacts {
            cores: 2,
            machine_cores: 4,
            ..HostFacts::of_this_machine()
        };
        let reading = |at_ns, idle_ns, ours_ns| HostReading {
            at_ns,
            cpu: Some(HostCpu {
                user_ns: at_ns,
                idle_ns,
                ..HostCpu::default()
            }),
            pressure_ns: Some(at_ns / 10),
            ours_ns,
            quotas: vec![QuotaEffect {
                quota: Quota {
                    cgroup: "/box".to_owned(),
                    quota_us: 150_000,
                    period_us: 100_000,
                    place: None,
                },
                of: vec![Party::Workers],
                covers_all: true,
                periods: at_ns / 100_000,
                throttled_periods: 1 + at_ns / 200_000,
                throttled_ns: at_ns / 2,
                used_ns: Some(at_ns),
            }],
        };
        let measured = reading(1_000_000, 500_000, 900_000).since(&reading(0, 0, 0), &facts);
        assert_eq!((measured.cores, measured.machine_cores), (2, Some(4)));
        assert_eq!((measured.others_cpu_ns, measured.pressure_ns), (600_000, Some(100_000)));
        let quota = &measured.quotas[0];
        assert_eq!(
            (quota.periods, quota.throttled_periods, quota.used_ns),
            (10, 5, Some(1_000_000))
        );
        assert!((measured.usable_cores() - 1.5).abs() < f64::EPSILON);
        let mut host = OtherHost {
            facts: facts.clone(),
            ssh: "node1".to_owned(),
            places: BTreeSet::new(),
            pods: 2,
            hosts: Vec::new(),
            measured,
        };
        // 1.5 ms were busy.
        for (used_ns, others_ns) in [(900_000, 600_000), (1_400_000, 100_000), (2_000_000, 0)] {
            host.know_workers(used_ns);
            assert_eq!(host.measured.others_cpu_ns, others_ns);
        }
        assert!(facts.is_this_machine());
        let other = HostFacts {
            clock: Some("another-boot time:[1]".to_owned()),
            ..facts
        };
        assert!(!other.is_this_machine());
    }
}
