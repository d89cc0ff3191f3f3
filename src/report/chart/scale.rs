//! The scales of axes: where a value stands between the ends, and which values are marked. Knows no data.

use super::canvas::ticks;

/// A scale with the values that are marked on it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ruler {
    pub(super) scale: Scale,
    /// Values to mark; empty for round ones.
    pub(super) ticks: Vec<f64>,
}

impl Default for Ruler {
    fn default() -> Self {
        Ruler::linear(1.0)
    }
}

impl From<Scale> for Ruler {
    fn from(scale: Scale) -> Self {
        Ruler {
            scale,
            ticks: Vec::new(),
        }
    }
}

impl Ruler {
    /// From 0, with round values marked.
    pub(super) fn linear(to: f64) -> Self {
        Scale::Linear { to }.into()
    }

    /// The value at its end.
    pub(super) fn end(&self) -> f64 {
        match self.scale {
            Scale::Linear { to } | Scale::Log { to, .. } | Scale::Nines { to } => to,
        }
    }

    /// About `count` values to mark.
    pub(super) fn marks(&self, count: usize) -> Vec<f64> {
        if self.ticks.is_empty() {
            self.scale.ticks(count)
        } else {
            self.ticks.clone()
        }
    }

    /// Where it lies in a drawing, for a script: `LEFT RIGHT MIN MAX lin`.
    pub(super) fn placed(&self, begin: f64, end: f64) -> String {
        let (from, to, kind) = match self.scale {
            Scale::Linear { to } => (0.0, to, "lin"),
            Scale::Log { from, to } => (from, to, "log"),
            Scale::Nines { to } => (0.5, to, "nines"),
        };
        format!("{begin:.1} {end:.1} {from} {to} {kind}")
    }
}

/// How values are spread along an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// Evenly from 0.
    Linear { to: f64 },
    /// Every factor of ten takes the same length; both ends are above 0.
    Log { from: f64, to: f64 },
    /// Shares of records from the median on: 90 %, 99 %, 99.9 % and so on stand equally far apart.
    Nines { to: f64 },
}

impl Scale {
    /// A logarithmic scale for all values above 0, from one round value to another.
    pub(super) fn log_around(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values
            .filter(|v| v.is_finite() && *v > 0.0)
            .fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
        if high == 0.0 {
            return Scale::Log { from: 1.0, to: 10.0 };
        }
        let from = round_steps(low / 10.0, low).last().copied().unwrap_or(low);
        let to = round_steps(high, high * 10.0).first().copied().unwrap_or(high);
        // A single value needs space to one side.
        let to = if to > from { to } else { from * 10.0 };
        Scale::Log { from, to }
    }

    /// Where a value stands, from 0 at the beginning to 1 at the end; beyond them it stays at the end.
    pub(super) fn share(self, value: f64) -> f64 {
        let share = match self {
            Scale::Linear { to } => value / to,
            Scale::Log { from, to } => (value.max(from) / from).log10() / (to / from).log10(),
            Scale::Nines { to } => (nines(value) - nines(0.5)) / (nines(to) - nines(0.5)),
        };
        share.clamp(0.0, 1.0)
    }

    /// About `count` round values.
    fn ticks(self, count: usize) -> Vec<f64> {
        match self {
            Scale::Linear { to } => ticks(to, count),
            // One or two more than on an even scale: the few round values of a decade stand far apart.
            Scale::Log { from, to } => log_ticks(from, to, count + 2),
            Scale::Nines { to } => {
                let shares = (1..10).map(|nines| 1.0 - 10f64.powi(-nines));
                let within = shares.take_while(|share| *share <= to + 1e-12);
                std::iter::once(0.5).chain(within).collect()
            }
        }
    }
}

/// The right end of an axis: a little beyond the largest value, and never 0.
pub(super) fn axis_end(values: impl Iterator<Item = f64>) -> f64 {
    let largest = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
    if largest > 0.0 { largest * 1.04 } else { 1.0 }
}

/// How many nines a share has: 1 for 90 %, 2 for 99 %. The last record of the largest sample has fewer than 15.
pub(super) fn nines(share: f64) -> f64 {
    -(1.0 - share).max(1e-15).log10()
}

/// 1, 2 and 5 times a power of ten between two values, which are among them where they are such.
fn round_steps(from: f64, to: f64) -> Vec<f64> {
    let slack = 1.0 + 1e-9;
    powers(from, to)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * power))
        .filter(|value| *value >= from / slack && *value <= to * slack)
        .collect()
}

/// The powers of ten from the one at or below `from` to the one at or below `to`.
fn powers(from: f64, to: f64) -> impl Iterator<Item = f64> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the exponent of a finite number has three digits"
    )]
    let exponent = |value: f64| (value.log10() + 1e-9).floor() as i32;
    (exponent(from)..=exponent(to)).map(|e| 10f64.powi(e))
}

/// Powers of ten, with 2 and 5 times each where there is space, and only every second or third where there are too
/// many.
fn log_ticks(from: f64, to: f64, count: usize) -> Vec<f64> {
    let steps = round_steps(from, to);
    if steps.len() <= count {
        return steps;
    }
    let decades: Vec<f64> = powers(from, to).filter(|power| *power >= from / (1.0 + 1e-9)).collect();
    // Decades without a power at either end would have hardly a mark.
    if decades.len() < 2 {
        return steps.into_iter().step_by(2).collect();
    }
    let every = decades.len().div_ceil(count.max(1));
    decades.into_iter().step_by(every).collect()
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_scale_ends_at_round_values_around_all_others() {
        let scale = Scale::log_around([0.7, 0.0, 33.0, f64::NAN].into_iter());
        assert_eq!(scale, Scale::Log { from: 0.5, to: 50.0 });
        assert_eq!(
            [0.5, 5.0, 50.0].map(|v| (scale.share(v) * 1e9).round() / 1e9),
            [0.0, 0.5, 1.0]
        );
        assert_eq!(Scale::log_around([2.0].into_iter()), Scale::Log { from: 2.0, to: 20.0 });
    }

    #[test]
    fn what_lies_beyond_a_scale_stands_at_its_end() {
        let scale = Scale::Log { from: 1.0, to: 100.0 };
        assert_eq!([0.0, 0.1, 1e6].map(|v| scale.share(v)), [0.0, 0.0, 1.0]);
        assert_eq!(Scale::Linear { to: 4.0 }.share(5.0), 1.0);
    }

    #[test]
    fn marks_of_a_logarithmic_scale_are_few_whatever_its_width() {
        assert_eq!(log_ticks(0.5, 20.0, 6), [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]);
        let texts = |from, to| {
            log_ticks(from, to, 5)
                .iter()
                .map(|v| format!("{v}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(texts(0.5, 5000.0), ["1", "10", "100", "1000"]);
        assert_eq!(texts(0.001, 100_000.0), ["0.001", "0.1", "10", "1000", "100000"]);
    }

    #[test]
    fn every_nine_takes_the_same_width() {
        let scale = Scale::Nines { to: 0.9999 };
        let shares = [0.9, 0.99, 0.999, 0.9999].map(|share| scale.share(share));
        let steps = [shares[1] - shares[0], shares[2] - shares[1], shares[3] - shares[2]];
        assert!(steps.iter().all(|step| (step - steps[0]).abs() < 1e-9), "{steps:?}");
        assert_eq!((scale.share(0.5), scale.share(0.2)), (0.0, 0.0));
        assert_eq!(scale.ticks(9).len(), 5);
    }
}
