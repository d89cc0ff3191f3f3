//! Reads `[[place]]`, and what of its keys can stand together.

use toml::de::DeTable;

use super::keys::read_keys;
use crate::scenario::document::{Entry, describe, entries, tables};
use crate::scenario::draft::Draft;
use crate::scenario::keys::{Given, KUBERNETES, KubernetesKeys, PlaceKeys, Table, TableKeys as _, unknown_key};
use crate::scenario::model::{KubernetesPlace, PROGRAM, Place, PlaceLimits};
use crate::scenario::problem::{Problem, Problems};

/// Limits that tandem sets itself, on processes that it starts itself.
const LIMITS: [&str; 2] = ["cpu_limit", "memory_limit"];

pub(super) fn place(name: String, keys: PlaceKeys) -> Place {
    Place {
        name,
        launcher: keys.launcher.unwrap_or_default(),
        ssh: keys.ssh,
        container: keys.container,
        kubernetes: keys.kubernetes.map(pods),
        tandem: keys.tandem,
        cpus: keys.cpus,
        limits: PlaceLimits {
            cpu_millicores: keys.cpu_limit,
            memory_bytes: keys.memory_limit,
        },
        listener: keys.listener,
    }
}

fn pods(keys: KubernetesKeys) -> KubernetesPlace {
    KubernetesPlace {
        // Without an image, the draft is not used.
        image: keys.image.unwrap_or_default(),
        pull: keys.pull,
        namespace: keys.namespace,
        context: keys.context,
        node_selector: keys.node_selector.unwrap_or_default(),
        requests: keys.requests.unwrap_or_default(),
        limits: keys.limits.unwrap_or_default(),
        anti_affinity: keys.anti_affinity,
        pods: keys.pods,
        host_network: keys.host_network,
    }
}

/// Reads the keys of a place, and those of its pods.
fn read_place_keys(table: &DeTable<'_>, problems: &mut Problems) -> PlaceKeys {
    let mut keys = PlaceKeys::default();
    for entry in entries(table) {
        if entry.key == KUBERNETES {
            keys.kubernetes = read_pods(&entry, problems);
        } else if !keys.read_entry(Table::Place, &entry, problems) {
            problems.add(unknown_key(&entry, Table::Place));
        }
    }
    keys
}

/// Reads `[place.kubernetes]`.
fn read_pods(entry: &Entry<'_>, problems: &mut Problems) -> Option<KubernetesKeys> {
    let example = "must be a table, such as { image = \"registry.example/tandem:slim\" }";
    let Some(table) = entry.value.get_ref().as_table() else {
        let message = format!("`{KUBERNETES}` cannot be {}", describe(entry.value));
        problems.add(Problem::new(entry.value.span(), message, example));
        return None;
    };
    let keys: KubernetesKeys = read_keys(table, Table::Kubernetes, problems);
    if !table.contains_key("image") {
        problems.add(Problem::new(
            entry.key_span.clone(),
            "these pods have no `image`",
            example,
        ));
    }
    check_amounts(&keys, problems);
    Some(keys)
}

/// A pod cannot be scheduled by more than it may use.
fn check_amounts(keys: &KubernetesKeys, problems: &mut Problems) {
    let (Some(requests), Some(limits), Some(given)) = (keys.requests, keys.limits, keys.given("requests")) else {
        return;
    };
    let above = |request: Option<u64>, limit: Option<u64>| request.zip(limit).is_some_and(|(one, other)| one > other);
    let cpu = |of: PlaceLimits| of.cpu_millicores.map(u64::from);
    if above(cpu(requests), cpu(limits)) || above(requests.memory_bytes, limits.memory_bytes) {
        let message = "`requests` cannot be above `limits`";
        let allowed = "must be at most what `limits` says, of each resource";
        problems.add(Problem::new(given.span.clone(), message, allowed));
    }
}

/// Reads all `[[place]]`.
pub(super) fn read_places(entry: &Entry<'_>, draft: &mut Draft, problems: &mut Problems) {
    for (table, span) in problems.keep(tables(entry)).unwrap_or_default() {
        let keys = read_place_keys(table, problems);
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
        check_launcher(&keys, problems);
        check_together(&keys, table, problems);
        draft.places.push(place(name, keys));
    }
}

/// The role is added to the end of a launcher, and is understood only after `worker`.
fn check_launcher(keys: &PlaceKeys, problems: &mut Problems) {
    let (Some(launcher), Some(given)) = (&keys.launcher, keys.given("launcher")) else {
        return;
    };
    let after = launcher.iter().skip_while(|word| *word != PROGRAM).nth(1);
    if launcher.iter().any(|word| word == PROGRAM) && after.is_none_or(|word| word != "worker") {
        let message = format!("the launcher has not the word worker after {PROGRAM}");
        let allowed = format!("must have it, as in [\"nice\", \"{PROGRAM}\", \"worker\"]");
        problems.add(Problem::new(given.span.clone(), message, allowed));
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
            KUBERNETES,
            "must be left out: write limits = { cpu = 0.5, memory = \"512MiB\" } in [place.kubernetes]",
        );
    }
    let elsewhere = "must be left out, or `kubernetes`: a place is one or the other";
    refuse("launcher", KUBERNETES, elsewhere);
    refuse("ssh", KUBERNETES, elsewhere);
    refuse("container", KUBERNETES, elsewhere);
    let either = "must be left out, or `ssh`: with `ssh` tandem starts the workers there itself";
    refuse("launcher", "ssh", either);
    refuse(
        "launcher",
        "container",
        "must be left out, or `container`: with `container` tandem starts the engine itself",
    );
    refuse(
        "ssh",
        "container",
        "must be left out, or `container`: containers are those of the engine that runs here, or that DOCKER_HOST names",
    );
    let Some(given) = keys.given("tandem") else {
        return;
    };
    if !["ssh", "container", KUBERNETES]
        .iter()
        .any(|key| table.contains_key(*key))
    {
        let allowed =
            "must be left out, or stand beside `ssh`, `container` or `kubernetes`: it is the path of the program there";
        let message = "`tandem` is for places with `ssh`, `container` or `kubernetes`";
        problems.add(Problem::new(given.key_span.clone(), message, allowed));
    } else if !given.text.starts_with('/') {
        let allowed = "must be a path from the root on, such as \"/opt/tandem/tandem\"";
        let message = format!("`tandem` cannot be {:?}", given.text);
        problems.add(Problem::new(given.span.clone(), message, allowed));
    }
}
