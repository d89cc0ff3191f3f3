//! The files in which the kernel describes processes and control groups: those of this machine, or recordings of
//! others.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The tree that has `/proc` and `/sys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    root: PathBuf,
}

impl Kernel {
    /// The running kernel.
    pub fn running() -> Self {
        Self::recorded("/")
    }

    /// A recording below a folder, with the same paths as below `/`.
    pub fn recorded(root: impl Into<PathBuf>) -> Self {
        Kernel { root: root.into() }
    }

    /// Where a file given by its absolute path is.
    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The text of a file given by its absolute path; `None` where it cannot be read.
    pub(super) fn read(&self, path: impl AsRef<Path>) -> Option<String> {
        fs::read_to_string(self.path(path)).ok()
    }

    /// The number that a file holds alone.
    pub(super) fn number(&self, path: impl AsRef<Path>) -> Option<u64> {
        self.read(path)?.trim().parse().ok()
    }
}

/// The first number of the line that starts with `name`, followed by a blank or a colon: `nr_periods 305`,
/// `MemTotal:  24683936 kB`.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    let after = |line: &'_ str| {
        let rest = line.strip_prefix(name)?;
        let rest = rest.strip_prefix(':').or_else(|| rest.strip_prefix(' '))?;
        rest.split_whitespace().next()?.parse().ok()
    };
    text.lines().find_map(after)
}

/// A field of a file in KiB, as bytes.
pub(super) fn kib_field(text: &str, name: &str) -> Option<u64> {
    field(text, name)?.checked_mul(1024)
}

/// The processors in a list such as `0-3,8` or `0-6:2`; `None` for any other text.
pub fn processors(list: &str) -> Option<BTreeSet<u32>> {
    let mut processors = BTreeSet::new();
    for part in list.trim().split(',') {
        let (range, step) = part.trim().split_once(':').unwrap_or((part.trim(), "1"));
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let step: usize = step.parse().ok().filter(|step| *step > 0)?;
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        processors.extend((first..=last).step_by(step));
    }
    Some(processors)
}

/// Time in which some thread waited, by the text of a pressure file of the machine or of a control group.
pub(crate) fn pressure_ns(text: &str) -> Option<u64> {
    let some = text.lines().find(|line| line.starts_with("some "))?;
    let total_us: u64 = some.rsplit_once("total=")?.1.trim().parse().ok()?;
    total_us.checked_mul(1_000)
}

/// The machine's processors that are online.
pub(super) fn online(kernel: &Kernel) -> BTreeSet<u32> {
    let listed = kernel
        .read("/sys/devices/system/cpu/online")
        .and_then(|list| processors(&list));
    listed.unwrap_or_else(|| {
        let stat = kernel.read("/proc/stat").unwrap_or_default();
        stat.lines().filter_map(processor_of).collect()
    })
}

/// The number of the processor that a line of `/proc/stat` is about.
pub(crate) fn processor_of(line: &str) -> Option<u32> {
    line.strip_prefix("cpu")?.split(' ').next()?.parse().ok()
}

/// Of the machine's processors those that a process may run on; all where it is gone.
pub(super) fn usable_processors(kernel: &Kernel, process: &str, machine: &BTreeSet<u32>) -> BTreeSet<u32> {
    let status = kernel.read(format!("/proc/{process}/status")).unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    match list.and_then(processors) {
        // The kernel lists processors that are not there, too.
        Some(allowed) => machine.intersection(&allowed).copied().collect(),
        None => machine.clone(),
    }
}

pub(super) fn count(processors: &BTreeSet<u32>) -> u32 {
    u32::try_from(processors.len()).unwrap_or(u32::MAX)
}
