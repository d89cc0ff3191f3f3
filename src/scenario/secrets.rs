//! Keeps secrets out of what is printed: which properties hold one, and a copy of a file with their values starred.

/// Properties whose value may only come from the environment.
const SECRETS: &[&str] = &[
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.assertion.private.key.pem",
    "sasl.oauthbearer.client.credentials.client.secret",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.config",
    "sasl.password",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
];

/// Parts of names, in lower case, that say that a value may be a secret even where the name is misspelt.
const SUSPICIOUS: &[&str] = &["passw", "pasw", "passphrase", "secret", ".pem", "jaas", "bearer.config"];

/// True for a property whose value must not stand in a file.
pub(super) fn is_secret(property: &str) -> bool {
    SECRETS.contains(&property)
}

/// True for a name whose value should not be shown: a secret, or what looks like the name of one.
pub(super) fn is_suspicious(name: &str) -> bool {
    let lower = name.to_lowercase();
    is_secret(name) || SUSPICIOUS.iter().any(|part| lower.contains(part))
}

/// The text with everything that may be a secret replaced by stars, byte for byte, so that places stay the same.
/// Works on text that is not valid TOML too: what follows the `=` after a suspicious name is taken for its value,
/// to the end of the line or of the multi-line string that begins there.
pub(super) fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut closing: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        let value = match closing {
            Some(_) => Some(0),
            None => value_of_secret(line),
        };
        let Some(value) = value else {
            out.push_str(line);
            continue;
        };
        let (shown, hidden) = line.split_at(value);
        out.push_str(shown);
        out.extend(hidden.chars().flat_map(star));
        closing = still_open(hidden, closing);
    }
    out
}

/// Where the value begins in a line that gives a value to a suspicious name.
fn value_of_secret(line: &str) -> Option<usize> {
    // ASCII only, so that the bytes keep their places.
    let lower = line.to_ascii_lowercase();
    let name = SUSPICIOUS.iter().filter_map(|part| lower.find(part)).min()?;
    lower[name..].find('=').map(|equals| name + equals + 1)
}

fn still_open<'a>(hidden: &str, closing: Option<&'a str>) -> Option<&'a str> {
    if let Some(quotes) = closing {
        return if hidden.contains(quotes) { None } else { Some(quotes) };
    }
    ["\"\"\"", "'''"]
        .into_iter()
        .find(|quotes| hidden.matches(quotes).count() == 1)
}

fn star(character: char) -> impl Iterator<Item = char> {
    let shown = if character.is_whitespace() { character } else { '*' };
    let times = if shown == '*' { character.len_utf8() } else { 1 };
    std::iter::repeat_n(shown, times)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_secret_over_several_lines_is_hidden_to_its_end() {
        let text = "\"ssl.key.pem\" = \"\"\"\n-----BEGIN\nabc\n\"\"\"\nsize = 1\n";
        assert_eq!(masked(text), "\"ssl.key.pem\" = ***\n**********\n***\n***\nsize = 1\n");
    }

    #[test]
    fn a_misspelt_secret_is_hidden_too() {
        assert_eq!(masked("\"sasl.pasword\" = \"x\""), "\"sasl.pasword\" = ***");
        assert!(is_suspicious("ssl.keystore.Password"));
        assert!(!is_suspicious("fetch.min.bytes"));
    }
}
