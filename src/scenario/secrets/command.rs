//! Hides secrets in the commands of launchers.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Serialize as _, Serializer};

use super::names::{is_suspicious, suspicious_names};

/// What stands in the place of a secret in a text.
pub(crate) const HIDDEN: &str = "(hidden)";

/// A word of a command line for a shell: quoted and other parts without a space between them.
const SHELL_WORD: &str = r#"(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"';&|\\])+"#;

/// A command without the secrets that stand in it: values of variables and options whose names may be those of secrets.
/// One that is taken from a variable when the command runs, `NAME=$OTHER`, is none.
pub(crate) fn masked_command(command: &[String]) -> Vec<String> {
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
pub(crate) fn serialize_command<S: Serializer>(command: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    masked_command(command).serialize(serializer)
}

/// The secrets that [`masked_command`] takes out.
pub(crate) fn secrets_of_command(command: &[String]) -> Vec<String> {
    let masked = masked_command(command);
    let pairs = command.iter().zip(&masked).filter(|(word, masked)| word != masked);
    pairs.flat_map(|(word, masked)| cut_out(word, masked)).collect()
}

/// What stands in `word` where `masked` has [`HIDDEN`].
fn cut_out(word: &str, masked: &str) -> Vec<String> {
    let mut rest = word;
    let mut secrets = Vec::new();
    let mut visible = masked.split(HIDDEN);
    rest = visible
        .next()
        .and_then(|first| rest.strip_prefix(first))
        .unwrap_or(rest);
    for part in visible {
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
    let mut copied = 0;
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
        let Some(value) = found.filter(|_| name.end >= copied) else {
            continue;
        };
        let start = name.end + value.start();
        // Outside of a line for a shell the value is the rest of the word, whatever it holds.
        let end = if for_shell { name.end + value.end() } else { word.len() };
        if word[start..end].trim_start_matches(['"', '\'']).starts_with('$') {
            continue;
        }
        masked.push_str(&word[copied..start]);
        masked.push_str(HIDDEN);
        copied = end;
    }
    masked.push_str(&word[copied..]);
    masked
}
