//! The places of a configuration: whether they exist, what each can run, and which of them can stand in one list.

use std::collections::BTreeSet;

use crate::scenario::draft::Draft;
use crate::scenario::keys::{EVENT, Settings};
use crate::scenario::model::{AppProgram, AppSpec, ClusterSource, PROGRAM, Place, Reach, Speaks, Target, Work};
use crate::scenario::problem::Problem;
use crate::scenario::suggest::{any_value, did_you_mean_value};
use crate::wording::plural;

/// The places that a configuration names, those left out that do not exist.
pub(super) fn places<'a>(settings: &'a Settings, draft: &'a Draft) -> impl Iterator<Item = &'a Place> {
    let named = |name: &String| draft.places.iter().find(|place| place.name == *name);
    settings.places.iter().filter_map(named)
}

/// True where the launcher names a program of its own instead of tandem's worker.
pub(super) fn names_its_own(place: &Place) -> bool {
    !place.launcher.is_empty() && !place.launcher.iter().any(|word| word.contains(PROGRAM))
}

/// Every name must be that of a place.
pub(super) fn unknown(settings: &Settings, draft: &Draft) -> Option<Problem> {
    let names = || draft.places.iter().map(|place| place.name.as_str());
    let unknown = settings
        .places
        .iter()
        .find(|name| !names().any(|known| known == **name))?;
    let message = format!("there is no place {unknown:?}");
    let problem = settings.problem_at(&["place"], &message, format!("must be {}", any_value(names())));
    problem.map(|problem| problem.maybe_help(did_you_mean_value(unknown, names())))
}

/// The members of a configuration run one program: a launcher that names its own has no other place beside it.
pub(super) fn several_programs(settings: &Settings, draft: &Draft) -> Option<Problem> {
    let place = places(settings, draft).find(|place| names_its_own(place))?;
    places(settings, draft).find(|other| other.launcher != place.launcher)?;
    let message = format!("the launcher of place {:?} names a program of its own", place.name);
    let allowed = format!("must have {PROGRAM} in a list of places: all processes of a configuration run one program");
    let problem = settings.problem_at(&["place"], &message, allowed)?;
    Some(problem.help("or give that place a [[case]] of its own"))
}

/// A problem where a configuration cannot run at one of its places.
pub(super) fn elsewhere(app: &AppSpec, settings: &Settings, draft: &Draft) -> Option<Problem> {
    places(settings, draft)
        .find_map(|place| out_of_reach(place, settings, draft).or_else(|| cannot_run(app, place, settings)))
}

/// A problem where containers or pods have a network of their own, from which the brokers or the database that tandem starts
/// cannot be reached.
fn out_of_reach(place: &Place, settings: &Settings, draft: &Draft) -> Option<Problem> {
    let (with, help) = match place.reach() {
        Reach::Container(_) if place.listener.is_some() => (
            "`container` and `listener`",
            "or leave `listener` out: then they use this machine's network",
        ),
        Reach::Kubernetes(pods) if !pods.host_network => (
            "`kubernetes` and without `host_network`",
            "or write host_network = true, if their node is this machine",
        ),
        Reach::Here | Reach::Launcher(_) | Reach::Ssh(_) | Reach::Container(_) | Reach::Kubernetes(_) => return None,
    };
    let has_store = settings.work == Work::Store && draft.store.as_ref().is_some_and(|store| store.keys.url.is_none());
    let (what, needs) = match draft.cluster.source {
        ClusterSource::Local { address: None, .. } => ("brokers", "[cluster] must have an `address` of this machine"),
        _ if has_store => ("database that tandem starts", "[store] must have the `url` of a server"),
        _ => return None,
    };
    let message = format!("workers at place {:?} cannot reach the {what}", place.name);
    let allowed = format!("with {with} they have a network of their own, so {needs} that is reached from there");
    let problem = settings.problem_at(&["place"], &message, allowed)?;
    Some(problem.help(help))
}

/// A problem where the app of a configuration cannot run at its place.
fn cannot_run(app: &AppSpec, place: &Place, settings: &Settings) -> Option<Problem> {
    let who_sees = match place.reach() {
        Reach::Here | Reach::Launcher(_) => return None,
        Reach::Ssh(_) => "ssh would show it to all users of both hosts",
        Reach::Kubernetes(_) => "kubectl would show it to all users of both machines",
        Reach::Container(_) => "the engine would show it to everybody who may use it",
    };
    let (name, place_name) = (&app.name, &place.name);
    let message = format!("the app `{name}` cannot run at place {place_name:?}");
    match &app.runs {
        AppProgram::Program(program) if program.speaks == Speaks::Nothing && acts_on_processes(settings) => {
            let allowed = "must run here: a signal there would reach what observes it, and not the app itself";
            settings.problem_at(&[EVENT, "app", "place"], &message, allowed.to_owned())
        }
        AppProgram::Program(_) if !app.secrets().is_empty() => {
            let allowed = format!("its `command` and `env` must have no password there: {who_sees}");
            settings.problem_at(&["app", "place"], &message, allowed)
        }
        // Ready-made clients are taken there, or images have them.
        AppProgram::Tandem | AppProgram::ReadyMade { .. } | AppProgram::Program(_) => None,
    }
}

fn acts_on_processes(settings: &Settings) -> bool {
    let mut targets = settings.events.iter().map(|placed| placed.event.target);
    targets.any(Target::is_process)
}

/// A warning for each configuration whose list names places that get no process.
pub(super) fn warnings(configurations: &[(&str, &Settings)]) -> Vec<String> {
    let warning = |(name, settings): &(&str, &Settings)| {
        let processes = settings.processes as usize;
        let used: BTreeSet<&String> = settings.places.iter().take(processes).collect();
        let unused = settings
            .places
            .iter()
            .skip(processes)
            .find(|place| !used.contains(place))?;
        let processes = plural(settings.processes, "process");
        Some(format!(
            "place {unused:?} has no effect in {name:?}: each group has {processes}, spread over {} in turn",
            plural(settings.places.len() as u64, "place")
        ))
    };
    configurations.iter().filter_map(warning).collect()
}
