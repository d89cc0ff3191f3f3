//! What a place with `ssh` can run: tandem's own worker, and programs that are on the other host already.

use crate::scenario::draft::Draft;
use crate::scenario::keys::Settings;
use crate::scenario::model::{AppProgram, AppSpec, HERE};
use crate::scenario::problem::Problem;

/// A problem where the app of a configuration cannot run on the host of its place.
pub(super) fn over_ssh(app: &AppSpec, settings: &Settings, draft: &Draft) -> Option<Problem> {
    let place = draft.places.iter().find(|place| place.name == settings.place)?;
    place.ssh.as_ref()?;
    let (name, place) = (&app.name, &place.name);
    let message = format!("the app `{name}` cannot run at place {place:?}");
    match &app.runs {
        AppProgram::ReadyMade { .. } => {
            let allowed =
                "must be tandem's own worker or an [[app]] there: ready-made clients are built for this machine";
            let problem = settings.problem_at(&["app", "place"], &message, allowed.to_owned())?;
            Some(problem.help(format!("or run it at place = {HERE:?}")))
        }
        AppProgram::Program(_) if !app.secrets().is_empty() => {
            let allowed =
                "its `command` and `env` must have no password there: ssh would show it to all users of both hosts";
            settings.problem_at(&["app", "place"], &message, allowed.to_owned())
        }
        AppProgram::Tandem | AppProgram::Program(_) => None,
    }
}
