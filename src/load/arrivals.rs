//! The intended times of one producer, one after another. A record's time is computed from its number (or, for
//! Poisson arrivals, from an exact sum of fixed-point gaps), never from the time of the record before it.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};

use super::error::ScheduleError;
use super::profile::Piece;
use super::schedule::{Arrivals, Schedule};

/// Parts of a record in which the gaps of Poisson arrivals are added up: at 500,000 records/s a part is a ten
/// millionth of a microsecond, and 64 bits hold 10^12 records.
const PARTS_PER_RECORD: f64 = (1u64 << 24) as f64;

/// Intended times in nanoseconds from the start, ascending, all before the end.
#[derive(Debug, Clone)]
pub struct IntendedTimes<'a> {
    schedule: &'a Schedule,
    order: Order,
    /// The piece of the profile with the next record, and the index of the piece after it.
    piece: Option<Piece>,
    next_piece: usize,
}

/// The positions of one producer's records in the sequence of all records of the profile.
#[derive(Debug, Clone)]
enum Order {
    /// Every so many-th.
    EvenlyFrom { next: u64, step: u64 },
    /// At random.
    Random {
        rng: Box<ChaCha8Rng>,
        parts: u64,
        parts_per_gap: f64,
    },
}

impl Order {
    /// The place of the next record.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a gap is positive and, at the most, some 60 times its mean"
    )]
    fn next(&mut self) -> f64 {
        match self {
            Order::EvenlyFrom { next, step } => {
                let place = *next;
                *next += *step;
                place as f64
            }
            Order::Random {
                rng,
                parts,
                parts_per_gap,
            } => {
                let gap: f64 = Exp1.sample(&mut **rng);
                *parts = parts.saturating_add((gap * *parts_per_gap).round() as u64);
                *parts as f64 / PARTS_PER_RECORD
            }
        }
    }
}

impl Schedule {
    /// The times at which one of `producers` is to send, in nanoseconds from the start. Constant arrivals are dealt in
    /// turn; a Poisson process is the sum of independent ones, each with its share of the rate.
    pub fn times_of(&self, index: u32, producers: u32) -> Result<IntendedTimes<'_>, ScheduleError> {
        if index >= producers || producers > 1 << 16 {
            return Err(ScheduleError::Producer { index, producers });
        }
        Ok(IntendedTimes::new(self, index, producers))
    }
}

impl<'a> IntendedTimes<'a> {
    fn new(schedule: &'a Schedule, index: u32, producers: u32) -> Self {
        let order = match schedule.arrivals() {
            Arrivals::Constant => Order::EvenlyFrom {
                next: u64::from(index),
                step: u64::from(producers),
            },
            Arrivals::Poisson => {
                let mut rng = ChaCha8Rng::seed_from_u64(schedule.seed());
                rng.set_stream(u64::from(index));
                Order::Random {
                    rng: Box::new(rng),
                    parts: 0,
                    parts_per_gap: PARTS_PER_RECORD * f64::from(producers),
                }
            }
        };
        IntendedTimes {
            schedule,
            order,
            piece: schedule.profile().piece(0, 0.0, schedule.duration_ns()),
            next_piece: 1,
        }
    }
}

impl Iterator for IntendedTimes<'_> {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        let mut piece = self.piece?;
        let place = self.order.next();
        while place >= piece.until() {
            let (profile, duration_ns) = (self.schedule.profile(), self.schedule.duration_ns());
            self.piece = profile.piece(self.next_piece, piece.until(), duration_ns);
            self.next_piece += 1;
            piece = self.piece?;
        }
        let time = piece.time_of(place);
        if time < self.schedule.duration_ns() {
            return Some(time);
        }
        // Within half a nanosecond of the end.
        self.piece = None;
        None
    }
}
