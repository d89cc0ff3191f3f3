//! Combinations of settings that cannot be: each value is valid by itself, together they are an error of the file.

use super::{hosts, threads};
use crate::clients::REFUSED_BY_CONSUMER_PROTOCOL;
use crate::scenario::choice::Choice as _;
use crate::scenario::draft::Draft;
use crate::scenario::kafka_version::Feature;
use crate::scenario::keys::{CLIENT, PARTITIONS_MAX, Settings, TOPIC, TableKeys as _};
use crate::scenario::kinds::{Assignment, Protocol};
use crate::scenario::model::Assignor;
use crate::scenario::model::{ClusterSource, Keys};
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::suggest::any_value;
use crate::wording::{plural, with_commas};

const IN_SYNC: &str = "min.insync.replicas";

/// Members over all groups.
const MEMBERS_MAX: u64 = 1_000;

/// Checks one configuration; `name` tells the user which.
pub(crate) fn check(name: &str, settings: &Settings, draft: &Draft, problems: &mut Problems) {
    let checks = [
        replication(settings, draft),
        in_sync(settings),
        partitions(name, settings),
        one_topic(settings),
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
        hosts::unknown(settings, draft),
        hosts::several_programs(settings, draft),
    ];
    checks.into_iter().flatten().for_each(|problem| problems.add(problem));
    refused_properties(settings).for_each(|problem| problems.add(problem));
}

/// Checks the length of trials against the data set's.
pub(crate) fn check_trial(draft: &Draft, problems: &mut Problems) {
    let settings = draft.default_settings();
    if let (Some(records), Some(given)) = (draft.trial.records, draft.trial.given("records"))
        && !settings.reads_existing()
        && records > settings.records
    {
        let (asked, there) = (with_commas(records), with_commas(settings.records));
        let message = format!("a trial cannot read {asked} records: the data set has {there}");
        let problem = Problem::new(given.span.clone(), message, format!("must be at most {there}"));
        problems.add(problem.help(format!("or set records = {records} in [dataset]")));
    }
}

fn replication(settings: &Settings, draft: &Draft) -> Option<Problem> {
    let ClusterSource::Local { brokers, .. } = draft.cluster.source else {
        return None;
    };
    let message = format!("replication {} needs as many brokers", settings.replication);
    let allowed = format!("must be at most the number of brokers, {brokers}");
    let problem = (settings.replication > brokers)
        .then(|| settings.problem_at(&["replication"], &message, allowed))
        .flatten();
    problem.map(|problem| problem.help(format!("or set brokers = {} in [cluster]", settings.replication)))
}

/// Nobody could write to a topic that wants more replicas in sync than it has.
fn in_sync(settings: &Settings) -> Option<Problem> {
    let given = settings.given(&format!("{TOPIC}{IN_SYNC}"))?;
    let in_sync: u32 = settings.of_topics.get(IN_SYNC)?.parse().ok()?;
    (in_sync > settings.replication).then(|| {
        let message = format!(
            "`{IN_SYNC}` is {in_sync}, but topics have {}",
            plural(settings.replication, "replica")
        );
        let problem = Problem::new(given.span.clone(), message, "must be at most `replication`");
        problem.help("else no broker would take a record")
    })
}

fn partitions(name: &str, settings: &Settings) -> Option<Problem> {
    let (total, max) = (settings.partitions_total(), PARTITIONS_MAX.unsigned_abs());
    (total > max).then_some(())?;
    let allowed = format!(
        "in {name:?}, {} topics of {} partitions are {}; at most {} are allowed",
        settings.topics,
        settings.partitions,
        with_commas(total),
        with_commas(max)
    );
    settings.problem_at(
        &["topics", "partitions"],
        "there are too many partitions over all topics",
        allowed,
    )
}

/// A chosen name is that of one topic.
fn one_topic(settings: &Settings) -> Option<Problem> {
    (settings.name.is_some() && settings.topics > 1).then_some(())?;
    let allowed = format!(
        "must be left out beside topics = {}: it is the name of one topic",
        settings.topics
    );
    settings.problem_at(&["name"], "`name` cannot name several topics", allowed)
}

fn weights(name: &str, settings: &Settings) -> Option<Problem> {
    let (shares, partitions) = (settings.weights.len(), settings.partitions);
    (shares > 0 && shares as u64 != u64::from(partitions)).then_some(())?;
    let allowed =
        format!("in {name:?} there are {shares} weights for {partitions} partitions; there must be one for each");
    settings.problem_at(&["weights"], "`weights` does not fit the number of partitions", allowed)
}

fn weights_and_keys(settings: &Settings) -> Option<Problem> {
    (!settings.weights.is_empty() && settings.keys != Keys::None).then_some(())?;
    let allowed = "must stand without `keys`: the hash of a record's key decides its partition".to_owned();
    settings.problem_at(&["weights"], "`weights` cannot be used with `keys`", allowed)
}

fn manual(settings: &Settings, key: &str) -> Option<Problem> {
    (settings.assignment == Assignment::Manual && settings.given(key).is_some()).then_some(())?;
    let allowed = "must be left out: with assignment = \"manual\" no group assigns partitions".to_owned();
    settings.problem_at(
        &[key],
        &format!("`{key}` cannot be used with manual assignment"),
        allowed,
    )
}

fn manual_members(name: &str, settings: &Settings) -> Option<Problem> {
    let (members, partitions) = (settings.members_per_group(), settings.partitions_total());
    // Of topics that exist it is known when they are seen.
    let known = !settings.reads_existing();
    (settings.assignment == Assignment::Manual && known && members > partitions).then_some(())?;
    let (members, partitions) = (plural(members, "member"), plural(partitions, "partition"));
    let allowed = format!("{name:?} has {members} in a group for {partitions}; two members cannot have one partition");
    settings.problem_at(
        &["assignment"],
        "manual assignment has more members than partitions",
        allowed,
    )
}

fn assignor(settings: &Settings) -> Option<Problem> {
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
    let message = format!("the {protocol} protocol has no assignor `{}`", assignor.name());
    let allowed = format!(
        "must be {} with protocol = \"{protocol}\"",
        any_value(known.into_iter().map(Assignor::name))
    );
    settings.problem_at(&["assignor"], &message, allowed)
}

fn protocol_version(settings: &Settings, draft: &Draft) -> Option<Problem> {
    let ClusterSource::Local { version, .. } = &draft.cluster.source else {
        return None;
    };
    (settings.protocol == Protocol::Consumer && !version.has(Feature::ConsumerProtocol)).then_some(())?;
    let message = format!("the consumer protocol does not work with Apache Kafka {version}");
    settings.problem_at(
        &["protocol"],
        &message,
        "needs version 4.0.0 or later in [cluster]".to_owned(),
    )
}

fn members(name: &str, settings: &Settings) -> Option<Problem> {
    let total = settings.members_per_group() * u64::from(settings.groups);
    (total > MEMBERS_MAX).then_some(())?;
    let groups = plural(settings.groups, "group");
    let processes = plural(settings.processes, "process");
    let consumers = plural(settings.consumers, "consumer");
    let allowed = format!(
        "in {name:?}, {groups} of {processes} of {consumers} are {} members; at most {} are allowed",
        with_commas(total),
        with_commas(MEMBERS_MAX)
    );
    settings.problem_at(
        &["consumers", "processes", "groups"],
        "there are too many members",
        allowed,
    )
}

/// A fixed group is one group: a second would need a name of its own.
fn one_group(name: &str, settings: &Settings) -> Option<Problem> {
    (settings.group.is_some() && settings.groups > 1).then_some(())?;
    let groups = settings.groups;
    let allowed = format!("in {name:?} there are {groups} groups; with `group` there must be one");
    let problem = settings.problem_at(&["group"], "a fixed `group` cannot be several groups", allowed);
    problem.map(|problem| {
        problem.help("or leave `group` out: every group of a trial then has a name of its own".to_owned())
    })
}

fn refused_properties(settings: &Settings) -> impl Iterator<Item = Problem> {
    let consumer = settings.protocol == Protocol::Consumer && settings.assignment == Assignment::Group;
    let refused = REFUSED_BY_CONSUMER_PROTOCOL.iter().filter(move |_| consumer);
    refused.filter_map(|name| {
        let given = settings.given(&format!("{CLIENT}{name}"))?;
        let message = format!("`{name}` cannot be set with protocol = \"consumer\"");
        let allowed = "must be left out: the broker decides it under this protocol";
        Some(Problem::new(given.key_span.clone(), message, allowed))
    })
}
