//! One clock for all: `CLOCK_MONOTONIC`, in nanoseconds, shared by every process of a host.

use nix::time::{ClockId, clock_gettime};

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
