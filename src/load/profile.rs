//! The rate over time, as pieces with a constant or linear rate, and the number of records due until any moment. Every
//! number is computed from a piece's own beginning, so that nothing adds up to a drift.

use serde::{Deserialize, Serialize};

use super::error::ScheduleError;

/// Nanoseconds of a second.
const SECOND: f64 = 1e9;
/// The shortest distance between bursts: below a millisecond they are one rate to any client.
const SHORTEST_ROUND_NS: u64 = 1_000_000;

/// The rate of all producers together over the time from the start. Rates are records per second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Always the same.
    Constant {
        /// Records per second.
        rate: f64,
    },
    /// From each step's time on its rate; the first begins at 0.
    Steps(Vec<Step>),
    /// Evenly from one rate at the start to another at the end.
    Ramp {
        /// At the start.
        from: f64,
        /// At the end.
        to: f64,
    },
    /// Again and again `burst` for a time, then `base`; the first burst begins at the start.
    Bursts {
        /// Between bursts.
        base: f64,
        /// In a burst.
        burst: f64,
        /// From the beginning of a burst to that of the next.
        every_ns: u64,
        /// Length of a burst, not more than `every_ns`.
        for_ns: u64,
    },
}

/// A rate from a moment on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// From the start.
    pub from_ns: u64,
    /// Records per second.
    pub rate: f64,
}

/// A piece of a profile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Piece {
    from_ns: u64,
    end_ns: u64,
    /// Records asked for before it.
    before: f64,
    /// Rate at its beginning and at its end.
    first_rate: f64,
    last_rate: f64,
}

impl Piece {
    fn seconds(&self) -> f64 {
        (self.end_ns - self.from_ns) as f64 / SECOND
    }

    /// Records asked for up to its end.
    pub(super) fn until(&self) -> f64 {
        self.before + f64::midpoint(self.first_rate, self.last_rate) * self.seconds()
    }

    /// Records asked for from the start up to a moment of this piece.
    fn records_until(&self, at_ns: u64) -> f64 {
        let seconds = (at_ns.clamp(self.from_ns, self.end_ns) - self.from_ns) as f64 / SECOND;
        let rate =
            self.first_rate + (self.last_rate - self.first_rate) * seconds / self.seconds().max(f64::MIN_POSITIVE);
        self.before + f64::midpoint(self.first_rate, rate) * seconds
    }

    /// Time from the start, in nanoseconds, at which the schedule reaches `records`, which must be in this piece.
    ///
    /// With rate r at the beginning and slope a, r t + a t^2 / 2 = d. The form of the root that divides by a sum keeps
    /// its digits for every slope, and is d / r where there is none.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time from the start, far below 2^63 ns"
    )]
    pub(super) fn time_of(&self, records: f64) -> u64 {
        let rest = (records - self.before).max(0.0);
        let slope = (self.last_rate - self.first_rate) / self.seconds();
        let root = (self.first_rate * self.first_rate + 2.0 * slope * rest).max(0.0).sqrt();
        let seconds = if rest > 0.0 {
            2.0 * rest / (self.first_rate + root)
        } else {
            0.0
        };
        self.from_ns + (seconds * SECOND).round() as u64
    }
}

impl Profile {
    /// Checks every rate and time against what can be planned.
    pub(super) fn check(&self, highest: f64) -> Result<(), ScheduleError> {
        let rate = |rate: f64| {
            if (0.0..=highest).contains(&rate) {
                Ok(())
            } else {
                Err(ScheduleError::Rate(rate.to_string()))
            }
        };
        match self {
            Profile::Constant { rate: constant } => rate(*constant),
            Profile::Ramp { from, to } => rate(*from).and(rate(*to)),
            Profile::Steps(steps) => {
                let in_order = steps.windows(2).all(|pair| pair[0].from_ns < pair[1].from_ns);
                if !in_order || steps.first().is_none_or(|step| step.from_ns != 0) {
                    return Err(ScheduleError::Steps);
                }
                steps.iter().try_for_each(|step| rate(step.rate))
            }
            Profile::Bursts {
                base,
                burst,
                every_ns,
                for_ns,
            } => {
                if *every_ns < SHORTEST_ROUND_NS || *for_ns == 0 || for_ns > every_ns {
                    return Err(ScheduleError::Bursts);
                }
                rate(*base).and(rate(*burst))
            }
        }
    }

    /// The same with another rate from a moment on, instead of all that it had from there.
    pub(super) fn with_rate_from(&self, from_ns: u64, rate: f64) -> Result<Profile, ScheduleError> {
        let mut steps = match self {
            Profile::Constant { rate } => vec![Step {
                from_ns: 0,
                rate: *rate,
            }],
            Profile::Steps(steps) => steps.clone(),
            Profile::Ramp { .. } | Profile::Bursts { .. } => return Err(ScheduleError::Changed),
        };
        steps.retain(|step| step.from_ns < from_ns);
        steps.push(Step { from_ns, rate });
        Ok(Profile::Steps(steps))
    }

    /// The piece of this number within a duration; `None` after the last. A piece may be empty.
    pub(super) fn piece(&self, number: usize, before: f64, duration_ns: u64) -> Option<Piece> {
        let piece = |from_ns: u64, end_ns: u64, before, first_rate, last_rate| {
            (from_ns < duration_ns).then(|| Piece {
                from_ns,
                end_ns: end_ns.min(duration_ns),
                before,
                first_rate,
                last_rate,
            })
        };
        match self {
            Profile::Constant { rate } if number == 0 => piece(0, duration_ns, 0.0, *rate, *rate),
            Profile::Ramp { from, to } if number == 0 => piece(0, duration_ns, 0.0, *from, *to),
            Profile::Constant { .. } | Profile::Ramp { .. } => None,
            Profile::Steps(steps) => {
                let step = steps.get(number)?;
                let end_ns = steps.get(number + 1).map_or(duration_ns, |next| next.from_ns);
                piece(step.from_ns, end_ns, before, step.rate, step.rate)
            }
            Profile::Bursts {
                base,
                burst,
                every_ns,
                for_ns,
            } => {
                let round = number as u64 / 2;
                let from_ns = round.checked_mul(*every_ns)?;
                let in_burst = burst * (*for_ns as f64 / SECOND);
                let in_round = in_burst + base * ((every_ns - for_ns) as f64 / SECOND);
                let before = round as f64 * in_round;
                if number.is_multiple_of(2) {
                    piece(from_ns, from_ns.saturating_add(*for_ns), before, *burst, *burst)
                } else {
                    let end_ns = from_ns.saturating_add(*every_ns);
                    piece(from_ns.saturating_add(*for_ns), end_ns, before + in_burst, *base, *base)
                }
            }
        }
    }

    /// Records that are due from the start until a moment.
    pub(super) fn records_until(&self, at_ns: u64, duration_ns: u64) -> f64 {
        let at_ns = at_ns.min(duration_ns);
        let mut number = match self {
            // Skips complete rounds.
            Profile::Bursts { every_ns, .. } => usize::try_from(at_ns / every_ns).unwrap_or(0) * 2,
            _ => 0,
        };
        let mut records = 0.0;
        while let Some(piece) = self.piece(number, records, duration_ns) {
            records = piece.records_until(at_ns);
            if at_ns <= piece.end_ns {
                break;
            }
            number += 1;
        }
        records
    }
}
