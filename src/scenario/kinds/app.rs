//! Kinds of value that say which app runs, and how the program of an `[[app]]` is started.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Value, json};

use super::basic::{Form, Line};
use super::kind::{Kind, Refusal};
use crate::clients::{OWN_APP, ReadyMade, is_version};
use crate::scenario::choice::Choice as _;
use crate::scenario::document::{Node, entries};
use crate::scenario::model::{AppSpec, Placeholder, Template, TemplateError};
use crate::scenario::suggest::{did_you_mean_value, either};

/// The name of an app, with a version after a colon for a ready-made one.
pub(crate) enum AppName {}

impl Kind for AppName {
    type Value = String;

    fn allowed() -> String {
        let names = ReadyMade::ALL.map(|each| format!("\"{}\"", each.name()));
        format!(
            "\"{OWN_APP}\", {}, one of these with the version of its library such as \"{}:{}\", or the name of an [[app]]",
            names.join(", "),
            ReadyMade::Java.name(),
            ReadyMade::Java.recipe().default_version
        )
    }

    fn read(node: &Node<'_>) -> Result<String, Refusal> {
        let text = Line::read(node).map_err(|_| Refusal::of::<Self>())?;
        let Some((name, version)) = text.split_once(':') else {
            return Ok(text);
        };
        let Some(which) = ReadyMade::named(name) else {
            let help = if name == OWN_APP {
                Some("builds of tandem are compared by --binary OLD,NEW".to_owned())
            } else {
                did_you_mean_value(name, ReadyMade::ALL.map(ReadyMade::name))
            };
            let with_versions = ReadyMade::ALL.map(|each| format!("\"{}\"", each.name()));
            let allowed = format!("{} before a colon: only these have a version", either(&with_versions));
            return Err(Refusal::new(allowed).help(help));
        };
        if !is_version(version) {
            let recipe = which.recipe();
            let allowed = format!(
                "\"{name}:VERSION\" with a version of {}, such as \"{name}:{}\"",
                recipe.library, recipe.default_version
            );
            return Err(Refusal::new(allowed));
        }
        Ok(AppSpec::ready_made(which, Some(version)).name)
    }

    fn text(value: &String) -> String {
        value.clone()
    }

    fn schema() -> Value {
        Line::schema()
    }
}

/// What is allowed where placeholders may stand.
fn template(node: &Node<'_>) -> Result<Template, Refusal> {
    let names: Vec<&str> = Placeholder::ALL.iter().map(|(name, _)| *name).collect();
    let refused = |error: &TemplateError| {
        let braces: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
        let allowed = format!("text in which braces hold {}", either(&braces));
        let help = match error {
            TemplateError::Unknown(name) => {
                let meant = crate::scenario::suggest::nearest(name, names.iter().copied());
                meant.map_or_else(
                    || format!("{error}; {{{{ stands for a brace"),
                    |meant| format!("{error}; did you mean {{{meant}}}?"),
                )
            }
            TemplateError::Open => error.to_string(),
        };
        Refusal::new(allowed).at(node).help(Some(help))
    };
    let text = Line::read(node).map_err(|_| Refusal::of::<Line>().at(node))?;
    Template::parse(&text).map_err(|error| refused(&error))
}

/// The command of an app: program and arguments, with placeholders.
pub(crate) enum AppCommand {}

impl Kind for AppCommand {
    type Value = Vec<Template>;

    fn allowed() -> String {
        "a list of texts, the program first, such as [\"./service\", \"--topic={topic}\"]".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<Vec<Template>, Refusal> {
        let list = node.get_ref().as_array().filter(|list| !list.is_empty());
        let list = list.ok_or_else(Refusal::of::<Self>)?;
        list.iter().map(template).collect()
    }

    fn text(value: &Vec<Template>) -> String {
        value.iter().map(Template::written).collect::<Vec<_>>().join(" ")
    }

    fn schema() -> Value {
        json!({ "type": "array", "minItems": 1, "items": Line::schema() })
    }
}

/// Variables of an environment, with placeholders in their values.
pub(crate) enum AppEnv {}

impl Kind for AppEnv {
    type Value = BTreeMap<String, Template>;

    fn allowed() -> String {
        "a table of variables with texts, such as { KAFKA_TOPIC = \"{topic}\" }".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<BTreeMap<String, Template>, Refusal> {
        let table = node.get_ref().as_table().ok_or_else(Refusal::of::<Self>)?;
        let mut env = BTreeMap::new();
        for entry in entries(table) {
            let first = entry.key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if !first || !entry.key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                let help = Some(format!(
                    "{:?} is no name of a variable: letters, digits and `_`",
                    entry.key
                ));
                return Err(Refusal::of::<Self>().at(entry.value).help(help));
            }
            env.insert(entry.key.to_owned(), template(entry.value)?);
        }
        Ok(env)
    }

    fn text(value: &BTreeMap<String, Template>) -> String {
        let pairs = value.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join(" ")
    }

    fn schema() -> Value {
        json!({ "type": "object", "patternProperties": { "^[A-Za-z_][A-Za-z0-9_]*$": Line::schema() },
            "additionalProperties": false })
    }
}

/// A regular expression.
pub(crate) enum Expression {}

impl Form for Expression {
    const ALLOWED: &'static str = "a regular expression in quotes, such as \"Started .* in\"";
    const PATTERN: &'static str = r"\S";

    fn fits(text: &str) -> bool {
        !text.trim().is_empty() && Regex::new(text).is_ok()
    }
}
