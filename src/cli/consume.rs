//! `tandem consume`: shows the records of a topic as they arrive, and who reads which partition.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};

use anyhow::{Context as _, Result, bail};

use super::console_lines::{counted, line};
use super::exit::DONE;
use super::running_cluster::RunningCluster;
use super::runtime::runtime;
use super::{interrupt, topics};
use crate::coordinator::Interrupt;
use crate::kafka::admin::{Admin, PartitionInfo};
use crate::kafka::console::{Reading, Start, read};

/// What `tandem consume` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "With --group it joins the group, reads the partitions that the group gives it, and commits what it \
                  has printed; without, it reads all partitions and commits nothing. Ctrl-C ends it."
)]
pub(super) struct Arguments {
    /// The topic
    name: String,
    /// Begin with the first record instead of the next that arrives; a group goes on where it has committed
    #[arg(long)]
    from_beginning: bool,
    /// Join this group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Read this partition only; may be given more than once
    #[arg(long, value_name = "N", conflicts_with = "group", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Vec<i32>,
    /// End after so many records
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max: Option<u64>,
    #[command(flatten)]
    cluster: RunningCluster,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    let (bootstrap, properties) = arguments.cluster.resolve()?;
    let runtime = runtime()?;
    let found = runtime.block_on(async {
        let admin = Admin::connect(&bootstrap, &properties).await?;
        topics::existing(&admin, &arguments.name).await
    })?;
    let reading = reading(arguments, &found)?;
    let interrupt = Interrupt::default();
    runtime.spawn(interrupt::listen(interrupt.clone(), "the reader leaves"));
    announce(&reading);

    let mut by_partition: BTreeMap<i32, u64> = BTreeMap::new();
    let (mut printed, mut failure) = (0, None);
    let mut on_record = |record: crate::kafka::console::Record<'_>| {
        let text = line(record.partition, record.offset, record.key, record.value, false);
        if let Err(error) = writeln!(std::io::stdout(), "{text}") {
            failure = (error.kind() != ErrorKind::BrokenPipe).then_some(error);
            return false;
        }
        *by_partition.entry(record.partition).or_default() += 1;
        printed += 1;
        arguments.max.is_none_or(|max| printed < max)
    };
    let notice = |text: &str| eprintln!("tandem: {text}");
    let done = read(&bootstrap, &properties, &reading, &mut on_record, notice, &|| {
        interrupt.is_set()
    });
    runtime.shutdown_background();
    done?;
    if let Some(error) = failure {
        return Err(error).context("cannot write to standard output");
    }
    eprintln!(
        "{} by {}",
        counted("read from", &arguments.name, &by_partition),
        reading.client_id
    );
    Ok(DONE)
}

/// What is read, of the partitions that there are.
fn reading(arguments: &Arguments, found: &[PartitionInfo]) -> Result<Reading> {
    let all: Vec<i32> = found.iter().map(|partition| partition.id).collect();
    if let Some(missing) = arguments.partition.iter().find(|partition| !all.contains(partition)) {
        let last = all.last().copied().unwrap_or_default();
        bail!(
            "topic {} has no partition {missing}: its partitions are 0 to {last}",
            arguments.name
        );
    }
    Ok(Reading {
        topic: arguments.name.clone(),
        group: arguments.group.clone(),
        partitions: if arguments.partition.is_empty() {
            all
        } else {
            arguments.partition.clone()
        },
        start: if arguments.from_beginning {
            Start::Beginning
        } else {
            Start::End
        },
        client_id: format!("tandem-consume-{}", std::process::id()),
    })
}

fn announce(reading: &Reading) {
    let from = match reading.start {
        Start::Beginning => "from the beginning",
        Start::End => "from now on (--from-beginning shows what is there already)",
    };
    match &reading.group {
        Some(group) => eprintln!("tandem: {} joins group {group}; Ctrl-C ends", reading.client_id),
        None => eprintln!("tandem: reading {} {from}; Ctrl-C ends", reading.topic),
    }
}
