//! A value that may be a secret: the protocol and the client see it, nothing prints it. Knows nothing else of ours.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value that may be a secret: only the protocol and the client see it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Secret(value.into())
    }

    /// The value, for the client about to use it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Shorter values are not hidden: they would take the sense out of messages, and are no secrets worth the name.
const HIDDEN_BYTES_MIN: usize = 4;

/// Values that must not show, to be taken out of what other programs say.
#[derive(Clone, Default)]
pub struct Hidden(Vec<String>);

impl Hidden {
    /// Of these values; those of fewer than 4 bytes are left out.
    pub fn of(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mut values: Vec<String> = secrets.into_iter().map(|secret| secret.0).collect();
        values.retain(|value| value.len() >= HIDDEN_BYTES_MIN);
        // The longest first: one may be part of another.
        values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        values.dedup();
        Hidden(values)
    }

    /// These values, and others too.
    #[must_use]
    pub fn and(self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        Hidden::of(self.0.into_iter().map(Secret).chain(secrets))
    }

    /// The text with `(hidden)` for each of the values.
    pub fn mask(&self, text: String) -> String {
        let mask = |text: String, value: &String| {
            if text.contains(value) {
                text.replace(value, "(hidden)")
            } else {
                text
            }
        };
        self.0.iter().fold(text, mask)
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} values)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{Hidden, Secret};

    #[test]
    fn hidden_values_are_taken_out_of_texts_the_longest_first() {
        let hidden = Hidden::of(["hunter2", "hunter", "abc"].map(Secret::new));
        let text = "user=abc password=hunter2; hunter is no password";
        assert_eq!(
            hidden.mask(text.to_owned()),
            "user=abc password=(hidden); (hidden) is no password"
        );
        assert_eq!(format!("{hidden:?}"), "(2 values)");
    }

    #[test]
    fn a_secret_is_not_in_debug_output() {
        let text = format!("{:?}", Some(Secret::new("hunter2")));
        assert_eq!(text, "Some((hidden))");
    }
}
