//! Finds tandem's topics and groups on a cluster by their names, and groups them by what created them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::coordinator::dataset::kept::{KeptRecord, read_record};
use crate::coordinator::leftovers::Leftovers;
use crate::coordinator::list_of_members;
use crate::kafka::admin::{Admin, AdminError};
use crate::kafka::client::cluster_properties;
use crate::names::{self, Made, NameOf};
use crate::scenario::ClusterSpec;

/// What one run, one probe, or the keeping of one data set has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Thing {
    /// `kept data set`, `run` or `doctor`.
    pub(super) kind: &'static str,
    /// Its hash or the run's id; empty for the doctor's probes.
    pub(super) id: String,
    /// In words.
    pub(super) what: String,
    pub(super) topics: Vec<String>,
    pub(super) groups: Vec<String>,
    /// Records in the topics; `None` where the cluster does not tell.
    pub(super) records: Option<u64>,
    /// Bytes on the disks of a cluster that runs here; `None` elsewhere: clients cannot ask for it.
    pub(super) disk_bytes: Option<u64>,
    /// Why it is not deleted; `None` where it may be.
    pub(super) stays_because: Option<String>,
}

/// The cluster to look at.
pub(super) struct Survey<'a> {
    pub(super) admin: &'a Admin,
    pub(super) spec: &'a ClusterSpec,
    /// Runs that go on on this machine.
    pub(super) alive: &'a [Leftovers],
}

impl Survey<'_> {
    /// Everything of tandem's, data sets first.
    pub(super) async fn take(&self) -> Result<Vec<Thing>, AdminError> {
        let mut made: BTreeMap<Made, (Vec<String>, Vec<String>)> = BTreeMap::new();
        for topic in self.admin.topics(&self.spec.prefix).await? {
            if let Some(owner) = names::recognise(&self.spec.prefix, &topic, NameOf::Topic) {
                made.entry(owner).or_default().0.push(topic);
            }
        }
        let groups = self.admin.groups("").await?;
        for group in groups
            .iter()
            .filter(|group| group.starts_with(&self.spec.prefix))
            .cloned()
        {
            if let Some(owner) = names::recognise(&self.spec.prefix, &group, NameOf::Group) {
                made.entry(owner).or_default().1.push(group);
            }
        }
        let mut read = self.read_by_others(&groups).await;
        let mut members = BTreeMap::new();
        for group in made.values().flat_map(|(_, groups)| groups) {
            let description = self.admin.describe_group(group).await?;
            if !description.members.is_empty() {
                members.insert(group.clone(), list_of_members(&description.members));
            }
            let assigned = description.members.into_iter().flat_map(|member| member.assignment);
            read.extend(assigned.map(|(topic, _)| topic));
        }
        let mut things = Vec::with_capacity(made.len());
        for (owner, (topics, groups)) in made {
            let record = self.record(&owner, &topics).await;
            things.push(Thing {
                what: what(&owner, record.as_ref()),
                records: self.records(&topics).await,
                stays_because: self
                    .in_use(&owner, &groups, &members)
                    .or_else(|| read_by_somebody(&topics, &read)),
                kind: kind(&owner),
                id: id(&owner),
                topics,
                groups,
                disk_bytes: None,
            });
        }
        Ok(things)
    }

    /// Topics that members of other groups hold, such as one that a scenario fixes. A group that may not be described tells
    /// nothing.
    async fn read_by_others(&self, groups: &[String]) -> BTreeSet<String> {
        let mut read = BTreeSet::new();
        let is_other = |group: &&String| names::recognise(&self.spec.prefix, group, NameOf::Group).is_none();
        for group in groups.iter().filter(is_other) {
            if let Ok(description) = self.admin.describe_group(group).await {
                let assigned = description.members.into_iter().flat_map(|member| member.assignment);
                read.extend(assigned.map(|(topic, _)| topic));
            }
        }
        read
    }

    /// What is written down of a kept data set.
    async fn record(&self, owner: &Made, topics: &[String]) -> Option<KeptRecord> {
        let Made::Kept { hash } = owner else { return None };
        let about = names::kept_record(&self.spec.prefix, hash);
        if !topics.contains(&about) {
            return None;
        }
        let group = format!("{}clean", self.spec.prefix);
        let properties = cluster_properties(self.spec).ok()?;
        read_record(self.admin, &properties, &about, &group).await.ok()?
    }

    /// Records in these topics, but those in which a data set is written down.
    async fn records(&self, topics: &[String]) -> Option<u64> {
        let mut sum = 0;
        for topic in topics.iter().filter(|topic| !topic.ends_with("-about")) {
            for partition in self.admin.partitions(topic).await.ok()?? {
                let (low, end) = self.admin.watermarks(topic, partition.id).await.ok()?;
                sum += u64::try_from(end - low).unwrap_or(0);
            }
        }
        Some(sum)
    }

    fn in_use(&self, owner: &Made, groups: &[String], members: &BTreeMap<String, String>) -> Option<String> {
        if let Some((group, who)) = groups.iter().find_map(|group| members.get_key_value(group)) {
            return Some(format!("the group {group} has members: {who}"));
        }
        match owner {
            Made::Run { id } if self.alive.iter().any(|run| run.run_id == *id) => {
                Some("the run goes on on this machine".to_owned())
            }
            Made::Kept { .. } => {
                let here = |run: &&Leftovers| run.topics.iter().any(|t| t.bootstrap == self.admin.bootstrap());
                let run = self.alive.iter().find(here)?;
                Some(format!(
                    "run {}, which goes on on this machine, may read it",
                    run.run_id
                ))
            }
            Made::Run { .. } | Made::Doctor => None,
        }
    }
}

fn read_by_somebody(topics: &[String], read: &BTreeSet<String>) -> Option<String> {
    let topic = topics.iter().find(|topic| read.contains(*topic))?;
    Some(format!("{topic} is being read"))
}

fn kind(owner: &Made) -> &'static str {
    match owner {
        Made::Kept { .. } => "kept data set",
        Made::Run { .. } => "run",
        Made::Doctor => "doctor",
    }
}

fn id(owner: &Made) -> String {
    match owner {
        Made::Kept { hash: id } | Made::Run { id } => id.clone(),
        Made::Doctor => String::new(),
    }
}

fn what(owner: &Made, record: Option<&KeptRecord>) -> String {
    let time = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M:%S UTC");
    match (owner, record) {
        (Made::Kept { hash }, Some(record)) if record.filled.is_some() => {
            let (at, run, host) = (time(record.at), &record.run, &record.host);
            format!(
                "kept data set {hash}, {} of values, filled at {at} by {run} on {host}",
                crate::report::bytes(record.value_bytes)
            )
        }
        (Made::Kept { hash }, Some(record)) => {
            let (at, run, host) = (time(record.at), &record.run, &record.host);
            format!("kept data set {hash}, half filled: {run} on {host} began at {at}")
        }
        (Made::Kept { hash }, None) => format!("kept data set {hash}, without a record"),
        (Made::Run { id }, _) => format!("left by run {id}"),
        (Made::Doctor, _) => "left by a probe of tandem doctor".to_owned(),
    }
}
