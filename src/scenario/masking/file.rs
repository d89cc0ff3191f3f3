//! Hides secrets in a scenario file before anything prints it, whether it can be parsed or not.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::clients::ClientKind;
use crate::scenario::keys::{Table, keys};
use crate::scenario::secrets::{HIDDEN, is_known_name, is_of_name, is_secret, suspicious_names};

/// Shorter words are not taken out of messages: they would take the sense out of them.
const WORD_CHARACTERS_MIN: usize = 4;

/// Messages cut long values; a word of a secret is found by so many of its first characters.
const WORD_CHARACTERS_KNOWN: usize = 8;

/// A file without what may be secret in it.
#[derive(Debug)]
pub(crate) struct Masked {
    /// The text with a star for each hidden byte, so that places stay the same.
    pub(crate) text: String,
    words: Vec<String>,
}

impl Masked {
    /// Hides whatever stands beside a name that may be that of a secret, in whatever syntax.
    pub(crate) fn of(text: &str) -> Self {
        let hidden = hidden_places(text);
        let mut masked = String::with_capacity(text.len());
        let mut words = Vec::new();
        let mut copied = 0;
        for place in hidden {
            masked.push_str(&text[copied..place.start]);
            masked.extend(text[place.clone()].chars().flat_map(star));
            words.extend(words_of(&text[place.clone()]));
            copied = place.end;
        }
        masked.push_str(&text[copied..]);
        // The longest first: one may be part of another.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words.dedup();
        Masked { text: masked, words }
    }

    /// A message about the file without what is hidden in the file.
    pub(crate) fn message(&self, message: &str) -> String {
        let mut message = message.to_owned();
        for word in &self.words {
            let known: String = word.chars().take(WORD_CHARACTERS_KNOWN).collect();
            let mut from = 0;
            while let Some(at) = message[from..].find(&known).map(|at| from + at) {
                let same = |(a, b): &(char, char)| a == b;
                let pairs = message[at..].chars().zip(word.chars()).take_while(same);
                let end = at + pairs.map(|(character, _)| character.len_utf8()).sum::<usize>();
                if let Some(of_name) = end_of_public_name(&message, at).filter(|of_name| end <= *of_name) {
                    from = of_name;
                    continue;
                }
                message.replace_range(at..end, HIDDEN);
                from = at + HIDDEN.len();
            }
        }
        message
    }
}

/// Where the name ends that a place of a message is in, if everybody knows that name, such as a client's property.
fn end_of_public_name(message: &str, at: usize) -> Option<usize> {
    let before = message[..at].trim_end_matches(is_of_name).len();
    let length = message[before..].find(|c| !is_of_name(c));
    let end = length.map_or(message.len(), |length| before + length);
    let name = message[before..end].trim_end_matches('.');
    (is_known_name(name) || ClientKind::Librdkafka.foreign_names().contains(&name)).then_some(end)
}

fn star(character: char) -> impl Iterator<Item = char> {
    let printed = if character.is_whitespace() { character } else { '*' };
    let times = if printed == '*' { character.len_utf8() } else { 1 };
    std::iter::repeat_n(printed, times)
}

/// The words of a hidden part that a message may quote.
fn words_of(hidden: &str) -> impl Iterator<Item = String> {
    let words = hidden.split(|c: char| c.is_whitespace() || c.is_control() || "\"'`\\{}[](),;".contains(c));
    let words = words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let own = |word: &str| is_harmless_key(word) || ["file", "true", "false"].contains(&word);
    words
        .filter(move |word| word.chars().count() >= WORD_CHARACTERS_MIN && !own(word))
        .map(str::to_owned)
}

/// What is to be hidden, in order and without overlaps.
fn hidden_places(text: &str) -> Vec<Range<usize>> {
    let mut places: Vec<Range<usize>> = Vec::new();
    for name in suspicious_names(text) {
        let value = value_of(text, &name);
        places.extend(reversed(text, &name));
        places.push(value);
    }
    places.extend(passwords_of_addresses(text));
    places.sort_by_key(|place| place.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for place in places {
        match apart.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => apart.push(place),
        }
    }
    apart
}

/// The password of `scheme://USER:PASSWORD@HOST`, of which a careless one may hold an `@` too.
pub(super) fn passwords_of_addresses(text: &str) -> impl Iterator<Item = Range<usize>> {
    static ADDRESS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"[A-Za-z][A-Za-z0-9+.-]*://[^\s"':/?#@]*:([^\s"']+)@"#).ok());
    let addresses = ADDRESS.as_ref().map(|address| address.captures_iter(text));
    let passwords = addresses.into_iter().flatten().filter_map(|address| address.get(1));
    passwords.map(|password| password.range())
}

pub(super) fn line_end(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |newline| from + newline + 1)
}

fn line_start(text: &str, to: usize) -> usize {
    text[..to].rfind('\n').map_or(0, |newline| newline + 1)
}

/// From the end of a name to the end of its value: of the line, and of the lines after it that may belong to it. What
/// separates the name from the value stays visible.
fn value_of(text: &str, name: &Range<usize>) -> Range<usize> {
    static SEPARATION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"^["']?[ \t]*[=:]?[ \t]*"#).ok());
    let mut end = line_end(text, name.end);
    let open = is_open(&text[line_start(text, name.end)..end], &text[name.end..end]);
    while end < text.len() {
        let next = &text[end..line_end(text, end)];
        if begins_with_known_name(next) || !open && begins_something(next) {
            break;
        }
        end += next.len();
    }
    let separation = SEPARATION
        .as_ref()
        .and_then(|separation| separation.find(&text[name.end..end]));
    name.end + separation.map_or(0, |separation| separation.len())..end
}

/// True where the value after a name does not end with its line: nothing of it is there yet, or a quote or bracket is open.
fn is_open(line: &str, rest: &str) -> bool {
    let value = rest.trim_start_matches(is_of_name);
    let value = value.trim_matches(|c: char| c.is_whitespace() || "\"'=:>,-|\\{[(".contains(c));
    let odd = |quote: char| !line.matches(quote).count().is_multiple_of(2);
    let unclosed = |open: char, close: char| rest.matches(open).count() > rest.matches(close).count();
    value.is_empty()
        || odd('"')
        || odd('\'')
        || unclosed('{', '}')
        || unclosed('[', ']')
        || unclosed('(', ')')
        || rest.trim_end().ends_with('\\')
}

/// True for a line that begins with a table of scenarios or with a value for a name whose value is no secret.
fn begins_with_known_name(line: &str) -> bool {
    let line = line.trim_start_matches(|c: char| c.is_whitespace() || "-\"'".contains(c));
    let header = line.trim_start_matches('[');
    let length = header.find(|c| !is_of_name(c)).unwrap_or(header.len());
    let (name, rest) = header.split_at(length);
    if header.len() < line.len() {
        let table = name.trim_end_matches(".client");
        return rest.starts_with(']') && Table::named(table).is_some();
    }
    let separated = rest.trim_start_matches(|c: char| c.is_whitespace() || "\"'".contains(c));
    is_harmless_key(name) && separated.starts_with(['=', ':'])
}

/// True for a line that may be the first of something new: a name and a value, a table, a comment, nothing.
fn begins_something(line: &str) -> bool {
    static BEGINNING: LazyLock<Option<Regex>> = LazyLock::new(|| {
        // Base 64 ends with `=`, which does not make it a name.
        let pattern =
            r#"^\s*($|#|[\]}]|\[+["'\w.-]+\]|(-\s+|export\s+)?["']?[A-Za-z][\w.-]{0,99}["']?\s*(:|=\s*[^\s=]))"#;
        Regex::new(pattern).ok()
    });
    BEGINNING.as_ref().is_some_and(|beginning| beginning.is_match(line))
}

/// The value that stands before its name, where nothing stands after it: `"X" = "sasl.password"`.
fn reversed(text: &str, name: &Range<usize>) -> Option<Range<usize>> {
    let (start, end) = (line_start(text, name.start), line_end(text, name.end));
    let before = &text[start..name.start];
    let after = text[name.end..end].trim_matches(|c: char| !c.is_alphanumeric());
    let value = before.trim_end_matches(|c: char| c.is_whitespace() || "\"'".contains(c));
    let value = value.strip_suffix(['=', ':'])?.trim();
    (after.is_empty() && !is_harmless_key(value.trim_matches(['"', '\'', '-', ' ']))).then_some(start..name.start)
}

/// True for a name of a scenario whose value is no secret.
fn is_harmless_key(name: &str) -> bool {
    !is_secret(name) && (is_known_name(name) || keys().any(|key| key.name == name))
}
