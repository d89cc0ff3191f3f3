//! Takes secrets out of what is shown of a scenario file, whether it can be parsed or not.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Serialize as _, Serializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::Table;
use super::secrets::{is_harmless, is_of_name, is_suspicious, suspicious_names};

/// What stands in the place of a secret in a text.
pub(super) const HIDDEN: &str = "(hidden)";

/// A word of a command line for a shell: quoted and other parts without a space between them.
const SHELL_WORD: &str = r#"(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"';&|\\])+"#;

/// Shorter words are not taken out of messages: they would take the sense out of them.
const WORD_CHARACTERS_MIN: usize = 4;

/// Messages cut long values; a word of a secret is found by so many of its first characters.
const WORD_CHARACTERS_KNOWN: usize = 8;

/// A file without what may be secret in it.
#[derive(Debug)]
pub(super) struct Masked {
    /// The text with a star for each hidden byte, so that places stay the same.
    pub(super) text: String,
    words: Vec<String>,
}

impl Masked {
    /// Hides whatever stands beside a name that may be that of a secret, in whatever syntax.
    pub(super) fn of(text: &str) -> Self {
        let hidden = hidden_places(text);
        let mut masked = String::with_capacity(text.len());
        let mut words = Vec::new();
        let mut shown = 0;
        for place in hidden {
            masked.push_str(&text[shown..place.start]);
            masked.extend(text[place.clone()].chars().flat_map(star));
            words.extend(words_of(&text[place.clone()]));
            shown = place.end;
        }
        masked.push_str(&text[shown..]);
        // The longest first: one may be part of another.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words.dedup();
        Masked { text: masked, words }
    }

    /// A message about the file without what is hidden in the file.
    pub(super) fn message(&self, message: &str) -> String {
        let mut message = message.to_owned();
        for word in &self.words {
            let known: String = word.chars().take(WORD_CHARACTERS_KNOWN).collect();
            let mut from = 0;
            while let Some(at) = message[from..].find(&known).map(|at| from + at) {
                let same = |(a, b): &(char, char)| a == b;
                let pairs = message[at..].chars().zip(word.chars()).take_while(same);
                let end = at + pairs.map(|(character, _)| character.len_utf8()).sum::<usize>();
                message.replace_range(at..end, HIDDEN);
                from = at + HIDDEN.len();
            }
        }
        message
    }
}

fn star(character: char) -> impl Iterator<Item = char> {
    let shown = if character.is_whitespace() { character } else { '*' };
    let times = if shown == '*' { character.len_utf8() } else { 1 };
    std::iter::repeat_n(shown, times)
}

/// The words of a hidden part that a message may quote.
fn words_of(hidden: &str) -> impl Iterator<Item = String> {
    let words = hidden.split(|c: char| c.is_whitespace() || c.is_control() || "\"'`\\{}[](),;".contains(c));
    let words = words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let own = |word: &str| is_harmless(word) || ["file", "true", "false"].contains(&word);
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

fn line_end(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |newline| from + newline + 1)
}

fn line_start(text: &str, to: usize) -> usize {
    text[..to].rfind('\n').map_or(0, |newline| newline + 1)
}

/// From the end of a name to the end of its value: of the line, and of the lines after it that may belong to it. What
/// parts the name and the value is shown.
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

/// True for a line that begins with a table of scenarios or with a value for a name whose value may be shown.
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
    is_harmless(name) && separated.starts_with(['=', ':'])
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
    (after.is_empty() && !is_harmless(value.trim_matches(['"', '\'', '-', ' ']))).then_some(start..name.start)
}

/// The text of a valid scenario as it may be stored: without the secrets of launchers and of settings that were commented
/// out.
pub fn storable(text: &str) -> String {
    let (document, _) = DeTable::parse_recoverable(text);
    let mut cuts: Vec<(Range<usize>, String)> = launchers(document.get_ref()).flat_map(cuts_of_launcher).collect();
    for place in comments(text) {
        let comment = &text[place.clone()];
        let assigns = |name: Range<usize>| comment[name.end..].contains(['=', ':']);
        if suspicious_names(comment).into_iter().any(assigns) {
            cuts.push((place.clone(), masked_comment(comment)));
        }
    }
    cuts.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    let mut storable = text.to_owned();
    for (place, instead) in cuts {
        storable.replace_range(place, &instead);
    }
    storable
}

/// Where comments stand: from the sign to the end of the line, those of lines in a row together.
fn comments(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut quote: Option<&str> = None;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        match quote {
            Some(open) if rest.starts_with(open) => {
                quote = None;
                at += open.len();
            }
            // A quote of one line ends with it, whatever is missing.
            Some(open) if open.len() == 1 && rest.starts_with('\n') => quote = None,
            Some(open) if open.starts_with('"') && rest.starts_with('\\') => {
                at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            }
            Some(_) => at += rest.chars().next().map_or(1, char::len_utf8),
            None if rest.starts_with('#') => {
                let end = line_end(text, at);
                match found.last_mut() {
                    Some(last) if text[last.end..at].trim().is_empty() => last.end = end,
                    _ => found.push(at..end),
                }
                at = end;
            }
            None => {
                quote = [r#"""""#, "'''", "\"", "'"]
                    .into_iter()
                    .find(|quote| rest.starts_with(quote));
                at += quote.map_or_else(|| rest.chars().next().map_or(1, char::len_utf8), str::len);
            }
        }
    }
    found
}

/// A comment without its secrets: masked as if its lines were no comment, with the signs put back.
fn masked_comment(comment: &str) -> String {
    let mut plain = String::with_capacity(comment.len());
    let mut signs = Vec::new();
    for line in comment.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let length = line[indent..].len() - line[indent..].trim_start_matches('#').len();
        signs.extend((0..length).map(|sign| plain.len() + indent + sign));
        plain.push_str(&line[..indent]);
        plain.extend(std::iter::repeat_n(' ', length));
        plain.push_str(&line[indent + length..]);
    }
    let mut masked = Masked::of(&plain).text;
    for sign in signs {
        masked.replace_range(sign..=sign, "#");
    }
    masked
}

fn launchers<'a>(document: &'a DeTable<'a>) -> impl Iterator<Item = &'a [Spanned<DeValue<'a>>]> {
    let places = document.get("place").and_then(|places| places.get_ref().as_array());
    let places = places.into_iter().flat_map(|places| places.iter());
    places.filter_map(|place| {
        let launcher = place.get_ref().as_table()?.get("launcher")?;
        launcher.get_ref().as_array().map(|words| &**words)
    })
}

fn cuts_of_launcher(words: &[Spanned<DeValue<'_>>]) -> Vec<(Range<usize>, String)> {
    let command: Vec<String> = words
        .iter()
        .map(|word| word.get_ref().as_str().unwrap_or_default().to_owned())
        .collect();
    let changed = words.iter().zip(command.iter().zip(masked_command(&command)));
    let changed = changed.filter(|(_, (word, masked))| *word != masked);
    changed
        .map(|(word, (_, masked))| (word.span(), toml::Value::String(masked).to_string()))
        .collect()
}

/// A command without the secrets that stand in it: values of variables and options whose names may be those of secrets.
/// One that is taken from a variable when the command runs, `NAME=$OTHER`, is none.
pub(super) fn masked_command(command: &[String]) -> Vec<String> {
    let (mut secret_follows, mut line_follows) = (false, false);
    command
        .iter()
        .map(|word| {
            let is_value = std::mem::replace(&mut secret_follows, is_option_of_secret(word));
            if is_value && !word.starts_with(['-', '$']) {
                return HIDDEN.to_owned();
            }
            let for_shell = std::mem::replace(&mut line_follows, word == "-c");
            masked_word(word, for_shell)
        })
        .collect()
}

/// Stores a command as [`masked_command`] gives it.
pub(super) fn serialize_command<S: Serializer>(command: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    masked_command(command).serialize(serializer)
}

/// The secrets that [`masked_command`] takes out.
pub(super) fn secrets_of_command(command: &[String]) -> Vec<String> {
    let masked = masked_command(command);
    let pairs = command.iter().zip(&masked).filter(|(word, masked)| word != masked);
    pairs.flat_map(|(word, masked)| cut_out(word, masked)).collect()
}

/// What stands in `word` where `masked` has [`HIDDEN`].
fn cut_out(word: &str, masked: &str) -> Vec<String> {
    let mut rest = word;
    let mut secrets = Vec::new();
    let mut shown = masked.split(HIDDEN);
    rest = shown.next().and_then(|first| rest.strip_prefix(first)).unwrap_or(rest);
    for part in shown {
        let end = if part.is_empty() {
            Some(rest.len())
        } else {
            rest.find(part)
        };
        let Some(end) = end else { break };
        secrets.push(rest[..end].trim_matches(['"', '\'']).to_owned());
        rest = &rest[end + part.len()..];
    }
    secrets
}

fn is_option_of_secret(word: &str) -> bool {
    word.starts_with('-') && !word.contains(['=', ' ']) && is_suspicious(word)
}

/// A word, or a line for a shell, without the values of its secrets.
fn masked_word(word: &str, for_shell: bool) -> String {
    static VALUE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(&format!(r#"^[\w.-]*["']?\s*[=:]\s*({SHELL_WORD})"#)).ok());
    // An option may be parted from its value by a space alone.
    static OF_OPTION: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(&format!(r"^[\w.-]*(?:\s*[=:]\s*|\s+)({SHELL_WORD})")).ok());
    let mut masked = String::with_capacity(word.len());
    let mut shown = 0;
    for name in suspicious_names(word)
        .into_iter()
        .filter(|name| !word[name.clone()].contains('\n'))
    {
        let is_option = word[name.start..].starts_with('-');
        let pattern = if is_option { &OF_OPTION } else { &VALUE };
        let found = pattern
            .as_ref()
            .and_then(|value| value.captures(&word[name.end..])?.get(1))
            .filter(|value| !is_option || !value.as_str().starts_with('-'));
        let Some(value) = found.filter(|_| name.end >= shown) else {
            continue;
        };
        let start = name.end + value.start();
        // Outside of a line for a shell the value is the rest of the word, whatever it holds.
        let end = if for_shell { name.end + value.end() } else { word.len() };
        if word[start..end].trim_start_matches(['"', '\'']).starts_with('$') {
            continue;
        }
        masked.push_str(&word[shown..start]);
        masked.push_str(HIDDEN);
        shown = end;
    }
    masked.push_str(&word[shown..]);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        Masked::of(text).text
    }

    #[test]
    fn values_of_secrets_become_stars_and_all_else_keeps_its_place() {
        let text = "a = 1\n\"sasl.password\" = \"hünter2\"\r\n\"fetch.min.bytes\" = 2\n";
        let masked = masked(text);
        assert_eq!(
            masked,
            "a = 1\n\"sasl.password\" = **********\r\n\"fetch.min.bytes\" = 2\n"
        );
        assert_eq!(masked.len(), text.len());
    }

    #[test]
    fn secrets_of_shell_lines_are_found_on_every_line_and_after_options_too() {
        let shown = |words: &[&str]| {
            let command: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            masked_command(&command).join(" ")
        };
        for line in [
            "set -e\nDB_PASSWORD=X4711 exec {tandem}",
            "run --sasl-password X4711 --size 2",
            "PASSWORD=ab\"X4711\" run",
            "PASSWORD=ab\\ X4711 run",
        ] {
            let masked = shown(&["sh", "-c", line]);
            assert!(!masked.contains("4711") && masked.contains("(hidden)"), "{masked}");
        }
        let remote = shown(&["ssh", "host", "worker --password X4711"]);
        assert!(!remote.contains("4711"), "{remote}");
        assert_eq!(
            shown(&["sh", "-c", "run --password --size 2"]),
            "sh -c run --password --size 2"
        );
    }

    #[test]
    fn secrets_in_comments_are_hidden_behind_values_and_over_several_lines_too() {
        let text = "question = '# no comment'\n\"sasl.password\" = { env = \"P\" } # sasl.password = \"X4711\"\n\
                    # \"ssl.key.pem\" = \"\"\"\n# -----BEGIN4711\n# key4711\nsize = 1 # bytes\n";
        let stored = storable(text);
        assert!(!stored.contains("4711"), "{stored}");
        for kept in ["# no comment", "{ env = \"P\" } #", "size = 1 # bytes", "\n# "] {
            assert!(stored.contains(kept), "{stored}");
        }
        assert_eq!(stored.len(), text.len());
    }

    #[test]
    fn a_secret_over_several_lines_is_hidden_to_its_end() {
        let text = "\"ssl.key.pem\" = \"\"\"\n-----BEGIN\nabc\n\"\"\"\nsize = 1\n";
        assert_eq!(masked(text), "\"ssl.key.pem\" = ***\n**********\n***\n***\nsize = 1\n");
    }

    #[test]
    fn whatever_stands_beside_the_name_is_hidden_in_any_syntax() {
        let written = [
            "\"sasl.password\": \"X4711\"",
            "sasl.password: X4711",
            "sasl.password X4711",
            "sasl.password\n  X4711",
            "sasl.password =\n\n\"X4711\"",
            "\"basic.auth.user.info\" = \"u:X4711\"",
            "sasl.pass\nword = X4711",
            "sasl.password=\\\nX4711\nY = X4711",
            "- name: SASL_PASSWORD\n  value: X4711\n- name: OTHER",
            "ssl.key.pem: |\n  -----BEGIN PRIVATE KEY-----\n  X4711\n  abX4711=\n",
            "{\"size\": 1, \"sasl.jaas.config\": \"required user=u password=X4711;\", \"a\": 2}",
            "launcher = [\"env\", \"KAFKA_PASSWORD=X4711\"]",
            "\"X4711\" = \"sasl.password\"",
        ];
        for text in written {
            let masked = masked(text);
            assert!(!masked.contains("X4711") && masked.len() == text.len(), "{masked}");
        }
    }

    #[test]
    fn what_follows_a_whole_value_is_shown() {
        let shown = masked("password: X4711\n\"sasl.mecanism\" = \"PLAIN\"\nauthor = \"me\"\n");
        assert_eq!(
            shown,
            "password: *****\n\"sasl.mecanism\" = \"PLAIN\"\nauthor = \"me\"\n"
        );
    }

    #[test]
    fn messages_lose_what_is_hidden_in_the_file_cut_short_or_not() {
        let file = Masked::of("work = { \"sasl.pasword\" = \"X4711-and-more\" }");
        assert_eq!(
            file.message("`work` cannot be \"X4711-and-more\""),
            "`work` cannot be \"(hidden)\""
        );
        assert_eq!(
            file.message("`work` cannot be \"X4711-and..."),
            "`work` cannot be \"(hidden)..."
        );
    }

    #[test]
    fn commands_lose_the_values_of_secrets_and_nothing_else() {
        let command = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<String>>();
        let words = command(&[
            "env",
            "KAFKA_PASSWORD=a b",
            "TOKEN=$TOKEN",
            "--sasl-password",
            "X",
            "--api-key=X",
            "--password",
            "--verbose",
            "sh",
            "-c",
            "PASSWORD='a b' exec python3 worker.py password",
            "{tandem}",
        ]);
        let masked = command(&[
            "env",
            "KAFKA_PASSWORD=(hidden)",
            "TOKEN=$TOKEN",
            "--sasl-password",
            "(hidden)",
            "--api-key=(hidden)",
            "--password",
            "--verbose",
            "sh",
            "-c",
            "PASSWORD=(hidden) exec python3 worker.py password",
            "{tandem}",
        ]);
        assert_eq!(masked_command(&words), masked);
        assert_eq!(secrets_of_command(&words), ["a b", "X", "X", "a b"]);
    }

    #[test]
    fn a_text_is_stored_without_the_secrets_of_launchers_and_comments_and_still_says_the_same() {
        let text = "question = 'Is a token: secret?'\n# \"sasl.password\" = \"X4711\"\n[[place]]\nname = 'there'\n\
                    launcher = ['env', 'DB_PASSWORD=X4711', \"--sasl.password\", 'X4711', '{tandem}']\ncpus = '0'\n";
        let stored = storable(text);
        assert_eq!(
            stored,
            "question = 'Is a token: secret?'\n# \"sasl.password\" = *******\n[[place]]\nname = 'there'\n\
             launcher = ['env', \"DB_PASSWORD=(hidden)\", \"--sasl.password\", \"(hidden)\", '{tandem}']\ncpus = '0'\n"
        );
        assert_eq!(storable(&stored), stored);
        let plain = "question = 'q'\n# The password comes from a file.\n";
        assert_eq!(storable(plain), plain);
    }
}
