//! How a group misses a member: the keys `session_timeout`, `heartbeat` and `static`, beside client properties and with what
//! the group protocol makes of them.

use crate::clients::{ClientKind, ReadyMade};
use crate::scenario::draft::Draft;
use crate::scenario::keys::{CLIENT, Settings, TableKeys as _};
use crate::scenario::kinds::{Assignment, Protocol, time_text};
use crate::scenario::model::ClusterSource;
use crate::scenario::problem::{Problem, Problems};

/// Keys with the client property that each stands for, by librdkafka's name.
const PROPERTIES: [(&str, &str); 2] = [
    ("session_timeout", "session.timeout.ms"),
    ("heartbeat", "heartbeat.interval.ms"),
];

const KEYS: [&str; 3] = ["session_timeout", "heartbeat", "static"];

/// Defaults of Kafka, in milliseconds: of both for a classic group, and for the consumer protocol.
const SESSION_MS: u64 = 45_000;
const HEARTBEAT_MS: [u64; 2] = [3_000, 5_000];

/// Checks one configuration.
pub(crate) fn check(settings: &Settings, draft: &Draft, problems: &mut Problems) {
    let wrong = [
        without_group(settings),
        of_other_brokers(settings, draft),
        too_rare(settings),
    ];
    wrong.into_iter().flatten().for_each(|problem| problems.add(problem));
    for problem in beside_properties(settings, draft) {
        problems.add(problem);
    }
}

fn without_group(settings: &Settings) -> Option<Problem> {
    let key = KEYS.into_iter().find(|key| settings.given(key).is_some())?;
    let is_off = key == "static" && !settings.is_static;
    (settings.assignment == Assignment::Manual && !is_off).then_some(())?;
    let allowed = "must be left out: with assignment = \"manual\" there is no group".to_owned();
    settings.problem_at(
        &[key],
        &format!("`{key}` cannot be used with manual assignment"),
        allowed,
    )
}

/// The consumer protocol takes both times from the settings of the group on its brokers.
fn of_other_brokers(settings: &Settings, draft: &Draft) -> Option<Problem> {
    let is_of_brokers = settings.protocol == Protocol::Consumer && settings.assignment == Assignment::Group;
    let is_foreign = matches!(draft.cluster.source, ClusterSource::Bootstrap(_));
    (is_of_brokers && is_foreign).then_some(())?;
    let (key, _) = PROPERTIES.into_iter().find(|(key, _)| settings.given(key).is_some())?;
    let message = format!("`{key}` cannot be set on a running cluster with protocol = \"consumer\"");
    let allowed = "must be left out, or tandem start the brokers: this protocol takes it from the settings of the group on \
                   them";
    settings.problem_at(&[key], &message, allowed.to_owned())
}

/// A member must be heard of before it counts as dead.
fn too_rare(settings: &Settings) -> Option<Problem> {
    let by_protocol = HEARTBEAT_MS[usize::from(settings.protocol == Protocol::Consumer)];
    let heartbeat_ms = settings.heartbeat_ms.unwrap_or(by_protocol);
    let session_ms = settings.session_timeout_ms.unwrap_or(SESSION_MS);
    let is_given = PROPERTIES.into_iter().any(|(key, _)| settings.given(key).is_some());
    (is_given && heartbeat_ms >= session_ms).then_some(())?;
    let text = |ms: u64| time_text(ms * 1_000_000);
    let message = format!(
        "a heartbeat every {} is too rare for a session of {}",
        text(heartbeat_ms),
        text(session_ms)
    );
    let allowed =
        "`heartbeat` must be below `session_timeout`: a third of it leaves time for two that get lost".to_owned();
    settings.problem_at(&["heartbeat", "session_timeout"], &message, allowed)
}

/// One of the two decides, so only one may be there.
fn beside_properties(settings: &Settings, draft: &Draft) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, property) in PROPERTIES {
        let Some(given) = settings.given(key) else { continue };
        let kinds = [ClientKind::Librdkafka, ClientKind::Java, ClientKind::FranzGo];
        let names: Vec<&str> = kinds.into_iter().filter_map(|kind| kind.name_of(property)).collect();
        let tables = std::iter::once(CLIENT.to_owned()).chain(ReadyMade::ALL.map(|which| format!("{}.", which.name())));
        let beside = tables
            .flat_map(|table| names.iter().map(move |name| (format!("{table}{name}"), *name)))
            .find_map(|(full, name)| Some((name, settings.given(&full)?.key_span.clone())));
        let of_all = names.iter().find(|name| draft.cluster.client.contains_key(**name));
        let (name, span) = match (beside, of_all) {
            (Some((name, span)), _) => (name, span),
            (None, Some(name)) => (*name, given.key_span.clone()),
            (None, None) => continue,
        };
        let message = format!("`{key}` and the property `{name}` are both given");
        let allowed = format!("must be one of the two: `{key}` sets `{name}`");
        problems.push(Problem::new(span, message, allowed));
    }
    problems
}
