//! The validated load of live and mixed trials, and what a search for capacity looks for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::property::PropertyValue;
use crate::load::{Arrivals, Profile, Schedule, ScheduleError, Step};

/// What the trials of a configuration do.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Read a data set that lies there.
    #[default]
    Backlog,
    /// Read records as they arrive in a topic that is empty at the start.
    Live(Load),
    /// Read a data set while records arrive behind it.
    Mixed(Load),
}

impl Mode {
    /// The records that arrive, where any do.
    pub fn load(&self) -> Option<&Load> {
        match self {
            Mode::Backlog => None,
            Mode::Live(load) | Mode::Mixed(load) => Some(load),
        }
    }
}

/// Records that arrive while they are read. Displayed as a person reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Records per second of all producers together; the profile changes it over time.
    pub rate: f64,
    /// True where nobody gave a rate: a search begins at this one and goes higher where it holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rate_is_open: bool,
    /// How records arrive.
    pub arrivals: Arrivals,
    /// The rate over time.
    pub shape: Shape,
    /// Length of the window in which records are measured, by their intended times.
    pub duration_ns: u64,
    /// Time from the start to the window.
    pub warmup_ns: u64,
    /// The longest time from the end of the load until everything is read.
    #[serde(default = "drain_of_older_runs")]
    pub drain_ns: u64,
    /// Records with a longer response time are counted as late where something is done on purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_ns: Option<u64>,
    /// Producer processes.
    pub producers: u32,
    /// True where there is one at each place of the consumers, in the order of
    /// [`distinct_places`](super::configuration::Configuration::distinct_places), whose response times alone are measured
    /// there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_beside: bool,
    /// Properties of the producers' clients that the user set.
    pub properties: BTreeMap<String, PropertyValue>,
}

/// How many producers a load has, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Producers {
    /// So many on this machine.
    Number(u32),
    /// One at each place of the consumers.
    Beside,
}

impl Load {
    /// As `producers` says it.
    pub(crate) fn where_producers_are(&self) -> Producers {
        if self.is_beside {
            Producers::Beside
        } else {
            Producers::Number(self.producers)
        }
    }
}

/// [`Load::drain_ns`] of what was stored before it could be chosen.
fn drain_of_older_runs() -> u64 {
    30_000_000_000
}

/// The rate over time as multiples of [`Load::rate`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Always the rate.
    Constant,
    /// One multiple after another, each for an equal share of the window; the first holds during the warm-up too.
    Steps(Vec<f64>),
    /// Evenly from one multiple at the start, warm-up included, to another at the end.
    Ramp {
        /// At the start.
        from: f64,
        /// At the end.
        to: f64,
    },
    /// Again and again a burst of a multiple of the rate, and the rate itself between bursts. The first burst begins
    /// at the start.
    Bursts {
        /// The multiple in a burst.
        factor: f64,
        /// From the beginning of a burst to that of the next.
        every_ns: u64,
        /// Length of a burst.
        for_ns: u64,
    },
}

impl Load {
    /// When the producers are to send, warm-up and window together, at this rate for a window of this length.
    ///
    /// # Errors
    /// Where the rate is too high, which no validated scenario's is.
    pub fn schedule(&self, rate: f64, duration_ns: u64, seed: u64) -> Result<Schedule, ScheduleError> {
        let profile = self.shape.profile(rate, self.warmup_ns, duration_ns);
        Schedule::new(self.arrivals, profile, self.warmup_ns + duration_ns, seed)
    }
}

impl Shape {
    /// The profile of a rate.
    fn profile(&self, rate: f64, warmup_ns: u64, duration_ns: u64) -> Profile {
        match self {
            Shape::Constant => Profile::Constant { rate },
            Shape::Steps(factors) => {
                let count = factors.len().max(1) as u64;
                let from_ns = |number: u64| {
                    if number == 0 {
                        0
                    } else {
                        warmup_ns + duration_ns / count * number
                    }
                };
                let steps = (0u64..).zip(factors).map(|(number, factor)| Step {
                    from_ns: from_ns(number),
                    rate: rate * factor,
                });
                Profile::Steps(steps.collect())
            }
            Shape::Ramp { from, to } => Profile::Ramp {
                from: rate * from,
                to: rate * to,
            },
            Shape::Bursts {
                factor,
                every_ns,
                for_ns,
            } => Profile::Bursts {
                base: rate,
                burst: rate * factor,
                every_ns: *every_ns,
                for_ns: *for_ns,
            },
        }
    }
}

/// The longest window that a trial of a search is given so that there are enough records for the percentile.
pub const SEARCH_WINDOW_MAX_NS: u64 = 3_600_000_000_000;

/// The least interval in which the quick form of a search ends, as a share of the answer.
const QUICK_PRECISION: f64 = 0.1;

/// How long records may take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ResponseLimit {
    /// The share of records that must be within the limit: 0.99 for p99.
    pub percentile: f64,
    /// The longest response time allowed for that share, in nanoseconds.
    pub limit_ns: u64,
}

/// What a search for capacity looks for: the highest rate at which the objective holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// How long records may take; `None` where it is enough that readers do not fall further and further behind.
    #[serde(flatten)]
    pub limit: Option<ResponseLimit>,
    /// The search ends when the answer's interval is narrower than this share of it.
    pub precision: f64,
    /// Window of the trial that confirms the answer, in nanoseconds.
    pub confirm_ns: u64,
    /// True in the quick form: the rate above the answer is tried once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_quick: bool,
}

impl Capacity {
    /// The quick form of a search whose trials have windows of up to this length: to 10 %, and the trial that confirms the
    /// answer is no longer than the others.
    pub(crate) fn quick(self, duration_ns: u64) -> Self {
        Capacity {
            precision: self.precision.max(QUICK_PRECISION),
            confirm_ns: self.confirm_ns.min(duration_ns),
            is_quick: true,
            ..self
        }
    }

    /// The share of records that must be within a time in nanoseconds, and that time.
    pub fn response_limit(&self) -> Option<(f64, u64)> {
        self.limit.map(|limit| (limit.percentile, limit.limit_ns))
    }

    /// `99 % of the records within 50 ms`, or that readers keep up.
    pub fn objective(&self) -> String {
        match self.limit {
            Some(ResponseLimit { percentile, limit_ns }) => format!(
                "{} % of the records within {} ms",
                (percentile * 1e8).round() / 1e6,
                limit_ns as f64 / 1e6
            ),
            None => "that readers do not fall further and further behind".to_owned(),
        }
    }
}
