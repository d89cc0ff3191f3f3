//! The command line of an app at a place. Starts nothing.

use std::collections::BTreeMap;

use super::containers::CLIENTS_FOLDER;
use super::places::Places;
use super::programs::Programs;
use super::reached::Remote;
use super::started::Started;
use crate::scenario::{App, AppProgram, AppSpec, PROGRAM, Place, Placeholder, Reach};
use crate::server::RUN_VARIABLE;

/// How an app is started at a place as the process of this number in its group. `own` is tandem's program there, and
/// `client` the folder of the ready-made client that the app is.
pub(super) fn started(app: App<'_>, place: &Place, (own, client): (&str, &str), process: u32) -> Started {
    match app {
        App::Tandem => own_worker(place, own),
        // It is started by an observer, which is tandem's own worker.
        App::Other(spec) if spec.silent().is_some() => own_worker(place, own),
        App::Launched { command, .. } => Started {
            command: command.to_vec(),
            env: BTreeMap::new(),
            is_own: false,
        },
        App::Other(spec) => {
            let (command, env) = other(spec, client, process);
            Started {
                command: launched(&place.launcher, command),
                env,
                is_own: false,
            }
        }
    }
}

/// This worker, whose program is `own`, at a place.
fn own_worker(place: &Place, own: &str) -> Started {
    Started {
        command: match &place.launcher[..] {
            [] => vec![own.to_owned(), "worker".to_owned()],
            launcher => launcher.iter().map(|word| word.replace(PROGRAM, own)).collect(),
        },
        env: BTreeMap::new(),
        is_own: true,
    }
}

/// The folder of the ready-made client that an app is: in this machine's cache, or where it was taken to.
pub(super) fn client_folder(app: App<'_>, place: &Place, programs: &Programs, places: &Places) -> String {
    let App::Other(AppSpec {
        name,
        runs: AppProgram::ReadyMade { which, version },
        ..
    }) = app
    else {
        return String::new();
    };
    match place.reach() {
        Reach::Here | Reach::Launcher(_) => programs.client(name).to_string_lossy().into_owned(),
        Reach::Ssh(_) => {
            let remotes = places.remotes.as_ref();
            let folder = remotes.and_then(|remotes| remotes.client(place, name));
            folder.unwrap_or_default().to_owned()
        }
        Reach::Container(_) | Reach::Kubernetes(_) => format!("{CLIENTS_FOLDER}/{}-{version}", which.name()),
    }
}

/// The command of an app that is not tandem's, and its environment.
fn other(spec: &AppSpec, client: &str, process: u32) -> (Vec<String>, BTreeMap<String, String>) {
    match &spec.runs {
        AppProgram::Tandem => (Vec::new(), BTreeMap::new()),
        AppProgram::ReadyMade { which, .. } => {
            let words = which.recipe().start.split(' ');
            (
                words.map(|word| word.replace("{client}", client)).collect(),
                BTreeMap::new(),
            )
        }
        AppProgram::Program(program) => {
            // A worker that speaks the protocol gets everything else in `prepare`; the file was checked for it.
            let value = |placeholder: Placeholder| match placeholder {
                Placeholder::Process => process.to_string(),
                Placeholder::Bootstrap
                | Placeholder::Topic
                | Placeholder::Topics
                | Placeholder::Group
                | Placeholder::ClientId
                | Placeholder::PropertiesFile => String::new(),
            };
            let command = program.command.iter().map(|word| word.filled(value)).collect();
            let env = program
                .env
                .iter()
                .map(|(name, text)| (name.clone(), text.filled(value)));
            (command, env.collect())
        }
    }
}

/// The program of a silent app that an image may lack: its observer looks for it when it is started.
pub(super) fn looked_for(app: App<'_>, place: &Place) -> Option<String> {
    let is_in_image = matches!(place.reach(), Reach::Container(_) | Reach::Kubernetes(_));
    let first = app.silent().filter(|_| is_in_image)?.command.first()?;
    first
        .placeholders()
        .next()
        .is_none()
        .then(|| first.filled(|_| String::new()))
}

/// What is started elsewhere, on these processors. Its environment has the run's mark and the app's variables.
pub(super) fn on_host(remote: &Remote, started: &Started, run_id: &str, processors: Option<&str>) -> Vec<String> {
    let mut words = vec!["env".to_owned(), format!("{RUN_VARIABLE}={run_id}")];
    words.extend(started.env.iter().map(|(name, value)| format!("{name}={value}")));
    let kept = processors.into_iter().flat_map(|list| ["taskset", "-c", list]);
    words.extend(kept.map(str::to_owned).chain(started.command.iter().cloned()));
    remote.command(&words)
}

/// A command at a launcher: it takes the place of `{tandem}` and of the words after it, which are tandem's arguments.
fn launched(launcher: &[String], command: Vec<String>) -> Vec<String> {
    let before = launcher.iter().take_while(|word| *word != PROGRAM);
    before.cloned().chain(command).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn an_apps_command_takes_the_place_of_tandem_and_of_its_arguments() {
        let command = words("java -jar x.jar");
        assert_eq!(launched(&[], command.clone()), command);
        let launcher = words("nice -n 5 {tandem} worker");
        assert_eq!(launched(&launcher, command), words("nice -n 5 java -jar x.jar"));
    }
}
