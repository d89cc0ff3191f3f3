//! What the load of live and mixed configurations needs of itself and of the other keys. What cannot be planned or sent
//! is an error of the file.

use std::ops::Range;

use super::hosts;
use crate::clients::OWN_APP;
use crate::load::{STAMP_BYTES, Schedule, ScheduleError};
use crate::scenario::choice::Choice as _;
use crate::scenario::draft::Draft;
use crate::scenario::keys::{FILL, RECORDS_MAX, Settings, TableKeys as _};
use crate::scenario::kinds::{ModeName, time_text};
use crate::scenario::model::{PROGRAM, Producers, Size};
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::settings::is_load_key;
use crate::wording::with_commas;

/// Checks one configuration; `name` tells the user which.
pub(crate) fn check(name: &str, settings: &Settings, draft: &Draft, problems: &mut Problems) {
    if !settings.has_load() {
        return;
    }
    let checks = [
        two_rates(settings),
        no_rate(settings, draft),
        room_for_stamps(name, settings),
        weights(settings),
        schedule(name, settings, draft),
        beside_another_app(settings),
        beside_another_program(settings, draft),
    ];
    checks.into_iter().flatten().for_each(|problem| problems.add(problem));
}

/// Checks all configurations together: a load that none of them has was meant otherwise, and so were properties of
/// producers that have nothing to fill.
pub(crate) fn check_all(configurations: &[(&str, &Settings)], draft: &Draft, problems: &mut Problems) {
    let is_live = |(_, settings): &(&str, &Settings)| settings.mode_name() == ModeName::Live;
    let mut settings = draft.defaults.iter().chain(draft.varying());
    if configurations.iter().all(is_live)
        && let Some(setting) = settings.find(|setting| setting.key.starts_with(FILL))
    {
        let message = format!("`{}` has no effect: nothing is filled before live trials", setting.key);
        let allowed = "must be left out, or needs mode = \"backlog\" or mode = \"mixed\"";
        let problem = Problem::new(setting.key_span.clone(), message, allowed);
        problems.add(problem.help("the producers of load have [load.client]"));
    }
    if configurations.iter().any(|(_, settings)| settings.has_load()) {
        return;
    }
    let mut settings = draft.defaults.iter().chain(draft.varying());
    if let Some(setting) = settings.find(|setting| is_load_key(&setting.key)) {
        let (key, key_span) = (&setting.key, &setting.key_span);
        let message = format!("`{key}` has no effect: no configuration is live or mixed");
        let allowed = "must be left out, or needs mode = \"live\" or mode = \"mixed\"";
        let problem = Problem::new(key_span.clone(), message, allowed);
        let help = "a table [load] makes all configurations live that do not say otherwise";
        problems.add(problem.maybe_help(draft.load_span.is_none().then(|| help.to_owned())));
    }
}

/// The first place that can be named: that of one of these keys, or of the mode, or of the table.
fn span(settings: &Settings, keys: &[&str], draft: &Draft) -> Range<usize> {
    let given = keys.iter().chain(&["mode"]).find_map(|key| settings.given(key));
    let table = || draft.load_span.clone().unwrap_or(0..0);
    given.map_or_else(table, |given| given.span.clone())
}

fn two_rates(settings: &Settings) -> Option<Problem> {
    let (rate, mib) = (settings.given("rate")?, settings.given("mib_per_second")?);
    let (first, second) = if rate.key_span.start < mib.key_span.start {
        (rate, mib)
    } else {
        (mib, rate)
    };
    let message = format!("`{}` cannot stand beside `{}`", second.key, first.key);
    let allowed = "must be one of the two: the other follows from the size of the records";
    Some(Problem::new(second.key_span.clone(), message, allowed))
}

fn no_rate(settings: &Settings, draft: &Draft) -> Option<Problem> {
    let none = ["rate", "mib_per_second"]
        .iter()
        .all(|key| settings.given(key).is_none());
    // A search without a limit on response times begins with more than the program can read.
    let is_searched = draft.capacity.as_ref().is_some_and(|capacity| capacity.limit.is_none());
    let none = none && !is_searched;
    let message = format!("a {} configuration has no rate", settings.mode_name().name());
    let allowed = "needs a number of records that arrive";
    let help = "add rate = 10_000 (records per second) or mib_per_second = 1 to [load]";
    none.then(|| Problem::new(span(settings, &[], draft), message, allowed).help(help))
}

/// Every record carries a stamp.
fn room_for_stamps(name: &str, settings: &Settings) -> Option<Problem> {
    let (which, bytes) = match settings.size {
        Size::Fixed(bytes) => ("values have", bytes),
        Size::Uniform { min, .. } => ("the smallest value has", min),
        Size::LogNormal { max, .. } => ("the largest value has", max),
    };
    ((bytes as usize) < STAMP_BYTES).then_some(())?;
    let unit = if bytes == 1 { "byte" } else { "bytes" };
    let allowed = format!(
        "in {name:?} {which} {bytes} {unit}; there must be at least {STAMP_BYTES}, because every record that arrives \
         carries when it was to be sent"
    );
    settings.problem_at(&["size"], "`size` is too small for the stamp", allowed)
}

/// Only tandem's own worker measures the records of one producer alone.
fn beside_another_app(settings: &Settings) -> Option<Problem> {
    (settings.producers == Producers::Beside && settings.app != OWN_APP).then_some(())?;
    let message = format!("producers = \"beside\" cannot be used with the app `{}`", settings.app);
    let allowed = "must be a number: only tandem's own worker measures the records of one producer alone";
    settings.problem_at(&["producers"], &message, allowed.to_owned())
}

/// A producer is tandem's own worker, which a launcher must be able to start.
fn beside_another_program(settings: &Settings, draft: &Draft) -> Option<Problem> {
    (settings.producers == Producers::Beside).then_some(())?;
    let place = hosts::places(settings, draft).find(|place| hosts::names_its_own(place))?;
    let message = format!(
        "producers = \"beside\" cannot be used at place {:?}, whose launcher names a program of its own",
        place.name
    );
    let allowed = format!("the launcher must have {PROGRAM} in it: a producer is tandem's own worker");
    settings.problem_at(&["producers"], &message, allowed)
}

fn weights(settings: &Settings) -> Option<Problem> {
    (!settings.weights.is_empty()).then_some(())?;
    let message = format!(
        "`weights` cannot be used in a {} configuration",
        settings.mode_name().name()
    );
    let allowed = "must be left out: producers deal records out to partitions in turn, or by their keys".to_owned();
    settings.problem_at(&["weights"], &message, allowed)
}

/// What the schedule itself refuses, for the trials of the file and for that which confirms a capacity.
fn schedule(name: &str, settings: &Settings, draft: &Draft) -> Option<Problem> {
    let load = settings.load()?;
    let confirm_ns = draft.search().map(|capacity| capacity.confirm_ns);
    let windows = [("duration", Some(load.duration_ns)), ("confirm", confirm_ns)];
    windows.into_iter().find_map(|(key, duration_ns)| {
        let duration_ns = duration_ns?;
        match load.schedule(load.rate, duration_ns, draft.top.seed) {
            Err(ScheduleError::Duration(_)) => Some(too_long(key, load.warmup_ns, duration_ns, settings, draft)),
            Err(error) => {
                let keys = ["rate", "mib_per_second", "profile"];
                let message = "this load cannot be planned";
                Some(Problem::new(span(settings, &keys, draft), message, error.to_string()))
            }
            Ok(schedule) => too_many(name, &schedule, settings, draft),
        }
    })
}

fn too_long(key: &str, warmup_ns: u64, duration_ns: u64, settings: &Settings, draft: &Draft) -> Problem {
    let confirm = draft
        .capacity
        .as_ref()
        .and_then(|capacity| capacity.keys.given("confirm"));
    let place = match confirm.filter(|_| key == "confirm") {
        Some(confirm) => confirm.span.clone(),
        None => span(settings, &["duration", "warmup"], draft),
    };
    let (window, warmup) = (time_text(duration_ns), time_text(warmup_ns));
    let message = format!("a trial of {window} after {warmup} of warm-up is too long");
    let allowed = format!("`warmup` and `{key}` must be at most a week together");
    Problem::new(place, message, allowed)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of records that has been found too large, and is only printed"
)]
fn too_many(name: &str, schedule: &Schedule, settings: &Settings, draft: &Draft) -> Option<Problem> {
    let (records, max) = (schedule.expected(), RECORDS_MAX.unsigned_abs());
    (records > max as f64).then(|| {
        let allowed = format!(
            "in {name:?} about {} records would arrive in {}; at most {} are allowed",
            with_commas(records as u128),
            time_text(schedule.duration_ns()),
            with_commas(max)
        );
        let span = span(settings, &["rate", "mib_per_second"], draft);
        Problem::new(span, "too many records would arrive in a trial", allowed)
    })
}
