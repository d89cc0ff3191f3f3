//! A place whose workers are containers: their image and the engine that runs them.

use serde_json::{Value, json};

use super::basic::{Form, Formed, OneOf};
use super::kind::{Kind, Refusal};
use crate::scenario::choice::Choice as _;
use crate::scenario::document::{Node, entries};
use crate::scenario::model::{ContainerPlace, Engine};
use crate::scenario::suggest::did_you_mean_value;

const IMAGE: &str = "image";
const ENGINE: &str = "engine";

/// The engine of a place that names none.
const DEFAULT: Engine = Engine::Docker;

/// `{ image = "...", engine = "docker" | "podman" }`.
pub(crate) enum Container {}

impl Kind for Container {
    type Value = ContainerPlace;

    fn allowed() -> String {
        format!(
            "{{ image = \"tandem:slim\" }}, or with engine = {} beside `image`",
            OneOf::<Engine>::allowed()
        )
    }

    fn read(node: &Node<'_>) -> Result<ContainerPlace, Refusal> {
        let Some(table) = node.get_ref().as_table() else {
            let image = node.get_ref().as_str().filter(|text| ImageName::fits(text));
            let help = image.map(|image| format!("write it as {{ image = \"{image}\" }}"));
            return Err(Refusal::of::<Self>().help(help));
        };
        let mut found: (Option<String>, Engine) = (None, DEFAULT);
        for entry in entries(table) {
            let part = |allowed: String| Refusal::new(format!("a table whose `{}` is {allowed}", entry.key));
            match entry.key {
                IMAGE => {
                    let image = Formed::<ImageName>::read(entry.value);
                    found.0 = Some(image.map_err(|refusal| part(refusal.allowed).at(entry.value))?);
                }
                ENGINE => {
                    let engine = OneOf::<Engine>::read(entry.value);
                    found.1 = engine.map_err(|refusal| part(refusal.allowed).at(entry.value).help(refusal.help))?;
                }
                other => {
                    let help = did_you_mean_value(other, [IMAGE, ENGINE]);
                    let refusal = Refusal::new("a table with `image` and, if it is not docker, `engine`").help(help);
                    return Err(refusal.at(entry.value));
                }
            }
        }
        let (image, engine) = found;
        let image =
            image.ok_or_else(|| Refusal::new("a table with an `image`, such as { image = \"tandem:slim\" }"))?;
        Ok(ContainerPlace { image, engine })
    }

    fn text(value: &ContainerPlace) -> String {
        format!("{} image {}", value.engine.name(), value.image)
    }

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": { IMAGE: Formed::<ImageName>::schema(), ENGINE: OneOf::<Engine>::schema() },
            "required": [IMAGE],
            "additionalProperties": false,
        })
    }
}

/// The name of an image, as an engine takes it.
enum ImageName {}

impl Form for ImageName {
    const ALLOWED: &'static str =
        "the name of an image in quotes, such as \"tandem:slim\" or \"registry:5000/tandem@sha256:...\"";
    const PATTERN: &'static str = "^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,299}$";

    fn fits(text: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@-".contains(&byte);
        text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.len() <= 300 && text.bytes().all(allowed)
    }
}
