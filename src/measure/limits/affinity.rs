//! The processors on which threads may run.

use std::collections::BTreeSet;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use super::kernel::{Kernel, online, usable_processors};

/// The calling thread.
const THIS_THREAD: Pid = Pid::from_raw(0);

/// Keeps the calling thread, and all that it starts from then on, to these processors.
pub fn keep_to(processors: &BTreeSet<u32>) -> Result<(), String> {
    let keep = || {
        let mut set = CpuSet::new();
        for processor in processors {
            set.set(*processor as usize)?;
        }
        sched_setaffinity(THIS_THREAD, &set)?;
        // The kernel leaves out processors that do not exist and says nothing.
        Ok(sched_getaffinity(THIS_THREAD)? == set)
    };
    let cannot = || format!("cannot keep to the processors {}", listed(processors));
    match keep() {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("{}: some of them do not exist here", cannot())),
        Err::<_, nix::Error>(error) => Err(format!("{}: {error}", cannot())),
    }
}

/// Which processors would be right if this process may not run on all of these.
pub fn usable_instead(kernel: &Kernel, processors: &BTreeSet<u32>) -> Option<String> {
    let machine = online(kernel);
    let usable = usable_processors(kernel, "self", &machine);
    if processors.is_subset(&usable) {
        return None;
    }
    let limited = if usable == machine {
        String::new()
    } else {
        format!(": tandem may not run on all of the machine's {}", listed(&machine))
    };
    Some(format!("must be among {}{limited}", listed(&usable)))
}

/// Processors in words: `0-3` without a gap, else `0,2`.
fn listed(processors: &BTreeSet<u32>) -> String {
    match (processors.first(), processors.last()) {
        (Some(first), Some(last)) if first < last && processors.len() == (last - first) as usize + 1 => {
            format!("{first}-{last}")
        }
        _ => processors.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::thread;

    use super::*;
    use crate::measure::limits::processors;

    #[test]
    fn processors_are_listed_as_a_scenario_may_have_them() {
        for list in ["0", "0-3", "0,1,3"] {
            assert_eq!(listed(&processors(list).unwrap()), list);
        }
    }

    #[test]
    fn threads_inherit_the_processors_of_the_thread_that_starts_them() {
        let kernel = Kernel::running();
        let all = usable_processors(&kernel, "self", &online(&kernel));
        let first: BTreeSet<u32> = all.iter().copied().take(1).collect();
        let inherited = thread::spawn({
            let first = first.clone();
            move || {
                keep_to(&first).unwrap();
                let child = || usable_processors(&Kernel::running(), "thread-self", &online(&Kernel::running()));
                thread::spawn(child).join().unwrap()
            }
        });
        assert_eq!(inherited.join().unwrap(), first);
        assert_eq!(usable_processors(&kernel, "self", &online(&kernel)), all);
    }

    #[test]
    fn processors_that_do_not_exist_are_refused_alone_and_among_others() {
        for list in ["1000", "0,1000"] {
            let refused = thread::spawn(move || keep_to(&processors(list).unwrap()).unwrap_err());
            let refused = refused.join().unwrap();
            assert!(
                refused.starts_with(&format!("cannot keep to the processors {list}: ")),
                "{refused}"
            );
        }
    }
}
