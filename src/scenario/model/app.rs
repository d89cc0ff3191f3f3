//! What runs as a worker, apart from where it runs.

use crate::clients::OWN_APP;

/// What a launcher has in the place of this program.
pub(crate) const PROGRAM: &str = "{tandem}";

/// What runs in the worker processes of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum App<'a> {
    /// tandem's own worker.
    Tandem,
    /// Another program that speaks the protocol.
    Program {
        /// The name of the place whose launcher names the program.
        name: &'a str,
        /// The program and its arguments, to which the role is added.
        command: &'a [String],
    },
}

impl<'a> App<'a> {
    /// The app that a launcher starts: another program if the launcher names one and has no `{tandem}`.
    pub(super) fn of_launcher(place: &'a str, launcher: &'a [String]) -> Self {
        if launcher.is_empty() || launcher.iter().any(|word| word.contains(PROGRAM)) {
            return App::Tandem;
        }
        App::Program {
            name: place,
            command: launcher,
        }
    }

    /// Its name in the environment of a run.
    pub fn name(self) -> &'a str {
        match self {
            App::Tandem => OWN_APP,
            App::Program { name, .. } => name,
        }
    }
}
