//! The rules that flag a trial or leave it out, fixed before the first trial and stored in the plan.

use serde::{Deserialize, Serialize};

/// When a trial is flagged, and when its figures take no part in estimates. Stored in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ExclusionRules {
    /// Flagged `disturbed` where other programs used more than this share of the machine's cores in the window.
    pub others_cpu_share_flag: f64,
    /// Flagged `disturbed` where the hypervisor took more than this share of the cores in the window.
    pub steal_share_flag: f64,
    /// Flagged `late-start` where a member waited longer than this for its first record, milliseconds.
    pub late_start_flag_ms: f64,
    /// Whether disturbed trials are left out as well.
    pub exclude_disturbed: bool,
    /// Flagged `limited` where a CPU quota was used up in more than this share of its periods in the window.
    #[serde(default)]
    pub throttled_share_flag: Option<f64>,
    /// Flagged `limited` where brokers read more than this share of what was delivered from storage.
    #[serde(default)]
    pub storage_share_flag: Option<f64>,
    /// Left out where something stood still for at least this long, milliseconds; `None` in plans that were made before
    /// there was this rule.
    #[serde(default)]
    pub standstill_ms: Option<f64>,
}

impl Default for ExclusionRules {
    fn default() -> Self {
        ExclusionRules {
            others_cpu_share_flag: 0.05,
            steal_share_flag: 0.01,
            late_start_flag_ms: 100.0,
            exclude_disturbed: false,
            throttled_share_flag: Some(0.05),
            storage_share_flag: Some(0.05),
            standstill_ms: Some(1000.0),
        }
    }
}

impl ExclusionRules {
    /// The least length of a standstill in nanoseconds, where there is such a rule.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of a rule"
    )]
    pub fn standstill_ns(&self) -> Option<u64> {
        Some((self.standstill_ms? * 1e6) as u64)
    }

    /// The rules as sentences for people.
    pub fn sentences(&self) -> Vec<String> {
        let disturbed = if self.exclude_disturbed {
            "is flagged as disturbed and left out"
        } else {
            "is flagged as disturbed and kept"
        };
        let limited = (self.throttled_share_flag.zip(self.storage_share_flag)).map(|(throttled, storage)| {
            format!(
                "A trial in which a CPU quota was used up in more than {:.0} % of its periods, or brokers read more than \
                 {:.0} % of what was delivered from storage, is flagged as limited and kept.",
                throttled * 100.0,
                storage * 100.0
            )
        });
        let standstill = self.standstill_ms.map(|ms| ms / 1e3).map(|seconds| {
            format!(
                "A trial in which a process, a broker or the machine stood still for {seconds} s or more, or in which \
                 nothing arrived for so long that should have, is left out."
            )
        });
        let changes = "A trial in which a broker went away or came is left out.".to_owned();
        let changes = standstill.is_some().then_some(changes);
        let rules = [
            "A trial in which a member had records queued before the start, or read any, is left out.".to_owned(),
            "A trial with a rebalance between its barrier and its last record is left out: a revocation, an assignment \
             beyond the one that the barrier found, or records of a partition that their reader did not hold."
                .to_owned(),
            format!(
                "A trial in which other programs used more than {:.0} % of the machine, or the hypervisor took more \
                 than {:.0} %, by more than the 20 ms to which the kernel's figures are sure, {disturbed}.",
                self.others_cpu_share_flag * 100.0,
                self.steal_share_flag * 100.0
            ),
            format!(
                "A trial in which a member waited more than {:.0} ms for its first record is flagged and kept.",
                self.late_start_flag_ms
            ),
        ];
        rules
            .into_iter()
            .chain(limited)
            .chain(changes)
            .chain(standstill)
            .collect()
    }
}
