//! What a place can run that is not this machine: tandem's own worker, and programs that are there already.

use crate::scenario::draft::Draft;
use crate::scenario::keys::Settings;
use crate::scenario::model::{AppProgram, AppSpec, ClusterSource, HERE, Place, Reach};
use crate::scenario::problem::Problem;

/// A problem where a configuration cannot run at its place.
pub(super) fn elsewhere(app: &AppSpec, settings: &Settings, draft: &Draft) -> Option<Problem> {
    let place = draft.places.iter().find(|place| place.name == settings.place)?;
    out_of_reach(place, settings, draft).or_else(|| cannot_run(app, place, settings))
}

/// A problem where containers have a network of their own, from which the brokers that tandem starts cannot be reached.
fn out_of_reach(place: &Place, settings: &Settings, draft: &Draft) -> Option<Problem> {
    let has_own_network = place.container.is_some() && place.listener.is_some();
    let is_at_loopback = matches!(draft.cluster.source, ClusterSource::Local { address: None, .. });
    if !has_own_network || !is_at_loopback {
        return None;
    }
    let message = format!("workers at place {:?} cannot reach the brokers", place.name);
    let allowed = "with `container` and `listener` they have a network of their own, so [cluster] must have an `address` of \
                   this machine that is reached from there";
    let problem = settings.problem_at(&["place"], &message, allowed.to_owned())?;
    Some(problem.help("or leave `listener` out: then they use this machine's network".to_owned()))
}

/// A problem where the app of a configuration cannot run at its place.
fn cannot_run(app: &AppSpec, place: &Place, settings: &Settings) -> Option<Problem> {
    let shown = match place.reach() {
        Reach::Here | Reach::Launcher(_) => return None,
        Reach::Ssh(_) => "ssh would show it to all users of both hosts",
        Reach::Container(_) => "the engine would show it to everybody who may use it",
    };
    let (name, place_name) = (&app.name, &place.name);
    let message = format!("the app `{name}` cannot run at place {place_name:?}");
    match &app.runs {
        // Images may have them.
        AppProgram::ReadyMade { .. } if place.container.is_some() => None,
        AppProgram::ReadyMade { .. } => {
            let allowed =
                "must be tandem's own worker or an [[app]] there: ready-made clients are built for this machine";
            let problem = settings.problem_at(&["app", "place"], &message, allowed.to_owned())?;
            Some(problem.help(format!("or run it at place = {HERE:?}")))
        }
        AppProgram::Program(_) if !app.secrets().is_empty() => {
            let allowed = format!("its `command` and `env` must have no password there: {shown}");
            settings.problem_at(&["app", "place"], &message, allowed)
        }
        AppProgram::Tandem | AppProgram::Program(_) => None,
    }
}
