//! Figures as people read them: significant digits, thousands separators, units. Knows numbers and units, but not what
//! they mean.

use crate::figures::{Unit, Value};
use crate::measure::limits::Limits;
use crate::stats::Estimate;
use crate::wording::{with_commas, without_zeros};

/// Stands for a figure that is not known.
pub(super) const UNKNOWN: &str = "–";

/// A figure with this many significant digits, never more than its integer part needs: `0.0123`, `12.3`, `1,234`.
pub(super) fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let decimals = decimals_for(value, digits);
    let sign = if value < 0.0 { "−" } else { "" };
    format!("{sign}{}", with_commas(format_args!("{:.decimals$}", value.abs())))
}

/// Decimals that leave `digits` significant ones, taking into account that 9.996 rounds to 10.0.
fn decimals_for(value: f64, digits: usize) -> usize {
    let scientific = format!("{value:.*e}", digits.saturating_sub(1));
    let exponent = scientific
        .rsplit('e')
        .next()
        .and_then(|e| e.parse::<i64>().ok())
        .unwrap_or(0);
    let decimals = i64::try_from(digits).unwrap_or(3) - 1 - exponent;
    usize::try_from(decimals.clamp(0, 9)).unwrap_or(0)
}

/// The largest of k, M, G (powers of 1000) that leaves at least 1, with its factor.
fn scale(value: f64) -> (f64, &'static str) {
    // 999.9 k would be printed as 1,000 k.
    match value.abs() {
        v if v >= 999.5e6 => (1e9, "G"),
        v if v >= 999.5e3 => (1e6, "M"),
        v if v >= 999.5 => (1e3, "k"),
        _ => (1.0, ""),
    }
}

/// A value at an axis in k, M or G, without trailing zeros: `0`, `0.5`, `1.5 M`.
pub(super) fn tick(value: f64) -> String {
    let (factor, prefix) = scale(value);
    let number = significant(value / factor, 3);
    let number = without_zeros(&number);
    format!("{number} {prefix}").trim_end().to_owned()
}

/// A figure as people read it, without the interval.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes, which are printed to three digits"
)]
pub(super) fn figure_text(unit: Unit, value: Option<Value>) -> String {
    let Some(value) = value else { return UNKNOWN.to_owned() };
    match (unit, value) {
        (_, Value::Count(count)) => with_commas(count),
        (Unit::Seconds, value) => duration(value.point()),
        (Unit::Milliseconds, value) => duration(value.point() / 1e3),
        (Unit::Microseconds, value) => duration(value.point() / 1e6),
        (Unit::RecordsPerSecond, value) => rate(value.point()),
        (Unit::Bytes, value) => bytes(value.point() as u64),
        (
            Unit::Records | Unit::Offsets | Unit::Members | Unit::MibPerSecond | Unit::SecondsPerMillion | Unit::Ratio,
            value,
        ) => significant(value.point(), 3),
    }
}

/// An interval behind its figure, ` [1.20, 1.26]`; empty where there is none.
fn bracketed(estimate: &Estimate, number: impl Fn(f64) -> String) -> String {
    let text = |(low, high)| format!(" [{}, {}]", number(low), number(high));
    estimate.interval.map_or_else(String::new, text)
}

/// Records per second: `1.23 M/s`.
pub fn rate(records_per_second: f64) -> String {
    if !records_per_second.is_finite() {
        return UNKNOWN.to_owned();
    }
    let (factor, prefix) = scale(records_per_second);
    format!("{} {prefix}/s", significant(records_per_second / factor, 3))
}

/// Records per second with the interval in the same unit: `1.23 M/s [1.20, 1.26]`.
pub(super) fn rate_estimate(estimate: &Estimate) -> String {
    let (factor, _) = scale(estimate.point);
    let decimals = decimals_for(estimate.point / factor, 3);
    let interval = bracketed(estimate, |v| format!("{:.decimals$}", v / factor));
    format!("{}{interval}", rate(estimate.point))
}

/// How many times: `1.12×`, with as many decimals as its size is worth.
pub(super) fn ratio(value: f64) -> String {
    format!("{}×", ratio_number(value, ratio_decimals(value)))
}

fn ratio_decimals(value: f64) -> usize {
    match value.abs() {
        v if v >= 99.5 => 0,
        v if v >= 9.95 => 1,
        v if v >= 0.095 => 2,
        _ => 3,
    }
}

fn ratio_number(value: f64, decimals: usize) -> String {
    if value.is_finite() {
        format!("{value:.decimals$}")
    } else {
        UNKNOWN.to_owned()
    }
}

/// How many times, with the interval: `1.12× [1.08, 1.16]`.
pub fn ratio_estimate(estimate: &Estimate) -> String {
    let decimals = ratio_decimals(estimate.point);
    let interval = bracketed(estimate, |v| ratio_number(v, decimals));
    format!("{}{interval}", ratio(estimate.point))
}

/// A share with its interval as a percentage: `4.2 % [3.1, 5.3]`, with the decimals that its size is worth.
pub(super) fn share_estimate(share: &Estimate) -> String {
    let largest = share
        .interval
        .map_or(share.point.abs(), |(low, high)| low.abs().max(high.abs()));
    let decimals = match largest * 100.0 {
        p if p >= 9.95 => 0,
        p if p >= 0.995 => 1,
        p if p >= 0.0995 => 2,
        _ => 3,
    };
    let number_with = |share: f64, decimals: usize| {
        let text = format!("{:.decimals$}", share.abs() * 100.0);
        let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
        let sign = if share < 0.0 && !is_zero { "−" } else { "" };
        format!("{sign}{text}")
    };
    // Ends that read the same would say that nothing is uncertain.
    let reads_alike = |decimals: &usize| {
        let ends = share
            .interval
            .map(|(low, high)| low < high && number_with(low, *decimals) == number_with(high, *decimals));
        ends == Some(true)
    };
    let decimals = if reads_alike(&decimals) { decimals + 1 } else { decimals };
    let number = |share: f64| number_with(share, decimals);
    format!("{}\u{a0}%{}", number(share.point), bracketed(share, number))
}

/// The unit for a length of time below two minutes, and how many of it a second has.
fn unit_of_time(seconds: f64) -> Option<(f64, &'static str)> {
    match seconds.abs() {
        0.0 => Some((1.0, "s")),
        s if s < 0.000_999_5 => Some((1e6, "µs")),
        s if s < 0.999_5 => Some((1e3, "ms")),
        s if s < 119.5 => Some((1.0, "s")),
        _ => None,
    }
}

/// A length of time from seconds: `850 µs`, `41.2 ms`, `1.23 s`, `2 min 5 s`, `1 h 12 min`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return UNKNOWN.to_owned();
    }
    match unit_of_time(seconds) {
        Some((factor, unit)) => format!("{} {unit}", significant(seconds * factor, 3)),
        None => long_duration(seconds.abs()),
    }
}

/// Two minutes and more, from positive seconds.
fn long_duration(seconds: f64) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive; saturates"
    )]
    let rounded = seconds.round() as u64;
    match (rounded / 3600, rounded / 60 % 60, rounded % 60) {
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, rest) => format!("{minutes} min {rest} s"),
        (hours, 0, _) => format!("{} h", with_commas(hours)),
        (hours, minutes, _) => format!("{} h {minutes} min", with_commas(hours)),
    }
}

/// A length of time in seconds with its interval in the same unit: `5.62 ms [5.10, 6.20]`. Long ones stay in seconds.
pub(super) fn duration_estimate(seconds: &Estimate) -> String {
    let (factor, unit) = unit_of_time(seconds.point).unwrap_or((1.0, "s"));
    let decimals = decimals_for(seconds.point * factor, 3);
    let number = |v: f64| format!("{:.decimals$}", v * factor);
    format!("{} {unit}{}", number(seconds.point), bracketed(seconds, number))
}

/// A difference in its unit with the interval: `−12.0 ms [−16.0, −8.0]`, `+120 records [80, 160]`.
pub(super) fn difference_estimate(unit: Unit, difference: &Estimate) -> String {
    let sign = if difference.point > 0.0 { "+" } else { "" };
    format!("{sign}{}", estimate_in(unit, difference)).replace('-', "−")
}

/// A figure in its unit with the interval: `41.2 ms [40.1, 42.3]`, `120 records [80, 160]`.
pub(super) fn estimate_in(unit: Unit, estimate: &Estimate) -> String {
    let seconds = |factor: f64| duration_estimate(&mapped(*estimate, |value| value * factor));
    match unit {
        Unit::Seconds => seconds(1.0),
        Unit::Milliseconds => seconds(1e-3),
        Unit::Microseconds => seconds(1e-6),
        Unit::RecordsPerSecond => rate_estimate(estimate),
        _ => {
            let decimals = decimals_for(estimate.point, 3);
            let number = |value: f64| format!("{value:.decimals$}");
            format!(
                "{} {}{}",
                number(estimate.point),
                unit.name(),
                bracketed(estimate, number)
            )
        }
    }
}

/// A value as the user wrote it, with its unit: `50 ms`.
pub(super) fn value_in(unit: Unit, value: f64) -> String {
    format!("{value} {}", unit.name())
}

/// The same function of the point and of both ends of the interval.
pub(super) fn mapped(estimate: Estimate, function: impl Fn(f64) -> f64) -> Estimate {
    Estimate {
        point: function(estimate.point),
        interval: estimate.interval.map(|(low, high)| (function(low), function(high))),
        observations: estimate.observations,
    }
}

/// Bytes in powers of 1024: `1.50 GiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{} {}", significant(value, 3), UNITS[unit])
}

/// A probability as papers print it: `0.012`, `< 0.001`.
pub(super) fn p_value(p: f64) -> String {
    if !p.is_finite() {
        UNKNOWN.to_owned()
    } else if p < 0.001 {
        "< 0.001".to_owned()
    } else if p < 0.1 {
        format!("{p:.3}")
    } else {
        format!("{p:.2}")
    }
}

/// A share as a percentage: `3 %`, `2.5 %`.
pub(super) fn percent(share: f64) -> String {
    // Adding 0 makes -0, which is the sum of no numbers, 0.
    let text = format!("{:.1}", share * 100.0 + 0.0);
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

/// The figure, or a dash where there is none.
pub(super) fn or_unknown<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), show)
}

/// A figure for other programs: seven significant digits, a point for decimals, nothing where it is not a number.
pub(super) fn machine(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    format!("{value:.6e}")
        .parse::<f64>()
        .map_or_else(|_| String::new(), |rounded| rounded.to_string())
}

/// Text from a file or a worker without control characters: they would break XML and could steer a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if is_printable(c) { c } else { ' ' }).collect()
}

/// The same, keeping line breaks and tabs.
pub(super) fn printable_lines(text: &str) -> String {
    let replaced = |c| {
        if is_printable(c) || matches!(c, '\n' | '\t') {
            c
        } else {
            ' '
        }
    };
    text.chars().map(replaced).collect()
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{fffe}' | '\u{ffff}')
}

/// `23.54 GiB`, or `600 MiB of 23.54 GiB (memory limit of the cgroup /x)`.
pub fn memory_in_words(limits: &Limits) -> String {
    let machine = bytes(limits.machine_memory_bytes);
    match &limits.memory {
        None => machine,
        Some(limit) => format!("{} of {machine} ({})", bytes(limit.bytes), limit.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(point: f64, low: f64, high: f64) -> Estimate {
        Estimate {
            point,
            interval: Some((low, high)),
            observations: 10,
        }
    }

    #[test]
    fn figures_have_three_significant_digits_and_all_of_their_integer_part() {
        let text = |v| significant(v, 3);
        assert_eq!(text(0.012_345), "0.0123");
        assert_eq!(text(9.996), "10.0");
        assert_eq!(text(99.96), "100");
        assert_eq!(text(1_234_567.8), "1,234,568");
        assert_eq!(text(-1.5), "−1.50");
        assert_eq!(text(0.0), "0");
        assert_eq!(text(f64::NAN), UNKNOWN);
        assert_eq!(text(f64::INFINITY), UNKNOWN);
    }

    #[test]
    fn rates_take_the_unit_that_leaves_at_least_one() {
        assert_eq!(rate(1_234_567.0), "1.23 M/s");
        assert_eq!(rate(999_800.0), "1.00 M/s");
        assert_eq!(rate(4_985.2), "4.99 k/s");
        assert_eq!(rate(12.0), "12.0 /s");
        assert_eq!(
            rate_estimate(&estimate(1.234e6, 0.98e6, 1.5e6)),
            "1.23 M/s [0.98, 1.50]"
        );
    }

    #[test]
    fn an_estimate_without_interval_shows_its_point_alone() {
        let alone = Estimate {
            point: 1.5,
            interval: None,
            observations: 1,
        };
        assert_eq!(ratio_estimate(&alone), "1.50×");
        assert_eq!(ratio_estimate(&estimate(1.123, 1.078, 1.16)), "1.12× [1.08, 1.16]");
        assert_eq!(ratio_estimate(&estimate(12.34, 11.0, 13.0)), "12.3× [11.0, 13.0]");
    }

    #[test]
    fn ticks_carry_no_empty_zeros() {
        assert_eq!(
            [0.0, 0.5, 2.0, 1.5e6, 2e6, 200.0].map(tick),
            ["0", "0.5", "2", "1.5 M", "2 M", "200"]
        );
    }

    #[test]
    fn durations_read_well_from_microseconds_to_hours() {
        let texts: Vec<_> = [0.0, 0.000_85, 0.0412, 0.9999, 1.234, 125.0, 4320.0, 7200.0]
            .into_iter()
            .map(duration)
            .collect();
        assert_eq!(
            texts,
            [
                "0 s",
                "850 µs",
                "41.2 ms",
                "1.00 s",
                "1.23 s",
                "2 min 5 s",
                "1 h 12 min",
                "2 h"
            ]
        );
    }

    #[test]
    fn an_interval_has_the_unit_and_the_decimals_of_its_figure() {
        assert_eq!(
            duration_estimate(&estimate(0.005_62, 0.0051, 0.006_204)),
            "5.62 ms [5.10, 6.20]"
        );
        assert_eq!(
            duration_estimate(&estimate(0.000_85, 0.0008, 0.0012)),
            "850 µs [800, 1200]"
        );
        assert_eq!(duration_estimate(&estimate(12.34, 9.99, 14.0)), "12.3 s [10.0, 14.0]");
        assert_eq!(duration_estimate(&estimate(125.0, 118.2, 131.0)), "125 s [118, 131]");
        let alone = Estimate {
            point: 0.0412,
            interval: None,
            observations: 1,
        };
        assert_eq!(duration_estimate(&alone), "41.2 ms");
    }

    #[test]
    fn bytes_carry_their_unit() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1_610_612_736), "1.50 GiB");
        assert_eq!(bytes(1024 * 1024 - 1), "1.00 MiB");
    }

    #[test]
    fn small_probabilities_and_shares_are_not_printed_as_zero() {
        assert_eq!(p_value(0.000_2), "< 0.001");
        assert_eq!(p_value(0.0123), "0.012");
        assert_eq!(p_value(0.5), "0.50");
        assert_eq!(percent(0.03), "3 %");
        assert_eq!(percent(0.025), "2.5 %");
        assert_eq!(percent(-0.0), "0 %");
    }

    #[test]
    fn figures_for_programs_are_plain_and_empty_where_unknown() {
        assert_eq!(machine(1_234_567.891), "1234568");
        assert_eq!(machine(0.1 + 0.2), "0.3");
        assert_eq!(machine(f64::NAN), "");
    }

    #[test]
    fn control_characters_do_not_reach_a_terminal_or_a_page() {
        assert_eq!(printable("a\u{1b}[31mb\u{0}c\nd"), "a [31mb c d");
        assert_eq!(printable_lines("a\u{1b}b\nc"), "a b\nc");
    }
}
