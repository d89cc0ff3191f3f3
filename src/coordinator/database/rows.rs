//! The rows of a trial: counted in the tables of its groups, and compared with what its members report and with what is
//! committed to Kafka.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};

use crate::coordinator::clients::client_config;
use crate::database::tables::{self, CountedRun};
use crate::database::{Connection, DatabaseError, quoted};
use crate::kafka::settings_cause;
use crate::measure::ledger::Reading;
use crate::measure::rows::{Committed, RowsAccount, Stored, StoredRun, Unconfirmed, ValuesRead, account};
use crate::measure::{
    DeliveredTopics, Failure, FailureKind, Measurement, MemberMeasurement, PartitionMeasurement, StoreAccount,
    TopicPartition,
};
use crate::protocol::{TopicTarget, partitions_of};
use crate::secret::Secret;

/// How long the sessions of members that have ended may take to end.
const SESSIONS_LIMIT: Duration = Duration::from_secs(30);

/// How long the cluster may take to say what a group has committed.
const COMMITTED_LIMIT: Duration = Duration::from_secs(10);

/// What the rows of a trial are counted with.
#[derive(Debug, Clone)]
pub struct Counting {
    /// The start of the names of the trial's sessions.
    pub trial: String,
    /// The tables of its groups, not quoted.
    pub tables: Vec<String>,
    /// Its groups.
    pub groups: Vec<String>,
    /// Its topics, and what of them was to be read.
    pub topics: Vec<TopicTarget>,
    /// True if members store the records of a partition in the order of their offsets.
    pub in_order: bool,
    /// True if rows of the same record take each other's place.
    pub one_per_record: bool,
    /// Bytes of each record's key; `None` where that is not known.
    pub key_bytes: Option<u64>,
    /// True if all values have the same length.
    pub same_length: bool,
    /// Which offsets of existing topics hold a record.
    pub delivered: Option<Arc<DeliveredTopics>>,
    /// Where the cluster is, and how it is reached.
    pub bootstrap: String,
    /// Client properties for it.
    pub properties: BTreeMap<String, Secret>,
}

/// Counts the rows of all groups, adds them to the measurement, and says how the trial fails by them. Where the database
/// does not answer, nothing is added.
pub async fn count_rows(
    connection: &Connection,
    counting: &Counting,
    measurement: &mut Measurement,
) -> Result<Option<Failure>, DatabaseError> {
    tables::wait_for_sessions(connection, &counting.trial, SESSIONS_LIMIT).await?;
    let mut sum = StoreAccount::default();
    let (mut failures, mut not_compared, mut not_observed) = (Vec::new(), 0, Vec::new());
    for (group, (table, group_id)) in (0u32..).zip(counting.tables.iter().zip(&counting.groups)) {
        let counted = tables::count(connection, &quoted(table)).await?;
        let committed = match counting.committed(group_id).await {
            Ok(committed) => committed,
            Err(cause) => {
                not_observed.push(format!(
                    "whether all that group {} has committed is stored: {cause}",
                    group + 1
                ));
                Vec::new()
            }
        };
        let members: Vec<&MemberMeasurement> = measurement.members.iter().filter(|m| m.group == group).collect();
        let found = counting.compare(&counted, &committed, &members);
        sum += found.account;
        not_compared += found.not_compared;
        failures.extend(failure_of(group, &found));
    }
    if not_compared > 0 {
        not_observed.push(format!(
            "whether the values in the rows are as long as those that were read, in {not_compared} of the partitions: there is \
             not one row for each reading of a record, or the lengths of keys and values are not known"
        ));
    }
    measurement.not_observed.append(&mut not_observed);
    measurement.store.get_or_insert_default().account = Some(sum);
    Ok(together(&failures))
}

/// Of a trial whose members reported nothing: whether a record is committed to Kafka and has no row.
pub async fn count_committed(connection: &Connection, counting: &Counting) -> Result<Option<Failure>, DatabaseError> {
    tables::wait_for_sessions(connection, &counting.trial, SESSIONS_LIMIT).await?;
    let mut failures = Vec::new();
    for (group, (table, group_id)) in (1..).zip(counting.tables.iter().zip(&counting.groups)) {
        let counted = tables::count(connection, &quoted(table)).await?;
        // Why the cluster does not say it is the failure of the trial.
        let committed = counting.committed(group_id).await.unwrap_or_default();
        let lost = counting.compare(&counted, &committed, &[]).account.lost;
        failures.extend((lost > 0).then(|| Failure {
            kind: FailureKind::RowsLost,
            who: None,
            message: format!("group {group}: {lost} records are committed to Kafka and have no row"),
        }));
    }
    Ok(together(&failures))
}

/// The failures of all groups as one, of the worst kind.
fn together(failures: &[Failure]) -> Option<Failure> {
    let rank = |kind: FailureKind| {
        [FailureKind::RowsTwice, FailureKind::RowsAltered, FailureKind::RowsLost]
            .iter()
            .position(|worse| *worse == kind)
    };
    let kind = failures
        .iter()
        .map(|failure| failure.kind)
        .max_by_key(|kind| rank(*kind))?;
    let who: Vec<&str> = failures.iter().filter_map(|failure| failure.who.as_deref()).collect();
    let messages: Vec<&str> = failures.iter().map(|failure| failure.message.as_str()).collect();
    Some(Failure {
        kind,
        who: (!who.is_empty()).then(|| who.join(" and ")),
        message: messages.join("; "),
    })
}

impl Counting {
    fn compare(&self, counted: &[CountedRun], committed: &[Committed], members: &[&MemberMeasurement]) -> RowsAccount {
        let names: Vec<String> = members.iter().map(|member| member.name()).collect();
        let readings: Vec<Reading<'_>> = members
            .iter()
            .zip(&names)
            .flat_map(|(member, name)| Reading::of_member(member, name))
            .collect();
        let unconfirmed: Vec<Unconfirmed<'_>> = members
            .iter()
            .zip(&names)
            .flat_map(|(member, name)| Unconfirmed::of_member(member, name))
            .collect();
        let read = members.iter().flat_map(|member| &member.partitions);
        let values: Vec<ValuesRead> = read.map(|read| self.values(read)).collect();
        let stored = Stored {
            readings: &readings,
            committed,
            delivered: self.delivered.as_deref(),
            unconfirmed: &unconfirmed,
            in_order: self.in_order,
            one_per_record: self.one_per_record,
            values: &values,
            same_length: self.same_length,
        };
        let (runs, elsewhere) = self.runs(counted);
        account(&runs, stored, elsewhere)
    }

    /// What the values had that were read of a partition. A worker that reports no bytes of records has not counted them.
    fn values(&self, read: &PartitionMeasurement) -> ValuesRead {
        let is_counted = read.bytes > 0 || read.records == 0;
        let bytes = self.key_bytes.filter(|_| is_counted);
        ValuesRead {
            partition: read.topic_partition(),
            records: read.records,
            bytes: bytes.and_then(|key| read.bytes.checked_sub(key * read.records)),
        }
    }

    /// The runs in the trial's partitions, and the number of rows of others.
    fn runs(&self, counted: &[CountedRun]) -> (Vec<StoredRun>, u64) {
        let (mut runs, mut elsewhere) = (Vec::new(), 0);
        for run in counted {
            let topic = self.topics.iter().position(|target| target.name == run.topic);
            let is_partition = |topic: &usize| {
                let partition = usize::try_from(run.partition).ok();
                partition.is_some_and(|partition| partition < self.topics[*topic].partitions.len())
            };
            match topic.filter(is_partition).and_then(|topic| u32::try_from(topic).ok()) {
                Some(topic) => runs.push(StoredRun {
                    partition: TopicPartition {
                        topic,
                        partition: run.partition,
                    },
                    first: run.first,
                    end: run.end,
                    copies: run.copies,
                    bytes: run.bytes,
                }),
                None => elsewhere += run.first.abs_diff(run.end) * run.copies,
            }
        }
        (runs, elsewhere)
    }

    /// What a group has committed of each partition, as the cluster says.
    async fn committed(&self, group_id: &str) -> Result<Vec<Committed>, String> {
        let mut config = client_config(&self.bootstrap, &self.properties, "tandem-positions");
        config.set("group.id", group_id).set("enable.auto.commit", "false");
        let topics = self.topics.clone();
        let ask = move || {
            let consumer: BaseConsumer = config.create().map_err(|error| settings_cause(&error))?;
            let mut list = TopicPartitionList::new();
            for (partition, _) in partitions_of(&topics) {
                list.add_partition(&topics[partition.topic as usize].name, partition.partition);
            }
            let answer = consumer
                .committed_offsets(list, COMMITTED_LIMIT)
                .map_err(|error| error.to_string())?;
            let committed = partitions_of(&topics).filter_map(|(partition, range)| {
                let topic = &topics[partition.topic as usize].name;
                let Offset::Offset(end) = answer.find_partition(topic, partition.partition)?.offset() else {
                    return None;
                };
                Some(Committed {
                    partition,
                    low: range.low,
                    end,
                })
            });
            Ok(committed.collect())
        };
        match tokio::task::spawn_blocking(ask).await {
            Ok(answered) => answered,
            Err(error) => Err(error.to_string()),
        }
    }
}

fn failure_of(group: u32, found: &RowsAccount) -> Option<Failure> {
    let kind: FailureKind = found.failure()?;
    let members: Vec<&str> = found.members().into_iter().collect();
    Some(Failure {
        kind,
        who: (!members.is_empty()).then(|| members.join(" and ")),
        message: format!("group {}: {}", group + 1, found.sentences().join("; ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::OffsetRange;

    #[test]
    fn the_failures_of_all_groups_are_named_and_the_worst_is_the_kind() {
        let failure = |kind, text: &str| Failure {
            kind,
            who: Some(text.to_owned()),
            message: text.to_owned(),
        };
        assert_eq!(together(&[]), None);
        let all = [
            failure(FailureKind::RowsOutside, "first"),
            failure(FailureKind::RowsLost, "second"),
            failure(FailureKind::RowsTwice, "third"),
        ];
        let found = together(&all);
        let found = found
            .as_ref()
            .map(|found| (found.kind, &*found.message, found.who.as_deref()));
        let expected = (
            FailureKind::RowsLost,
            "first; second; third",
            Some("first and second and third"),
        );
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn rows_of_other_topics_and_partitions_are_only_counted() {
        let counting = Counting {
            trial: "t".to_owned(),
            tables: Vec::new(),
            groups: Vec::new(),
            topics: vec![TopicTarget {
                name: "orders".to_owned(),
                partitions: vec![OffsetRange { low: 0, end: 10 }],
            }],
            in_order: true,
            one_per_record: false,
            key_bytes: Some(0),
            same_length: true,
            delivered: None,
            bootstrap: String::new(),
            properties: BTreeMap::new(),
        };
        let counted = |topic: &str, partition, end| CountedRun {
            topic: topic.to_owned(),
            partition,
            first: 0,
            end,
            copies: 2,
            bytes: 0,
        };
        let all = [
            counted("orders", 0, 10),
            counted("orders", 1, 3),
            counted("orders", -1, 1),
            counted("other", 0, 4),
        ];
        let (runs, elsewhere) = counting.runs(&all);
        assert_eq!((runs.len(), elsewhere), (1, 16));
    }
}
