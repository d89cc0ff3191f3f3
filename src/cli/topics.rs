//! `tandem topics list | create | describe | delete`: topics by hand, without a JVM.

use anyhow::{Result, bail};
use comfy_table::{Table, presets};
use serde::Serialize;

use super::ask;
use super::exit::{DONE, WRONG};
use super::running_cluster::RunningCluster;
use super::runtime::block_on;
use crate::kafka::admin::{Admin, PartitionInfo};
use crate::measure::Setting;
use crate::wording::with_commas;

/// Names that start so are Kafka's own.
const INTERNAL: &str = "__";

/// What is done with topics.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the topics with their number of partitions
    List {
        /// Kafka's own topics too, whose names start with two underscores
        #[arg(long)]
        all: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        cluster: RunningCluster,
    },
    /// Create a topic
    Create {
        /// Its name
        name: String,
        /// Number of partitions
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        partitions: u32,
        /// Copies of each partition, on as many brokers
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        replication: u32,
        /// A setting of the topic, such as retention.ms=60000; may be given more than once
        #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
        config: Vec<(String, String)>,
        #[command(flatten)]
        cluster: RunningCluster,
    },
    /// Show the partitions of a topic: leaders, replicas and offsets, and the settings that were set on it
    Describe {
        /// Its name
        name: String,
        /// Which groups have members that read it, too
        #[arg(long)]
        groups: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        cluster: RunningCluster,
    },
    /// Delete topics with all their records, after asking
    Delete {
        /// Their names
        #[arg(required = true)]
        name: Vec<String>,
        /// Delete without asking
        #[arg(short, long)]
        yes: bool,
        #[command(flatten)]
        cluster: RunningCluster,
    },
}

impl Command {
    fn cluster(&self) -> &RunningCluster {
        match self {
            Command::List { cluster, .. }
            | Command::Create { cluster, .. }
            | Command::Describe { cluster, .. }
            | Command::Delete { cluster, .. } => cluster,
        }
    }
}

/// `NAME=VALUE` in its parts.
fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write NAME=VALUE, such as retention.ms=60000".to_owned()),
    }
}

pub(super) fn run(command: &Command) -> Result<u8> {
    let (bootstrap, properties) = command.cluster().resolve()?;
    block_on(async {
        let admin = Admin::connect(&bootstrap, &properties).await?;
        match command {
            Command::List { all, json, .. } => list(&admin, *all, *json).await,
            Command::Create {
                name,
                partitions,
                replication,
                config,
                ..
            } => create(&admin, name, *partitions, *replication, config).await,
            Command::Describe { name, groups, json, .. } => describe(&admin, name, *groups, *json).await,
            Command::Delete { name, yes, .. } => delete(&admin, name, *yes).await,
        }
    })
}

/// The partitions of a topic that has to be there.
pub(super) async fn existing(admin: &Admin, name: &str) -> Result<Vec<PartitionInfo>> {
    match admin.partitions(name).await? {
        Some(partitions) => Ok(partitions),
        None => bail!(
            "there is no topic {name} at {}; `tandem topics list` shows the topics, `tandem topics create` makes one",
            admin.bootstrap()
        ),
    }
}

async fn list(admin: &Admin, all: bool, json: bool) -> Result<u8> {
    let mut topics = admin.topic_sizes().await?;
    topics.retain(|(name, _)| all || !name.starts_with(INTERNAL));
    if json {
        let named: Vec<_> = topics
            .iter()
            .map(|(name, partitions)| serde_json::json!({ "name": name, "partitions": partitions }))
            .collect();
        say!("{}", serde_json::to_string_pretty(&named)?);
    } else if topics.is_empty() {
        say!("there is no topic at {}", admin.bootstrap());
    } else {
        let rows = topics
            .iter()
            .map(|(name, partitions)| vec![name.clone(), partitions.to_string()]);
        say!("{}", table(&["topic", "partitions"], rows));
    }
    Ok(DONE)
}

async fn create(
    admin: &Admin,
    name: &str,
    partitions: u32,
    replication: u32,
    config: &[(String, String)],
) -> Result<u8> {
    let brokers = admin.brokers().await?.len();
    if replication as usize > brokers {
        bail!("--replication {replication} needs as many brokers, and the cluster has {brokers}");
    }
    let config: Vec<(&str, &str)> = config
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    admin.create_topic(name, partitions, replication, &config).await?;
    say!(
        "created topic {name}: {}",
        shape(partitions as usize, replication as usize)
    );
    Ok(DONE)
}

/// `2 partitions, replication factor 1`.
fn shape(partitions: usize, replication: usize) -> String {
    let noun = if partitions == 1 { "partition" } else { "partitions" };
    format!("{partitions} {noun}, replication factor {replication}")
}

/// A topic, as `describe` shows it.
#[derive(Debug, Serialize)]
struct Description {
    schema_version: u32,
    name: String,
    partitions: Vec<Partition>,
    /// Those that were set on the topic.
    settings: Vec<Setting>,
    /// Members that hold partitions of it; `None` where nobody asked.
    members: Option<Vec<Member>>,
}

/// A partition, as `describe` shows it.
#[derive(Debug, Serialize)]
struct Partition {
    #[serde(flatten)]
    info: PartitionInfo,
    /// `None` where a partition of the topic has no leader to ask.
    first_offset: Option<i64>,
    end_offset: Option<i64>,
}

/// A member of a group that holds partitions of the topic.
#[derive(Debug, Serialize)]
struct Member {
    group: String,
    client_id: String,
    host: String,
    partitions: Vec<i32>,
}

async fn describe(admin: &Admin, name: &str, groups: bool, json: bool) -> Result<u8> {
    let infos = existing(admin, name).await?;
    let offsets = offsets(admin, name, &infos).await?;
    let partitions = infos.into_iter().zip(offsets);
    let description = Description {
        schema_version: 1,
        name: name.to_owned(),
        partitions: partitions
            .map(|(info, (first_offset, end_offset))| Partition {
                info,
                first_offset,
                end_offset,
            })
            .collect(),
        settings: admin.topic_settings(name).await?,
        members: if groups {
            Some(members(admin, name).await?)
        } else {
            None
        },
    };
    if json {
        say!("{}", serde_json::to_string_pretty(&description)?);
    } else {
        show(&description);
    }
    Ok(DONE)
}

/// First offset and the one past the last of each partition; unknown where a partition has no leader to ask.
async fn offsets(admin: &Admin, name: &str, partitions: &[PartitionInfo]) -> Result<Vec<(Option<i64>, Option<i64>)>> {
    if partitions.iter().any(|partition| partition.leader.is_none()) {
        return Ok(vec![(None, None); partitions.len()]);
    }
    let partition_counts = [(name.to_owned(), u32::try_from(partitions.len())?)];
    let first = admin.start_offsets(&partition_counts).await?.concat();
    let end = admin.end_offsets(&partition_counts).await?.concat();
    Ok(first.into_iter().map(Some).zip(end.into_iter().map(Some)).collect())
}

async fn members(admin: &Admin, topic: &str) -> Result<Vec<Member>> {
    let mut found = Vec::new();
    for group in admin.groups("").await? {
        for member in admin.describe_group(&group).await?.members {
            let held = member.assignment.iter().filter(|(name, _)| name == topic);
            let partitions: Vec<i32> = held.map(|(_, partition)| *partition).collect();
            if !partitions.is_empty() {
                found.push(Member {
                    group: group.clone(),
                    client_id: member.client_id,
                    host: member.host.trim_start_matches('/').to_owned(),
                    partitions,
                });
            }
        }
    }
    Ok(found)
}

fn show(description: &Description) {
    let replication = description
        .partitions
        .iter()
        .map(|p| p.info.replicas.len())
        .max()
        .unwrap_or(0);
    say!(
        "{}: {}",
        description.name,
        shape(description.partitions.len(), replication)
    );
    let rows = description.partitions.iter().map(|partition| {
        vec![
            partition.info.id.to_string(),
            partition
                .info
                .leader
                .map_or("none".to_owned(), |leader| leader.to_string()),
            numbers(&partition.info.replicas),
            numbers(&partition.info.in_sync),
            number_text(partition.first_offset.map(i64::unsigned_abs)),
            number_text(partition.end_offset.map(i64::unsigned_abs)),
            number_text(count(partition.first_offset, partition.end_offset)),
        ]
    });
    let headers = [
        "partition",
        "leader",
        "replicas",
        "in sync",
        "first offset",
        "end offset",
        "offsets",
    ];
    say!("{}", table(&headers, rows));
    for setting in &description.settings {
        say!("{} = {} ({})", setting.name, setting.value, setting.reason);
    }
    match description.members.as_deref() {
        None => {}
        Some([]) => say!("no member of a group reads it now"),
        Some(members) => {
            let rows = members.iter().map(|member| {
                vec![
                    member.group.clone(),
                    member.client_id.clone(),
                    member.host.clone(),
                    numbers(&member.partitions),
                ]
            });
            say!("{}", table(&["group", "member", "host", "partitions"], rows));
        }
    }
}

/// Offsets between the first and the end.
fn count(first: Option<i64>, end: Option<i64>) -> Option<u64> {
    Some(end?.abs_diff(first?))
}

fn number_text(number: Option<u64>) -> String {
    number.map_or("-".to_owned(), with_commas)
}

fn numbers(numbers: &[i32]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn table(headers: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(headers).add_rows(rows);
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

async fn delete(admin: &Admin, names: &[String], yes: bool) -> Result<u8> {
    for name in names {
        let infos = existing(admin, name).await?;
        let counts = offsets(admin, name, &infos).await?.into_iter();
        let offsets: Option<u64> = counts.map(|(first, end)| count(first, end)).sum();
        let noun = if infos.len() == 1 { "partition" } else { "partitions" };
        say!("{name}: {} {noun}, {} offsets", infos.len(), number_text(offsets));
    }
    if !yes && !ask::may_delete("Delete what is listed, with all records?")? {
        return Ok(WRONG);
    }
    admin.delete_topics(names).await?;
    say!("deleted");
    Ok(DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_a_name_and_a_value_which_may_hold_the_sign() {
        assert_eq!(setting("a.b = x=1"), Ok(("a.b".to_owned(), "x=1".to_owned())));
        assert!(setting("retention.ms").is_err() && setting("=1").is_err());
    }
}
