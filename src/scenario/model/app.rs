//! What runs in worker processes, apart from where it runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use super::property::PropertyValue;
use super::template::{Placeholder, Template};
use crate::clients::{ClientKind, OWN_APP, ReadyMade};
use crate::scenario::choice::Choice;
use crate::scenario::secrets::{HIDDEN, masked_command, secrets_of_command};

/// What a launcher has in the place of the app's command.
pub(crate) const PROGRAM: &str = "{tandem}";

/// An app of a scenario: what `app = "..."` names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppSpec {
    /// As `app` names it, such as `java` or `java:4.2.0`.
    pub name: String,
    /// What runs.
    pub runs: AppProgram,
}

/// What an app runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppProgram {
    /// tandem's own worker.
    Tandem,
    /// A client that comes with tandem as sources.
    ReadyMade {
        /// Which.
        which: ReadyMade,
        /// Of its library.
        version: String,
    },
    /// A program of an `[[app]]`.
    Program(Program),
}

/// A program of an `[[app]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The program and its arguments. Secrets in it are not stored ([`AppSpec::lacks_secrets`]).
    #[serde(serialize_with = "store_command")]
    pub command: Vec<Template>,
    /// Variables of its environment besides those of tandem. Secrets are not stored.
    #[serde(serialize_with = "store_env")]
    pub env: BTreeMap<String, Template>,
    /// What it speaks.
    pub speaks: Speaks,
    /// A line of its output says that it is ready if this regular expression matches.
    pub ready: Option<String>,
    /// Properties of its client by that client's own names.
    pub client: BTreeMap<String, PropertyValue>,
}

/// What a program speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaks {
    /// tandem's worker protocol.
    Tandem,
    /// Nothing: it is observed from outside.
    Nothing,
}

impl Choice for Speaks {
    const ALL: &'static [(&'static str, Self)] = &[("tandem", Speaks::Tandem), ("nothing", Speaks::Nothing)];
}

impl AppSpec {
    /// tandem's own worker.
    pub(crate) fn tandem() -> Self {
        AppSpec {
            name: OWN_APP.to_owned(),
            runs: AppProgram::Tandem,
        }
    }

    /// A ready-made client, named with its version only if that is not the default.
    pub(crate) fn ready_made(which: ReadyMade, version: Option<&str>) -> Self {
        let recipe = which.recipe();
        let other = version.filter(|version| *version != recipe.default_version);
        AppSpec {
            name: other.map_or_else(|| recipe.name.to_owned(), |other| format!("{}:{other}", recipe.name)),
            runs: AppProgram::ReadyMade {
                which,
                version: other.unwrap_or(recipe.default_version).to_owned(),
            },
        }
    }

    /// The program of an `[[app]]`.
    pub fn program(&self) -> Option<&Program> {
        match &self.runs {
            AppProgram::Program(program) => Some(program),
            AppProgram::Tandem | AppProgram::ReadyMade { .. } => None,
        }
    }

    /// The program that speaks nothing and is observed from outside, where it is one.
    pub fn silent(&self) -> Option<&Program> {
        self.program().filter(|program| program.speaks == Speaks::Nothing)
    }

    /// The ready-made client that it is.
    pub fn which(&self) -> Option<ReadyMade> {
        match self.runs {
            AppProgram::ReadyMade { which, .. } => Some(which),
            AppProgram::Tandem | AppProgram::Program(_) => None,
        }
    }

    /// By whose names `[consumer.client]` sets its properties. Programs of an `[[app]]` are given librdkafka's, which are
    /// those of the protocol.
    pub fn kind(&self) -> ClientKind {
        self.which().map_or(ClientKind::Librdkafka, |which| which.recipe().kind)
    }

    /// What it is, in a few words: what makes two apps of one name differ.
    pub(crate) fn text(&self) -> String {
        match &self.runs {
            AppProgram::Tandem => self.name.clone(),
            AppProgram::ReadyMade { which, version } => {
                format!("{}, {} {version}", which.name(), which.recipe().library)
            }
            AppProgram::Program(program) => {
                let mut parts = vec![
                    self.name.clone(),
                    format!("command {}", masked_command(&written(&program.command)).join(" ")),
                ];
                let env = masked_env(&program.env);
                parts.extend(env.iter().map(|(name, value)| format!("env {name}={value}")));
                let client = program.client.iter();
                parts.extend(client.map(|(name, value)| format!("client {name}={value}")));
                if program.speaks == Speaks::Nothing {
                    parts.push("speaks nothing".to_owned());
                }
                parts.join(", ")
            }
        }
    }

    /// The secrets in its command and its environment.
    pub fn secrets(&self) -> Vec<String> {
        let Some(program) = self.program() else {
            return Vec::new();
        };
        let mut secrets = secrets_of_command(&written(&program.command));
        secrets.extend(secrets_of_command(&assignments(&program.env)));
        secrets
    }

    /// True where it was read from a file that keeps no secrets, so that it cannot be started.
    pub fn lacks_secrets(&self) -> bool {
        let hidden = |template: &Template| template.written().contains(HIDDEN);
        self.program()
            .is_some_and(|program| program.command.iter().chain(program.env.values()).any(hidden))
    }
}

impl Program {
    /// The placeholders of its command and its environment.
    pub fn placeholders(&self) -> impl Iterator<Item = Placeholder> {
        let texts = self.command.iter().chain(self.env.values());
        texts.flat_map(Template::placeholders)
    }
}

/// What runs in the worker processes of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum App<'a> {
    /// tandem's own worker.
    Tandem,
    /// A program that the launcher of a place names, which speaks the protocol.
    Launched {
        /// The name of the place.
        place: &'a str,
        /// The program and its arguments, to which the role is added.
        command: &'a [String],
    },
    /// Another app of the scenario.
    Other(&'a AppSpec),
}

impl<'a> App<'a> {
    /// The app that a launcher starts: another program if the launcher names one and has no `{tandem}`.
    pub(super) fn of_launcher(place: &'a str, launcher: &'a [String]) -> Self {
        if launcher.is_empty() || launcher.iter().any(|word| word.contains(PROGRAM)) {
            return App::Tandem;
        }
        App::Launched {
            place,
            command: launcher,
        }
    }

    /// The program that speaks nothing, where it is one.
    pub fn silent(self) -> Option<&'a Program> {
        match self {
            App::Other(spec) => spec.silent(),
            App::Tandem | App::Launched { .. } => None,
        }
    }

    /// The role in which its worker is started: a program that speaks nothing has an observer.
    pub fn role(self) -> &'static str {
        if self.silent().is_some() {
            "observer"
        } else {
            "consumer"
        }
    }

    /// Its name in the environment of a run.
    pub fn name(self) -> &'a str {
        match self {
            App::Tandem => OWN_APP,
            App::Launched { place, .. } => place,
            App::Other(spec) => &spec.name,
        }
    }
}

/// The apps of a scenario that was stored before there were any but tandem.
pub(super) fn tandem_alone() -> Vec<AppSpec> {
    vec![AppSpec::tandem()]
}

fn written(command: &[Template]) -> Vec<String> {
    command.iter().map(|word| word.written().to_owned()).collect()
}

/// The variables as words `NAME=value`.
fn assignments(env: &BTreeMap<String, Template>) -> Vec<String> {
    env.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn masked_env(env: &BTreeMap<String, Template>) -> BTreeMap<String, String> {
    let masked = masked_command(&assignments(env));
    let pairs = masked.iter().filter_map(|word| word.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn store_command<S: Serializer>(command: &[Template], serializer: S) -> Result<S::Ok, S::Error> {
    masked_command(&written(command)).serialize(serializer)
}

fn store_env<S: Serializer>(env: &BTreeMap<String, Template>, serializer: S) -> Result<S::Ok, S::Error> {
    masked_env(env).serialize(serializer)
}
