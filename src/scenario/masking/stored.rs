//! The text of a scenario as it is stored with a run.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::file::{Masked, line_end, passwords_of_addresses};
use crate::scenario::secrets::{masked_command, suspicious_names};

/// The text of a valid scenario as it may be stored: without the secrets of launchers and apps, and of settings that were
/// commented out.
pub fn storable(text: &str) -> String {
    let (document, _) = DeTable::parse_recoverable(text);
    let mut cuts: Vec<(Range<usize>, String)> = commands(document.get_ref()).flat_map(cuts_of_command).collect();
    cuts.extend(envs(document.get_ref()).flat_map(cuts_of_env));
    for place in comments(text) {
        let comment = &text[place.clone()];
        let assigns = |name: Range<usize>| comment[name.end..].contains(['=', ':']);
        let has_address = passwords_of_addresses(comment).next().is_some();
        if has_address || suspicious_names(comment).into_iter().any(assigns) {
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
    let mut position = 0;
    while position < text.len() {
        let rest = &text[position..];
        match quote {
            Some(open) if rest.starts_with(open) => {
                quote = None;
                position += open.len();
            }
            // A quote of one line ends with it, whatever is missing.
            Some(open) if open.len() == 1 && rest.starts_with('\n') => quote = None,
            Some(open) if open.starts_with('"') && rest.starts_with('\\') => {
                position += 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            }
            Some(_) => position += rest.chars().next().map_or(1, char::len_utf8),
            None if rest.starts_with('#') => {
                let end = line_end(text, position);
                match found.last_mut() {
                    Some(last) if text[last.end..position].trim().is_empty() => last.end = end,
                    _ => found.push(position..end),
                }
                position = end;
            }
            None => {
                quote = [r#"""""#, "'''", "\"", "'"]
                    .into_iter()
                    .find(|quote| rest.starts_with(quote));
                position += quote.map_or_else(|| rest.chars().next().map_or(1, char::len_utf8), str::len);
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

/// The launchers of places and the commands of apps.
fn commands<'a>(document: &'a DeTable<'a>) -> impl Iterator<Item = &'a [Spanned<DeValue<'a>>]> {
    let of_key = move |table: &str, key: &'static str| {
        let listed = document.get(table).and_then(|tables| tables.get_ref().as_array());
        let tables = listed.into_iter().flat_map(|tables| tables.iter());
        tables.filter_map(move |table| {
            let command = table.get_ref().as_table()?.get(key)?;
            command.get_ref().as_array().map(|words| &**words)
        })
    };
    of_key("place", "launcher").chain(of_key("app", "command"))
}

/// The variables of apps.
fn envs<'a>(document: &'a DeTable<'a>) -> impl Iterator<Item = &'a DeTable<'a>> {
    let apps = document.get("app").and_then(|apps| apps.get_ref().as_array());
    let apps = apps.into_iter().flat_map(|apps| apps.iter());
    apps.filter_map(|app| app.get_ref().as_table()?.get("env")?.get_ref().as_table())
}

fn cuts_of_env(env: &DeTable<'_>) -> Vec<(Range<usize>, String)> {
    let cut = |(name, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
        let assignment = format!("{}={}", name.get_ref(), value.get_ref().as_str()?);
        let masked = masked_command(std::slice::from_ref(&assignment)).pop()?;
        let (_, masked) = masked.split_once('=').filter(|_| masked != assignment)?;
        Some((value.span(), toml::Value::String(masked.to_owned()).to_string()))
    };
    env.iter().filter_map(cut).collect()
}

fn cuts_of_command(words: &[Spanned<DeValue<'_>>]) -> Vec<(Range<usize>, String)> {
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
