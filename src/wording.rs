//! Numbers, counted things and lists as sentences have them.

use std::fmt::Display;

/// `1,234,567`.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 block`, `2 blocks`.
pub fn plural<N: Copy + Display + PartialEq + From<bool>>(number: N, noun: &str) -> String {
    let s = if number == N::from(true) { "" } else { "s" };
    format!("{number} {noun}{s}")
}

/// `a`, `a and b`, `a, b and c`.
pub fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

/// With a capital first letter, unless the first word is a key with its value or a name with a digit (`p99`).
pub fn capitalised(sentence: &str) -> String {
    let first_word = sentence.split(' ').next().unwrap_or_default();
    let mut rest = sentence.chars();
    match rest.next() {
        Some(first) if !first_word.contains(|c: char| c == '=' || c.is_ascii_digit()) => {
            first.to_uppercase().chain(rest).collect()
        }
        _ => sentence.to_owned(),
    }
}

/// A number without the zeros, and the point, that it may end with: `2.50` as `2.5`.
pub fn without_zeros(number: &str) -> &str {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_nouns_follow_them() {
        assert_eq!(
            [999.4, 1_000.0, 1_234_567.0].map(thousands),
            ["999", "1,000", "1,234,567"]
        );
        assert_eq!(
            (plural(1u32, "block"), plural(0u64, "block")),
            ("1 block".to_owned(), "0 blocks".to_owned())
        );
        assert_eq!(
            ["2.50", "2.00", "20", "0.05"].map(without_zeros),
            ["2.5", "2", "20", "0.05"]
        );
    }

    #[test]
    fn lists_end_with_and_sentences_begin_with_a_capital_unless_with_a_key() {
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(
            ["with x", "work=none reads", "p99 falls", "\"two\" reads"].map(capitalised),
            ["With x", "work=none reads", "p99 falls", "\"two\" reads"]
        );
    }
}
