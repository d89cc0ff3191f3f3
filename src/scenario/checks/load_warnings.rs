//! What the user should know of a load although it can be sent: keys without effect, and windows in which too little
//! happens.

use std::collections::BTreeMap;

use super::apps::is_silent;
use crate::scenario::draft::Draft;
use crate::scenario::keys::{Settings, TableKeys as _};
use crate::scenario::kinds::{ModeName, number_text, time_text};
use crate::scenario::model::{Capacity, SEARCH_WINDOW_MAX_NS, Shape};
use crate::scenario::settings::is_load_key;
use crate::wording::{plural, with_commas};

/// The percentile that live trials are compared by, unless a search asks for another.
const PERCENTILE: f64 = 0.99;
/// A percentile needs so many records beyond it.
const RECORDS_BEYOND: f64 = 10.0;

/// Configurations with their names.
type Named<'a> = [(&'a str, &'a Settings)];

/// What to say about the loads of a file.
pub(crate) fn warnings(configurations: &Named<'_>, draft: &Draft, capacity: Option<&Capacity>) -> Vec<String> {
    unused_load_keys(configurations)
        .into_iter()
        .chain(unused_trial(configurations, draft))
        .chain(unused_records(configurations))
        .chain(unused_blocks(draft, capacity))
        .chain(too_few_records(configurations, draft, capacity))
        .chain(no_burst(configurations))
        .collect()
}

/// A warning for each place of `[matrix]` and the cases that gives a load to configurations that have none.
fn unused_load_keys(configurations: &Named<'_>) -> Vec<String> {
    if !configurations.iter().any(|(_, settings)| settings.has_load()) {
        return Vec::new();
    }
    // By the place of the key: the key, the first configuration, and whether any has a load.
    let mut places: BTreeMap<usize, (&str, &str, bool)> = BTreeMap::new();
    for (name, settings) in configurations {
        for given in settings.all_given().values().filter(|given| is_load_key(&given.key)) {
            let place = places.entry(given.key_span.start);
            let (_, _, used) = place.or_insert((given.key.as_str(), name, false));
            *used |= settings.has_load();
        }
    }
    let unused = places.into_values().filter(|(_, _, used)| !used);
    let warning = |(key, name, _)| format!("`{key}` has no effect in {name:?}, where mode = \"backlog\"");
    unused.map(warning).collect()
}

fn unused_trial(configurations: &Named<'_>, draft: &Draft) -> Option<String> {
    let backlog = configurations.iter().any(|(_, settings)| !settings.has_load());
    (!backlog && draft.trial_header.is_some()).then(|| {
        "[trial] has no effect: no configuration reads a backlog alone, and `duration` in [load] is how long the others \
         are measured"
            .to_owned()
    })
}

fn unused_records(configurations: &Named<'_>) -> Option<String> {
    let live = |settings: &Settings| settings.mode_name() == ModeName::Live;
    let given = |settings: &Settings| settings.given("records").is_some();
    let unused = configurations
        .iter()
        .all(|(_, settings)| live(settings) && given(settings));
    unused.then(|| {
        "`records` in [dataset] has no effect: every configuration is live, and its topics are empty at the start"
            .to_owned()
    })
}

fn unused_blocks(draft: &Draft, capacity: Option<&Capacity>) -> Option<String> {
    let keys = ["repetitions", "warmup_blocks"].into_iter();
    let keys = keys.filter(|key| draft.top.given(key).is_some());
    let given: Vec<String> = keys.map(|key| format!("`{key}`")).collect();
    let verb = if given.len() == 1 { "has" } else { "have" };
    let warning = || {
        let given = given.join(" and ");
        format!("{given} {verb} no effect with [capacity]: the search decides how many trials there are")
    };
    (capacity.is_some() && !given.is_empty()).then(warning)
}

/// A percentile of a few records says little of the configuration.
fn too_few_records(configurations: &Named<'_>, draft: &Draft, capacity: Option<&Capacity>) -> Option<String> {
    let percentile = capacity.map_or(Some(PERCENTILE), |capacity| Some(capacity.limit?.percentile))?;
    let needed = rounded(RECORDS_BEYOND / (1.0 - percentile));
    // A search makes its windows longer where a rate is low, so there only what even the longest lacks is too few.
    let window_ns = |settings: &Settings| match capacity {
        Some(_) => settings.duration_ns.max(SEARCH_WINDOW_MAX_NS),
        None => settings.duration_ns,
    };
    let few = |settings: &Settings| {
        // Of a program that speaks nothing there are no response times.
        if is_silent(settings, draft) {
            return None;
        }
        let records = rounded(records_in_window(settings, window_ns(settings), draft.top.seed)?);
        (records < needed).then_some(records)
    };
    let mut few = configurations
        .iter()
        .filter_map(|(name, settings)| Some((*name, *settings, few(settings)?)));
    let (name, settings, records) = few.next()?;
    let more = match few.count() {
        0 => String::new(),
        more => format!(" and {}", plural(more as u64, "other configuration")),
    };
    let rate = settings.load().map_or(0.0, |load| load.rate);
    Some(format!(
        "about {} records in a window of {} at {}/s are too few for p{} in {name:?}{more}: at least {} are needed; set a \
         {} in [load]",
        with_commas(records),
        time_text(window_ns(settings)),
        number_text(rate),
        number_text(percentile * 100.0).replace('.', ""),
        with_commas(needed),
        if capacity.is_some() {
            "higher `rate`"
        } else {
            "longer `duration`"
        },
    ))
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of records"
)]
fn rounded(records: f64) -> u128 {
    records.round() as u128
}

/// Records that are to arrive in a window of this length; `None` without a load.
fn records_in_window(settings: &Settings, window_ns: u64, seed: u64) -> Option<f64> {
    let load = settings.load()?;
    let schedule = load.schedule(load.rate, window_ns, seed).ok()?;
    Some(schedule.expected() - schedule.expected_until(load.warmup_ns))
}

/// Bursts that all lie in the warm-up or after the end are not measured.
fn no_burst(configurations: &Named<'_>) -> Option<String> {
    let outside = |settings: &Settings| {
        let Shape::Bursts { every_ns, for_ns, .. } = settings.profile else {
            return false;
        };
        let from_ns = settings.warmup_ns;
        let during = from_ns % every_ns < for_ns;
        let next_ns = from_ns.next_multiple_of(every_ns);
        settings.has_load() && !during && next_ns >= from_ns.saturating_add(settings.duration_ns)
    };
    let (name, settings) = configurations.iter().find(|(_, settings)| outside(settings))?;
    Some(format!(
        "no burst lies in the window of {name:?}, which is {} long after {} of warm-up: set a longer `duration` or bursts \
         that come sooner",
        time_text(settings.duration_ns),
        time_text(settings.warmup_ns),
    ))
}
