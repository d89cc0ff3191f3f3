//! How the values of an axis read: at the axis, and with their unit in a table.

use serde::Serialize;

use crate::report::format::{UNKNOWN, duration, percent, rate, ratio, significant, tick};

/// What the values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Tick {
    Count,
    /// Records per second.
    Rate,
    Seconds,
    Milliseconds,
    /// A share.
    Percent,
    /// A share of records, with as many nines as it has.
    Nines,
    Ratio,
}

impl Tick {
    /// A value at an axis, without its unit.
    pub(super) fn at_axis(self, value: f64) -> String {
        match self {
            Tick::Count | Tick::Rate | Tick::Seconds | Tick::Ratio => tick(value),
            // In full: `0.5`, `20`, `1,000`.
            Tick::Milliseconds => significant(value, 1),
            Tick::Percent => percent(value),
            // Without what binary fractions add.
            Tick::Nines => format!("{} %", (value * 1e11).round() / 1e9),
        }
    }

    /// A value with its unit.
    pub(super) fn in_full(self, value: f64) -> String {
        match self {
            _ if !value.is_finite() => UNKNOWN.to_owned(),
            Tick::Count => significant(value, 3),
            Tick::Rate => rate(value),
            Tick::Seconds => duration(value),
            Tick::Milliseconds => duration(value / 1e3),
            Tick::Ratio => ratio(value),
            Tick::Percent | Tick::Nines => self.at_axis(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_written_with_the_nines_it_has() {
        let shares = [0.5, 0.9, 1.0 - 1e-3, 1.0 - 1e-6];
        let texts = shares.map(|share| Tick::Nines.at_axis(share));
        assert_eq!(texts, ["50 %", "90 %", "99.9 %", "99.9999 %"]);
    }
}
