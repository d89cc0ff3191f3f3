//! What is done with records: a handler for each thread that works, with a connection of its own where it needs one.
//! Knows neither the client library nor groups; its caller commits what a handler says is safe.

mod handler;
mod local;

pub use handler::{Failure, Handler, Record, UseHandlers};
pub use local::{Nothing, calibrate};

use crate::protocol::WorkCalibration;
use crate::scenario::Work;
use local::{Compute, Wait};

/// Opens a handler for each of so many threads, all before any of them is used.
///
/// # Errors
/// Why one could not be opened.
pub fn open<U: UseHandlers>(
    work: Work,
    calibration: WorkCalibration,
    threads: usize,
    user: U,
) -> Result<U::Output, String> {
    match work {
        Work::None => for_each_thread(threads, user, || Ok(Nothing)),
        Work::Cpu { ns } => for_each_thread(threads, user, || Ok(Compute::new(ns, calibration.iterations_per_us))),
        Work::Wait { ns } => for_each_thread(threads, user, || Ok(Wait::new(ns, calibration.sleep_excess_ns))),
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
