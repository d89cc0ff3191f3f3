//! Where brokers keep their data, and whether it fits.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::database::PrivatePostgres;
use crate::kafka::local::Sources;
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::server::free_bytes;

/// Where brokers keep their data while they run: in tandem's cache folder, on a disk and not in memory.
pub(super) fn data_parent() -> PathBuf {
    Sources::from_environment().cache.with_file_name("data")
}

/// What a private database needs at least: its empty files, and the log that it writes ahead up to `max_wal_size`.
const STORE_BYTES: u64 = 1_280 << 20;

/// Fails where a private database would not fit on the disk where it lies. What trials store is dropped after each of them,
/// and how much that is, is known by then.
pub(super) fn check_store_disk(scenario: &Scenario) -> Result<()> {
    if scenario.store.as_ref().is_none_or(|store| store.url.is_some()) {
        return Ok(());
    }
    let folder = PrivatePostgres::parent(&data_parent())?;
    let Ok(free) = free_bytes(&folder) else { return Ok(()) };
    if free < STORE_BYTES {
        bail!(
            "the PostgreSQL of this run needs about {:.1} GiB, but the disk of {} has {:.1} GiB free; make space there, set \
             XDG_CACHE_HOME to a folder on a larger disk, or name a database that exists by `url` in [store]",
            gib(STORE_BYTES),
            folder.display(),
            gib(free)
        );
    }
    Ok(())
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

/// Fails where the data sets of a plan would not fit on this machine's disk.
pub(super) fn check_disk(plan: &Plan) -> Result<()> {
    let started = plan
        .scenario
        .clusters()
        .filter(|cluster| cluster.version().is_some())
        .count();
    if started == 0 {
        return Ok(());
    }
    let folder = data_parent();
    let Ok(free) = free_bytes(&folder) else { return Ok(()) };
    // Batch headers, offsets and the index files come to about a tenth for records of 100 bytes.
    let needed = (plan.forecast().disk_bytes / 10 * 12 + (512 << 20)) * started as u64;
    if needed > free {
        bail!(
            "the data sets need about {:.1} GiB, but the disk of {} has {:.1} GiB free; lower [dataset] records or \
             size, or set XDG_CACHE_HOME to a larger disk",
            gib(needed),
            folder.display(),
            gib(free)
        );
    }
    Ok(())
}
