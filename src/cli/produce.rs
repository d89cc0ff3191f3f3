//! `tandem produce`: sends the lines of standard input to a topic and shows where each record went.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, stdin};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::console_lines::{LONGEST, counted, line};
use super::exit::{DONE, WRONG};
use super::running_cluster::RunningCluster;
use super::runtime::block_on;
use super::{interrupt, topics};
use crate::coordinator::Interrupt;
use crate::kafka::admin::Admin;
use crate::kafka::console::{Pending, Sender, split_key};

/// Records that the client has and the cluster has not acknowledged yet.
const IN_FLIGHT: usize = 10_000;

/// What `tandem produce` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A record with a key goes to the partition that a Java producer would choose. Records without keys go \
                  to a random partition, all that are sent within 10 ms to the same one. Exit codes: 0 all were \
                  acknowledged, 1 some were not, 2 it could not begin or a line has no key."
)]
pub(super) struct Arguments {
    /// The topic
    name: String,
    /// What ends the key of each line; without it records have no key
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    key_separator: Option<String>,
    /// Lines sent each second at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: Option<u32>,
    /// Print the sum only
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    cluster: RunningCluster,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    let (bootstrap, properties) = arguments.cluster.resolve()?;
    block_on(async {
        let admin = Admin::connect(&bootstrap, &properties).await?;
        topics::existing(&admin, &arguments.name).await?;
        let sender = Sender::new(&bootstrap, &properties, &arguments.name)?;
        if stdin().is_terminal() {
            eprintln!("type a line for each record; Ctrl-D ends");
        }
        let (pending, delivered) = mpsc::channel(IN_FLIGHT);
        let deliveries = tokio::spawn(show(delivered, arguments.name.clone(), arguments.quiet));
        let sent = send_lines(arguments, &sender, &pending).await;
        drop(pending);
        let code = deliveries
            .await
            .context("the deliveries were not followed to the end")?;
        sent.map(|()| code)
    })
}

/// A record on its way.
struct Sent {
    pending: Pending,
    key: Option<Vec<u8>>,
    /// The start of the value.
    value: Vec<u8>,
}

/// Sends line after line until the input ends or the user ends it.
async fn send_lines(arguments: &Arguments, sender: &Sender, pending: &mpsc::Sender<Sent>) -> Result<()> {
    let interrupt = Interrupt::default();
    tokio::spawn(interrupt::listen(
        interrupt.clone(),
        "what was sent is acknowledged first",
    ));
    let mut lines = BufReader::new(tokio::io::stdin()).split(b'\n');
    let begin = Instant::now();
    for number in 1_u64.. {
        let next = tokio::select! {
            next = lines.next_segment() => next.context("cannot read standard input")?,
            () = interrupt.wait() => None,
        };
        let Some(mut text) = next else { break };
        if text.last() == Some(&b'\r') {
            text.pop();
        }
        let (key, value) = match &arguments.key_separator {
            Some(separator) => {
                let (key, value) = split_key(&text, separator, number)?;
                (Some(key), value)
            }
            None => (None, text.as_slice()),
        };
        if let Some(rate) = arguments.rate {
            sleep_until(begin + Duration::from_secs_f64((number - 1) as f64 / f64::from(rate))).await;
        }
        let sent = Sent {
            pending: sender
                .send(key, value)
                .await
                .with_context(|| format!("line {number} cannot be sent"))?,
            key: key.map(<[u8]>::to_vec),
            value: value[..value.len().min(LONGEST * 4)].to_vec(),
        };
        if pending.send(sent).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Shows each record when the cluster has it, in the order of the lines; the exit code.
async fn show(mut delivered: mpsc::Receiver<Sent>, topic: String, quiet: bool) -> u8 {
    let mut by_partition: BTreeMap<i32, u64> = BTreeMap::new();
    let mut failed = 0_u64;
    while let Some(sent) = delivered.recv().await {
        match sent.pending.delivered().await {
            Ok(at) => {
                *by_partition.entry(at.partition).or_default() += 1;
                if !quiet {
                    say!(
                        "{}",
                        line(at.partition, at.offset, sent.key.as_deref(), Some(&sent.value), true)
                    );
                }
            }
            Err(error) => {
                // The first says why; the rest fail alike.
                if failed == 0 {
                    eprintln!("tandem: a record was not acknowledged: {error}");
                }
                failed += 1;
            }
        }
    }
    eprintln!("{}", counted("sent to", &topic, &by_partition));
    if failed == 0 {
        return DONE;
    }
    eprintln!("tandem: {failed} records were not acknowledged");
    WRONG
}
