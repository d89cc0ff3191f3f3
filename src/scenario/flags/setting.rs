//! What the flags set: keys and properties, each with its values and its place in the text of a scenario.

use thiserror::Error;

use super::flag::{GivenFlag, InMatrix, SettingFlag};
use super::value::{is_taken, one, one_or_list, quoted, split};
use crate::scenario::client::takes_several;
use crate::scenario::document::Node;

/// A flag that cannot be written as a part of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("--{flag}: {message}")]
pub struct FlagError {
    flag: String,
    message: String,
}

impl FlagError {
    pub(super) fn new(flag: &SettingFlag, message: impl Into<String>) -> Self {
        FlagError {
            flag: flag.name().to_owned(),
            message: message.into(),
        }
    }
}

/// A key or a property with all values that the flags give it.
pub(super) struct Setting {
    pub(super) flag: SettingFlag,
    /// The property's name; `None` for a key.
    pub(super) property: Option<String>,
    /// As TOML.
    pub(super) values: Vec<String>,
    /// It stands in `[matrix]`.
    pub(super) varies: bool,
}

impl Setting {
    /// The flag as messages name it.
    pub(super) fn label(&self) -> String {
        let name = self.flag.name();
        self.property
            .as_ref()
            .map_or_else(|| format!("--{name}"), |property| format!("--{name} {property}"))
    }

    /// The name of the key or the property.
    pub(super) fn name(&self) -> &str {
        let key = self.flag.key.map_or("", |key| key.name);
        self.property.as_deref().unwrap_or(key)
    }

    /// The values as they are read in a sentence.
    pub(super) fn plain_values(&self) -> Vec<String> {
        let plain = |value: &String| value.trim_matches(['"', '\'']).to_owned();
        self.values.iter().map(plain).collect()
    }

    /// The table within the table, for a property.
    pub(super) fn inner_table(&self) -> Option<&'static str> {
        self.property.as_ref()?;
        self.flag.properties.map(|properties| properties.name)
    }

    /// The line of `[matrix]`.
    pub(super) fn line_of_matrix(&self) -> String {
        let values = self.values.join(", ");
        let in_matrix = self.flag.properties.and_then(|properties| properties.in_matrix);
        let key = match (&self.property, in_matrix) {
            (Some(property), Some(InMatrix::Prefix(prefix))) => quoted(&format!("{prefix}{property}")),
            (Some(property), _) => format!("{}.{}", self.inner_table().unwrap_or_default(), quoted(property)),
            (None, _) => self.name().to_owned(),
        };
        format!("{key} = [{values}]\n")
    }

    /// The line of its own table.
    pub(super) fn line(&self) -> String {
        let key = self.property.as_deref().map_or_else(|| self.name().to_owned(), quoted);
        format!("{key} = {}\n", self.values[0])
    }
}

/// What the flags set, in their order.
pub(super) fn settings(given: &[GivenFlag]) -> Result<Vec<Setting>, FlagError> {
    let mut named: Vec<(&SettingFlag, Option<&str>, Vec<&str>)> = Vec::new();
    for GivenFlag { flag, value } in given {
        let (property, value) = property(flag, value)?;
        let known = named
            .iter_mut()
            .find(|(known, name, _)| known.name() == flag.name() && *name == property);
        match known {
            Some((_, _, values)) => values.push(value),
            None => named.push((flag, property, vec![value])),
        }
    }
    let mut settings: Vec<Setting> = named
        .into_iter()
        .map(|(flag, property, texts)| setting(flag, property, &texts))
        .collect();
    settings.iter().try_for_each(check_word)?;
    move_beside_keys(&mut settings)?;
    Ok(settings)
}

/// The property that a value is of, and the rest of the value.
fn property<'a>(flag: &SettingFlag, value: &'a str) -> Result<(Option<&'a str>, &'a str), FlagError> {
    let Some(properties) = flag.properties else {
        return Ok((None, value));
    };
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    match value.split_once('=').filter(|(name, _)| is_name(name.trim())) {
        Some((name, value)) => {
            let is_quoted = value.trim_start().starts_with(['"', '\'', '[', '{']);
            let mut others = value.split(',').skip(1).filter_map(|part| part.split_once('='));
            if !is_quoted && others.any(|(other, _)| is_name(other.trim())) {
                let name = flag.name();
                let message = format!(
                    "takes one property: write --{name} again for each; a value with a comma and = of its own stands \
                     in quotes"
                );
                return Err(FlagError::new(flag, message));
            }
            Ok((Some(name.trim()), value.trim()))
        }
        None if flag.key.is_some() => Ok((None, value)),
        None => {
            let example = properties.example;
            Err(FlagError::new(flag, format!("must be NAME=VALUE, such as {example}")))
        }
    }
}

fn setting<'a>(flag: &SettingFlag, property: Option<&str>, texts: &[&'a str]) -> Setting {
    let takes = |node: &Node<'_>| match (property, flag.properties, flag.key) {
        (Some(name), Some(properties), _) => (properties.takes)(name, node),
        (_, _, Some(key)) => key.takes(node),
        _ => false,
    };
    let can_vary = match (property, flag.properties) {
        (Some(_), Some(properties)) => properties.in_matrix.is_some(),
        _ => flag.can_vary(),
    };
    let values: Vec<String> = if can_vary {
        // The commas of `debug=cgrp,fetch` are part of one value.
        let is_several = property.is_some_and(takes_several);
        let values_of = |text: &&'a str| if is_several { vec![*text] } else { split(text) };
        let parts = texts.iter().flat_map(values_of);
        parts.map(|part| one(part, &takes)).collect()
    } else {
        vec![one_or_list(texts, &takes)]
    };
    Setting {
        flag: flag.clone(),
        property: property.map(str::to_owned),
        varies: values.len() > 1,
        values,
    }
}

/// Refuses a word that is neither a value of the key nor a property with its value.
fn check_word(setting: &Setting) -> Result<(), FlagError> {
    let (Some(properties), Some(key), None) = (setting.flag.properties, setting.flag.key, &setting.property) else {
        return Ok(());
    };
    if setting
        .values
        .iter()
        .all(|value| is_taken(value, &|node| key.takes(node)))
    {
        return Ok(());
    }
    let (example, allowed) = (properties.example, key.allowed());
    let message = format!("must be NAME=VALUE, such as {example}, or {allowed}");
    Err(FlagError::new(&setting.flag, message))
}

/// A key and a table of properties with the same name cannot stand in one table, so the properties beside such a key
/// stand in `[matrix]`.
fn move_beside_keys(settings: &mut [Setting]) -> Result<(), FlagError> {
    let is_key = |setting: &&Setting| setting.property.is_none() && setting.flag.properties.is_some();
    let keys: Vec<(String, bool)> = settings
        .iter()
        .filter(is_key)
        .map(|key| (key.flag.name().to_owned(), key.varies))
        .collect();
    for setting in settings.iter_mut().filter(|setting| setting.property.is_some()) {
        let Some((name, key_varies)) = keys.iter().find(|(name, _)| name == setting.flag.name()) else {
            continue;
        };
        let in_matrix = setting.flag.properties.and_then(|properties| properties.in_matrix);
        if in_matrix.is_none() {
            let message = format!("takes a value of `{name}` or NAME=VALUE, not both");
            return Err(FlagError::new(&setting.flag, message));
        }
        if *key_varies && setting.varies {
            let message = format!("either `{name}` or NAME=VALUE can have several values, not both");
            return Err(FlagError::new(&setting.flag, message));
        }
        setting.varies = !key_varies;
    }
    Ok(())
}
