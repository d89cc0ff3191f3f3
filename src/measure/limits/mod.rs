//! What a container allows its processes: CPU quotas and memory limits of control groups, processors that may be used,
//! numbers of files and processes; and what the limits did while something was measured. Reads the kernel's files, sets the
//! limits of a run's own processes, and judges nothing.

mod affinity;
mod cgroup;
mod confine;
mod kernel;
mod memory;
mod names;
mod process;
mod quota;
#[cfg(test)]
mod tests;
mod watch;

pub use self::affinity::{keep_to, usable_instead};
pub use self::confine::{Allowance, ProcessGroup, RunGroups, remove_groups_of, remove_run_group};
pub use self::kernel::{Kernel, processors};
pub(super) use self::kernel::{pressure_ns, processor_of};
pub use self::memory::{CacheRoom, MemoryEffect, MemoryLimit};
pub use self::names::{AFFINITY, MEMORY_KILL, Party, core_figure, cores, group_name, memory_kill};
pub use self::process::Limits;
pub use self::quota::{Quota, QuotaEffect};
pub use self::watch::{LimitCounters, LimitEffects, LimitWatch};
