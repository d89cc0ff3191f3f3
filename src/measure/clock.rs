//! One clock for all: `CLOCK_MONOTONIC`, in nanoseconds, shared by every process of a host.

use std::fs;

use nix::time::{ClockId, clock_gettime};

/// Names the clock that [`now_ns`] reads: processes with the same name read the same one, in containers too. `None` if
/// the kernel does not say.
pub fn host() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    // Kernels before 5.6 have no time namespaces, so all processes read one clock.
    let namespace = fs::read_link("/proc/self/ns/time").unwrap_or_default();
    Some(format!("{} {}", boot.trim(), namespace.display()).trim_end().to_owned())
}

/// Nanoseconds of `CLOCK_MONOTONIC` now.
#[inline]
pub fn now_ns() -> u64 {
    read(ClockId::CLOCK_MONOTONIC)
}

/// Nanoseconds of `CLOCK_BOOTTIME` now, which goes on while the machine is suspended.
pub fn boot_ns() -> u64 {
    read(ClockId::CLOCK_BOOTTIME)
}

/// CPU nanoseconds used by the calling thread.
#[inline]
pub fn thread_cpu_ns() -> u64 {
    read(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

/// CPU nanoseconds used by the calling process, threads that have ended included.
#[inline]
pub fn process_cpu_ns() -> u64 {
    read(ClockId::CLOCK_PROCESS_CPUTIME_ID)
}

#[inline]
fn read(clock: ClockId) -> u64 {
    // These clocks exist on every Linux; the call can only fail for an unknown clock id.
    clock_gettime(clock).map_or(0, |t| {
        t.tv_sec().cast_unsigned() * 1_000_000_000 + t.tv_nsec().cast_unsigned()
    })
}
