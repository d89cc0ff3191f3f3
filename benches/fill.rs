//! Does tandem fill a data set as fast as librdkafka's own performance program fills a topic? One broker, the same
//! settings, turn by turn, each as a process of its own from its start to its end: one producer for one partition, and
//! two for two. `scripts/fill-peer` compiles that program and runs this.
//!
//!     cargo bench --bench fill -- PEER [ROUNDS]

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use tandem::coordinator::dataset::{Filling, producer_settings};
use tandem::kafka::admin::Admin;
use tandem::kafka::local::{ClusterOptions, DEFAULT_HEAP_MIB, Distribution, Keeper, LocalCluster, NoKeeper};
use tandem::scenario::{Compression, DEFAULT_KAFKA_VERSION, DataSource, DatasetSpec, Keys, Size};
use tandem::stats::{Estimate, median};

/// The same allocator as the program itself has.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of values that one filling sends.
const BYTES: u64 = 200_000_000;

type Failure = Box<dyn Error>;

/// One cell of the table.
#[derive(Clone, Copy)]
struct Cell {
    partitions: u32,
    size: u32,
}

impl Cell {
    fn records(self) -> u64 {
        let partitions = u64::from(self.partitions);
        BYTES / u64::from(self.size) / partitions * partitions
    }

    fn spec(self) -> DatasetSpec {
        DatasetSpec {
            source: DataSource::Filled,
            topics: 1,
            partitions: self.partitions,
            records: self.records(),
            size: Size::Fixed(self.size),
            keys: Keys::None,
            weights: Vec::new(),
            compression: Compression::None,
            compression_ratio: None,
            replication: 1,
            settings: BTreeMap::new(),
        }
    }
}

/// What one filling took.
struct Cost {
    seconds: f64,
    cpu_seconds: f64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["fill", bootstrap, topic, partitions, size] => fill(bootstrap, topic, partitions, size),
        [peer] => compare(peer, 10),
        [peer, rounds] => rounds
            .parse()
            .map_err(Failure::from)
            .and_then(|rounds| compare(peer, rounds)),
        // `cargo bench` without arguments runs every bench; this one needs a program that is not there.
        _ => {
            eprintln!("fill: nothing to compare with; run scripts/fill-peer");
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fill: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The process that fills as tandem does.
fn fill(bootstrap: &str, topic: &str, partitions: &str, size: &str) -> Result<(), Failure> {
    let cell = Cell {
        partitions: partitions.parse()?,
        size: size.parse()?,
    };
    let (produced, interrupted) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let names = [topic.to_owned()];
    let filling = Filling::new(
        bootstrap,
        &BTreeMap::new(),
        &cell.spec(),
        &names,
        1,
        produced,
        interrupted,
    );
    Ok(filling.run()?)
}

/// Memory where there is a file system of it: a disk's speed would hide the clients'.
fn data_parent() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { env::temp_dir() }
}

/// Starts a broker and measures every cell.
fn compare(peer: &str, rounds: u32) -> Result<(), Failure> {
    let distribution = Distribution::find_or_get(DEFAULT_KAFKA_VERSION, &|what| eprintln!("{what}"))?;
    let options = ClusterOptions {
        brokers: 1,
        zookeeper: false,
        heap_mib: DEFAULT_HEAP_MIB,
        port: None,
        listeners: Vec::new(),
        data_parent: data_parent(),
        run_id: format!("fill-{}", std::process::id()),
    };
    let keeper: Arc<dyn Keeper> = Arc::new(NoKeeper);
    let cluster = LocalCluster::start(&distribution, &options, &keeper, &|_| (), &AtomicBool::new(false))?;
    let bootstrap = cluster.bootstrap(None).ok_or("the broker has no address")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let admin = runtime.block_on(Admin::connect(&bootstrap, &BTreeMap::new()))?;
    let allocator = if cfg!(feature = "mimalloc") {
        "mimalloc"
    } else {
        "system"
    };
    let data = data_parent();
    println!(
        "allocator {allocator}, {rounds} rounds, the broker's data in {}; M records/s (CPU us per record), medians",
        data.display()
    );
    println!("| producers and partitions | size | tandem | rdkafka_performance -P | tandem / peer [95 %] |");
    println!("|---|---|---|---|---|");
    for (partitions, size) in [(1, 100), (2, 100), (1, 1024), (2, 1024)] {
        let cell = Cell { partitions, size };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        // One round more than is counted: the first finds the broker's code not yet compiled.
        for round in 0..=rounds {
            // Who begins changes from round to round.
            for turn in [round % 2, (round + 1) % 2] {
                let topic = format!("fill-{partitions}-{size}-{round}-{turn}");
                runtime.block_on(admin.create_topic(&topic, partitions, 1, &[]))?;
                let commands = if turn == 0 {
                    vec![own_command(&bootstrap, &topic, cell)?]
                } else {
                    peer_commands(peer, &bootstrap, &topic, cell)
                };
                let cost = run(commands)?;
                runtime.block_on(verify(&admin, &topic, cell))?;
                runtime.block_on(admin.delete_topics(&[topic]))?;
                if round > 0 {
                    if turn == 0 { &mut ours } else { &mut theirs }.push(cost);
                }
            }
        }
        println!("{}", row(cell, &ours, &theirs)?);
    }
    Ok(cluster.stop()?)
}

fn own_command(bootstrap: &str, topic: &str, cell: Cell) -> Result<Command, Failure> {
    let program: PathBuf = env::current_exe()?;
    let mut command = Command::new(program);
    command.args(["fill", bootstrap, topic]);
    command.args([cell.partitions.to_string(), cell.size.to_string()]);
    Ok(command)
}

/// The peer has one producer in a process: as many processes as partitions.
fn peer_commands(peer: &str, bootstrap: &str, topic: &str, cell: Cell) -> Vec<Command> {
    let records = cell.records() / u64::from(cell.partitions);
    (0..cell.partitions)
        .map(|partition| {
            let mut command = Command::new(peer);
            command.args(["-P", "-q", "-X", "log_level=3", "-b", bootstrap, "-t", topic]);
            command.args(["-p", &partition.to_string(), "-s", &cell.size.to_string()]);
            command.args(["-c", &records.to_string()]);
            for (name, value) in producer_settings(&cell.spec(), 1) {
                command.args(["-X", &format!("{name}={value}")]);
            }
            command
        })
        .collect()
}

/// Runs processes at once and waits for all.
fn run(commands: Vec<Command>) -> Result<Cost, Failure> {
    let cpu_before = children_cpu_seconds()?;
    let start = Instant::now();
    let children: Vec<(String, Child)> = commands
        .into_iter()
        .map(|mut command| Ok((format!("{command:?}"), command.stdout(Stdio::null()).spawn()?)))
        .collect::<Result<_, Failure>>()?;
    for (command, mut child) in children {
        let status = child.wait()?;
        if !status.success() {
            return Err(format!("{command}: {status}").into());
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok(Cost {
        seconds,
        cpu_seconds: children_cpu_seconds()? - cpu_before,
    })
}

/// CPU time of the processes that have ended. The broker, which is a child too, still runs.
fn children_cpu_seconds() -> Result<f64, Failure> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6)
}

async fn verify(admin: &Admin, topic: &str, cell: Cell) -> Result<(), Failure> {
    for partition in 0..cell.partitions.cast_signed() {
        let (low, high) = admin.watermarks(topic, partition).await?;
        let expected = cell.records() / u64::from(cell.partitions);
        if (high - low).unsigned_abs() != expected {
            return Err(format!("{topic} [{partition}] holds {} records, not {expected}", high - low).into());
        }
    }
    Ok(())
}

fn row(cell: Cell, ours: &[Cost], theirs: &[Cost]) -> Result<String, Failure> {
    let records = cell.records() as f64;
    let rates = |costs: &[Cost]| {
        costs
            .iter()
            .map(|cost| records / cost.seconds / 1e6)
            .collect::<Vec<_>>()
    };
    let shown = |costs: &[Cost]| {
        let cpu: Vec<f64> = costs.iter().map(|cost| cost.cpu_seconds / records * 1e6).collect();
        let (rate, cpu) = (median(&rates(costs))?, median(&cpu)?);
        Some(format!("{rate:.2} ({cpu:.2})"))
    };
    let ratio = Estimate::paired_ratio(&rates(ours), &rates(theirs)).ok_or("nothing was measured")?;
    let (low, high) = ratio.interval.unwrap_or((f64::NAN, f64::NAN));
    Ok(format!(
        "| {} | {} B | {} | {} | {:.2} [{low:.2}, {high:.2}] |",
        cell.partitions,
        cell.size,
        shown(ours).ok_or("nothing was measured")?,
        shown(theirs).ok_or("nothing was measured")?,
        ratio.point,
    ))
}
