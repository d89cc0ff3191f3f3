//! What a place can run that is not this machine: tandem's own worker, and programs that are there already.

use crate::scenario::draft::Draft;
use crate::scenario::keys::Settings;
use crate::scenario::model::{AppProgram, AppSpec, HERE, Reach};
use crate::scenario::problem::Problem;

/// A problem where the app of a configuration cannot run at its place.
pub(super) fn elsewhere(app: &AppSpec, settings: &Settings, draft: &Draft) -> Option<Problem> {
    let place = draft.places.iter().find(|place| place.name == settings.place)?;
    let shown = match place.reach() {
        Reach::Here | Reach::Launcher(_) => return None,
        Reach::Ssh(_) => "ssh would show it to all users of both hosts",
        Reach::Kubernetes(_) => "kubectl would show it to all users of both machines",
        Reach::Container(_) => "the engine would show it to everybody who may use it",
    };
    let has_image = matches!(place.reach(), Reach::Container(_) | Reach::Kubernetes(_));
    let (name, place_name) = (&app.name, &place.name);
    let message = format!("the app `{name}` cannot run at place {place_name:?}");
    match &app.runs {
        // Images may have them.
        AppProgram::ReadyMade { .. } if has_image => None,
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
