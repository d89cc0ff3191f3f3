//! What `threads` and `ordering` need of each other and of the other keys: what cannot be is an error, what can be but
//! measures nothing of the sort is a warning.

use std::collections::BTreeMap;

use crate::scenario::keys::{Settings, TableKeys as _};
use crate::scenario::model::{Keys, Work, WorkOrdering};
use crate::scenario::problem::Problem;
use crate::wording::{plural, with_commas};

/// Worker threads over all members: a machine does not have many times more to give.
const THREADS_MAX: u64 = 4_096;

/// The worker threads of all members together are bounded.
pub(crate) fn too_many(name: &str, settings: &Settings) -> Option<Problem> {
    let members = settings.members_per_group() * u64::from(settings.groups);
    let total = members * u64::from(settings.threads);
    (settings.threads > 1 && total > THREADS_MAX).then_some(())?;
    let allowed = format!(
        "in {name:?}, {} with {} each are {}; at most {} are allowed",
        plural(members, "member"),
        plural(settings.threads, "thread"),
        with_commas(total),
        with_commas(THREADS_MAX)
    );
    let message = "there are too many threads over all members";
    settings.problem_at(&["threads", "consumers", "processes"], message, allowed)
}

/// An order by keys that the records do not have would be measured under the name of something else.
pub(crate) fn key_without_keys(settings: &Settings) -> Option<Problem> {
    let ordered = settings.threads > 1 && settings.ordering == WorkOrdering::Key;
    // Those of a topic that exists may have keys.
    (ordered && settings.keys == Keys::None && !settings.reads_existing()).then_some(())?;
    let message = "`ordering` by key needs records with keys";
    let allowed = "records without a key have no order to keep and would be worked as with ordering = \"none\"";
    let problem = settings.problem_at(&["ordering", "threads"], message, allowed.to_owned())?;
    Some(problem.help("give them keys in [dataset], such as keys = \"unique\" or keys = { zipf = 1.0, count = 1000 }"))
}

/// What the user should know about threads; each configuration with its name.
pub(crate) fn warnings(configurations: &[(&str, &Settings)]) -> Vec<String> {
    ordering_without_threads(configurations)
        .into_iter()
        .chain(threads_without_work(configurations))
        .collect()
}

/// A warning for each place of the file that gives an ordering to configurations of one thread only.
fn ordering_without_threads(configurations: &[(&str, &Settings)]) -> Vec<String> {
    // By the place of the key: the first configuration, and whether any has several threads.
    let mut places: BTreeMap<usize, (&str, bool)> = BTreeMap::new();
    for (name, settings) in configurations {
        if let Some(given) = settings.given("ordering") {
            let (_, used) = places.entry(given.key_span.start).or_insert((name, false));
            *used |= settings.threads > 1;
        }
    }
    let unused = places.into_values().filter(|(_, used)| !used);
    let warning = |(name, _)| {
        format!(
            "`ordering` has no effect with threads = 1, as in {name:?}: its records are worked one after another anyway"
        )
    };
    unused.map(warning).collect()
}

/// Handing records over costs more than doing nothing with them.
fn threads_without_work(configurations: &[(&str, &Settings)]) -> Option<String> {
    let idle = |settings: &Settings| settings.threads > 1 && settings.work == Work::None;
    let mut idle = configurations.iter().filter(|(_, settings)| idle(settings));
    let (name, settings) = idle.next()?;
    let more = match idle.count() {
        0 => String::new(),
        more => format!(" and {}", plural(more as u64, "other configuration")),
    };
    Some(format!(
        "threads = {} with work = \"none\" in {name:?}{more}: there is nothing to share out, so this measures only what \
         handing records to threads costs",
        settings.threads
    ))
}
