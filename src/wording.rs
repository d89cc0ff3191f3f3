//! Numbers, counted things and lists as sentences have them, and grouping of what shares a key.

use std::fmt::Display;

/// A decimal number with its thousands apart: `1,234,567`, `-12,345.6`.
#[allow(clippy::needless_pass_by_value, reason = "numbers, most of them fields and literals")]
pub fn with_commas(number: impl Display) -> String {
    let text = number.to_string();
    let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let end = text.find('.').unwrap_or(text.len());
    let mut out = String::with_capacity(text.len() + text.len() / 3);
    for (place, c) in text.char_indices() {
        if start < place && place < end && (end - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A number to the integer, with its thousands apart: `1,234,567`.
pub fn thousands(number: f64) -> String {
    with_commas(format_args!("{number:.0}"))
}

/// A count with its noun: `1 block`, `2,000 blocks`, `2 processes`.
pub fn plural(count: impl Display, noun: &str) -> String {
    let count = with_commas(count);
    let ending = match noun {
        _ if count == "1" => "",
        "process" => "es",
        _ => "s",
    };
    format!("{count} {noun}{ending}")
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

/// The items of each distinct key, in the order of first appearance.
pub fn grouped<K: PartialEq, T>(pairs: impl Iterator<Item = (K, T)>) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for (key, item) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, items)) => items.push(item),
            None => groups.push((key, vec![item])),
        }
    }
    groups
}

/// The parts that are not empty, with a separator between them.
pub fn joined<'a>(parts: impl IntoIterator<Item = &'a str>, separator: &str) -> String {
    let known: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    known.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas_and_nouns_follow_them() {
        assert_eq!(
            [999.4, 1_000.0, 1_234_567.0].map(thousands),
            ["999", "1,000", "1,234,567"]
        );
        assert_eq!(
            ["1", "12", "-123", "-1234", "123456.7891", "0.00012"].map(with_commas),
            ["1", "12", "-123", "-1,234", "123,456.7891", "0.00012"]
        );
        assert_eq!(
            [plural(1, "block"), plural(0, "block"), plural(2_000, "process")],
            ["1 block", "0 blocks", "2,000 processes"]
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
