//! Keys of `compare_across`: which may be named, and which change nothing.

use super::draft::Draft;
use super::families;
use super::keys::{CLIENT, FILL_TABLE, Key, Role, TableKeys as _, keys};
use super::model::{ISOLATION, Scenario};
use super::problem::{Problem, Problems};
use super::suggest::{any_of, did_you_mean};

/// True for a key that `compare_across` may name.
pub(super) fn may_be_named(key: &str) -> bool {
    names().any(|name| name == key)
}

fn names() -> impl Iterator<Item = &'static str> {
    let of_keys = keys().filter(|key| key.role == Some(Role::Family)).map(|key| key.name);
    of_keys.chain([FILL_TABLE])
}

/// Checks that each name is a key whose values make families that can be compared.
pub(super) fn check(draft: &Draft, problems: &mut Problems) {
    let (Some(listed), Some(given)) = (&draft.top.compare_across, draft.top.given("compare_across")) else {
        return;
    };
    for name in listed.iter().filter(|name| !may_be_named(name)) {
        let message = format!("`compare_across` cannot name `{name}`");
        let allowed = format!("must be a list of {}", any_of(names()));
        problems.add(Problem::new(given.span.clone(), message, allowed).maybe_help(why_not(name, draft)));
    }
}

/// Why a key cannot be named, or which one was probably meant.
fn why_not(name: &str, draft: &Draft) -> Option<String> {
    let property = name.strip_prefix(CLIENT);
    if property.unwrap_or(name) == ISOLATION && draft.default_settings().reads_existing() {
        return Some("consumers receive other records with each isolation level".to_owned());
    }
    let declared = keys().find(|key: &&Key| key.name == name).map(|key| key.role);
    match declared {
        Some(Some(Role::Alternative)) => Some(format!("name the key that `{name}` sets")),
        Some(Some(Role::Incomparable)) => Some(format!("other figures are measured with each `{name}`")),
        Some(Some(Role::Task | Role::Means)) => Some(always_compared(name)),
        None if property.is_some() => Some(always_compared(name)),
        Some(None | Some(Role::Family)) | None => did_you_mean(name, names()),
    }
}

fn always_compared(key: &str) -> String {
    format!("configurations that differ in `{key}` are compared already")
}

/// What to say where a named key has one value only.
pub(super) fn warning(scenario: &Scenario) -> Option<String> {
    let (_, varying) = families::varying_keys(scenario);
    let named = scenario.compare_across.iter();
    let without_effect: Vec<&str> = named
        .map(String::as_str)
        .filter(|name| !varying.contains(name))
        .collect();
    let keys = any_of(without_effect.iter().copied());
    (!without_effect.is_empty()).then(|| {
        format!(
            "`compare_across` has no effect for {keys}: every configuration has the same value; give several in [matrix] \
             or [[case]]"
        )
    })
}
