//! What a window says of one server and the records that it works.
//!
//! The thresholds come from simulated queues; `docs/method.md` says what they hold.

use crate::measure::load::LoadVerdict;

/// Nothing may be said to hold that is overloaded by this share.
const OVERLOAD_MIN: f64 = 0.05;
/// Nothing may be called overloaded that has this share to spare.
const SPARE_MIN: f64 = 0.1;
/// Growth below this share of the arrivals is no overload, however well the window resolves it.
const GROWTH_MIN: f64 = 0.01;
/// A lag that grows faster than this share speaks against "holds" even where the mean waiting does not rise: a single
/// busy key holds up the position of its partition.
const GROWTH_SUSPECT: f64 = 0.03;
/// Standard errors by which a figure must lie beyond its limit.
const DEVIATIONS: f64 = 4.0;
/// The same for the scatter of single points about the line through them, which disturbances inflate.
const SCATTER_DEVIATIONS: f64 = 2.0;
/// A window that resolves no growth below this share shows an overload only by twice what it resolves.
const RESOLUTION_POOR: f64 = 0.25;
/// The least of the second half must lie above the least of the first by this share of the growth over the window: a
/// pause or a burst that is made up for does not raise it.
const RISEN_SHARE: f64 = 0.25;
/// Points below which a line says nothing.
pub(super) const POINTS_MIN: usize = 8;
/// From one sample of the lag to the next, and from one report of a position to the next, in windows of a minute.
pub(super) const SAMPLE_SECONDS: f64 = 0.1;
/// Lag that grows by nearly all that arrives: a server that has stopped.
const GROWTH_MAX: f64 = 0.99;

/// The records of one server, or some of them, in a window. A server is a member, or a partition of a member that works
/// partitions side by side.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// Squared relative standard error of the server's work that arrives in such a window: the squared coefficients of
    /// variation of gaps and work, over the number of records.
    pub error_squared: f64,
    /// Share of the window in which the server had nothing to do; `None` if it was not measured.
    pub idle: Option<f64>,
    /// Mean waiting by intended time: seconds from the window's start, seconds waited.
    pub waits: Vec<(f64, f64)>,
    /// The lag as the time in which so many records arrive: seconds from the window's start, seconds of arrivals.
    pub lag: Vec<(f64, f64)>,
}

/// What a window says of one stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// Whether the server keeps up.
    pub verdict: LoadVerdict,
    /// The load as a share of what the server can do.
    pub fullness: f64,
    /// The smallest growth of the lag that the window distinguishes from none, as a share of the arrivals.
    pub resolution: f64,
    /// Growth of the lag as a share of the arrivals.
    pub growth: f64,
}

impl Stream {
    /// What a window of this length says of the stream.
    pub fn find(&self, window_seconds: f64) -> Finding {
        // Records wait r - 1 seconds longer each second at a load of r, while the lag grows by 1 - 1/r of the arrivals.
        let waits = Trend::of(&self.waits, window_seconds, |slope| slope / (1.0 + slope.max(-0.5)));
        let lag = Trend::of(&self.lag, window_seconds, |slope| slope);
        let Some(main) = waits.as_ref().or(lag.as_ref()) else {
            return Finding {
                verdict: LoadVerdict::CannotSay,
                fullness: self.busy(),
                resolution: 1.0,
                growth: 0.0,
            };
        };
        let overloads = waits.iter().chain(&lag).filter(|trend| self.shows_overload(trend));
        let overload = overloads.max_by(|a, b| a.growth.total_cmp(&b.growth));
        let trend = overload.unwrap_or(main);
        let (fullness, error) = (self.fullness(trend), self.error(trend, self.busy()));
        let is_unsuspected = |trend: &Trend| trend.growth < GROWTH_SUSPECT.max(2.0 * trend.scatter);
        let has_room = fullness + error < 1.0 + OVERLOAD_MIN;
        let verdict = if overload.is_some() {
            LoadVerdict::Overloaded
        } else if has_room && self.is_steady(main) && lag.as_ref().is_none_or(is_unsuspected) {
            LoadVerdict::Holds
        } else {
            LoadVerdict::CannotSay
        };
        Finding {
            verdict,
            fullness,
            resolution: error.max(GROWTH_MIN),
            growth: trend.growth,
        }
    }

    fn busy(&self) -> f64 {
        1.0 - self.idle.unwrap_or(0.0)
    }

    /// Standard error of the growth where nothing is left over: the lag then wanders like a random walk. A line through
    /// one is less exact than its two ends, by the root of 6/5.
    fn walk(&self) -> f64 {
        (1.2 * self.error_squared).sqrt()
    }

    /// Limit of error of a growth or a fullness where the server is busy for this share of the time.
    fn error(&self, trend: &Trend, busy: f64) -> f64 {
        DEVIATIONS * self.walk() * busy + SCATTER_DEVIATIONS * trend.scatter
    }

    fn fullness(&self, trend: &Trend) -> f64 {
        self.busy() / (1.0 - trend.growth.min(GROWTH_MAX))
    }

    /// Whether the lag surely grows, or the server surely has less to spare than [`SPARE_MIN`] and the lag grew.
    fn shows_overload(&self, trend: &Trend) -> bool {
        let error = self.error(trend, self.busy());
        let surely_grows = trend.growth > self.error(trend, 1.0).max(GROWTH_MIN);
        let is_full = self.idle.is_some()
            && trend.growth > GROWTH_MIN
            && self.fullness(trend) > (1.0 - SPARE_MIN + error).max(1.0 + GROWTH_MIN);
        let is_resolved = error < RESOLUTION_POOR || trend.growth > 2.0 * error;
        trend.has_risen && is_resolved && (surely_grows || is_full)
    }

    /// Whether the lag surely does not grow by [`OVERLOAD_MIN`].
    fn is_steady(&self, trend: &Trend) -> bool {
        let (walk, idle) = (self.walk() * self.busy(), self.idle.unwrap_or(0.0));
        // The waiting of a queue that is idle for a share i has a deviation of walk^2 / 2i and forgets itself within
        // walk^2 / i^2 windows, from which follows that of its slope.
        let settled = 2.45 * walk.powi(3) / (idle * idle).max(f64::MIN_POSITIVE);
        let error = (DEVIATIONS * settled.min(walk)).max(2.0 * trend.scatter);
        trend.growth + error < OVERLOAD_MIN
    }
}

/// How a series of waiting times moved over the window.
struct Trend {
    /// Growth of the lag as a share of the arrivals.
    growth: f64,
    /// Standard error of that by the scatter of the points about the line.
    scatter: f64,
    /// Whether even the least of the points grew.
    has_risen: bool,
}

impl Trend {
    /// `growth_of` turns seconds of waiting per second into a share of the arrivals. `None` of too few points.
    fn of(points: &[(f64, f64)], window_seconds: f64, growth_of: fn(f64) -> f64) -> Option<Trend> {
        if points.len() < POINTS_MIN {
            return None;
        }
        let (slope, deviation) = line(points);
        let least = |part: &[(f64, f64)]| part.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
        let (first, second) = points.split_at(points.len() / 2);
        let risen = least(second) - least(first);
        Some(Trend {
            growth: growth_of(slope),
            scatter: deviation * (12.0 / points.len() as f64).sqrt() / window_seconds,
            has_risen: slope > 0.0 && risen >= slope * window_seconds * RISEN_SHARE,
        })
    }
}

/// Slope of the least-squares line through points, and the standard deviation of the points from it.
pub(super) fn line(points: &[(f64, f64)]) -> (f64, f64) {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|p| p.0), mean(|p| p.1));
    let sum = |of: &dyn Fn(f64, f64) -> f64| points.iter().map(|p| of(p.0 - mean_x, p.1 - mean_y)).sum::<f64>();
    let variance = sum(&|x, _| x * x);
    let slope = if variance > 0.0 {
        sum(&|x, y| x * y) / variance
    } else {
        0.0
    };
    let off = sum(&|x, y| (y - slope * x) * (y - slope * x));
    (slope, (off / count).sqrt())
}

/// The smallest growth of the lag, as a share of the arrivals, that a window of so many records of a full member
/// distinguishes from none. It is known before anything runs. `variation` is the sum of the squared coefficients of
/// variation of gaps and work. Positions are up to 100 ms old, by which the samples of the lag scatter.
pub fn resolution_expected(records: f64, variation: f64, window_seconds: f64) -> f64 {
    let walk = (1.2 * variation / records.max(1.0)).sqrt();
    // Evenly over the interval: a deviation of its length over the root of 12.
    let scatter = SAMPLE_SECONDS / (window_seconds / SAMPLE_SECONDS).sqrt() / window_seconds;
    (DEVIATIONS * walk + SCATTER_DEVIATIONS * scatter).max(GROWTH_MIN)
}
