//! Reads `[[place]]`, and what of its keys can stand together.

use toml::de::DeTable;

use super::keys::read_keys;
use crate::scenario::document::{Entry, tables};
use crate::scenario::draft::Draft;
use crate::scenario::keys::{Given, PlaceKeys, Table, TableKeys as _};
use crate::scenario::model::{Place, PlaceLimits};
use crate::scenario::problem::{Problem, Problems};

/// Limits that tandem sets itself, on processes that it starts itself.
const LIMITS: [&str; 2] = ["cpu_limit", "memory_limit"];

pub(super) fn place(name: String, keys: PlaceKeys) -> Place {
    Place {
        name,
        launcher: keys.launcher.unwrap_or_default(),
        ssh: keys.ssh,
        container: None,
        tandem: keys.tandem,
        cpus: keys.cpus,
        limits: PlaceLimits {
            cpu_millicores: keys.cpu_limit,
            memory_bytes: keys.memory_limit,
        },
        listener: keys.listener,
    }
}

/// Reads all `[[place]]`.
pub(super) fn read_places(entry: &Entry<'_>, draft: &mut Draft, problems: &mut Problems) {
    for (table, span) in problems.keep(tables(entry)).unwrap_or_default() {
        let keys: PlaceKeys = read_keys(table, Table::Place, problems);
        if !table.contains_key("name") {
            let allowed = "must have one, such as name = \"other\"";
            problems.add(Problem::new(span, "this place has no `name`", allowed));
        }
        // Without a name, the draft is not used.
        let name = keys.name.clone().unwrap_or_default();
        let is_known = draft.places.iter().any(|place| place.name == name);
        if let (Some(Given { span, .. }), true) = (keys.given("name"), is_known) {
            let message = format!("there are two places with the name {name:?}");
            let allowed = "must differ; `here` is this machine";
            problems.add(Problem::new(span.clone(), message, allowed));
        }
        check_together(&keys, table, problems);
        draft.places.push(place(name, keys));
    }
}

/// Checks which keys can stand together.
fn check_together(keys: &PlaceKeys, table: &DeTable<'_>, problems: &mut Problems) {
    let mut refuse = |key: &str, beside: &str, allowed: &str| {
        if let Some(given) = keys.given(key).filter(|_| table.contains_key(beside)) {
            let message = format!("`{key}` cannot stand beside `{beside}`");
            problems.add(Problem::new(given.key_span.clone(), message, allowed));
        }
    };
    for key in LIMITS {
        refuse(
            key,
            "launcher",
            "must be left out: what a launcher starts may run elsewhere; give the limit to the launcher, as in \
             [\"docker\", \"run\", \"--cpus\", \"0.5\", ...]",
        );
        refuse(
            key,
            "ssh",
            "must be left out: tandem makes control groups on this machine only",
        );
    }
    let either = "must be left out, or `ssh`: with `ssh` tandem starts the workers there itself";
    refuse("launcher", "ssh", either);
    let Some(given) = keys.given("tandem") else {
        return;
    };
    if !table.contains_key("ssh") {
        let allowed = "must be left out, or stand beside `ssh`: it is the path of the program on another host";
        let message = "`tandem` is for places with `ssh`";
        problems.add(Problem::new(given.key_span.clone(), message, allowed));
    } else if !given.text.starts_with('/') {
        let allowed = "must be a path from the root on, such as \"/opt/tandem/tandem\"";
        let message = format!("`tandem` cannot be {:?}", given.text);
        problems.add(Problem::new(given.span.clone(), message, allowed));
    }
}
