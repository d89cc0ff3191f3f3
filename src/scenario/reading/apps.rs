//! Reads `[[app]]`, and finds which apps a file names at all.

use std::ops::Range;

use toml::de::DeTable;

use crate::clients::{ClientKind, OWN_APP, ReadyMade};
use crate::scenario::choice::Choice as _;
use crate::scenario::client::read_value;
use crate::scenario::document::{Entry, entries, table, tables};
use crate::scenario::draft::Draft;
use crate::scenario::keys::{AppKeys, Given, Table, TableKeys as _, unknown_key};
use crate::scenario::model::{AppProgram, AppSpec, Placeholder, Program, Speaks, Template};
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::suggest::either;

/// What a program that speaks the protocol may be started with; the rest comes in `prepare`.
const KNOWN_AT_START: [Placeholder; 1] = [Placeholder::Process];

/// By whose names the properties of measured consumers go, in the order in which the file names their apps.
pub(super) fn kinds(document: &DeTable<'_>) -> Vec<ClientKind> {
    let consumer = document
        .get("consumer")
        .and_then(|consumer| app_of(consumer.get_ref().as_table()?));
    let matrix = document
        .get("matrix")
        .and_then(|matrix| matrix.get_ref().as_table()?.get("app")?.get_ref().as_array());
    let cases = document.get("case").and_then(|cases| cases.get_ref().as_array());
    let names: Vec<Option<String>> = match (matrix, cases) {
        (Some(values), _) => (values.iter())
            .map(|value| value.get_ref().as_str().map(str::to_owned))
            .collect(),
        (None, Some(cases)) => (cases.iter())
            .map(|case| case.get_ref().as_table().and_then(app_of).or_else(|| consumer.clone()))
            .collect(),
        (None, None) => vec![consumer],
    };
    let kind = |name: &Option<String>| {
        let name = name.as_deref().unwrap_or(OWN_APP);
        let which = ReadyMade::named(name.split_once(':').map_or(name, |(name, _)| name));
        which.map_or(ClientKind::Librdkafka, |which| which.recipe().kind)
    };
    let mut kinds: Vec<ClientKind> = Vec::new();
    for kind in names.iter().map(kind) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// The app that a table names.
fn app_of(table: &DeTable<'_>) -> Option<String> {
    table.get("app")?.get_ref().as_str().map(str::to_owned)
}

/// Reads all `[[app]]`.
pub(super) fn read_apps(entry: &Entry<'_>, draft: &mut Draft, problems: &mut Problems) {
    for (table, span) in problems.keep(tables(entry)).unwrap_or_default() {
        let keys = read_keys(table, problems);
        for (key, example) in [("name", "name = \"service\""), ("command", "command = [\"./service\"]")] {
            if !table.contains_key(key) {
                let message = format!("this app has no `{key}`");
                problems.add(Problem::new(
                    span.clone(),
                    message,
                    format!("must have one, such as {example}"),
                ));
            }
        }
        // Without a name, the draft is not used.
        let name = keys.name.clone().unwrap_or_default();
        if let Some(given) = keys.given("name")
            && let Some(problem) = check_name(&name, given, draft)
        {
            problems.add(problem);
        }
        check(&keys, &span, problems);
        draft.apps.push(AppSpec {
            name,
            runs: AppProgram::Program(Program {
                command: keys.command.unwrap_or_default(),
                env: keys.env.unwrap_or_default(),
                speaks: keys.speaks,
                ready: keys.ready,
                client: keys.client,
            }),
        });
    }
}

fn read_keys(table: &DeTable<'_>, problems: &mut Problems) -> AppKeys {
    let mut keys = AppKeys::default();
    for entry in entries(table) {
        if entry.key == "client" {
            read_client(&entry, &mut keys, problems);
        } else if !keys.read_entry(Table::App, &entry, problems) {
            problems.add(unknown_key(&entry, Table::App));
        }
    }
    keys
}

/// Reads `[app.client]`. Nobody knows the names of a client that somebody else wrote.
fn read_client(entry: &Entry<'_>, keys: &mut AppKeys, problems: &mut Problems) {
    for property in problems.keep(table(entry)).map(entries).unwrap_or_default() {
        if let Some(value) = problems.keep(read_value(None, property.key, property.value)) {
            keys.client.insert(property.key.to_owned(), value);
        }
    }
}

fn check_name(name: &str, given: &Given, draft: &Draft) -> Option<Problem> {
    let (message, allowed) = if name == OWN_APP || ReadyMade::named(name).is_some() {
        let allowed = format!(
            "must differ from the names of tandem's own apps: {OWN_APP}, {}",
            own_names()
        );
        (format!("there is an app with the name {name:?} already"), allowed)
    } else if name.contains(':') {
        let allowed = "must have no colon: that begins the version of a ready-made client".to_owned();
        (format!("an app cannot have the name {name:?}"), allowed)
    } else if draft.apps.iter().any(|app| app.name == name) {
        let message = format!("there are two apps with the name {name:?}");
        (message, "must differ from the other apps' names".to_owned())
    } else {
        return None;
    };
    Some(Problem::new(given.span.clone(), message, allowed))
}

fn own_names() -> String {
    ReadyMade::ALL.map(ReadyMade::name).join(", ")
}

/// Checks the keys of an app together.
fn check(keys: &AppKeys, header: &Range<usize>, problems: &mut Problems) {
    let span_of = |key: &str| keys.given(key).map_or(header.clone(), |given| given.span.clone());
    let texts = |key: &str| -> Vec<Placeholder> {
        let command = keys.command.iter().flatten().filter(|_| key == "command");
        let env = keys.env.iter().flat_map(|env| env.values()).filter(|_| key == "env");
        command.chain(env).flat_map(Template::placeholders).collect()
    };
    match keys.speaks {
        Speaks::Tandem => {
            for key in ["command", "env"] {
                for placeholder in texts(key).into_iter().filter(|each| !KNOWN_AT_START.contains(each)) {
                    let known: Vec<String> = KNOWN_AT_START.map(|each| format!("{{{}}}", each.name())).to_vec();
                    let name = placeholder.name();
                    let message = format!("`{key}` cannot have {{{name}}} where the app speaks tandem's protocol");
                    let allowed = format!("must have no placeholder but {}", either(&known));
                    let help = "the app gets it in `prepare`; speaks = \"nothing\" is for programs that get it when they start";
                    problems.add(Problem::new(span_of(key), message, allowed).help(help));
                }
            }
            if keys.ready.is_some() {
                let message = "`ready` cannot be used where the app speaks tandem's protocol";
                let allowed = "must be left out: such an app says `ready` itself";
                problems.add(Problem::new(span_of("ready"), message, allowed));
            }
        }
        Speaks::Nothing => {
            let reads_file = ["command", "env"]
                .iter()
                .any(|key| texts(key).contains(&Placeholder::PropertiesFile));
            if !keys.client.is_empty() && !reads_file {
                let message = "[app.client] reaches no program that speaks nothing";
                let allowed = "must be used with {properties_file} in `command` or `env`, the file that holds them";
                problems.add(Problem::new(header.clone(), message, allowed));
            }
        }
    }
}
