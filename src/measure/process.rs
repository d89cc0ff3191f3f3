//! What a process recorded of itself: when it was ready, and which resources it used.

use serde::{Deserialize, Serialize};

use crate::time::HostId;

/// What one worker process recorded of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessMeasurement {
    /// The group it belongs to, from 0.
    pub group: u32,
    /// Its number within the group, from 0.
    pub process: u32,
    /// Its host.
    #[serde(default, skip_serializing_if = "HostId::is_coordinator")]
    pub host: HostId,
    /// Process id on its host.
    pub pid: u32,
    /// Client name, such as `librdkafka`.
    pub client: String,
    /// Client version, such as `2.12.1`.
    pub client_version: String,
    /// It was being started.
    pub spawn_ns: u64,
    /// It had introduced itself.
    pub hello_ns: u64,
    /// Its consumers were made and the cluster answered.
    pub ready_ns: u64,
    /// Resources from the common start to its last record (to the end of the trial where it read none).
    pub window: Option<ProcessUsage>,
    /// Resources from its start to its end.
    pub stopwatch: Option<ProcessUsage>,
}

/// Resources that a process used over an interval.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProcessUsage {
    /// Length of the interval.
    pub wall_ns: u64,
    /// CPU time of all threads.
    pub cpu_ns: u64,
    /// Voluntary context switches.
    pub voluntary_switches: u64,
    /// Involuntary context switches.
    pub involuntary_switches: u64,
    /// Peak resident memory so far, in bytes.
    pub peak_memory_bytes: u64,
    /// Of each thread that used any CPU.
    pub threads: Vec<ThreadUsage>,
    /// Time in garbage collection; `None` where the process' runtime has none, or does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gc_ns: Option<u64>,
    /// Bytes of all objects that its runtime allocated; `None` where it does not count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocated_bytes: Option<u64>,
}

/// CPU time of a thread over an interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadUsage {
    /// Its name, as the kernel has it.
    pub name: String,
    /// Nanoseconds running.
    pub cpu_ns: u64,
    /// Nanoseconds ready to run but waiting for a core.
    pub wait_ns: u64,
}
