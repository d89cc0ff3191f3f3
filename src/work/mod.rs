//! What is done with records: a handler for each thread that works, with a connection of its own where it needs one.
//! Knows neither the client library nor groups; its caller commits what a handler says is safe.

mod cpu;
mod handler;
mod none;
mod wait;

pub use handler::{Failure, Handler, Record, UseHandlers};
pub use none::Nothing;

use crate::protocol::WorkCalibration;
use crate::scenario::Work;

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
    Ok(match work {
        Work::None => user.use_handlers(for_each_thread(threads, || Ok(Nothing))?),
        Work::Cpu { ns } => user.use_handlers(for_each_thread(threads, || {
            Ok(cpu::Compute::new(ns, calibration.iterations_per_us))
        })?),
        Work::Wait { ns } => user.use_handlers(for_each_thread(threads, || {
            Ok(wait::Wait::new(ns, calibration.sleep_excess_ns))
        })?),
    })
}

fn for_each_thread<H>(threads: usize, open: impl Fn() -> Result<H, String>) -> Result<Vec<H>, String> {
    let handlers: Result<Vec<H>, String> = (0..threads).map(|_| open()).collect();
    handlers.map_err(|cause| format!("cannot prepare the work: {cause}"))
}

/// Measures the work loop and the sleep of this machine; takes about a quarter of a second.
pub fn calibrate() -> WorkCalibration {
    // In a thread of its own: the timer slack of the caller stays as it is.
    let excess = std::thread::spawn(wait::sleep_excess_ns).join();
    WorkCalibration {
        iterations_per_us: cpu::iterations_per_us(),
        sleep_excess_ns: excess.unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calibration_is_in_iterations_per_microsecond() {
        // A core does from some tens to some thousands of these in a microsecond: a unit that is wrong is a thousand
        // times off.
        let calibration = calibrate();
        assert!(
            (20.0..10_000.0).contains(&calibration.iterations_per_us),
            "{calibration:?}"
        );
        assert!(calibration.sleep_excess_ns > 0, "{calibration:?}");
    }

    #[test]
    fn a_handler_that_cannot_be_opened_says_why_and_leaves_none_behind() {
        let opened = std::cell::Cell::new(0);
        let open = || match opened.replace(opened.get() + 1) {
            0 | 1 => Ok(Nothing),
            _ => Err("the database refuses the password".to_owned()),
        };
        let refused = for_each_thread(4, open).map(|handlers| handlers.len());
        assert_eq!(
            refused,
            Err("cannot prepare the work: the database refuses the password".to_owned())
        );
        assert_eq!(opened.get(), 3, "the fourth is not tried");
    }
}
