//! Meets a worker of each build at each place before the first trial: what it can do, and how fast its work loop and its
//! sleep are there.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::timeout;

use super::fleet::{Fleet, FleetNews, Launch};
use crate::protocol::{Capability, FromWorker, Hello, ToWorker, WorkCalibration};
use crate::trial::ActorId;

/// As whom the worker is met: there is no other.
const MET: ActorId = ActorId::Reader(0);

/// A worker needs about half a second for it.
const LIMIT: Duration = Duration::from_secs(20);

/// Calibrations of two builds that differ by less than this share are of one speed: the loop is the same, and so much
/// is between two calibrations of one build.
const SAME_SHARE: f64 = 0.05;

/// The same for a sleep's excess, nanoseconds.
const SAME_EXCESS_NS: u64 = 20_000;

/// What work costs each build of each app at each place.
///
/// Where builds agree, all get what the first has measured: the chance that is in two calibrations would be a difference
/// between the builds in every trial of the run.
#[derive(Debug, Default)]
pub struct Calibrations(Vec<BTreeMap<(usize, usize), WorkCalibration>>);

impl Calibrations {
    /// The calibrations of the next build, by app and place.
    pub fn add_build(&mut self, measured: BTreeMap<(usize, usize), WorkCalibration>) {
        let settled = measured.into_iter().map(|(met, measured)| {
            let first = self.0.first().and_then(|first| first.get(&met));
            (met, first.map_or(measured, |first| settle(*first, measured)))
        });
        let settled = settled.collect();
        self.0.push(settled);
    }

    /// Of one build of an app at one place.
    pub fn of(&self, build: usize, app: usize, place: usize) -> WorkCalibration {
        self.0[build].get(&(app, place)).copied().unwrap_or_default()
    }
}

fn settle(first: WorkCalibration, measured: WorkCalibration) -> WorkCalibration {
    let apart = (measured.iterations_per_us - first.iterations_per_us).abs();
    WorkCalibration {
        iterations_per_us: if apart <= first.iterations_per_us * SAME_SHARE {
            first.iterations_per_us
        } else {
            measured.iterations_per_us
        },
        sleep_excess_ns: if measured.sleep_excess_ns.abs_diff(first.sleep_excess_ns) <= SAME_EXCESS_NS {
            first.sleep_excess_ns
        } else {
            measured.sleep_excess_ns
        },
    }
}

/// Starts one worker and returns how it introduced itself and, where it is to `work` and can calibrate, what it measured.
pub async fn meet(
    fleet: &mut impl Fleet,
    launch: &Launch,
    work: bool,
) -> Result<(Hello, Option<WorkCalibration>), String> {
    fleet.start(MET, launch)?;
    let answer = timeout(LIMIT, ask(fleet, work)).await;
    fleet.shutdown(Duration::from_secs(2)).await;
    answer.unwrap_or_else(|_| Err(format!("it did not answer within {} s", LIMIT.as_secs())))
}

async fn ask(fleet: &mut impl Fleet, work: bool) -> Result<(Hello, Option<WorkCalibration>), String> {
    let mut introduced = None;
    loop {
        let message = match fleet.next().await.what {
            FleetNews::Message(message) => *message,
            // Lines before the introduction are somebody's log.
            FleetNews::Garbage(_) => continue,
            FleetNews::Ended(how) => return Err(how),
        };
        match (message, introduced.take()) {
            (FromWorker::Hello(hello), None) if work && hello.capabilities.contains(&Capability::Calibrate) => {
                introduced = Some(hello);
                fleet.send(MET, &ToWorker::Calibrate);
            }
            (FromWorker::Hello(hello), None) => return Ok((hello, None)),
            (FromWorker::Calibrated(calibration), Some(hello)) => return Ok((hello, Some(calibration))),
            (_, None) => return Err("it did not introduce itself first".to_owned()),
            (_, hello) => introduced = hello,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(iterations_per_us: f64, sleep_excess_ns: u64) -> WorkCalibration {
        WorkCalibration {
            iterations_per_us,
            sleep_excess_ns,
        }
    }

    fn measured(iterations_per_us: f64, sleep_excess_ns: u64) -> BTreeMap<(usize, usize), WorkCalibration> {
        BTreeMap::from([((0, 0), of(iterations_per_us, sleep_excess_ns))])
    }

    #[test]
    fn builds_that_agree_work_by_the_calibration_of_the_first_and_others_by_their_own() {
        let mut calibrations = Calibrations::default();
        calibrations.add_build(measured(400.0, 55_000));
        calibrations.add_build(measured(408.0, 61_000));
        calibrations.add_build(measured(600.0, 150_000));
        assert_eq!(calibrations.of(0, 0, 0), of(400.0, 55_000));
        assert_eq!(calibrations.of(1, 0, 0), calibrations.of(0, 0, 0));
        assert_eq!(calibrations.of(2, 0, 0), of(600.0, 150_000));
        assert_eq!(
            calibrations.of(2, 1, 0),
            WorkCalibration::default(),
            "an app that was not met"
        );
    }
}
