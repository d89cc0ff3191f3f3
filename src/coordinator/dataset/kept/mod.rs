//! Data sets that outlive their run: found again by a hash of what defines them, looked at before they are read, and
//! filled by one run at a time.

mod claim;
mod definition;
mod record;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use self::claim::Claim;
use self::definition::Definition;
pub use self::record::{KeptRecord, read as read_record};
use super::{Dataset, DatasetError, Filling, fill};
use crate::coordinator::events::Observer;
use crate::coordinator::leftovers::host;
use crate::kafka::admin::{Admin, AdminError};
use crate::measure::KeptData;
use crate::names::{self, NameOf};
use crate::protocol::{OffsetRange, TopicTarget};
use crate::scenario::DatasetSpec;
use crate::secret::Secret;

/// Pause between two looks at a set that another run fills.
const PAUSE: Duration = Duration::from_millis(200);

/// Looks without the right to fill until it is said that another run has it: alone, a member gets it within the first
/// rebalance, which a broker delays by 3 s by default.
const LOOKS_ALONE: u32 = 40;

/// What is found under the names of a kept set.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    /// All of it, as it was written down.
    Complete(Dataset, KeptRecord),
    /// Nothing.
    Nothing,
    /// Something that cannot be used, and why.
    Unusable(String),
}

/// A data set to find, or to fill and keep.
pub struct Keeping<'a> {
    /// The cluster.
    pub admin: &'a Admin,
    /// Client properties for it.
    pub properties: &'a BTreeMap<String, Secret>,
    /// Start of the names of topics and groups.
    pub prefix: &'a str,
    /// The prefix with the run's id.
    pub run: &'a str,
    /// What the set is.
    pub spec: &'a DatasetSpec,
    /// Its seed.
    pub seed: u64,
    /// Notified of what is found.
    pub observer: &'a dyn Observer,
    /// Counts records as they are sent, and those that need not be sent.
    pub produced: Arc<AtomicU64>,
    /// Ends it early.
    pub interrupted: Arc<AtomicBool>,
}

impl Keeping<'_> {
    /// Finds a complete set that matches its record, or fills it again and writes the record.
    pub async fn find_or_fill(&self) -> Result<(Dataset, KeptData), DatasetError> {
        let definition = Definition::of(self.spec, self.seed)?;
        if let Found::Complete(dataset, record) = self.look(&definition).await? {
            return Ok(self.reuse(dataset, &record));
        }
        let claim = self.claim(&definition).await?;
        // Another run may have filled it while this one waited for the right.
        let found = self.look(&definition).await?;
        let filled = match &found {
            Found::Complete(dataset, record) => Ok(self.reuse(dataset.clone(), record)),
            Found::Nothing => self.fill(&definition, &claim, None).await,
            Found::Unusable(why) => {
                let hash = &definition.hash;
                self.observer.note(&format!(
                    "the kept data set {hash} cannot be used and is filled anew: {why}"
                ));
                self.fill(&definition, &claim, Some(why.clone())).await
            }
        };
        if filled.is_err() && claim.is_held() {
            // Half a set is of no use to anybody; where it cannot be removed, its record says that it is half.
            if let Ok(topics) = self.topics(&definition).await {
                let _ = self.admin.delete_topics(&topics).await;
            }
        }
        // Its member must have left before the group can go; whoever waits for it keeps it, which is no error.
        let group = names::kept_claim(self.prefix, &definition.hash);
        let left = tokio::task::spawn_blocking(move || drop(claim)).await;
        let alone = |group: crate::measure::GroupDescription| group.members.is_empty();
        if left.is_ok() && self.admin.describe_group(&group).await.is_ok_and(alone) {
            let _ = self.admin.delete_groups(&[group]).await;
        }
        filled
    }

    fn reuse(&self, dataset: Dataset, record: &KeptRecord) -> (Dataset, KeptData) {
        self.produced.fetch_add(record.records(), Ordering::Relaxed);
        let kept = self.kept_data(&dataset, record, true, None);
        self.observer.note(&kept.to_string());
        (dataset, kept)
    }

    fn kept_data(&self, dataset: &Dataset, record: &KeptRecord, reused: bool, changed: Option<String>) -> KeptData {
        KeptData {
            bootstrap: self.admin.bootstrap().to_owned(),
            topics: dataset.topics.iter().map(|topic| topic.name.clone()).collect(),
            records: record.records(),
            since: record.at,
            reused,
            refilled_because: changed,
        }
    }

    /// Topics that carry the name of the set.
    async fn topics(&self, definition: &Definition) -> Result<Vec<String>, AdminError> {
        let kept = names::Made::Kept {
            hash: definition.hash.clone(),
        };
        let mut topics = self.admin.topics(self.prefix).await?;
        topics.retain(|topic| names::recognise(self.prefix, topic, NameOf::Topic).as_ref() == Some(&kept));
        Ok(topics)
    }

    /// Compares what is there with what was written down of it.
    async fn look(&self, definition: &Definition) -> Result<Found, DatasetError> {
        let about = names::kept_record(self.prefix, &definition.hash);
        let existing_topics = self.topics(definition).await?;
        if !existing_topics.contains(&about) {
            return Ok(if existing_topics.is_empty() {
                Found::Nothing
            } else {
                Found::Unusable(format!("nothing is written down of it in {about}"))
            });
        }
        let group = names::warming(self.run);
        let record = read_record(self.admin, self.properties, &about, &group).await?;
        let data = existing_topics.len() > 1;
        let Some(record) = record else {
            return Ok(if data {
                Found::Unusable(format!("nothing is written down of it in {about}"))
            } else {
                Found::Nothing
            });
        };
        if record.definition != definition.text {
            return Ok(Found::Unusable("it is another data set with the same hash".to_owned()));
        }
        let Some(topics) = &record.filled else {
            let (run, host) = (&record.run, &record.host);
            return Ok(Found::Unusable(format!(
                "run {run} on {host} began to fill it and did not end"
            )));
        };
        for topic in topics {
            if let Some(difference) = self.difference(topic, &existing_topics).await? {
                return Ok(Found::Unusable(difference));
            }
        }
        let dataset = Dataset {
            topics: topics.clone(),
            ..Dataset::default()
        };
        Ok(Found::Complete(dataset, record))
    }

    /// In what a topic differs from what was written down of it.
    async fn difference(&self, known: &TopicTarget, there: &[String]) -> Result<Option<String>, AdminError> {
        let name = &known.name;
        let partitions = if there.contains(name) {
            self.admin.partitions(name).await?
        } else {
            None
        };
        let Some(partitions) = partitions else {
            return Ok(Some(format!("{name} is missing")));
        };
        if partitions.len() != known.partitions.len() {
            let (now, before) = (partitions.len(), known.partitions.len());
            return Ok(Some(format!("{name} has {now} partitions where {before} were filled")));
        }
        for (partition, before) in (0i32..).zip(&known.partitions) {
            let (low, end) = self.admin.watermarks(name, partition).await?;
            let now = OffsetRange { low, end };
            if now != *before {
                return Ok(Some(format!(
                    "{name} [{partition}] holds {} records from offset {low} where {} from {} were filled",
                    now.len(),
                    before.len(),
                    before.low
                )));
            }
        }
        Ok(None)
    }

    /// Waits for the right to fill, or until another run has filled the set.
    async fn claim(&self, definition: &Definition) -> Result<Claim, DatasetError> {
        let about = names::kept_record(self.prefix, &definition.hash);
        let group = names::kept_claim(self.prefix, &definition.hash);
        loop {
            self.make_record_topic(&about).await?;
            let claim = Claim::join(self.admin, self.properties, &group, &about, self.run);
            let claim = claim.map_err(DatasetError::Kept)?;
            for look in 1.. {
                if claim.is_held() {
                    return Ok(claim);
                }
                if self.interrupted.load(Ordering::Relaxed) {
                    return Err(DatasetError::Interrupted);
                }
                if let Some(cause) = claim.refusal() {
                    return Err(DatasetError::Kept(format!(
                        "no right to join the group {group}, in which runs agree on who fills it: {cause}"
                    )));
                }
                if look == LOOKS_ALONE {
                    self.note_who_fills(&group).await?;
                }
                if look >= LOOKS_ALONE && look % 5 == 0 {
                    // Whoever filled it has ended well, or removed it all and left nothing to wait for.
                    if matches!(self.look(definition).await?, Found::Complete(..)) {
                        return Ok(claim);
                    }
                    if !self.topics(definition).await?.contains(&about) {
                        break;
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    async fn note_who_fills(&self, group: &str) -> Result<(), AdminError> {
        let members = self.admin.describe_group(group).await?.members;
        let holder = members.iter().find(|member| !member.assignment.is_empty());
        let who = holder.map_or_else(
            || "another run".to_owned(),
            |member| format!("the run {}", member.client_id),
        );
        self.observer.note(&format!(
            "{who} is filling the same data set: waiting until it is complete (Ctrl-C ends that)"
        ));
        Ok(())
    }

    /// Makes the topic of records where it is not there; another run may make it at the same time.
    async fn make_record_topic(&self, about: &str) -> Result<(), DatasetError> {
        let is_there = async || Ok::<_, AdminError>(self.admin.topics(about).await?.iter().any(|name| name == about));
        if is_there().await? {
            return Ok(());
        }
        let settings = [("retention.ms", "-1"), ("retention.bytes", "-1")];
        let made = self
            .admin
            .create_topic(about, 1, self.spec.replication, &settings)
            .await;
        if let Err(error) = made
            && !is_there().await?
        {
            return Err(error.into());
        }
        Ok(())
    }

    async fn fill(
        &self,
        definition: &Definition,
        claim: &Claim,
        because: Option<String>,
    ) -> Result<(Dataset, KeptData), DatasetError> {
        let lost = || DatasetError::Kept("the brokers have given the right to fill it to another run".to_owned());
        if !claim.is_held() {
            return Err(lost());
        }
        let about = names::kept_record(self.prefix, &definition.hash);
        let mut record = KeptRecord {
            definition: definition.text.clone(),
            at: Timestamp::now(),
            run: self.run.to_owned(),
            host: host(),
            value_bytes: self.spec.value_bytes(),
            filled: None,
        };
        // Before anything else, so that nobody takes what is coming for the set that was there.
        record.write(self.admin, self.properties, &about).await?;
        let mut old = self.topics(definition).await?;
        old.retain(|topic| *topic != about);
        self.admin.delete_topics(&old).await?;
        let topics: Vec<String> = (1..=self.spec.topics)
            .map(|topic| names::kept_topic(self.prefix, &definition.hash, topic))
            .collect();
        let (produced, interrupted) = (Arc::clone(&self.produced), Arc::clone(&self.interrupted));
        let bootstrap = self.admin.bootstrap();
        let filling = Filling::new(
            bootstrap,
            self.properties,
            self.spec,
            &topics,
            self.seed,
            produced,
            interrupted,
        );
        let dataset = fill(self.admin, filling).await?;
        if !claim.is_held() {
            return Err(lost());
        }
        record.at = Timestamp::now();
        record.filled = Some(dataset.topics.clone());
        record.write(self.admin, self.properties, &about).await?;
        let kept = self.kept_data(&dataset, &record, false, because);
        self.observer.note(&kept.to_string());
        Ok((dataset, kept))
    }
}
