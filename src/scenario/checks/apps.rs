//! Which app can do what, and whether each configuration asks its app for something that it can do.

use super::hosts::{self, elsewhere};
use crate::clients::{ClientKind, OWN_APP, ReadyMade};
use crate::scenario::client::{Clients, may_be_set};
use crate::scenario::draft::Draft;
use crate::scenario::keys::{CLIENT, Settings, TableKeys as _};
use crate::scenario::kinds::{Assignment, ModeName, Protocol};
use crate::scenario::model::{
    AppProgram, AppSpec, Buffers, Commit, HERE, PROGRAM, Place, PropertyValue, Read, Speaks, Work,
};
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::suggest::{any_value, did_you_mean_value};

/// What an app is, where it is a question of what it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ability {
    Tandem,
    Java,
    Spring,
    Python,
    Go,
    /// An `[[app]]` that speaks the protocol: its `hello` says what it can do.
    Worker,
    /// An `[[app]]` that speaks nothing.
    Silent,
}

impl Ability {
    /// All, in the order of the documents.
    #[cfg(test)]
    pub(crate) const ALL: [Ability; 7] = [
        Ability::Tandem,
        Ability::Java,
        Ability::Spring,
        Ability::Python,
        Ability::Go,
        Ability::Worker,
        Ability::Silent,
    ];

    fn of(app: &AppSpec) -> Self {
        match &app.runs {
            AppProgram::Tandem => Ability::Tandem,
            AppProgram::ReadyMade { which, .. } => match which {
                ReadyMade::Java => Ability::Java,
                ReadyMade::Spring => Ability::Spring,
                ReadyMade::Python => Ability::Python,
                ReadyMade::Go => Ability::Go,
            },
            AppProgram::Program(program) => match program.speaks {
                Speaks::Tandem => Ability::Worker,
                Speaks::Nothing => Ability::Silent,
            },
        }
    }

    /// Its name in the table of the documents.
    #[cfg(test)]
    pub(crate) fn title(self) -> &'static str {
        match self {
            Ability::Tandem => "`tandem`",
            Ability::Java => "`java`",
            Ability::Spring => "`spring`",
            Ability::Python => "`python`",
            Ability::Go => "`go`",
            Ability::Worker => "speaks tandem",
            Ability::Silent => "speaks nothing",
        }
    }
}

/// What a configuration may ask for, and which apps can do it.
pub(crate) struct Asked {
    /// As it stands in a file, for the table of the documents.
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "the table of docs/clients.md is made by a test")
    )]
    pub(crate) what: &'static str,
    /// The key that asks.
    key: &'static str,
    asks: fn(&Settings) -> bool,
    pub(crate) can: &'static [Ability],
    /// Why others cannot, as a sentence that follows a colon.
    why: &'static str,
}

use Ability::{Go, Java, Python, Spring, Tandem, Worker};

const SPEAKING: &[Ability] = &[Tandem, Java, Spring, Python, Go, Worker];

/// What not every app can do. What an app of somebody else can do is said by its `hello`.
pub(crate) const ASKED: &[Asked] = &[
    Asked {
        what: "`consumers` above 1",
        key: "consumers",
        asks: |settings| settings.consumers > 1,
        can: SPEAKING,
        why: "how many consumers the program has is its own matter; use `processes`",
    },
    Asked {
        what: "`read = \"poll\"`",
        key: "read",
        asks: |settings| settings.read == Read::Poll,
        can: SPEAKING,
        why: "the program reads in its own way",
    },
    Asked {
        what: "`read = \"stream\"`",
        key: "read",
        asks: |settings| settings.read == Read::Stream,
        can: &[Tandem, Worker],
        why: "only tandem's own client has that stream",
    },
    Asked {
        what: "`threads` above 1",
        key: "threads",
        asks: |settings| settings.threads > 1,
        can: &[Tandem, Worker],
        why: "its consumers work on the thread that reads",
    },
    Asked {
        what: "`buffers = \"total\"`",
        key: "buffers",
        asks: |settings| settings.buffers == Buffers::Total,
        can: &[Tandem, Python, Worker],
        why: "it has no such buffers; they are librdkafka's",
    },
    Asked {
        what: "`assignment = \"manual\"`",
        key: "assignment",
        asks: |settings| settings.assignment == Assignment::Manual,
        can: &[Tandem, Java, Python, Go, Worker],
        why: "its listener subscribes and takes what the group gives it",
    },
    Asked {
        what: "`protocol = \"consumer\"`",
        key: "protocol",
        asks: |settings| settings.protocol == Protocol::Consumer,
        can: SPEAKING,
        why: "the program chooses its protocol itself",
    },
    Asked {
        what: "`assignment = \"manual\"` with `commit`",
        key: "commit",
        asks: |settings| settings.assignment == Assignment::Manual && settings.commit != Commit::None,
        can: &[Tandem, Java, Python, Worker],
        why: "its client commits for a group's members only",
    },
    Asked {
        what: "`assignor`",
        key: "assignor",
        asks: |settings| settings.assignor.is_some(),
        can: SPEAKING,
        why: "the program chooses its assignor itself",
    },
    Asked {
        what: "`warmup_records`",
        key: "warmup_records",
        asks: |settings| settings.warmup_records > 0,
        can: &[Java, Spring],
        why: "its client is compiled before it runs; give it to those that compile while they run, in cases of their own",
    },
    Asked {
        what: "`commit`",
        key: "commit",
        asks: |settings| settings.commit != Commit::None,
        can: SPEAKING,
        why: "the program commits when it wants to",
    },
    Asked {
        what: "`work`",
        key: "work",
        asks: |settings| !matches!(settings.work, Work::None | Work::Store),
        can: SPEAKING,
        why: "the program does its own work",
    },
    Asked {
        what: "`static`",
        key: "static",
        asks: |settings| settings.is_static,
        can: SPEAKING,
        why: "the program names its members itself",
    },
    Asked {
        what: "`session_timeout`",
        key: "session_timeout",
        asks: |settings| settings.session_timeout_ms.is_some(),
        can: SPEAKING,
        why: "the program chooses its session timeout itself",
    },
    Asked {
        what: "`heartbeat`",
        key: "heartbeat",
        asks: |settings| settings.heartbeat_ms.is_some(),
        can: SPEAKING,
        why: "the program chooses its heartbeat interval itself",
    },
    Asked {
        what: "`work = \"store\"`",
        key: "work",
        asks: |settings| settings.work == Work::Store,
        can: SPEAKING,
        why: "the program does its own work; what it stores, nobody knows",
    },
];

/// The app of a configuration; `None` for a name that nothing has.
pub(crate) fn app_named(name: &str, draft: &Draft) -> Option<AppSpec> {
    if let Some(known) = draft.apps.iter().find(|app| app.name == name) {
        return Some(known.clone());
    }
    let (which, version) = match name.split_once(':') {
        Some((which, version)) => (which, Some(version)),
        None => (name, None),
    };
    ReadyMade::named(which).map(|which| AppSpec::ready_made(which, version))
}

/// True if an app can do everything that this key may ask for, as far as that is known before it has said its `hello`.
pub(crate) fn can(app: &AppSpec, key: &str) -> bool {
    let ability = Ability::of(app);
    let mut of_key = ASKED.iter().filter(|asked| asked.key == key);
    of_key.all(|asked| asked.can.contains(&ability))
}

/// True where a configuration runs a program that speaks nothing.
pub(crate) fn is_silent(settings: &Settings, draft: &Draft) -> bool {
    app_named(&settings.app, draft).is_some_and(|app| app.silent().is_some())
}

/// Checks what a configuration, which has this name, asks of its app.
pub(crate) fn check(name: &str, settings: &Settings, draft: &Draft, problems: &mut Problems) {
    let Some(app) = app_named(&settings.app, draft) else {
        return problems_of_name(settings, draft, problems);
    };
    for asked in ASKED.iter().filter(|asked| (asked.asks)(settings)) {
        if !asked.can.contains(&Ability::of(&app)) {
            let message = format!("the app `{}` cannot do {}", app.name, asked.what);
            let problem = settings.problem_at(
                &[asked.key, "app"],
                &message,
                format!("{name:?} asks for it: {}", asked.why),
            );
            if let Some(problem) = problem {
                problems.add(problem);
            }
        }
    }
    for problem in warmup_without_records(settings)
        .into_iter()
        .chain(launcher(&app, settings, draft))
        .chain(elsewhere(&app, settings, draft))
    {
        problems.add(problem);
    }
    properties(&app, settings, problems);
}

fn problems_of_name(settings: &Settings, draft: &Draft, problems: &mut Problems) {
    let names = || {
        let own = draft.apps.iter().map(|app| app.name.as_str());
        own.chain(ReadyMade::ALL.map(ReadyMade::name))
    };
    let message = format!("there is no app {:?}", settings.app);
    let problem = settings.problem_at(&["app"], &message, format!("must be {}", any_value(names())));
    if let Some(problem) = problem {
        problems.add(problem.maybe_help(did_you_mean_value(&settings.app, names())));
    }
}

/// Where all records arrive after the common start, none is there to be read before.
fn warmup_without_records(settings: &Settings) -> Option<Problem> {
    (settings.warmup_records > 0 && settings.mode_name() == ModeName::Live).then_some(())?;
    let message = "`warmup_records` cannot be used where all records arrive during the trial";
    let allowed = "must be left out with mode = \"live\": nothing lies there to be read beforehand".to_owned();
    let problem = settings.problem_at(&["warmup_records"], message, allowed)?;
    Some(problem.help("`warmup` in [load] leaves the first seconds out"))
}

/// A launcher must leave room for the app.
fn launcher(app: &AppSpec, settings: &Settings, draft: &Draft) -> Option<Problem> {
    if app.runs == AppProgram::Tandem {
        return None;
    }
    let without_room =
        |place: &&Place| !place.launcher.is_empty() && !place.launcher.iter().any(|word| word == PROGRAM);
    let place = hosts::places(settings, draft).find(without_room)?;
    let within = place.launcher.iter().any(|word| word.contains(PROGRAM));
    let (place, app) = (&place.name, &app.name);
    let message = if within {
        format!("the app `{app}` cannot run at place {place:?}: {PROGRAM} is a part of a word of its launcher")
    } else {
        format!("the app `{app}` cannot run at place {place:?}: its launcher names a program of its own")
    };
    let allowed =
        format!("the launcher must have {PROGRAM} as a word of its own, in whose place the app's command is put");
    let help = format!("or leave `app` out there, or run it at place = {HERE:?}");
    let problem = settings.problem_at(&["app", "place"], &message, allowed)?;
    Some(problem.help(help))
}

/// A property must be one of the client that runs.
fn properties(app: &AppSpec, settings: &Settings, problems: &mut Problems) {
    let is_silent = Ability::of(app) == Ability::Silent;
    for (property, value) in &settings.properties {
        let Some(given) = settings.given(&format!("{CLIENT}{property}")) else {
            continue;
        };
        if is_silent {
            let message = format!("`{property}` cannot reach the app `{}`, which speaks nothing", app.name);
            let allowed = "must be left out here";
            let help =
                "properties of its client stand in [app.client] after its [[app]], and reach it by {properties_file}";
            problems.add(Problem::new(given.key_span.clone(), message, allowed).help(help));
            continue;
        }
        let kind = app.kind();
        if !may_be_set(property, Clients::Measured(kind)) {
            let message = format!("`{property}` is no property of the app `{}`", app.name);
            let allowed = format!("no such property in {}", kind.title());
            problems.add(Problem::new(given.key_span.clone(), message, allowed).help(own_table(property)));
        } else if let (PropertyValue::Literal(text), Some(known)) = (value, kind.property(property))
            && !known.values.fits(text)
            && kind.spelled(property, text).is_none()
        {
            let message = format!("`{property}` of the app `{}` cannot be {text:?}", app.name);
            let allowed = format!("must be {}", known.values.allowed());
            problems.add(Problem::new(given.span.clone(), message, allowed).help(own_table(property)));
        }
    }
}

/// Where a property stands that only some of a file's apps have.
fn own_table(property: &str) -> String {
    let has = |kind: ClientKind| may_be_set(property, Clients::Measured(kind));
    let tables = ReadyMade::ALL.into_iter().filter(|each| has(each.recipe().kind));
    let tables: Vec<String> = tables.map(|each| format!("[consumer.{}]", each.name())).collect();
    let tables = crate::scenario::suggest::either(&tables);
    format!("put it into {tables} for that app alone, or give each app a [[case]] with properties of its own")
}

/// What the user should know: properties for an app that no configuration runs.
pub(crate) fn warnings(named: &[(&str, &Settings)]) -> Vec<String> {
    let runs = |which: ReadyMade| {
        let is_it = |app: &str| app.split_once(':').map_or(app, |(name, _)| name) == which.name();
        named.iter().any(|(_, settings)| is_it(&settings.app))
    };
    let given = |which: ReadyMade| {
        named
            .iter()
            .any(|(_, settings)| settings.own_properties.contains_key(&which))
    };
    let unused = ReadyMade::ALL
        .into_iter()
        .filter(|which| given(*which) && !runs(*which));
    unused
        .map(|which| {
            let name = which.name();
            format!("[consumer.{name}] has no effect: no configuration runs app = \"{name}\"; {OWN_APP} is the default")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Document;

    /// `INSTA_UPDATE=always` renews the table.
    #[test]
    fn the_document_says_which_app_can_do_what() {
        let row = |asked: &Asked| {
            let cell = |app: &Ability| match (app, asked.can.contains(app)) {
                (Ability::Worker, true) => "by its `hello`".to_owned(),
                (_, true) => "yes".to_owned(),
                (_, false) => "no".to_owned(),
            };
            let cells = Ability::ALL.iter().map(cell);
            std::iter::once(asked.what.to_owned()).chain(cells).collect::<Vec<_>>()
        };
        let headers: Vec<&str> = std::iter::once("asks for")
            .chain(Ability::ALL.map(Ability::title))
            .collect();
        let rows: Vec<Vec<String>> = ASKED.iter().map(row).collect();
        let mut document = Document::read("docs/clients.md");
        document.table("apps and keys", &headers, &rows);
        document.check();
    }

    #[test]
    fn every_key_that_is_asked_for_exists() {
        for asked in ASKED {
            assert!(
                Settings::key_in(crate::scenario::keys::Table::Consumer, asked.key).is_some(),
                "{}",
                asked.key
            );
            assert!(!asked.can.is_empty(), "{}", asked.what);
        }
    }
}
