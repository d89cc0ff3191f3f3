//! Recorded trees of files: of a machine with cgroup v1, and, by the kernel's documentation
//! (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst, scheduler/sched-bwc.rst), of others.

#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use tempfile::TempDir;

use super::*;

/// Files with their contents, in a folder that stands for `/`.
struct Recording(TempDir);

impl Recording {
    fn of(files: &[(&str, &str)]) -> Self {
        let recording = Recording(tempfile::tempdir().unwrap());
        recording.write(files);
        recording.write(&[
            ("/sys/devices/system/cpu/online", "0-3\n"),
            (
                "/proc/meminfo",
                "MemTotal:       24683936 kB\nMemFree:  9 kB\nMemAvailable:   20000000 kB\n",
            ),
        ]);
        recording
    }

    fn write(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = self.0.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn kernel(&self) -> Kernel {
        Kernel::recorded(self.0.path())
    }

    fn limits(&self) -> Limits {
        Limits::of_this_process(&self.kernel())
    }
}

/// Mounts of a machine with one v1 hierarchy for each controller and an unused v2 one.
const V1_MOUNTS: &str = "\
    31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
    32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
    33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpuacct
    35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
    40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
    41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";

/// The same process in each hierarchy, in a group within another.
const V1_MEMBERSHIP: &str = "9:name=systemd:/\n8:pids:/\n4:memory:/outer/inner\n3:cpuset:/\n2:cpuacct:/outer/inner\n\
                             1:cpu:/outer/inner\n0::/\n";

const NO_V1_LIMIT: &str = "9223372036854771712\n";

fn mounts(text: &str) -> String {
    text.lines().map(str::trim_start).collect::<Vec<_>>().join("\n")
}

fn v1() -> Recording {
    Recording::of(&[
        ("/proc/self/mountinfo", &mounts(V1_MOUNTS)),
        ("/proc/self/cgroup", V1_MEMBERSHIP),
        (
            "/proc/self/status",
            "Name:\ttandem\nCpus_allowed:\tf\nCpus_allowed_list:\t0-3\n",
        ),
        ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
        ("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ("/sys/fs/cgroup/cpu/outer/cpu.cfs_quota_us", "100000\n"),
        ("/sys/fs/cgroup/cpu/outer/cpu.cfs_period_us", "100000\n"),
        (
            "/sys/fs/cgroup/cpu/outer/cpu.stat",
            "nr_periods 305\nnr_throttled 212\nthrottled_time 14300000000\n",
        ),
        ("/sys/fs/cgroup/cpu/outer/inner/cpu.cfs_quota_us", "75000\n"),
        ("/sys/fs/cgroup/cpu/outer/inner/cpu.cfs_period_us", "50000\n"),
        (
            "/sys/fs/cgroup/cpu/outer/inner/cpu.stat",
            "nr_periods 600\nnr_throttled 1\nthrottled_time 5000\n",
        ),
        ("/sys/fs/cgroup/cpuacct/outer/cpuacct.usage", "30000000000\n"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", NO_V1_LIMIT),
        ("/sys/fs/cgroup/memory/outer/memory.limit_in_bytes", "629145600\n"),
        ("/sys/fs/cgroup/memory/outer/memory.usage_in_bytes", "629100000\n"),
        ("/sys/fs/cgroup/memory/outer/memory.failcnt", "7\n"),
        (
            "/sys/fs/cgroup/memory/outer/memory.oom_control",
            "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
        ),
        (
            "/sys/fs/cgroup/memory/outer/memory.stat",
            "cache 5\nhierarchical_memory_limit 629145600\nworkingset_refault_file 1\ntotal_cache 300000000\n\
             total_inactive_file 100000000\ntotal_active_file 200000000\ntotal_workingset_refault_file 1000\n",
        ),
        ("/sys/fs/cgroup/memory/outer/inner/memory.limit_in_bytes", NO_V1_LIMIT),
    ])
}

#[test]
fn of_nested_v1_groups_the_tightest_limit_counts() {
    let limits = v1().limits();
    let quota = limits.quota.clone().unwrap();
    assert_eq!((quota.cgroup.as_str(), quota.cores()), ("/outer", 1.0));
    assert_eq!(limits.usable_cores(), 1.0);
    assert_eq!((limits.cores, limits.machine_cores), (4, 4));
    let memory = limits.memory.clone().unwrap();
    assert_eq!((memory.cgroup.as_str(), memory.bytes), ("/outer", 629_145_600));
    assert_eq!(limits.usable_memory_bytes(), 629_145_600);
    assert_eq!(limits.why_fewer_cores().unwrap(), "CPU quota of the cgroup /outer");
}

#[test]
fn without_limits_all_of_the_machine_may_be_used() {
    let recording = v1();
    recording.write(&[("/proc/self/cgroup", "4:memory:/\n2:cpuacct:/\n1:cpu:/\n0::/\n")]);
    let limits = recording.limits();
    assert_eq!((limits.quota.clone(), limits.memory.clone()), (None, None));
    assert_eq!(limits.usable_cores(), 4.0);
    assert_eq!(limits.usable_memory_bytes(), 24_683_936 * 1024);
    assert_eq!(limits.why_fewer_cores(), None);
    // Nor are any known of a system without control groups.
    let bare = Recording::of(&[]).limits();
    assert_eq!((bare.usable_cores(), bare.quota, bare.memory), (4.0, None, None));
}

#[test]
fn processors_are_those_that_are_there_and_allowed() {
    let recording = v1();
    // A kernel built for many lists those that are not there as allowed.
    recording.write(&[("/proc/self/status", "Cpus_allowed_list:\t0,2-127\n")]);
    recording.write(&[("/proc/self/cgroup", "0::/\n")]);
    let limits = recording.limits();
    assert_eq!((limits.cores, limits.machine_cores, limits.usable_cores()), (3, 4, 3.0));
    assert_eq!(limits.why_fewer_cores().unwrap(), "CPU affinity or cpuset");
    assert_eq!(processors("0-3,8\n").unwrap().len(), 5);
    assert_eq!(processors("0-6:2").unwrap(), BTreeSet::from([0, 2, 4, 6]));
    assert_eq!(processors("all"), None);
}

#[test]
fn a_container_that_sees_its_own_v1_group_as_the_root_finds_it_and_the_limit_of_those_above() {
    let mounts = "41 40 0:29 /docker/1f3a /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n\
                  42 40 0:32 /docker/1f3a /sys/fs/cgroup/memory ro master:13 - cgroup cgroup rw,memory\n";
    let recording = Recording::of(&[
        ("/proc/self/mountinfo", mounts),
        (
            "/proc/self/cgroup",
            "4:memory:/docker/1f3a\n1:cpu,cpuacct:/docker/1f3a/app\n",
        ),
        ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "150000\n"),
        ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", NO_V1_LIMIT),
        (
            "/sys/fs/cgroup/memory/memory.stat",
            "cache 0\nhierarchical_memory_limit 1073741824\n",
        ),
    ]);
    let limits = recording.limits();
    assert_eq!(limits.quota.as_ref().unwrap().cgroup, "/docker/1f3a");
    assert_eq!(limits.usable_cores(), 1.5);
    assert_eq!(limits.usable_memory_bytes(), 1 << 30);
    // Where the path in /proc is another one than that of the mount, the mount is the container's own all the same.
    recording.write(&[("/proc/self/cgroup", "1:cpu,cpuacct:/kubepods/pod7/1f3a\n")]);
    assert_eq!(recording.limits().usable_cores(), 1.5);
}

/// A v2 hierarchy at a mount point, and a process at a path.
fn v2(root: &str, point: &str, path: &str, files: &[(&str, &str)]) -> Recording {
    let mounts = format!(
        "30 23 0:26 {root} {} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
        point.replace(' ', "\\040")
    );
    let recording = Recording::of(&[
        ("/proc/self/mountinfo", &mounts),
        ("/proc/self/cgroup", &format!("0::{path}\n")),
    ]);
    for (file, text) in files {
        recording.write(&[(&format!("{point}/{file}"), text)]);
    }
    recording
}

#[test]
fn of_nested_v2_groups_the_tightest_counts_and_max_is_no_limit() {
    let recording = v2(
        "/",
        "/sys/fs/cgroup",
        "/system.slice/tandem.service/run",
        &[
            ("system.slice/cpu.max", "300000 100000\n"),
            ("system.slice/memory.max", "8589934592\n"),
            ("system.slice/pids.max", "max\n"),
            ("system.slice/tandem.service/cpu.max", "50000 20000\n"),
            ("system.slice/tandem.service/memory.max", "max\n"),
            ("system.slice/tandem.service/memory.high", "4294967296\n"),
            ("system.slice/tandem.service/pids.max", "500\n"),
            ("system.slice/tandem.service/run/cpu.max", "max 100000\n"),
            ("system.slice/tandem.service/run/memory.max", "max\n"),
        ],
    );
    recording.write(&[(
        "/proc/self/limits",
        "Limit                     Soft Limit           Hard Limit           Units     \n\
         Max processes             96365                96365                processes \n\
         Max open files            1024                 524288               files     \n",
    )]);
    let limits = recording.limits();
    let quota = limits.quota.clone().unwrap();
    assert_eq!(
        (quota.cgroup.as_str(), quota.cores()),
        ("/system.slice/tandem.service", 2.5)
    );
    let memory = limits.memory.clone().unwrap();
    assert_eq!(
        (memory.cgroup.as_str(), memory.bytes),
        ("/system.slice/tandem.service", 4 << 30)
    );
    assert_eq!((limits.open_files, limits.processes), (Some(1024), Some(500)));
}

#[test]
fn in_a_cgroup_namespace_the_root_is_the_container_s_own_group() {
    let files = [("cpu.max", "100000 100000\n"), ("memory.max", "629145600\n")];
    let limits = v2("/", "/sys/fs/cgroup", "/", &files).limits();
    assert_eq!(limits.quota.as_ref().unwrap().cgroup, "/");
    assert_eq!(
        limits.why_fewer_cores().unwrap(),
        "CPU quota of this container's cgroup"
    );
    assert_eq!(
        (limits.usable_cores(), limits.usable_memory_bytes()),
        (1.0, 629_145_600)
    );
}

#[test]
fn a_hierarchy_is_found_wherever_it_is_mounted() {
    let files = [("jobs/7/cpu.max", "100000 100000\n")];
    assert_eq!(
        v2("/", "/run/my groups", "/jobs/7", &files).limits().usable_cores(),
        1.0
    );
    // Part of the tree alone, seen from outside of it and from within.
    let files = [("7/cpu.max", "100000 100000\n")];
    assert_eq!(v2("/jobs", "/mnt", "/jobs/7", &files).limits().usable_cores(), 1.0);
    // `/job` is not above `/jobs`.
    let files = [("s/cpu.max", "100000 100000\n"), ("cpu.max", "200000 100000\n")];
    assert_eq!(v2("/job", "/mnt", "/jobs", &files).limits().usable_cores(), 2.0);
}

#[test]
fn nothing_is_said_of_groups_outside_of_the_cgroup_namespace() {
    let files = [("cpu.max", "100000 100000\n")];
    assert_eq!(v2("/", "/sys/fs/cgroup", "/../other", &files).limits().quota, None);
    assert_eq!(v2("/..", "/sys/fs/cgroup", "/", &files).limits().quota, None);
}

#[test]
fn with_both_generations_each_controller_is_where_it_is_used() {
    let mounts = "32 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                  41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    let recording = Recording::of(&[
        ("/proc/self/mountinfo", mounts),
        ("/proc/self/cgroup", "4:memory:/a\n1:name=systemd:/b\n0::/b\n"),
        ("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1048576\n"),
        ("/sys/fs/cgroup/unified/b/cpu.max", "50000 100000\n"),
        ("/sys/fs/cgroup/unified/b/memory.max", "4096\n"),
    ]);
    let limits = recording.limits();
    assert_eq!((limits.usable_cores(), limits.usable_memory_bytes()), (0.5, 1 << 20));
}

#[test]
fn what_v1_limits_did_between_two_readings_is_reported_with_whose_they_are() {
    let recording = v1();
    let kernel = recording.kernel();
    recording.write(&[
        ("/proc/7/cgroup", V1_MEMBERSHIP),
        ("/proc/7/status", "Cpus_allowed_list:\t0\n"),
        // A broker in a group of its own.
        ("/proc/8/cgroup", "4:memory:/broker\n1:cpu:/broker\n"),
        ("/proc/8/status", "Cpus_allowed_list:\t2-3\n"),
        ("/sys/fs/cgroup/cpu/broker/cpu.cfs_quota_us", "400000\n"),
        ("/sys/fs/cgroup/cpu/broker/cpu.cfs_period_us", "100000\n"),
    ]);
    recording.write(&[("/proc/self/status", "Cpus_allowed_list:\t1\n")]);
    let watch = LimitWatch::find(&kernel, &[7], &[8]);
    assert_eq!((watch.cores(), watch.machine_cores_if_more()), (2, Some(4)));
    assert_eq!(watch.all, BTreeSet::from([0, 1, 2, 3]));
    let before = watch.read();
    recording.write(&[
        (
            "/sys/fs/cgroup/cpu/outer/cpu.stat",
            "nr_periods 405\nnr_throttled 282\nthrottled_time 20300000000\n",
        ),
        ("/sys/fs/cgroup/cpuacct/outer/cpuacct.usage", "40000000000\n"),
        ("/sys/fs/cgroup/memory/outer/memory.failcnt", "107\n"),
        (
            "/sys/fs/cgroup/memory/outer/memory.oom_control",
            "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
        ),
        (
            "/sys/fs/cgroup/memory/outer/memory.stat",
            "total_inactive_file 1\ntotal_active_file 2\ntotal_workingset_refault_file 3000\n",
        ),
    ]);
    let effects = watch.effects(&before, &watch.read());
    let by_name = |name: &str| {
        effects
            .quotas
            .iter()
            .find(|effect| effect.quota.cgroup == name)
            .unwrap()
    };
    let outer = by_name("/outer");
    assert_eq!(
        (outer.periods, outer.throttled_periods, outer.throttled_ns),
        (100, 70, 6_000_000_000)
    );
    assert_eq!((outer.used_ns, outer.throttled_share()), (Some(10_000_000_000), 0.7));
    assert_eq!(
        (outer.of.as_slice(), outer.covers_all),
        ([Party::Tandem, Party::Workers].as_slice(), true)
    );
    let broker = by_name("/broker");
    assert_eq!(
        (broker.of.as_slice(), broker.covers_all),
        ([Party::Brokers].as_slice(), false)
    );
    assert_eq!(broker.throttled_share(), 0.0);
    let [memory] = effects.memory.as_slice() else {
        panic!("one memory limit: {effects:?}");
    };
    assert_eq!(
        (memory.hits, memory.killed, memory.used_bytes, memory.cache_bytes),
        (100, 2, 629_100_000, 3)
    );
    assert_eq!(memory.refaulted_bytes, Some(2_000 * 4096));
}

#[test]
fn what_v2_limits_did_between_two_readings_is_reported() {
    let recording = v2(
        "/",
        "/sys/fs/cgroup",
        "/job",
        &[
            ("job/cpu.max", "150000 100000\n"),
            (
                "job/cpu.stat",
                "usage_usec 10\nuser_usec 6\nnr_periods 5\nnr_throttled 1\nthrottled_usec 7\n",
            ),
            ("job/memory.max", "629145600\n"),
            ("job/memory.current", "500000000\n"),
            (
                "job/memory.stat",
                "anon 1\nfile 2\ninactive_file 100\nactive_file 200\nworkingset_refault_file 5\n",
            ),
            ("job/memory.events", "low 0\nhigh 1\nmax 2\noom 0\noom_kill 0\n"),
            (
                "job/memory.pressure",
                "some avg10=0.00 avg60=0.00 avg300=0.00 total=100\nfull avg10=0.00 total=5\n",
            ),
        ],
    );
    // One of two workers is elsewhere, so the quota does not bound them together.
    recording.write(&[("/proc/7/cgroup", "0::/job\n"), ("/proc/8/cgroup", "0::/\n")]);
    let kernel = recording.kernel();
    let watch = LimitWatch::find(&kernel, &[7, 8], &[]);
    let before = watch.read();
    recording.write(&[
        (
            "/sys/fs/cgroup/job/cpu.stat",
            "usage_usec 1500010\nnr_periods 15\nnr_throttled 10\nthrottled_usec 900007\nnr_bursts 0\n",
        ),
        (
            "/sys/fs/cgroup/job/memory.stat",
            "inactive_file 1\nactive_file 2\nworkingset_refault_file 1005\n",
        ),
        (
            "/sys/fs/cgroup/job/memory.events",
            "low 0\nhigh 4\nmax 12\noom 1\noom_kill 1\n",
        ),
        (
            "/sys/fs/cgroup/job/memory.pressure",
            "some avg10=9.00 avg60=0.00 avg300=0.00 total=2100\n",
        ),
    ]);
    let effects = watch.effects(&before, &watch.read());
    let quota = &effects.quotas[0];
    assert_eq!(
        (quota.periods, quota.throttled_periods, quota.throttled_ns),
        (10, 9, 900_000_000)
    );
    assert_eq!((quota.used_ns, quota.covers_all), (Some(1_500_000_000), false));
    let memory = &effects.memory[0];
    assert_eq!(
        (memory.hits, memory.killed, memory.stalled_ns),
        (13, 1, Some(2_000_000))
    );
    assert_eq!(memory.refaulted_bytes, Some(1_000 * 4096));
    // Stored and read again it is the same, and one without it is none.
    let stored = serde_json::to_string(memory).unwrap();
    assert_eq!(serde_json::from_str::<MemoryEffect>(&stored).unwrap(), *memory);
}

#[test]
fn the_room_for_the_page_cache_is_what_the_tightest_group_leaves() {
    let recording = v1();
    let space = CacheRoom::of_this_process(&recording.kernel());
    // The limit less what is in use and no page cache.
    assert_eq!(space.bytes, 629_145_600 - (629_100_000 - 300_000_000));
    assert_eq!(space.limit.unwrap().cgroup, "/outer");
    recording.write(&[("/proc/8/cgroup", "4:memory:/\n")]);
    let machine = CacheRoom::of(&recording.kernel(), 8);
    assert_eq!((machine.bytes, machine.limit), (20_000_000 * 1024, None));
    let files = [
        ("memory.max", "1000000\n"),
        ("memory.current", "900000\n"),
        (
            "memory.stat",
            "inactive_file 100000\nactive_file 200000\nfile 800000\nshmem 500000\n",
        ),
    ];
    let space = CacheRoom::of_this_process(&v2("/", "/sys/fs/cgroup", "/", &files).kernel());
    assert_eq!(space.bytes, 400_000);
}

#[test]
fn the_running_kernel_says_what_this_process_may_use() {
    let kernel = Kernel::running();
    let limits = Limits::of_this_process(&kernel);
    let allowed = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0)).unwrap();
    let allowed = (0..nix::sched::CpuSet::count())
        .filter(|cpu| allowed.is_set(*cpu).unwrap())
        .count();
    assert_eq!(limits.cores as usize, allowed);
    assert!(
        limits.usable_cores() > 0.0 && limits.usable_memory_bytes() > 1 << 26,
        "{limits:?}"
    );
    assert!(CacheRoom::of_this_process(&kernel).bytes > 0);
}

#[test]
fn the_limits_of_a_container_are_those_of_its_place() {
    let id = "5f0d8a1c3b7e";
    let recording = v1();
    let kernel = recording.kernel();
    recording.write(&[
        (
            "/proc/7/cgroup",
            &format!("4:memory:/docker/{id}\n1:cpu:/docker/{id}\n"),
        ),
        ("/proc/7/status", "Cpus_allowed_list:\t0\n"),
        (&format!("/sys/fs/cgroup/cpu/docker/{id}/cpu.cfs_quota_us"), "50000\n"),
        (&format!("/sys/fs/cgroup/cpu/docker/{id}/cpu.cfs_period_us"), "100000\n"),
        (
            &format!("/sys/fs/cgroup/memory/docker/{id}/memory.limit_in_bytes"),
            "4096\n",
        ),
    ]);
    let watch = LimitWatch::find(&kernel, &[7], &[]);
    let places = BTreeMap::from([
        ("another".to_owned(), "far".to_owned()),
        (id.to_owned(), "box".to_owned()),
    ]);
    let names = |watch: &LimitWatch| {
        let counters = watch.read();
        let effects = watch.effects(&counters, &counters);
        let quotas = effects.quotas.iter().map(|effect| effect.quota.name());
        let memory = effects.memory.iter().map(|effect| effect.limit.name());
        quotas
            .chain(memory)
            .filter(|name| !name.contains("/outer"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&watch),
        [
            format!("CPU quota of the cgroup /docker/{id}"),
            format!("memory limit of the cgroup /docker/{id}")
        ]
    );
    assert_eq!(
        names(&watch.with_containers(&places)),
        ["`cpu_limit` of place box", "`memory_limit` of place box"]
    );
}
