//! All checks of a file, and all warnings.

use super::{apps, capacity, events, existing, hosts, load_warnings, loads, polls, sessions, settings, store, threads};
use crate::scenario::draft::Draft;
use crate::scenario::keys::Settings;
use crate::scenario::kinds::ModeName;
use crate::scenario::model::Scenario;
use crate::scenario::problem::Problems;

/// Checks each configuration, given with its name, and all of them together.
pub(crate) fn check(named: &[(&str, &Settings)], draft: &Draft, problems: &mut Problems) {
    for (name, each) in named {
        settings::check(name, each, draft, problems);
        apps::check(name, each, draft, problems);
        loads::check(name, each, draft, problems);
        existing::check(each, draft, problems);
        store::check(name, each, draft, problems);
        sessions::check(each, draft, problems);
        events::check(name, each, draft, problems);
    }
    if named.iter().any(|(_, each)| each.mode_name() == ModeName::Backlog) {
        settings::check_trial(draft, problems);
    }
    loads::check_all(named, draft, problems);
    capacity::check(named, draft, problems);
    store::check_all(named, draft, problems);
}

/// What the user should know although it is no error.
pub(crate) fn warnings(named: &[(&str, &Settings)], draft: &Draft, scenario: &Scenario) -> Vec<String> {
    let mut warnings = apps::warnings(named);
    warnings.extend(hosts::warnings(named));
    warnings.extend(threads::warnings(named));
    warnings.extend(load_warnings::warnings(named, draft, scenario.capacity.as_ref()));
    warnings.extend(events::warnings(named, draft));
    warnings.extend(polls::warning(&scenario.configurations));
    warnings
}
