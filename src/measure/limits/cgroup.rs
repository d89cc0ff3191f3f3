//! Which control groups a process is in, and where their files are: cgroup v1, v2 and both at once, mounted anywhere,
//! with or without a cgroup namespace. See `cgroups(7)` and `proc_pid_mountinfo(5)`.

use std::path::{Path, PathBuf};

use super::kernel::Kernel;

/// Generation of a hierarchy's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    V1,
    V2,
}

/// A control group whose files can be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) version: Version,
    /// Its path within its hierarchy; `/` for the outermost one that this process sees.
    pub(super) name: String,
    /// Where its files are.
    pub(super) folder: PathBuf,
}

/// The mounted hierarchies.
#[derive(Debug, Clone)]
pub(super) struct Hierarchies(Vec<Mount>);

#[derive(Debug, Clone)]
struct Mount {
    version: Version,
    /// Controllers of a v1 hierarchy.
    controllers: Vec<String>,
    /// The group that is mounted.
    root: String,
    /// Where.
    point: String,
}

impl Hierarchies {
    /// Those that this process sees.
    pub(super) fn mounted(kernel: &Kernel) -> Self {
        let mounts = kernel.read("/proc/self/mountinfo").unwrap_or_default();
        Hierarchies(mounts.lines().filter_map(Mount::parse).collect())
    }

    /// The groups of a process for a controller, its own first, then those around it. `membership` is the text of
    /// `/proc/PID/cgroup`.
    pub(super) fn around(&self, membership: &str, controller: &str) -> Vec<Group> {
        let Some((version, path)) = place(membership, controller) else {
            return Vec::new();
        };
        // Outside of this process's cgroup namespace: nothing of it can be read.
        if path.starts_with("/..") {
            return Vec::new();
        }
        let fitting = || self.0.iter().filter(move |mount| mount.has(version, controller));
        // The mount that shows most of the groups around it.
        let visible = fitting().filter_map(|mount| Some((mount, mount.relative(path)?)));
        let visible = visible.min_by_key(|(mount, _)| mount.root.len());
        // A container without a cgroup namespace may see its own group mounted under another path than the kernel gives.
        match visible.or_else(|| fitting().next().map(|mount| (mount, ""))) {
            Some((mount, relative)) => mount.groups(relative),
            None => Vec::new(),
        }
    }
}

/// Version and path of the group that a process is in for a controller.
fn place<'a>(membership: &'a str, controller: &str) -> Option<(Version, &'a str)> {
    let mut unified = None;
    for line in membership.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let path = path.strip_suffix(" (deleted)").unwrap_or(path);
        if controllers.is_empty() {
            unified = Some((Version::V2, path));
        } else if controllers.split(',').any(|name| name == controller) {
            // With both generations mounted, a controller belongs to one of them.
            return Some((Version::V1, path));
        }
    }
    unified
}

impl Mount {
    fn parse(line: &str) -> Option<Self> {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3).map(unescaped);
        let (root, point) = (mount.next()?, mount.next()?);
        let mut filesystem = filesystem.split(' ');
        let version = match filesystem.next()? {
            "cgroup" => Version::V1,
            "cgroup2" => Version::V2,
            _ => return None,
        };
        // Mounted above the root of this process's cgroup namespace: the paths in /proc do not say where it is there.
        if root.starts_with("/..") {
            return None;
        }
        Some(Mount {
            version,
            controllers: filesystem.nth(1)?.split(',').map(str::to_owned).collect(),
            root,
            point,
        })
    }

    fn has(&self, version: Version, controller: &str) -> bool {
        self.version == version && (version == Version::V2 || self.controllers.iter().any(|name| name == controller))
    }

    /// A group's path below the mounted group, empty for this itself; `None` where it is not below it.
    fn relative<'a>(&self, path: &'a str) -> Option<&'a str> {
        let relative = path.strip_prefix(self.root.trim_end_matches('/'))?;
        (relative.is_empty() || relative.starts_with('/')).then(|| relative.trim_end_matches('/'))
    }

    /// The group at a path below the mounted one, and those around it.
    fn groups(&self, relative: &str) -> Vec<Group> {
        // Joined with nothing, a path would end with a slash.
        let below = |folder: &str, relative: &Path| {
            if relative.as_os_str().is_empty() {
                PathBuf::from(folder)
            } else {
                Path::new(folder).join(relative)
            }
        };
        let group = |relative: &Path| Group {
            version: self.version,
            name: below(&self.root, relative).to_string_lossy().into_owned(),
            folder: below(&self.point, relative),
        };
        Path::new(relative.trim_start_matches('/'))
            .ancestors()
            .map(group)
            .collect()
    }
}

/// Undoes the octal escapes (`\040` for a blank) of a path in mountinfo.
fn unescaped(field: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(field.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}
