//! The question and the name of a scenario that flags make: from what varies.

use super::setting::Setting;
use crate::scenario::keys::Table;
use crate::scenario::secrets::is_suspicious;
use crate::scenario::suggest::either;
use crate::wording::{capitalised, listed};

/// As many characters as a question may have.
const CHARACTERS_MAX: usize = 300;

/// The name where nothing varies; it is that of the one configuration.
const ALONE: &str = "alone";

/// What varies, joined by dashes.
pub(super) fn name(settings: &[Setting]) -> String {
    let varying = settings
        .iter()
        .filter(|setting| setting.varies && setting.values.len() > 1);
    let names: Vec<&str> = varying.map(Setting::name).collect();
    if names.is_empty() {
        ALONE.to_owned()
    } else {
        names.join("-")
    }
}

/// Whether what varies matters, under what does not vary.
pub(super) fn question(settings: &[Setting]) -> String {
    let several = |setting: &&Setting| setting.values.len() > 1;
    let whether: Vec<String> = settings
        .iter()
        .filter(several)
        .map(|setting| format!("whether {} is {}", setting.name(), either(&setting.plain_values())))
        .collect();
    let whether: Vec<&str> = whether.iter().map(String::as_str).collect();
    let asked = if whether.is_empty() {
        alone(settings).to_owned()
    } else {
        format!("does it matter {}?", listed(&whether))
    };
    let is_context = |setting: &&Setting| {
        let table = matches!(setting.flag.table, Table::Dataset | Table::Consumer | Table::Load);
        table && setting.values.len() == 1 && !is_suspicious(setting.name())
    };
    let context: Vec<String> = settings
        .iter()
        .filter(is_context)
        .map(|setting| format!("{} {}", setting.name(), setting.plain_values().concat()))
        .collect();
    let context: Vec<&str> = context.iter().map(String::as_str).collect();
    let long = format!("With {}: {asked}", listed(&context));
    let fits = |text: &String| !context.is_empty() && text.chars().count() <= CHARACTERS_MAX;
    let short = capitalised(&asked);
    Some(long)
        .filter(fits)
        .unwrap_or(short)
        .chars()
        .take(CHARACTERS_MAX)
        .collect()
}

/// What a single configuration answers.
fn alone(settings: &[Setting]) -> &'static str {
    let has = |table| settings.iter().any(|setting| setting.flag.table == table);
    if has(Table::Capacity) {
        "which rate do the consumers keep up with?"
    } else if has(Table::Load) {
        "how soon are records processed?"
    } else {
        "how fast are records read?"
    }
}
