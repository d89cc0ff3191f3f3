//! Fills one topic as a data set is filled, from its start to its end a process of its own: what `scripts/evidence/run
//! fill` compares with librdkafka's own performance program, which gets the same settings.
//!
//!     fill settings PARTITIONS SIZE
//!     fill topic BOOTSTRAP NAME PARTITIONS SIZE RECORDS

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use tandem::coordinator::dataset::{Filling, producer_settings};
use tandem::scenario::{Compression, DataSource, DatasetSpec, Keys, Size};

/// The same allocator as the program itself has.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn Error>;

fn spec(partitions: &str, size: &str, records: u64) -> Result<DatasetSpec, Failure> {
    Ok(DatasetSpec {
        name: None,
        source: DataSource::Filled,
        topics: 1,
        partitions: partitions.parse()?,
        records,
        size: Size::Fixed(size.parse()?),
        keys: Keys::None,
        weights: Vec::new(),
        compression: Compression::None,
        compression_ratio: None,
        replication: 1,
        settings: BTreeMap::new(),
        client: BTreeMap::new(),
    })
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["settings", partitions, size] => settings(partitions, size),
        ["topic", bootstrap, name, partitions, size, records] => topic(bootstrap, name, partitions, size, records),
        // `cargo bench` without arguments runs every bench, and alone there is nothing to compare with.
        _ => {
            eprintln!("fill: run scripts/evidence/run fill");
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

/// Prints the settings of a data set's producer, one a line.
fn settings(partitions: &str, size: &str) -> Result<(), Failure> {
    for (name, value) in producer_settings(&spec(partitions, size, 1)?, 1) {
        println!("{name}={value}");
    }
    Ok(())
}

fn topic(bootstrap: &str, name: &str, partitions: &str, size: &str, records: &str) -> Result<(), Failure> {
    let spec = spec(partitions, size, records.parse()?)?;
    let (produced, interrupted) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let names = [name.to_owned()];
    let filling = Filling::new(bootstrap, &BTreeMap::new(), &spec, &names, 1, produced, interrupted);
    Ok(filling.run()?)
}
