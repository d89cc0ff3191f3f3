//! What is done with records: a handler for each thread that works, with a connection of its own where it needs one.
//! Knows neither the client library nor groups; its caller commits what a handler says is safe.

mod handler;
mod local;
mod store;

pub use handler::{Failure, Handler, Record, UseHandlers};
pub use local::{Nothing, calibrate};
pub use store::{StoreCounts, UnansweredRun};

use crate::protocol::{StoreOrder, WorkCalibration};
use crate::scenario::Work;
use local::{Compute, Wait};
use store::Store;

/// What a member's threads are to do.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// What is done with each record.
    pub work: Work,
    /// What the work loop and a sleep cost here.
    pub calibration: WorkCalibration,
    /// Where records go with [`Work::Store`], and how.
    pub store: Option<&'a StoreOrder>,
    /// What others call the member: its `client.id`.
    pub name: &'a str,
    /// Counts what its threads do with the store.
    pub counts: &'a StoreCounts,
}

/// Opens a handler for each of so many threads, all before any of them is used.
///
/// # Errors
/// Why one could not be opened.
pub fn open<U: UseHandlers>(task: Task<'_>, threads: usize, user: U) -> Result<U::Output, String> {
    let calibration = task.calibration;
    match task.work {
        Work::None => for_each_thread(threads, user, || Ok(Nothing)),
        Work::Cpu { ns } => for_each_thread(threads, user, || Ok(Compute::new(ns, calibration.iterations_per_us))),
        Work::Wait { ns } => for_each_thread(threads, user, || Ok(Wait::new(ns, calibration.sleep_excess_ns))),
        Work::Store => for_each_thread(threads, user, || {
            let order = task.store.ok_or("the order has no `store`")?;
            Store::open(order, task.name, task.counts)
        }),
    }
}

fn for_each_thread<H: Handler, U: UseHandlers>(
    threads: usize,
    user: U,
    open: impl Fn() -> Result<H, String>,
) -> Result<U::Output, String> {
    let handlers: Result<Vec<H>, String> = (0..threads).map(|_| open()).collect();
    let handlers = handlers.map_err(|cause| format!("cannot prepare the work: {cause}"))?;
    Ok(user.use_handlers(handlers))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    struct Count;

    impl UseHandlers for Count {
        type Output = usize;

        fn use_handlers<H: Handler>(self, handlers: Vec<H>) -> usize {
            handlers.len()
        }
    }

    #[test]
    fn a_handler_that_cannot_be_opened_says_why_and_none_is_used() {
        let opened = Cell::new(0);
        let open = || match opened.replace(opened.get() + 1) {
            0 | 1 => Ok(Nothing),
            _ => Err("the database refuses the password".to_owned()),
        };
        assert_eq!(
            for_each_thread(4, Count, open),
            Err("cannot prepare the work: the database refuses the password".to_owned())
        );
        assert_eq!(opened.get(), 3, "the fourth is not tried");
        assert_eq!(for_each_thread(4, Count, || Ok(Nothing)), Ok(4));
    }
}
