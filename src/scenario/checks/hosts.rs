//! What a place with `ssh` can run, or one with pods: tandem's own worker, and programs that are on the other host or in the
//! image already.

use crate::scenario::draft::Draft;
use crate::scenario::keys::Settings;
use crate::scenario::model::{AppProgram, AppSpec, HERE, Reach};
use crate::scenario::problem::Problem;

/// A problem where the app of a configuration cannot run on the host of its place.
pub(super) fn elsewhere(app: &AppSpec, settings: &Settings, draft: &Draft) -> Option<Problem> {
    let place = draft.places.iter().find(|place| place.name == settings.place)?;
    let (other, who_sees) = match place.reach() {
        Reach::Here | Reach::Launcher(_) | Reach::Container(_) => return None,
        Reach::Ssh(_) => ("there", "ssh would show it to all users of both hosts"),
        Reach::Kubernetes(_) => ("in the image", "kubectl would show it to all users of both machines"),
    };
    let (name, place) = (&app.name, &place.name);
    let message = format!("the app `{name}` cannot run at place {place:?}");
    match &app.runs {
        AppProgram::ReadyMade { .. } => {
            let allowed = format!(
                "must be tandem's own worker or an [[app]] {other}: ready-made clients are built for this machine"
            );
            let problem = settings.problem_at(&["app", "place"], &message, allowed)?;
            Some(problem.help(format!("or run it at place = {HERE:?}")))
        }
        AppProgram::Program(_) if !app.secrets().is_empty() => {
            let allowed = format!("its `command` and `env` must have no password there: {who_sees}");
            settings.problem_at(&["app", "place"], &message, allowed)
        }
        AppProgram::Tandem | AppProgram::Program(_) => None,
    }
}
