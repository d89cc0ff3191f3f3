//! What `work = "store"`, `store_batch` and `[store]` need of each other and of the other keys.

use std::collections::BTreeMap;

use crate::scenario::choice::Choice as _;
use crate::scenario::draft::{Draft, DraftStore};
use crate::scenario::keys::{Settings, TableKeys as _};
use crate::scenario::model::{Read, StoreWrite, Work};
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::suggest::any_value;

/// Checks one configuration; `name` tells the user which.
pub(crate) fn check(name: &str, settings: &Settings, draft: &Draft, problems: &mut Problems) {
    if settings.work != Work::Store {
        return;
    }
    let checks = [no_store(settings, draft), single_records(name, settings)];
    checks.into_iter().flatten().for_each(|problem| problems.add(problem));
}

/// Checks what no single configuration says: a store or a size of transactions that nothing uses, and a way of writing
/// that the store has not.
pub(crate) fn check_all(configurations: &[(&str, &Settings)], draft: &Draft, problems: &mut Problems) {
    let stores = |(_, settings): &(&str, &Settings)| settings.work == Work::Store;
    if let Some(store) = &draft.store {
        if !configurations.iter().any(stores) {
            let message = "[store] has no effect: no configuration has work = \"store\"";
            let allowed = "must be left out, or needs work = \"store\" in [consumer], [matrix] or a [[case]]";
            problems.add(Problem::new(store.span.clone(), message, allowed));
        }
        if let Some(problem) = write(store) {
            problems.add(problem);
        }
    }
    unused_batches(configurations).for_each(|problem| problems.add(problem));
}

fn no_store(settings: &Settings, draft: &Draft) -> Option<Problem> {
    draft.store.is_none().then_some(())?;
    let allowed = "needs a table [store] that says what it is".to_owned();
    let problem = settings.problem_at(&["work"], "work = \"store\" has no store", allowed)?;
    Some(problem.help("add [store] with kind = \"postgres\""))
}

/// A client that gets its records one by one stores each by itself.
fn single_records(name: &str, settings: &Settings) -> Option<Problem> {
    let is_single = matches!(settings.read, Read::Poll | Read::Stream);
    (is_single && settings.store_batch > 1).then_some(())?;
    let message = "`store_batch` above 1 needs read = \"batch\"";
    let allowed = format!(
        "{name:?} has read = {:?}, which takes one record per call: there are never more to store together",
        settings.read.name()
    );
    settings.problem_at(&["store_batch", "read"], message, allowed)
}

fn write(DraftStore { keys, .. }: &DraftStore) -> Option<Problem> {
    let kind = keys.kind?;
    let writes: &[StoreWrite] = kind.writes();
    (!writes.contains(&keys.write)).then_some(())?;
    let given = keys.given("write")?;
    let message = format!("the store `{kind}` has no write = {:?}", keys.write.name());
    let allowed = format!("must be {}", any_value(writes.iter().map(|write| write.name())));
    Some(Problem::new(given.span.clone(), message, allowed))
}

/// A problem for each place of the file that gives a size of transactions to configurations that store nothing.
fn unused_batches(configurations: &[(&str, &Settings)]) -> impl Iterator<Item = Problem> {
    let mut places = BTreeMap::new();
    for (_, settings) in configurations {
        if let Some(given) = settings.given("store_batch") {
            let (_, is_used) = places
                .entry(given.key_span.start)
                .or_insert((given.key_span.clone(), false));
            *is_used |= settings.work == Work::Store;
        }
    }
    let unused = places.into_values().filter(|(_, is_used)| !is_used);
    unused.map(|(key_span, _)| {
        let message = "`store_batch` has no effect without work = \"store\"";
        let allowed = "must be left out: only a store has transactions";
        Problem::new(key_span, message, allowed)
    })
}
