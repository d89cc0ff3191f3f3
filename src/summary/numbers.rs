//! Numbers as sentences have them.

use crate::stats::Estimate;
use crate::wording::thousands;

/// `1.99 times`.
pub(super) fn times(ratio: f64) -> String {
    format!("{} times", figure(ratio))
}

/// ` [1.97, 2.01]`, or nothing where there is none.
pub(super) fn interval(ratio: Estimate) -> String {
    ratio.interval.map_or(String::new(), |(low, high)| {
        format!(" [{}, {}]", figure(low), figure(high))
    })
}

/// Three significant digits or so, as ratios are read.
pub(super) fn figure(ratio: f64) -> String {
    match ratio {
        r if r < 0.1 => format!("{r:.3}"),
        r if r < 10.0 => format!("{r:.2}"),
        r if r < 100.0 => format!("{r:.1}"),
        r => format!("{r:.0}"),
    }
}

/// A share in percent without idle decimals: `3`, `2.5`.
pub(super) fn percent(share: f64) -> String {
    format!("{}", (share * 1000.0).round() / 10.0)
}

/// Records per second to the integer; below 100 with three digits.
pub(super) fn rate(per_second: f64) -> String {
    if per_second.abs() < 99.5 {
        figure(per_second)
    } else {
        thousands(per_second)
    }
}

/// A length of time from milliseconds, to three digits: `850 µs`, `41.2 ms`, `1.23 s`.
pub(super) fn time(ms: f64) -> String {
    match ms {
        ms if ms < 0.999_5 => format!("{} µs", figure(ms * 1e3)),
        ms if ms < 999.5 => format!("{} ms", figure(ms)),
        ms => format!("{} s", figure(ms / 1e3)),
    }
}
