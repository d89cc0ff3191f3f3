//! Makes control groups in which processes of a run are held to limits, and removes them: cgroup v1, v2 and both at once.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::cgroup::{Group, Hierarchies, Version};
use super::kernel::Kernel;
use super::memory::MemoryCounters;
use super::names::{RUN_GROUP, process_group};

/// Length of a period in which a quota counts, the kernel's default.
const PERIOD_US: u64 = 100_000;

/// How long processes of a group that is removed may take to end after they were killed.
const END_LIMIT: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);

/// How often the groups of a process are tried to be made that other processes of the run may remove meanwhile.
const ALONE_ATTEMPTS: u32 = 5;

/// Moves the process of the shell into each group and turns it into the program, so that no instruction of the program
/// runs outside of them.
const ENTER: &str =
    "while [ \"$1\" != -- ]; do echo $$ >\"$1/cgroup.procs\" || exit 126; shift; done; shift; exec \"$@\"";

/// What a process may use at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowance {
    /// Thousandths of a core.
    pub cpu_millicores: Option<u32>,
    /// Bytes.
    pub memory_bytes: Option<u64>,
}

impl Allowance {
    /// All that one of the two limits.
    #[must_use]
    pub fn and(self, other: Allowance) -> Self {
        Allowance {
            cpu_millicores: self.cpu_millicores.or(other.cpu_millicores),
            memory_bytes: self.memory_bytes.or(other.memory_bytes),
        }
    }

    /// The controllers that it takes; the second one only counts, in v1.
    fn controllers(self) -> impl Iterator<Item = &'static str> {
        let cpu = self.cpu_millicores.into_iter().flat_map(|_| ["cpu", "cpuacct"]);
        cpu.chain(self.memory_bytes.map(|_| "memory"))
    }
}

/// The control groups of a run, one in each hierarchy that is needed. Those of its processes are below them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunGroups {
    groups: Vec<RunGroup>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct RunGroup {
    version: Version,
    folder: PathBuf,
    controllers: BTreeSet<&'static str>,
}

impl RunGroups {
    /// Where the groups of a run can be; makes none of them. An error is why there is no such place.
    pub fn find(kernel: &Kernel, run_id: &str, limited: Allowance) -> Result<Self, String> {
        let hierarchies = Hierarchies::mounted(kernel);
        let membership = kernel.read("/proc/self/cgroup").unwrap_or_default();
        let mut groups: Vec<RunGroup> = Vec::new();
        let mut unified: (Vec<Group>, BTreeSet<&'static str>) = Default::default();
        for controller in limited.controllers() {
            let around = hierarchies.around(&membership, controller);
            match around.first() {
                None if controller == "cpuacct" => {}
                None => return Err(format!("the controller `{controller}` is mounted nowhere")),
                Some(own) if own.version == Version::V1 => add(&mut groups, kernel, own, controller, run_id),
                // v2 counts CPU time in every group.
                Some(_) if controller == "cpuacct" => {}
                Some(_) => {
                    unified.0 = around;
                    unified.1.insert(controller);
                }
            }
        }
        let (around, controllers) = unified;
        if !controllers.is_empty() {
            let parent = delegated(kernel, &around, &controllers)?;
            for controller in controllers {
                add(&mut groups, kernel, parent, controller, run_id);
            }
        }
        Ok(RunGroups { groups })
    }

    /// Their folders.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.groups.iter().map(|group| group.folder.as_path())
    }

    /// Makes them. An error says what was refused.
    pub fn make(&self) -> Result<(), String> {
        for group in &self.groups {
            make(&group.folder).map_err(|error| format!("cannot make {}: {error}", group.folder.display()))?;
            if group.version == Version::V2 {
                let text = enabled(&group.controllers);
                write(&group.folder, "cgroup.subtree_control", &text)?;
            }
        }
        Ok(())
    }

    /// Makes the group of a process of this number at a place, with its limits.
    pub fn of_process(&self, place: &str, number: usize, allowance: Allowance) -> Result<ProcessGroup, String> {
        let needed: BTreeSet<&str> = allowance.controllers().collect();
        let mut made = ProcessGroup {
            folders: Vec::new(),
            memory: None,
            killed_before: 0,
        };
        for group in &self.groups {
            if group.controllers.is_disjoint(&needed) {
                continue;
            }
            let name = process_group(place, number);
            let folder = group.folder.join(&name);
            make(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
            made.folders.push(folder.clone());
            if let Some(millicores) = allowance.cpu_millicores.filter(|_| group.controllers.contains("cpu")) {
                set_quota(group.version, &folder, u64::from(millicores))?;
            }
            if let Some(bytes) = allowance.memory_bytes.filter(|_| group.controllers.contains("memory")) {
                set_memory(group.version, &folder, bytes)?;
                made.memory = Some(Group {
                    version: group.version,
                    name,
                    folder,
                });
            }
        }
        made.killed_before = made.killed();
        Ok(made)
    }

    /// The same for a process on a host where nobody else has made the groups: makes those of the run too. Another process
    /// of the run may remove them in the same moment, if it was the last one there.
    pub fn of_process_alone(&self, place: &str, number: usize, allowance: Allowance) -> Result<ProcessGroup, String> {
        let made = || self.make().and_then(|()| self.of_process(place, number, allowance));
        let tried = (1..ALONE_ATTEMPTS).find_map(|_| made().ok());
        tried.map_or_else(made, Ok)
    }

    /// Removes them if no group of a process is below.
    pub fn remove_if_unused(&self) {
        // The kernel refuses to remove a group that has others below it.
        self.folders().for_each(|folder| drop(fs::remove_dir(folder)));
    }

    /// Removes them with all that is below. Returns what could not be removed, in words.
    pub fn remove(&self) -> Vec<String> {
        self.folders()
            .filter_map(|folder| {
                let error = remove_run_group(folder).err()?;
                Some(format!("{} cannot be removed: {error}", folder.display()))
            })
            .collect()
    }
}

/// The control group of a process.
#[derive(Debug)]
pub struct ProcessGroup {
    folders: Vec<PathBuf>,
    /// The one with the memory limit.
    memory: Option<Group>,
    killed_before: u64,
}

impl ProcessGroup {
    /// The words before a command by which it starts in the group.
    pub fn enter(&self) -> Vec<String> {
        let words = ["/bin/sh", "-c", ENTER, "tandem"].map(str::to_owned).into_iter();
        let folders = self.folders.iter().map(|folder| folder.to_string_lossy().into_owned());
        words.chain(folders).chain(["--".to_owned()]).collect()
    }

    /// True where the kernel has killed a process of the group because of its memory limit.
    pub fn was_killed(&self) -> bool {
        self.killed() > self.killed_before
    }

    fn killed(&self) -> u64 {
        // The folder is where the kernel's tree has it.
        let kernel = Kernel::running();
        let counters = self.memory.as_ref().map(|group| MemoryCounters::read(&kernel, group));
        counters.map_or(0, MemoryCounters::killed)
    }

    /// Removes the group once its processes have ended; what still runs in it is killed.
    pub fn remove(&self) -> io::Result<()> {
        self.folders.iter().try_for_each(|folder| remove(folder))
    }
}

/// Kills what runs in the group of a run and those below it, and removes them. A folder of another name is refused.
pub fn remove_run_group(folder: &Path) -> io::Result<()> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !name.starts_with(RUN_GROUP) {
        return Err(io::Error::other("it is no control group of a run"));
    }
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        }
    }
    remove(folder)
}

/// Removes the groups that a run has made around this process and in which nothing runs any more; what still runs in them
/// is killed if the run is dead.
pub fn remove_groups_of(kernel: &Kernel, run_id: &str, is_dead: bool) {
    let hierarchies = Hierarchies::mounted(kernel);
    let membership = kernel.read("/proc/self/cgroup").unwrap_or_default();
    for controller in ["cpu", "cpuacct", "memory"] {
        for around in hierarchies.around(&membership, controller) {
            let folder = kernel.path(&around.folder).join(format!("{RUN_GROUP}{run_id}"));
            if is_dead {
                // What cannot be removed is empty, and harms nobody.
                let _ = remove_run_group(&folder);
                continue;
            }
            let below = fs::read_dir(&folder).into_iter().flatten().flatten();
            let folders = below.map(|entry| entry.path()).chain([folder.clone()]);
            // The kernel refuses to remove a group in which something runs.
            folders.for_each(|folder| drop(fs::remove_dir(folder)));
        }
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    let deadline = Instant::now() + END_LIMIT;
    loop {
        let members = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        for pid in members.lines().filter_map(|line| line.parse().ok()) {
            // It may have ended in this moment.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) if is_busy(&error) && Instant::now() < deadline => sleep(PAUSE),
            done => return done,
        }
    }
}

fn is_busy(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::EBUSY as i32)
}

fn add(groups: &mut Vec<RunGroup>, kernel: &Kernel, parent: &Group, controller: &'static str, run_id: &str) {
    let folder = kernel.path(&parent.folder).join(format!("{RUN_GROUP}{run_id}"));
    match groups.iter_mut().find(|group| group.folder == folder) {
        Some(group) => {
            group.controllers.insert(controller);
        }
        None => groups.push(RunGroup {
            version: parent.version,
            folder,
            controllers: BTreeSet::from([controller]),
        }),
    }
}

/// The innermost of the groups around this process that can have groups with these controllers below it. In v2 a group
/// with processes of its own cannot.
fn delegated<'a>(
    kernel: &Kernel,
    around: &'a [Group],
    controllers: &BTreeSet<&'static str>,
) -> Result<&'a Group, String> {
    let mut why = format!("no cgroup has the controllers {}", enabled(controllers));
    for group in around {
        let listed = |file: &str| kernel.read(group.folder.join(file)).unwrap_or_default();
        let has = |text: &str| {
            controllers
                .iter()
                .all(|name| text.split_whitespace().any(|word| word == *name))
        };
        if !has(&listed("cgroup.controllers")) {
            continue;
        }
        let folder = kernel.path(&group.folder);
        let can_have = has(&listed("cgroup.subtree_control"))
            || match write(&folder, "cgroup.subtree_control", &enabled(controllers)) {
                Ok(()) => true,
                Err(refused) => {
                    why = refused;
                    false
                }
            };
        if can_have && may_write(&folder) {
            return Ok(group);
        }
        if can_have {
            why = format!("this user may not write into {}", folder.display());
        }
    }
    Err(why)
}

fn may_write(folder: &Path) -> bool {
    use nix::unistd::{AccessFlags, access};
    access(folder, AccessFlags::W_OK).is_ok()
}

/// `+cpu +memory`.
fn enabled(controllers: &BTreeSet<&'static str>) -> String {
    let words: Vec<String> = controllers.iter().map(|name| format!("+{name}")).collect();
    words.join(" ")
}

/// Makes the folder of a group. One of the same name is left from a process that has ended.
fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn write(folder: &Path, file: &str, text: &str) -> Result<(), String> {
    let path = folder.join(file);
    fs::write(&path, text).map_err(|error| format!("cannot write {text} to {}: {error}", path.display()))
}

fn set_quota(version: Version, folder: &Path, millicores: u64) -> Result<(), String> {
    let quota_us = millicores * PERIOD_US / 1_000;
    match version {
        Version::V1 => {
            write(folder, "cpu.cfs_period_us", &PERIOD_US.to_string())?;
            write(folder, "cpu.cfs_quota_us", &quota_us.to_string())
        }
        Version::V2 => write(folder, "cpu.max", &format!("{quota_us} {PERIOD_US}")),
    }
}

/// Without swap, as in a container: a process that swaps would be slow where another is killed.
fn set_memory(version: Version, folder: &Path, bytes: u64) -> Result<(), String> {
    let (limit, with_swap, swap) = match version {
        Version::V1 => ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", bytes),
        Version::V2 => ("memory.max", "memory.swap.max", 0),
    };
    write(folder, limit, &bytes.to_string())?;
    // Kernels without swap accounting lack the file.
    if folder.join(with_swap).exists() {
        write(folder, with_swap, &swap.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BOTH: Allowance = Allowance {
        cpu_millicores: Some(500),
        memory_bytes: Some(64 << 20),
    };

    /// A recorded kernel with these files.
    fn recorded(files: &[(&str, &str)]) -> (tempfile::TempDir, Kernel) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let kernel = Kernel::recorded(folder.path());
        (folder, kernel)
    }

    fn text(folder: &Path, file: &str) -> String {
        fs::read_to_string(folder.join(file)).unwrap()
    }

    #[test]
    fn under_v2_groups_are_made_in_the_innermost_group_that_can_have_them() {
        let (folder, kernel) = recorded(&[
            ("proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n"),
            ("proc/self/cgroup", "0::/user.slice/session.scope\n"),
            ("cg/user.slice/session.scope/cgroup.controllers", "memory\n"),
            ("cg/user.slice/cgroup.controllers", "cpu memory pids\n"),
            ("cg/user.slice/cgroup.subtree_control", "memory\n"),
        ]);
        let groups = RunGroups::find(&kernel, "r1", BOTH).unwrap();
        let slice = folder.path().join("cg/user.slice");
        assert_eq!(groups.folders().collect::<Vec<_>>(), [slice.join("tandem-limits-r1")]);
        assert_eq!(text(&slice, "cgroup.subtree_control"), "+cpu +memory");
        groups.make().unwrap();
        let process = groups.of_process("small", 2, BOTH).unwrap();
        let made = slice.join("tandem-limits-r1/small:2");
        assert_eq!(text(&made, "cpu.max"), "50000 100000");
        assert_eq!(text(&made, "memory.max"), "67108864");
        assert_eq!(process.enter()[4..], [made.to_str().unwrap(), "--"]);
        assert!(!process.was_killed());
        fs::write(made.join("memory.events"), "oom_kill 1\n").unwrap();
        assert!(process.was_killed());
    }

    #[test]
    fn under_v1_each_controller_has_a_group_in_its_own_hierarchy() {
        let (folder, kernel) = recorded(&[
            (
                "proc/self/mountinfo",
                "30 23 0:26 / /cg/cpu rw - cgroup cgroup rw,cpu\n31 23 0:27 / /cg/acct rw - cgroup cgroup rw,cpuacct\n\
                 32 23 0:28 / /cg/memory rw - cgroup cgroup rw,memory\n",
            ),
            ("proc/self/cgroup", "4:memory:/own\n2:cpuacct:/\n1:cpu:/\n0::/\n"),
            ("cg/cpu/tasks", ""),
            ("cg/acct/tasks", ""),
            ("cg/memory/own/tasks", ""),
        ]);
        let groups = RunGroups::find(&kernel, "r1", BOTH).unwrap();
        groups.make().unwrap();
        let only_memory = Allowance {
            cpu_millicores: None,
            ..BOTH
        };
        groups.of_process("a/b", 1, only_memory).unwrap();
        let cg = folder.path().join("cg");
        let memory = cg.join("memory/own/tandem-limits-r1/a_b:1");
        assert_eq!(text(&memory, "memory.limit_in_bytes"), "67108864");
        assert!(!cg.join("cpu/tandem-limits-r1/a_b:1").exists());
        let process = groups.of_process("small", 1, BOTH).unwrap();
        assert_eq!(text(&cg, "cpu/tandem-limits-r1/small:1/cpu.cfs_quota_us"), "50000");
        assert_eq!(process.enter().len(), 4 + 3 + 1);
    }

    #[test]
    fn a_kernel_without_the_controller_is_refused_with_the_reason() {
        let (_folder, kernel) = recorded(&[
            ("proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n"),
            ("proc/self/cgroup", "0::/\n"),
            ("cg/cgroup.controllers", "memory\n"),
        ]);
        let why = RunGroups::find(&kernel, "r1", BOTH).unwrap_err();
        assert_eq!(why, "no cgroup has the controllers +cpu +memory");
        let (_folder, kernel) = recorded(&[("proc/self/mountinfo", "")]);
        let why = RunGroups::find(&kernel, "r1", BOTH).unwrap_err();
        assert_eq!(why, "the controller `cpu` is mounted nowhere");
    }

    #[test]
    fn a_process_on_another_host_makes_the_groups_of_its_run_and_the_last_one_removes_them() {
        let (folder, kernel) = recorded(&[
            ("proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n"),
            ("proc/self/cgroup", "0::/\n"),
            ("cg/cgroup.controllers", "cpu memory\n"),
        ]);
        let run = folder.path().join("cg/tandem-limits-r1");
        let groups = RunGroups::find(&kernel, "r1", BOTH).unwrap();
        for number in [1, 2] {
            groups.of_process_alone("a", number, BOTH).unwrap();
        }
        // No folder of a recording is removed with the files in it, as those of the kernel are.
        let empty = |number: u32| {
            let group = run.join(format!("a:{number}"));
            for file in fs::read_dir(&group).unwrap() {
                fs::remove_file(file.unwrap().path()).unwrap();
            }
        };
        fs::remove_file(run.join("cgroup.subtree_control")).unwrap();
        empty(1);
        remove_groups_of(&kernel, "r1", false);
        assert_eq!((run.join("a:1").exists(), run.join("a:2").exists()), (false, true));
        groups.remove_if_unused();
        assert!(run.exists());
        empty(2);
        remove_groups_of(&kernel, "r1", true);
        assert!(!run.exists());
        remove_groups_of(&kernel, "r1", true);
    }

    #[test]
    fn no_folder_but_a_group_of_a_run_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(remove_run_group(folder.path()).is_err() && folder.path().exists());
        remove_run_group(&folder.path().join("tandem-limits-gone")).unwrap();
    }
}
