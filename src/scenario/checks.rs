//! Combinations of settings that cannot be: each value is valid by itself, together they are an error of the file.

use super::client_properties::REFUSED_BY_CONSUMER_PROTOCOL;
use super::draft::Draft;
use super::error::{Grouped, Problem, Problems, any_value, did_you_mean_value};
use super::kafka_version::Feature;
use super::kinds::{Assignment, Assignor, PARTITIONS_MAX, Protocol, name_of};
use super::loads;
use super::model::{ClusterSource, Keys, TrialLength};
use super::settings::{CLIENT, Given, Settings};
use super::threads;
use super::topic_settings;

/// Members over all groups.
const MEMBERS_MAX: u64 = 1_000;

/// Checks one configuration; `name` tells the user which.
pub(super) fn check(name: &str, settings: &Settings<'_>, draft: &Draft, problems: &mut Problems) {
    let checks = [
        replication(settings, draft),
        topic_settings::in_sync(settings),
        partitions(name, settings),
        weights(name, settings),
        weights_and_keys(settings),
        manual(settings, "assignor"),
        manual(settings, "protocol"),
        manual_members(name, settings),
        assignor(settings),
        protocol_version(settings, draft),
        members(name, settings),
        one_group(name, settings),
        threads::too_many(name, settings),
        threads::key_without_keys(settings),
        place(settings, draft),
    ];
    checks.into_iter().flatten().for_each(|problem| problems.add(problem));
    refused_properties(settings).for_each(|problem| problems.add(problem));
    loads::check(name, settings, draft, problems);
}

/// Checks the length of trials against the data set's.
pub(super) fn check_trial(draft: &Draft, problems: &mut Problems) {
    let settings = Settings::from_given(&draft.defaults);
    if let TrialLength::Records(records) = draft.trial
        && !settings.reads_existing()
        && records > settings.records
    {
        let (asked, there) = (Grouped(records.into()), Grouped(settings.records.into()));
        let message = format!("a trial cannot read {asked} records: the data set has {there}");
        let problem = Problem::new(draft.trial_span.clone(), message, format!("must be at most {there}"));
        problems.add(problem.help(format!("or set records = {records} in [dataset]")));
    }
}

/// A problem at the place where the first of these keys was given.
pub(super) fn at(settings: &Settings<'_>, keys: &[&str], message: &str, allowed: String) -> Option<Problem> {
    let given = keys.iter().find_map(|key| settings.given(key))?;
    Some(Problem::new(given.span.clone(), message, allowed))
}

fn replication(settings: &Settings<'_>, draft: &Draft) -> Option<Problem> {
    let ClusterSource::Local { brokers, .. } = draft.cluster.source else {
        return None;
    };
    let message = format!("replication {} needs as many brokers", settings.replication);
    let allowed = format!("must be at most the number of brokers, {brokers}");
    let problem = (settings.replication > brokers)
        .then(|| at(settings, &["replication"], &message, allowed))
        .flatten();
    problem.map(|problem| problem.help(format!("or set brokers = {} in [cluster]", settings.replication)))
}

fn partitions(name: &str, settings: &Settings<'_>) -> Option<Problem> {
    let (total, max) = (settings.partitions_total(), PARTITIONS_MAX.unsigned_abs());
    (total > max).then_some(())?;
    let allowed = format!(
        "in {name:?}, {} topics of {} partitions are {}; at most {} are allowed",
        settings.topics,
        settings.partitions,
        Grouped(total.into()),
        Grouped(max.into())
    );
    at(
        settings,
        &["topics", "partitions"],
        "there are too many partitions over all topics",
        allowed,
    )
}

fn weights(name: &str, settings: &Settings<'_>) -> Option<Problem> {
    let (shares, partitions) = (settings.weights.len(), settings.partitions);
    (shares > 0 && shares as u64 != u64::from(partitions)).then_some(())?;
    let allowed =
        format!("in {name:?} there are {shares} weights for {partitions} partitions; there must be one for each");
    at(
        settings,
        &["weights"],
        "`weights` does not fit the number of partitions",
        allowed,
    )
}

fn weights_and_keys(settings: &Settings<'_>) -> Option<Problem> {
    (!settings.weights.is_empty() && settings.keys != Keys::None).then_some(())?;
    let allowed = "must stand without `keys`: the hash of a record's key decides its partition".to_owned();
    at(settings, &["weights"], "`weights` cannot be used with `keys`", allowed)
}

fn manual(settings: &Settings<'_>, key: &str) -> Option<Problem> {
    (settings.assignment == Assignment::Manual && settings.given(key).is_some()).then_some(())?;
    let allowed = "must be left out: with assignment = \"manual\" no group assigns partitions".to_owned();
    at(
        settings,
        &[key],
        &format!("`{key}` cannot be used with manual assignment"),
        allowed,
    )
}

fn manual_members(name: &str, settings: &Settings<'_>) -> Option<Problem> {
    let (members, partitions) = (settings.members_per_group(), settings.partitions_total());
    // Of topics that exist it is known when they are seen.
    let known = !settings.reads_existing();
    (settings.assignment == Assignment::Manual && known && members > partitions).then_some(())?;
    let (members, partitions) = (plural(members, "member"), plural(partitions, "partition"));
    let allowed = format!("{name:?} has {members} in a group for {partitions}; two members cannot have one partition");
    at(
        settings,
        &["assignment"],
        "manual assignment has more members than partitions",
        allowed,
    )
}

pub(super) fn plural(count: u64, noun: &str) -> String {
    let ending = match noun {
        _ if count == 1 => "",
        "process" => "es",
        _ => "s",
    };
    format!("{count} {noun}{ending}")
}

fn assignor(settings: &Settings<'_>) -> Option<Problem> {
    let assignor = settings.assignor?;
    let (protocol, known) = match settings.protocol {
        Protocol::Classic => (
            "classic",
            vec![Assignor::Range, Assignor::RoundRobin, Assignor::CooperativeSticky],
        ),
        Protocol::Consumer => ("consumer", vec![Assignor::Uniform, Assignor::Range]),
    };
    if settings.assignment == Assignment::Manual || known.contains(&assignor) {
        return None;
    }
    let message = format!("the {protocol} protocol has no assignor `{}`", name_of(assignor));
    let allowed = format!(
        "must be {} with protocol = \"{protocol}\"",
        any_value(known.into_iter().map(name_of))
    );
    at(settings, &["assignor"], &message, allowed)
}

fn protocol_version(settings: &Settings<'_>, draft: &Draft) -> Option<Problem> {
    let ClusterSource::Local { version, .. } = &draft.cluster.source else {
        return None;
    };
    (settings.protocol == Protocol::Consumer && !version.has(Feature::ConsumerProtocol)).then_some(())?;
    let message = format!("the consumer protocol does not work with Apache Kafka {version}");
    at(
        settings,
        &["protocol"],
        &message,
        "needs version 4.0.0 or later in [cluster]".to_owned(),
    )
}

fn members(name: &str, settings: &Settings<'_>) -> Option<Problem> {
    let total = settings.members_per_group() * u64::from(settings.groups);
    (total > MEMBERS_MAX).then_some(())?;
    let groups = plural(settings.groups.into(), "group");
    let processes = plural(settings.processes.into(), "process");
    let consumers = plural(settings.consumers.into(), "consumer");
    let allowed = format!(
        "in {name:?}, {groups} of {processes} of {consumers} are {} members; at most {} are allowed",
        Grouped(total.into()),
        Grouped(MEMBERS_MAX.into())
    );
    at(
        settings,
        &["consumers", "processes", "groups"],
        "there are too many members",
        allowed,
    )
}

/// A fixed group is one group: a second would need a name of its own.
fn one_group(name: &str, settings: &Settings<'_>) -> Option<Problem> {
    (settings.group.is_some() && settings.groups > 1).then_some(())?;
    let groups = settings.groups;
    let allowed = format!("in {name:?} there are {groups} groups; with `group` there must be one");
    let problem = at(
        settings,
        &["group"],
        "a fixed `group` cannot be several groups",
        allowed,
    );
    problem.map(|problem| {
        problem.help("or leave `group` out: every group of a trial then has a name of its own".to_owned())
    })
}

fn place(settings: &Settings<'_>, draft: &Draft) -> Option<Problem> {
    let names = || draft.places.iter().map(|place| place.name.as_str());
    if names().any(|name| name == settings.place) {
        return None;
    }
    let message = format!("there is no place {:?}", settings.place);
    let problem = at(
        settings,
        &["place"],
        &message,
        format!("must be {}", any_value(names())),
    );
    problem.map(|problem| problem.maybe_help(did_you_mean_value(settings.place, names())))
}

fn refused_properties<'a>(settings: &Settings<'a>) -> impl Iterator<Item = Problem> {
    let consumer = settings.protocol == Protocol::Consumer && settings.assignment == Assignment::Group;
    let refused = REFUSED_BY_CONSUMER_PROTOCOL.iter().filter(move |_| consumer);
    let given: Vec<(&str, &'a Given)> = refused
        .filter_map(|name| Some((*name, settings.given(&format!("{CLIENT}{name}"))?)))
        .collect();
    given.into_iter().map(|(name, given)| {
        let message = format!("`{name}` cannot be set with protocol = \"consumer\"");
        let allowed = "must be left out: the broker decides it under this protocol";
        Problem::new(given.key_span.clone(), message, allowed)
    })
}
