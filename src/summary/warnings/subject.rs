//! The configuration that a warning is about.

use crate::summary::model::ConfigurationSummary;

/// The configuration in front of what is said of it.
pub(super) fn of(summary: &ConfigurationSummary) -> String {
    if summary.name.is_empty() {
        "The only configuration: ".to_owned()
    } else {
        format!("{}: ", named(&summary.name))
    }
}

pub(super) fn named(name: &str) -> String {
    if name.is_empty() {
        "the only configuration".to_owned()
    } else {
        format!("\"{name}\"")
    }
}
