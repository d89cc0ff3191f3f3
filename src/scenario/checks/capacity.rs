//! What a search for capacity needs: every configuration leaves its rate to the search.

use super::apps::is_silent;
use crate::scenario::choice::Choice as _;
use crate::scenario::draft::{Draft, DraftCapacity};
use crate::scenario::keys::{Settings, TableKeys as _};
use crate::scenario::kinds::{ModeName, time_text};
use crate::scenario::model::Shape;
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::reading::objectives;
use crate::scenario::suggest::any_of;

/// Checks what a search needs of the configurations, each with its name.
pub(crate) fn check(configurations: &[(&str, &Settings)], draft: &Draft, problems: &mut Problems) {
    let Some(capacity) = &draft.capacity else {
        return;
    };
    if let Some(problem) = objective(configurations, capacity, draft) {
        problems.add(problem);
    }
    let not_live = configurations
        .iter()
        .find(|(_, settings)| settings.mode_name() != ModeName::Live);
    if let Some((name, settings)) = not_live {
        let message = "[capacity] needs live configurations only";
        let allowed = format!("{name:?} is {}", settings.mode_name().name());
        let problem = Problem::new(capacity.span.clone(), message, allowed);
        let help = "add [load] with the highest rate to try, such as rate = 10_000";
        problems.add(problem.maybe_help(draft.load_span.is_none().then(|| help.to_owned())));
    }
    let varies = |key: &str| matches!(key, "rate" | "mib_per_second");
    for given in draft.varying().filter(|given| varies(&given.key)) {
        let key = &given.key;
        let message = format!("`{key}` cannot vary beside [capacity]");
        let allowed =
            "must stand in [load]: the search finds the rate, and begins at the highest to try, which it gives";
        problems.add(Problem::new(given.key_span.clone(), message, allowed));
    }
    let settings = draft.default_settings();
    let profile = settings
        .given("profile")
        .filter(|_| settings.profile != Shape::Constant);
    if let Some(profile) = profile {
        let message = "`profile` cannot be used with [capacity]";
        let allowed = "must be left out: the search itself changes the rate from trial to trial";
        problems.add(Problem::new(profile.span.clone(), message, allowed));
    }
    if let (Some(ns), Some(given)) = (capacity.keys.confirm_ns, capacity.keys.given("confirm"))
        && ns < settings.duration_ns
    {
        let message = format!("`confirm` cannot be {}", time_text(ns));
        let allowed = format!("must be at least `duration`, {}", time_text(settings.duration_ns));
        problems.add(Problem::new(given.span.clone(), message, allowed));
    }
}

/// A limit on response times needs somebody who sees them: of a program that speaks nothing nobody does, and for it the
/// lag alone decides. Wherever they are seen, a limit is needed.
fn objective(configurations: &[(&str, &Settings)], capacity: &DraftCapacity, draft: &Draft) -> Option<Problem> {
    let silent = configurations.iter().find(|(_, settings)| is_silent(settings, draft));
    match (&capacity.limit_span, silent) {
        (None, Some(_)) | (Some(_), None) => None,
        (None, None) => {
            let allowed = format!("must have {}", any_of(objectives()));
            let problem = Problem::new(capacity.span.clone(), "[capacity] has no objective", allowed);
            Some(problem.help("such as p99_ms = 50"))
        }
        (Some(span), Some((name, settings))) => {
            let message = format!(
                "a limit on response times cannot be used with the app `{}`",
                settings.app
            );
            let allowed = format!(
                "in {name:?} a program runs that speaks nothing, so nobody sees how long its records take; must be left out: \
                 lag = \"bounded\" decides"
            );
            Some(Problem::new(span.clone(), message, allowed))
        }
    }
}
