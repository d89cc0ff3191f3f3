//! What this machine offers to a benchmark.

use std::fs;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit};

use super::check::Check;
use crate::kafka::local::{Distribution, Sources, free_bytes};
use crate::measure::limits::{CacheRoom, Kernel, Limits};
use crate::scenario::{ClusterSource, KafkaVersion};

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

const GIB: f64 = (1_u64 << 30) as f64;

/// Looks at cores, memory, limits, load, disk, and, where brokers of `cluster` are to be run here, Java and Kafka.
/// `data` is where brokers keep their data.
pub fn machine(data: &Path, cluster: &ClusterSource, tell: &mut dyn FnMut(Check)) {
    let kernel = Kernel::running();
    let limits = Limits::of_this_process(&kernel);
    let cores = limits.cores_in_words();
    tell(if limits.usable_cores() >= CORES_FEW {
        Check::ok("cores", cores)
    } else {
        let detail = format!("{cores}: clients and brokers on one machine will soon use them all");
        Check::warning("cores", detail)
    });
    memory(&CacheRoom::of_this_process(&kernel), tell);
    files(tell);
    processes(&limits, tell);
    governor(tell);
    load(limits.machine_cores, tell);
    disk(data, tell);
    if let ClusterSource::Local { version, zookeeper, .. } = cluster {
        kafka(*version, *zookeeper, tell);
    }
}

#[allow(clippy::cast_precision_loss, reason = "bytes of memory")]
fn memory(room: &CacheRoom, tell: &mut dyn FnMut(Check)) {
    let gib = |bytes: u64| bytes as f64 / GIB;
    let available = gib(room.bytes);
    let limit = room
        .limit
        .as_ref()
        .map(|limit| format!(" ({} of {:.1} GiB)", limit.name(), gib(limit.bytes)));
    let limit = limit.unwrap_or_default();
    let detail = format!("{available:.1} GiB available{limit}");
    tell(if available >= 1.5 {
        Check::ok("memory", detail)
    } else {
        Check::warning(
            "memory",
            format!("{detail}: data sets should fit into it beside brokers and clients"),
        )
    });
}

fn files(tell: &mut dyn FnMut(Check)) {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    tell(if soft >= FILES_MIN {
        Check::ok("open files", format!("{soft} allowed"))
    } else {
        let detail = format!("{soft} allowed ({hard} at most): many partitions need more; ulimit -n {FILES_MIN}");
        Check::warning("open files", detail)
    });
}

fn processes(limits: &Limits, tell: &mut dyn FnMut(Check)) {
    let Some(allowed) = limits.processes else { return };
    let detail = format!("{allowed} allowed, threads included");
    tell(if allowed >= PROCESSES_MIN {
        Check::ok("processes", detail)
    } else {
        let detail = format!("{detail}: a broker takes about a hundred and a consumer ten; ulimit -u, or pids.max");
        Check::warning("processes", detail)
    });
}

fn governor(tell: &mut dyn FnMut(Check)) {
    let path = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
    let Ok(governor) = fs::read_to_string(path) else {
        return;
    };
    let governor = governor.trim();
    tell(if governor == "performance" {
        Check::ok("frequency governor", governor)
    } else {
        let detail = format!("{governor}: the clock rate follows the load; `performance` gives steadier figures");
        Check::warning("frequency governor", detail)
    });
}

fn load(cores: u32, tell: &mut dyn FnMut(Check)) {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split_whitespace().next().and_then(|load| load.parse::<f64>().ok());
    let Some(load) = first else { return };
    let busy = load / f64::from(cores.max(1));
    tell(if busy <= LOAD_MAX {
        Check::ok("other load", format!("{load:.2} over the last minute"))
    } else {
        let detail = format!("{load:.2} over the last minute on {cores} cores: other programs disturb the figures");
        Check::warning("other load", detail)
    });
}

fn disk(data: &Path, tell: &mut dyn FnMut(Check)) {
    let Ok(free) = free_bytes(data) else { return };
    #[allow(clippy::cast_precision_loss, reason = "bytes of a disk")]
    let detail = format!("{:.1} GiB free for {}", free as f64 / GIB, data.display());
    tell(if free >= DISK_MIN_BYTES {
        Check::ok("disk", detail)
    } else {
        Check::warning("disk", format!("{detail}: set XDG_CACHE_HOME to a larger one"))
    });
}

fn kafka(version: KafkaVersion, zookeeper: bool, tell: &mut dyn FnMut(Check)) {
    match Distribution::find(&Sources::from_environment(), version) {
        Ok(Some(found)) => {
            tell(Check::ok(
                "Java",
                format!("{} ({})", found.java.version, found.java.program.display()),
            ));
            tell(Check::ok(
                "Apache Kafka",
                format!("{version} in {}", found.libs.display()),
            ));
            if zookeeper {
                tell(match found.zookeeper_version() {
                    Ok(zookeeper) => Check::ok("ZooKeeper", format!("{zookeeper}, which comes with Kafka {version}")),
                    Err(error) => Check::failed(
                        "ZooKeeper",
                        error.to_string(),
                        "unset KAFKA_HOME, or set it to a whole distribution",
                    ),
                });
            }
        }
        Ok(None) => tell(Check::ok(
            "Apache Kafka",
            format!("{version} is not here yet; the first run fetches it with Maven (up to 110 MB)"),
        )),
        Err(error) => tell(Check::failed(
            "Java and Apache Kafka",
            error.to_string(),
            format!(
                "install Java {} or later and Maven, or set JAVA_HOME and KAFKA_HOME",
                version.java_release()
            ),
        )),
    }
}
