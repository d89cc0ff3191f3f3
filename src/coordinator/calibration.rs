//! Calibrates the work: a worker at the place measures how fast the work loop runs and how long a sleep is there.

use std::time::Duration;

use tokio::time::timeout;

use super::fleet::{Fleet, FleetNews, Launch};
use crate::protocol::{Capability, FromWorker, ToWorker, WorkCalibration};

/// A worker needs about half a second for it.
const LIMIT: Duration = Duration::from_secs(20);

/// Starts one worker and returns what it measured, `None` where it cannot measure.
pub async fn measure(fleet: &mut impl Fleet, launch: &Launch) -> Result<Option<WorkCalibration>, String> {
    fleet.start(launch)?;
    let answer = timeout(LIMIT, ask(fleet)).await;
    fleet.shutdown(Duration::from_secs(2)).await;
    answer.unwrap_or_else(|_| Err(format!("the worker did not calibrate within {} s", LIMIT.as_secs())))
}

async fn ask(fleet: &mut impl Fleet) -> Result<Option<WorkCalibration>, String> {
    loop {
        match fleet.next().await.what {
            FleetNews::Message(message) => match *message {
                FromWorker::Hello(hello) if hello.capabilities.contains(&Capability::Calibrate) => {
                    fleet.send(0, &ToWorker::Calibrate);
                }
                FromWorker::Hello(_) => return Ok(None),
                FromWorker::Calibrated(calibration) => return Ok(Some(calibration)),
                _ => {}
            },
            FleetNews::Garbage(_) => {}
            FleetNews::Ended(how) => return Err(how),
        }
    }
}
