//! Checks whether this machine is fit for a benchmark.

use std::fs;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit};

use super::check::Check;
use crate::kafka::local::{Distribution, Sources};
use crate::measure::limits::{CacheRoom, Kernel, Limits};
use crate::scenario::{ClusterSource, KafkaVersion};
use crate::server::free_bytes;

/// Fewer files than this are soon used up by members with many partitions.
const FILES_MIN: u64 = 4096;

/// Fewer cores than this are soon used up by clients and brokers on one machine.
const CORES_FEW: f64 = 4.0;

/// Fewer processes and threads than this are soon used up by brokers and consumers.
const PROCESSES_MIN: u64 = 1024;

/// More runnable programs for each core than this disturb a trial.
const LOAD_MAX: f64 = 0.25;

/// Less free disk than this is soon filled by a data set.
const DISK_MIN_BYTES: u64 = 2 << 30;

/// Less memory than this does not hold brokers, clients and a data set.
const MEMORY_MIN_GIB: f64 = 1.5;

const GIB: f64 = (1_u64 << 30) as f64;

/// Checks cores, memory, limits, load, disk, and, where brokers of `cluster` run here, Java and Kafka.
/// `data` is where brokers keep their data.
pub fn machine(data: &Path, cluster: &ClusterSource, report: &mut dyn FnMut(Check)) {
    let kernel = Kernel::running();
    let limits = Limits::of_this_process(&kernel);
    report(Check::advised(
        limits.usable_cores() >= CORES_FEW,
        "cores",
        &limits.cores_in_words(),
        "clients and brokers on one machine will soon use them all",
    ));
    memory(&CacheRoom::of_this_process(&kernel), report);
    files(report);
    processes(&limits, report);
    governor(report);
    load(limits.machine_cores, report);
    disk(data, report);
    if let ClusterSource::Local { version, zookeeper, .. } = cluster {
        kafka(*version, *zookeeper, report);
    }
}

#[allow(clippy::cast_precision_loss, reason = "bytes of memory")]
fn memory(space: &CacheRoom, report: &mut dyn FnMut(Check)) {
    let gib = |bytes: u64| bytes as f64 / GIB;
    let available = gib(space.bytes);
    let limit = space.limit.as_ref();
    let limit = limit.map(|limit| format!(" ({} of {:.1} GiB)", limit.name(), gib(limit.bytes)));
    let detail = format!("{available:.1} GiB available{}", limit.unwrap_or_default());
    let advice = "data sets should fit into it beside brokers and clients";
    report(Check::advised(available >= MEMORY_MIN_GIB, "memory", &detail, advice));
}

fn files(report: &mut dyn FnMut(Check)) {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    let advice = format!("many partitions need more ({hard} at most); ulimit -n {FILES_MIN}");
    report(Check::advised(
        soft >= FILES_MIN,
        "open files",
        &format!("{soft} allowed"),
        &advice,
    ));
}

fn processes(limits: &Limits, report: &mut dyn FnMut(Check)) {
    let Some(allowed) = limits.processes else { return };
    let detail = format!("{allowed} allowed, threads included");
    let advice = "a broker takes about a hundred and a consumer ten; ulimit -u, or pids.max";
    report(Check::advised(allowed >= PROCESSES_MIN, "processes", &detail, advice));
}

fn governor(report: &mut dyn FnMut(Check)) {
    let path = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
    let Ok(governor) = fs::read_to_string(path) else {
        return;
    };
    let governor = governor.trim();
    let advice = "the clock rate follows the load; `performance` gives steadier figures";
    report(Check::advised(
        governor == "performance",
        "frequency governor",
        governor,
        advice,
    ));
}

fn load(cores: u32, report: &mut dyn FnMut(Check)) {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split_whitespace().next().and_then(|load| load.parse::<f64>().ok());
    let Some(load) = first else { return };
    let is_low = load / f64::from(cores.max(1)) <= LOAD_MAX;
    let detail = format!("{load:.2} over the last minute on {cores} cores");
    report(Check::advised(
        is_low,
        "other load",
        &detail,
        "other programs disturb the figures",
    ));
}

fn disk(data: &Path, report: &mut dyn FnMut(Check)) {
    let Ok(free) = free_bytes(data) else { return };
    #[allow(clippy::cast_precision_loss, reason = "bytes of a disk")]
    let detail = format!("{:.1} GiB free for {}", free as f64 / GIB, data.display());
    let advice = "set XDG_CACHE_HOME to a larger one";
    report(Check::advised(free >= DISK_MIN_BYTES, "disk", &detail, advice));
}

fn kafka(version: KafkaVersion, zookeeper: bool, report: &mut dyn FnMut(Check)) {
    match Distribution::find(&Sources::from_environment(), version) {
        Ok(Some(found)) => {
            report(Check::ok(
                "Java",
                format!("{} ({})", found.java.version, found.java.program.display()),
            ));
            report(Check::ok(
                "Apache Kafka",
                format!("{version} in {}", found.libs.display()),
            ));
            if zookeeper {
                report(match found.zookeeper_version() {
                    Ok(zookeeper) => Check::ok("ZooKeeper", format!("{zookeeper}, which comes with Kafka {version}")),
                    Err(error) => Check::failed(
                        "ZooKeeper",
                        error.to_string(),
                        "unset KAFKA_HOME, or set it to a complete distribution",
                    ),
                });
            }
        }
        Ok(None) => report(Check::ok(
            "Apache Kafka",
            format!("{version} is not here yet; the first run fetches it with Maven (up to 110 MB)"),
        )),
        Err(error) => report(Check::failed(
            "Java and Apache Kafka",
            error.to_string(),
            format!(
                "install Java {} or later and Maven, or set JAVA_HOME and KAFKA_HOME",
                version.java_release()
            ),
        )),
    }
}
