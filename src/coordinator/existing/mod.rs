//! Existing topics: found once when a run begins, with all that is to be read of them. Every trial of every session reads
//! what was found then.

mod error;
mod listener;
mod pass;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use regex::Regex;

pub use self::error::ExistingError;
pub(super) use self::pass::Amount;
use super::cluster::Cluster;
use super::ending::RunError;
use super::events::Observer;
use super::interrupt::Interrupt;
use crate::kafka::client::with_largest_limits;
use crate::measure::DeliveredTopics;
use crate::names;
use crate::plan::Plan;
use crate::protocol::TopicTarget;
use crate::scenario::{
    ClusterSource, ExistingTopics, FoundTopic, FoundTopics, Isolation, PATTERN_START, Scenario, nearest_topics,
};
use crate::store::RunDir;

/// Between two looks at how far the reading is.
const LOOK: Duration = Duration::from_millis(200);

/// Names listed where none is like the one that was looked for.
const NAMES_MAX: usize = 5;

/// Fails where topics that exist are looked for on brokers that are yet to be started.
pub fn check_cluster(scenario: &Scenario) -> Result<(), ExistingError> {
    let own = matches!(scenario.cluster.source, ClusterSource::Local { .. });
    if own && scenario.reads_existing_topics() {
        return Err(ExistingError::OwnBrokers);
    }
    Ok(())
}

/// A plan in which everything is known, and what the cluster delivers of each data set of existing topics.
pub(super) struct Resolved {
    pub(super) plan: Plan,
    /// By data set; empty for one that is filled.
    pub(super) delivered: Vec<Arc<DeliveredTopics>>,
}

impl Resolved {
    /// The plan as it was, and nothing of what the cluster delivers.
    pub(super) fn unseen(plan: &Plan) -> Self {
        Resolved {
            plan: plan.clone(),
            delivered: plan.scenario.datasets.iter().map(|_| Arc::default()).collect(),
        }
    }
}

/// Looks at the topics that exist, unless the run has done so before, and stores what it found with the run.
pub(super) async fn resolve(
    plan: &Plan,
    dir: &RunDir,
    cluster: &Cluster,
    prefix: &str,
    observer: &dyn Observer,
    interrupt: &Interrupt,
) -> Result<Resolved, RunError> {
    let scenario = &plan.scenario;
    if scenario.datasets.iter().all(|dataset| dataset.existing().is_none()) {
        return Ok(Resolved::unseen(plan));
    }
    if scenario.datasets.iter().all(crate::scenario::DatasetSpec::is_seen) {
        let delivered: Vec<_> = dir.read_delivered()?.into_iter().map(Arc::new).collect();
        if delivered.len() != scenario.datasets.len() {
            return Err(ExistingError::Record.into());
        }
        return Ok(Resolved {
            plan: plan.clone(),
            delivered,
        });
    }
    let sizes = cluster.admin.topic_sizes().await.map_err(ExistingError::from)?;
    let mut found = Vec::new();
    let mut delivered = vec![DeliveredTopics::default(); scenario.datasets.len()];
    for (index, dataset) in scenario.datasets.iter().enumerate() {
        let Some(existing) = dataset.existing() else {
            continue;
        };
        let again = ReadAgain::of(cluster, scenario, index, prefix, interrupt.flag());
        let topics = select(&existing.wanted, &sizes, cluster.admin.bootstrap())?;
        let (topics, offsets) = look(existing, topics, again, observer).await?;
        found.push((index, topics));
        delivered[index] = offsets;
    }
    let scenario = scenario.with_found(found).map_err(ExistingError::from)?;
    // In this order: a plan with found topics then has the file beside it.
    dir.write_delivered(&delivered)?;
    let plan = Plan {
        scenario,
        ..plan.clone()
    };
    dir.write_plan(&plan)?;
    Ok(Resolved {
        plan,
        delivered: delivered.into_iter().map(Arc::new).collect(),
    })
}

/// The topics that are meant, by name, with their numbers of partitions.
fn select(wanted: &[String], there: &[(String, u32)], bootstrap: &str) -> Result<Vec<(String, u32)>, ExistingError> {
    let mut selected: Vec<(String, u32)> = Vec::new();
    for wanted in wanted {
        let matching: Vec<&(String, u32)> = match Regex::new(wanted) {
            Ok(pattern) if wanted.starts_with(PATTERN_START) => {
                there.iter().filter(|(name, _)| is_meant(&pattern, name)).collect()
            }
            _ => there.iter().filter(|(name, _)| name == wanted).collect(),
        };
        if matching.is_empty() {
            return Err(unmatched(wanted, there, bootstrap));
        }
        selected.extend(matching.into_iter().cloned());
    }
    selected.sort();
    selected.dedup();
    Ok(selected)
}

/// Patterns find a cluster's own topics only where they ask for them.
fn is_meant(pattern: &Regex, name: &str) -> bool {
    let internal = name.starts_with("__") && !pattern.as_str().starts_with("^__");
    !internal && pattern.is_match(name)
}

fn unmatched(wanted: &str, there: &[(String, u32)], bootstrap: &str) -> ExistingError {
    let names: Vec<&str> = there.iter().map(|(name, _)| name.as_str()).collect();
    let near = nearest_topics(wanted, &names);
    let some: Vec<&str> = names.into_iter().filter(|name| !name.starts_with("__")).collect();
    let known = if !near.is_empty() {
        format!("did you mean {}?", near.join(" or "))
    } else if some.is_empty() {
        "there is none at all".to_owned()
    } else {
        let more = some.len().saturating_sub(NAMES_MAX);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let first: Vec<&str> = some.into_iter().take(NAMES_MAX).collect();
        format!("there is {}{more}", first.join(", "))
    };
    let (wanted, bootstrap) = (wanted.to_owned(), bootstrap.to_owned());
    if wanted.starts_with(PATTERN_START) {
        ExistingError::NoMatch {
            pattern: wanted,
            bootstrap,
            known,
        }
    } else {
        ExistingError::NoTopic {
            wanted,
            bootstrap,
            known,
        }
    }
}

/// Notes where each partition begins and ends, and reads all of it once to find which offsets hold records.
async fn look(
    existing: &ExistingTopics,
    topics: Vec<(String, u32)>,
    again: ReadAgain,
    observer: &dyn Observer,
) -> Result<(FoundTopics, DeliveredTopics), RunError> {
    let (pass, progress, last) = (again.pass, Arc::new(pass::Progress::default()), existing.last);
    let mut reading = tokio::task::spawn_blocking({
        let progress = Arc::clone(&progress);
        move || pass.read_all(&topics, last, &progress)
    });
    let mut looks = tokio::time::interval(LOOK);
    let mut noted = None;
    let read = loop {
        tokio::select! {
            read = &mut reading => break read,
            _ = looks.tick() => {}
        }
        let percent = progress.percent();
        if noted != Some(percent / 10) {
            noted = Some(percent / 10);
            observer.preparing(&format!(
                "reading {} once ({}), to know which records the cluster delivers: {percent} %",
                existing.wanted.join(", "),
                existing.isolation.as_str()
            ));
        }
    };
    let panicked = |_| ExistingError::Read {
        topic: existing.wanted.join(", "),
        cause: "the reading panicked".to_owned(),
    };
    match read.map_err(panicked)? {
        Err(ExistingError::Interrupted) => Err(RunError::Interrupted),
        read => {
            let (topics, delivered): (Vec<FoundTopic>, Vec<_>) = read?.into_iter().unzip();
            let bytes = progress.bytes.load(Ordering::Relaxed);
            Ok((FoundTopics { topics, bytes }, DeliveredTopics { topics: delivered }))
        }
    }
}

/// Reads parts of a data set another time, unmeasured.
#[derive(Clone)]
pub(super) struct ReadAgain {
    pass: pass::Pass,
}

impl ReadAgain {
    /// Reads a data set as its consumers do, with the largest of their limits. `run` starts the names of the run. The
    /// client is named after the group that the scenario fixes, which may be the only one that the user has a right to;
    /// no group is joined and nothing committed.
    pub(super) fn of(
        cluster: &Cluster,
        scenario: &Scenario,
        dataset: usize,
        run: &str,
        interrupted: Arc<AtomicBool>,
    ) -> Self {
        let existing = scenario.datasets[dataset].existing();
        let fixed = scenario.configurations.iter().find_map(|c| c.group.clone());
        ReadAgain {
            pass: pass::Pass {
                bootstrap: cluster.admin.bootstrap().to_owned(),
                properties: with_largest_limits(cluster.properties.clone(), scenario, dataset),
                group: fixed.unwrap_or_else(|| names::warming(run)),
                isolation: existing.map_or(Isolation::ReadCommitted, |existing| existing.isolation),
                interrupted,
            },
        }
    }

    /// The offsets within these ranges that the cluster delivers now, or the first of each.
    pub(super) async fn delivered(
        self,
        topics: Vec<TopicTarget>,
        amount: Amount,
    ) -> Result<DeliveredTopics, ExistingError> {
        let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
        let topic = names.join(", ");
        let read = tokio::task::spawn_blocking(move || self.pass.parts(&topics, amount)).await;
        let panicked = |_| ExistingError::Read {
            topic,
            cause: "the reading panicked".to_owned(),
        };
        read.map_err(panicked)?.map(|topics| DeliveredTopics { topics })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn there(names: &[&str]) -> Vec<(String, u32)> {
        names.iter().map(|name| ((*name).to_owned(), 2)).collect()
    }

    fn selected(names: &[&str]) -> Result<Vec<String>, String> {
        let names: Vec<String> = names.iter().map(|text| (*text).to_owned()).collect();
        let there = there(&["__consumer_offsets", "orders", "orders-eu", "orders-us", "payments"]);
        let found = select(&names, &there, "b:9092").map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn names_and_patterns_select_each_topic_once_and_no_internal_one_unasked() {
        assert_eq!(selected(&["orders"]).unwrap(), ["orders"]);
        assert_eq!(
            selected(&["payments", "^orders-"]).unwrap(),
            ["orders-eu", "orders-us", "payments"]
        );
        assert_eq!(
            selected(&["^orders.*", "orders"]).unwrap(),
            ["orders", "orders-eu", "orders-us"]
        );
        assert_eq!(selected(&["^.*s$"]).unwrap(), ["orders", "orders-us", "payments"]);
        assert_eq!(selected(&["^__consumer"]).unwrap(), ["__consumer_offsets"]);
    }

    #[test]
    fn a_name_that_nothing_has_is_an_error_that_names_the_nearest() {
        assert_eq!(
            selected(&["order"]).unwrap_err(),
            "there is no topic order on b:9092, or no permission to see it; did you mean orders or orders-us or \
             orders-eu?"
        );
        assert_eq!(
            selected(&["xyz"]).unwrap_err(),
            "there is no topic xyz on b:9092, or no permission to see it; there is orders, orders-eu, orders-us, \
             payments"
        );
        let none = selected(&["^xyz-.*"]).unwrap_err();
        assert!(
            none.starts_with("no topic on b:9092 that may be seen matches ^xyz-.*;"),
            "{none}"
        );
        assert!(
            select(&["x".to_owned()], &[], "b")
                .unwrap_err()
                .to_string()
                .ends_with("there is none at all")
        );
    }
}
