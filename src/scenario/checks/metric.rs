//! By which figure a scenario compares its configurations, and what it requires of figures.

use std::collections::BTreeSet;

use crate::figures::{By, FigureId, Had, Trials};
use crate::scenario::draft::{Draft, DraftRequirement};
use crate::scenario::keys::{RequireKeys, TableKeys as _};
use crate::scenario::kinds::{Amount, Threshold};
use crate::scenario::model::{AppSpec, Bound, ChosenMetric, Configuration, Mode, Requirement, Until};
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::suggest::{any_value, did_you_mean_value};

/// The threshold of ratios where the file gives none, or one of differences.
pub(crate) const SHARE: f64 = 0.03;

/// The figure that the scenario names, with its threshold.
pub(crate) fn metric(
    draft: &Draft,
    configurations: &[Configuration],
    apps: &[AppSpec],
    problems: &mut Problems,
) -> Option<ChosenMetric> {
    let unheld = |c: &&Configuration| c.mode == Mode::Backlog && apps[c.app].silent().is_some();
    let unheld = configurations.iter().find(unheld);
    if let (Some(FigureId::ReadSeconds | FigureId::RecordsPerSecond), Some(unheld)) = (draft.top.metric, unheld) {
        let why = format!(
            "nothing holds the app `{}` of {:?} until a start",
            apps[unheld.app].name, unheld.name
        );
        problems.add(refused(
            draft,
            "metric",
            &why,
            "must be \"stopwatch_seconds\", which is the default there",
        ));
        return None;
    }
    let chosen = problems.keep(check(draft, configurations))?;
    let stopwatch = ChosenMetric {
        figure: FigureId::StopwatchSeconds,
        difference: None,
    };
    chosen.or_else(|| unheld.map(|_| stopwatch))
}

/// The threshold of ratios.
pub(crate) fn share(draft: &Draft) -> f64 {
    match draft.top.threshold {
        Threshold::Share(share) => share,
        Threshold::Amount(_) => SHARE,
    }
}

fn check(draft: &Draft, configurations: &[Configuration]) -> Result<Option<ChosenMetric>, Problem> {
    let Some(figure) = draft.top.metric else {
        return match draft.top.threshold {
            Threshold::Share(_) => Ok(None),
            Threshold::Amount(_) => Err(refused(
                draft,
                "threshold",
                "speeds are compared by ratios",
                "must be a share, such as 0.03",
            )
            .help("an amount is the threshold of a `metric` that is compared by differences")),
        };
    };
    let name = &figure.figure().name;
    if draft.capacity.is_some() {
        let why = "a search for capacity compares nothing";
        return Err(refused(draft, "metric", why, "must be left out"));
    }
    if let Some(without) = configurations.iter().find(|c| !has(figure, c)) {
        let why = format!("`{name}` is no figure of {}", trials_of(figure, without));
        return Err(refused(draft, "metric", &why, "must be a figure that all trials have"));
    }
    let by = figure.comparing().map(|comparing| comparing.by);
    let difference = match (by, draft.top.threshold) {
        (Some(By::Difference), Threshold::Amount(amount)) => {
            let amount = amount.of_figure(figure.figure().unit);
            Some(amount.ok_or_else(|| not_its_unit(draft, figure))?)
        }
        (Some(By::Difference), Threshold::Share(_)) => return Err(not_its_unit(draft, figure)),
        (_, Threshold::Amount(_)) => {
            let why = format!("`{name}` is compared by ratios");
            return Err(refused(draft, "threshold", &why, "must be a share, such as 0.03"));
        }
        (_, Threshold::Share(_)) => None,
    };
    let chosen = ChosenMetric { figure, difference };
    let is_until_width = matches!(draft.top.repetitions.until(), Some(Until::HalfWidth(_)));
    if let (true, Some((why, allowed))) = (is_until_width, no_width(Some(chosen))) {
        return Err(refused(draft, "repetitions", &why, &allowed));
    }
    Ok(Some(chosen))
}

/// Why a run by this metric cannot go on until a width, and what would do; `None` where it can.
pub(crate) fn no_width(metric: Option<ChosenMetric>) -> Option<(String, String)> {
    let name = &metric
        .filter(|chosen| chosen.difference.is_some())?
        .figure
        .figure()
        .name;
    let why = format!("`{name}` is compared by differences, of which there is no share");
    Some((why, "must be a number of blocks, or until = \"decided\"".to_owned()))
}

/// A difference can only be compared with an amount.
fn not_its_unit(draft: &Draft, figure: FigureId) -> Problem {
    let unit = figure.figure().unit;
    let key = draft.top.given("threshold").map_or("metric", |_| "threshold");
    let why = format!(
        "`{}` can be 0 and is compared by differences, in {}",
        figure.figure().name,
        unit.name()
    );
    let allowed = match key {
        "threshold" => format!("must be an amount in that unit, such as {}", Amount::example(unit)),
        _ => format!(
            "must have a `threshold` in that unit, such as {}",
            Amount::example(unit)
        ),
    };
    refused(draft, key, &why, &allowed)
}

/// A problem with a key of the top of the file.
fn refused(draft: &Draft, key: &str, why: &str, allowed: &str) -> Problem {
    let given = draft.top.given(key);
    let (span, text) = given.map_or((0..0, ""), |given| (given.span.clone(), given.text.as_str()));
    let message = match key {
        "repetitions" => format!("`repetitions` cannot go on until a width: {why}"),
        _ => format!("`{key}` cannot be {text:?}: {why}"),
    };
    Problem::new(span, message, allowed.to_owned())
}

fn has(figure: FigureId, configuration: &Configuration) -> bool {
    let of_load = figure.figure().is_of_load();
    let otherwise = if of_load { Had::Load } else { Had::Always };
    let had = figure.comparing().map_or(otherwise, |comparing| comparing.had);
    match had {
        Had::Always => true,
        Had::Acts => !configuration.events.is_empty(),
        Had::Backlog => configuration.mode == Mode::Backlog,
        Had::Load => configuration.mode.load().is_some(),
        Had::Mixed => matches!(configuration.mode, Mode::Mixed(_)),
        Had::Work => configuration.has_work(),
    }
}

fn trials_of(figure: FigureId, configuration: &Configuration) -> String {
    match figure.comparing().map(|comparing| comparing.had) {
        Some(Had::Work) => "trials without work".to_owned(),
        Some(Had::Acts) => "trials without events".to_owned(),
        _ => format!("{} trials", configuration.mode.name()),
    }
}

/// What the file requires of figures.
pub(crate) fn requirements(
    draft: &Draft,
    configurations: &[Configuration],
    problems: &mut Problems,
) -> Vec<Requirement> {
    let read = |required: &DraftRequirement| problems.keep(requirement(required, configurations));
    draft.requirements.iter().filter_map(read).collect()
}

fn requirement(required: &DraftRequirement, configurations: &[Configuration]) -> Result<Requirement, Problem> {
    let keys = &required.keys;
    let problem = |key: &str, message: String, allowed: String| {
        let span = keys
            .given(key)
            .map_or(required.span.clone(), |given| given.span.clone());
        Problem::new(span, message, allowed)
    };
    let Some(figure) = keys.figure else {
        let allowed = "must have one, such as figure = \"response_p99_ms\"".to_owned();
        return Err(problem("", "this [[require]] has no `figure`".to_owned(), allowed));
    };
    let bound = bound(keys).map_err(|message| {
        let allowed = format!("must have one of the two, in {}", unit_name(figure));
        problem("above", message.to_owned(), allowed)
    })?;
    if figure.figure().trials == Trials::Overloaded {
        let name = &figure.figure().name;
        let message = format!("`figure` cannot be {name:?}: only overloaded trials have it");
        let allowed = "must be another: a limit on \"response_p99_ms\" fails where trials are overloaded".to_owned();
        return Err(problem("figure", message, allowed));
    }
    let requirement = Requirement {
        figure,
        bound,
        of: keys.of.clone(),
        strict: keys.strict,
    };
    let of_these = requirement.named(configurations);
    if let (Some(of), true) = (&keys.of, of_these.is_empty()) {
        let cases = configurations
            .iter()
            .map(|c| c.case.as_str())
            .filter(|case| !case.is_empty());
        let names: Vec<&str> = cases.chain(configurations.iter().map(|c| c.name.as_str())).collect();
        let mut known = BTreeSet::new();
        let mut some = names.clone();
        some.retain(|name| known.insert(*name));
        some.truncate(5);
        let allowed = format!("must be a case or a configuration, such as {}", any_value(some));
        let message = format!("`of` cannot be {of:?}");
        return Err(problem("of", message, allowed).maybe_help(did_you_mean_value(of, names)));
    }
    if let Some(without) = of_these.iter().map(|&c| &configurations[c]).find(|c| !has(figure, c)) {
        let message = format!(
            "`figure` cannot be {:?}: it is no figure of {}",
            figure.figure().name,
            trials_of(figure, without)
        );
        let allowed = "must be a figure that these trials have; `of` names a case".to_owned();
        return Err(problem("figure", message, allowed));
    }
    Ok(requirement)
}

/// The limit; the error is what is wrong with the two keys.
fn bound(keys: &RequireKeys) -> Result<Bound, &'static str> {
    match (keys.below, keys.above) {
        (Some(below), None) => Ok(Bound::Below(below)),
        (None, Some(above)) => Ok(Bound::Above(above)),
        (Some(_), Some(_)) => Err("this [[require]] has both `below` and `above`"),
        (None, None) => Err("this [[require]] has neither `below` nor `above`"),
    }
}

fn unit_name(figure: FigureId) -> &'static str {
    figure.figure().unit.name()
}
