//! Which names may hold a secret: those of the client's properties, and whatever reads like one, though it is misspelt.

use std::ops::Range;

use crate::scenario::client::is_property;
use crate::scenario::topic_settings;

/// Properties whose value may only come from the environment or from a file.
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

/// What names of secrets read like, in small letters without signs, each with the number of wrong letters up to which
/// a name still reads like it. Short ones would be found everywhere if any letter might be wrong.
const READ_LIKE: &[(&str, usize)] = &[
    ("accesskey", 2),
    ("apikey", 1),
    ("basicauthuserinfo", 3),
    ("bearerconfig", 2),
    ("clientsecret", 3),
    ("credential", 1),
    ("jaas", 0),
    ("passphrase", 2),
    ("password", 2),
    ("privatekey", 2),
    ("pwd", 0),
    ("sasljaasconfig", 3),
    ("saslpassword", 3),
    ("secret", 1),
    ("sslkeypassword", 3),
    ("sslkeypem", 2),
    ("sslkeystorepassword", 3),
    ("token", 0),
    ("userinfo", 1),
];

/// True for a property whose value must not stand in a file.
pub(crate) fn is_secret(property: &str) -> bool {
    SECRETS.contains(&property)
}

/// True for a name whose value must not be printed: a secret, or a name that reads like that of a secret.
pub(crate) fn is_suspicious(name: &str) -> bool {
    !suspicious_names(name).is_empty()
}

/// True for the name of a client property or of a setting of topics.
pub(crate) fn is_known_name(name: &str) -> bool {
    is_property(name) || topic_settings::names().any(|known| known == name)
}

/// A character of which names consist.
pub(crate) fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || ".-_".contains(character)
}

/// Where names begin and end that may be those of secrets, in order. One may be cut in two by signs or lines.
pub(crate) fn suspicious_names(text: &str) -> Vec<Range<usize>> {
    let letters: Vec<(usize, char)> = text
        .char_indices()
        .filter(|(_, letter)| letter.is_alphanumeric())
        .flat_map(|(at, letter)| letter.to_lowercase().take(1).map(move |small| (at, small)))
        .collect();
    let found = READ_LIKE
        .iter()
        .flat_map(|(name, wrong_max)| places(name, *wrong_max, &letters));
    let mut names: Vec<Range<usize>> = found.filter_map(|place| whole_name(text, place)).collect();
    names.sort_by_key(|name| (name.start, name.end));
    names.dedup();
    names
}

/// The place to the end of its name where that is known; `None` for a name that is known to be harmless.
fn whole_name(text: &str, place: Range<usize>) -> Option<Range<usize>> {
    let start = text[..place.start]
        .rfind(|c| !is_of_name(c))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let end = text[place.start..]
        .find(|c| !is_of_name(c))
        .map_or(text.len(), |at| place.start + at);
    let name = &text[start..end];
    if is_known_name(name) && !is_secret(name) {
        return None;
    }
    // A secret may follow its name without any sign between them.
    let end = if is_secret(name) { end } else { end.min(place.end) };
    Some(start..end)
}

/// Where the letters read like `name`, by Sellers' algorithm: of overlapping places the one with the fewest wrong
/// letters (replaced, missing or too many).
fn places(name: &str, wrong_max: usize, letters: &[(usize, char)]) -> Vec<Range<usize>> {
    let name: Vec<char> = name.chars().collect();
    // For each beginning of the name: the fewest wrong letters of one that ends here, and the letter where that begins.
    let mut ends: Vec<(usize, usize)> = (0..=name.len()).map(|length| (length, 0)).collect();
    let mut found = Vec::new();
    let mut best: Option<(usize, Range<usize>)> = None;
    for (index, (at, letter)) in letters.iter().enumerate() {
        let mut before = std::mem::replace(&mut ends[0], (0, index + 1));
        for length in 1..=name.len() {
            let replaced = (before.0 + usize::from(name[length - 1] != *letter), before.1);
            let missing = (ends[length - 1].0 + 1, ends[length - 1].1);
            before = ends[length];
            let too_many = (before.0 + 1, before.1);
            ends[length] = [replaced, missing, too_many]
                .into_iter()
                .min_by_key(|(wrong, _)| *wrong)
                .unwrap_or(replaced);
        }
        let (wrong, first) = ends[name.len()];
        if wrong > wrong_max {
            found.extend(best.take().map(|(_, place)| place));
        } else if best.as_ref().is_none_or(|(fewest, _)| wrong < *fewest) {
            best = Some((wrong, letters[first.min(index)].0..at + letter.len_utf8()));
        }
    }
    found.extend(best.map(|(_, place)| place));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_suspicious_however_they_are_written() {
        let names = [
            "sasl.password",
            "sasl.pasword",
            "ssl.keystore.Password",
            "SASL_PASSWORD",
            "sasl-passwort",
            "sals.pasword",
            "ssl.key.pm",
            "sasl.jaas.config",
            "sasl.jas.config",
            "basic.auth.user.info",
            "basic.auth.userinfo",
            "schema.registry.basic.auth.user.inf",
            "KAFKA_CLIENT_SECRET",
            "sasl.oauthbearer.client.secrt",
            "api_key",
            "aws.secret.access.key",
            "db_pwd",
            "\"sasl.pass\nword\"",
            "--token",
        ];
        for name in names {
            assert!(is_suspicious(name), "{name}");
        }
        assert!(SECRETS.iter().all(|name| is_suspicious(name)));
    }

    #[test]
    fn other_names_of_scenarios_are_not() {
        for name in crate::scenario::keys().map(|key| key.name) {
            assert!(!is_suspicious(name), "{name}");
        }
        for name in
            crate::scenario::client::names(crate::scenario::client::Clients::All).filter(|name| !is_secret(name))
        {
            assert!(!is_suspicious(name), "{name}");
        }
        let names = [
            "fetch.mim.bytes",
            "sasl.usernam",
            "sasl.mecanism",
            "partitons",
            "ssl.ca.locaton",
            "records",
            "KEYWORD",
        ];
        for name in names {
            assert!(!is_suspicious(name), "{name}");
        }
    }

    #[test]
    fn a_known_name_is_found_completely_and_another_one_to_where_it_stops_reading_like_a_secret() {
        let found = |text: &str| {
            suspicious_names(text)
                .into_iter()
                .map(|name| text[name].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(found("\"ssl.key.password\" = \"x\""), ["ssl.key.password"]);
        assert_eq!(found("KAFKA_PASSWORDhunter2"), ["KAFKA_PASSWORD"]);
        assert_eq!(found("fetch.min.bytes = 1"), Vec::<String>::new());
    }
}
