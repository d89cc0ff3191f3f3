//! Existing topics: which records were read, and which were not and why that is no loss.

use crate::report::format::bytes;
use crate::report::input::ReportInput;
use crate::scenario::{DatasetSpec, ExistingTopics, FoundTopic, FoundTopics, Isolation};
use crate::wording::{plural, with_commas};

/// Partitions whose offsets are listed.
const PARTITIONS_LISTED: usize = 6;

/// A text for each data set of existing topics.
pub(super) fn data_sets(input: &ReportInput) -> Vec<String> {
    let memory_bytes = input.environment.memory_bytes;
    let existing = input.scenario.datasets.iter().filter_map(DatasetSpec::existing);
    let found = existing.filter_map(|existing| Some((existing, existing.found.as_ref()?)));
    found
        .map(|(existing, found)| describe(existing, found, memory_bytes))
        .collect()
}

fn describe(existing: &ExistingTopics, found: &FoundTopics, memory_bytes: u64) -> String {
    let topics: Vec<String> = found.topics.iter().map(topic).collect();
    let (records, there) = (found.records(), plural(found.records(), "record"));
    let mean = found.bytes.checked_div(records).unwrap_or(0);
    let mut sentences = vec![
        format!(
            "{}; it existed before the run, and nothing was written to it or deleted from it",
            topics.join("; ")
        ),
        format!(
            "{there} with {} of keys and values, {} each on average",
            bytes(found.bytes),
            bytes(mean)
        ),
        end(existing.isolation).to_owned(),
    ];
    if let Some(last) = existing.last {
        sentences.push(format!(
            "Only the last {} offsets of each partition were read",
            with_commas(last)
        ));
    }
    if found.not_delivered() > 0 {
        sentences.push(format!(
            "For {} of these offsets the cluster delivers no record, as a read before the trials found: control records of \
             transactions{}, or records that were compacted away. There is nothing to read, so they are no loss",
            with_commas(found.not_delivered()),
            match existing.isolation {
                Isolation::ReadCommitted => ", records of aborted ones",
                Isolation::ReadUncommitted => "",
            }
        ));
    }
    sentences.push(memory(found.bytes, memory_bytes));
    sentences.join(". ") + "."
}

fn topic(topic: &FoundTopic) -> String {
    let partitions = plural(topic.partitions.len() as u64, "partition");
    let range = |(number, partition): (usize, &crate::scenario::FoundPartition)| {
        let offsets = if partition.low == partition.end {
            "nothing".to_owned()
        } else {
            format!("{} to {}", partition.low, partition.end - 1)
        };
        format!("{number}: {offsets}")
    };
    let mut ranges: Vec<String> = topic
        .partitions
        .iter()
        .enumerate()
        .take(PARTITIONS_LISTED)
        .map(range)
        .collect();
    if topic.partitions.len() > PARTITIONS_LISTED {
        ranges.push("and so on, all in plan.json".to_owned());
    }
    format!("Topic {}, {partitions} (offsets of {})", topic.name, ranges.join(", "))
}

fn end(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::ReadCommitted => {
            "With read_committed it was read up to the last stable offset at the start of the run, whatever has come since"
        }
        Isolation::ReadUncommitted => {
            "With read_uncommitted it was read up to the high watermark at the start of the run, whatever has come since"
        }
    }
}

fn memory(data_bytes: u64, memory_bytes: u64) -> String {
    if data_bytes > memory_bytes {
        format!(
            "All of it was read once before the trials, but it is more than the {} of memory that may be used here: trials \
             may have read from a disk",
            bytes(memory_bytes)
        )
    } else {
        "All of it was read once before the trials, which puts it into the page cache of brokers that have the memory for it"
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{DataSource, FoundPartition};
    use crate::testing::report::Fixture;

    fn text(isolation: Isolation, last: Option<u64>, records: u64, memory_bytes: u64) -> String {
        let mut fixture = Fixture::one_vs_two();
        let partition = |low, end, records| FoundPartition { low, end, records };
        let topic = FoundTopic {
            name: "orders".into(),
            partitions: vec![partition(100, 2_100, records), partition(0, 0, 0)],
        };
        let found = FoundTopics {
            topics: vec![topic],
            bytes: records * 250,
        };
        fixture.scenario.datasets.truncate(1);
        fixture.scenario.datasets[0].source = DataSource::Existing(ExistingTopics {
            wanted: vec!["orders".into()],
            last,
            isolation,
            found: Some(found),
        });
        fixture.environment.memory_bytes = memory_bytes;
        data_sets(&fixture.input()).join("\n")
    }

    #[test]
    fn an_existing_topic_is_reported_with_its_ranges_and_what_was_not_delivered() {
        insta::assert_snapshot!(
            [
                text(Isolation::ReadCommitted, None, 1_200, 1 << 30),
                text(Isolation::ReadUncommitted, Some(2_000), 2_000, 1 << 10),
            ]
            .join("\n\n")
        );
    }

    #[test]
    fn a_data_set_that_the_run_filled_is_not_reported_as_existing() {
        assert!(data_sets(&Fixture::one_vs_two().input()).is_empty());
    }
}
