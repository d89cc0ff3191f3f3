//! As whom a private database runs, and where its data lie: on a disk, in a folder that this user can reach.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use nix::unistd::{User, geteuid};

use super::error::PrivateError;
use crate::server::{UserAccount, make_private};

/// Users without rights as whom root runs PostgreSQL, the best first.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

/// Folders on disks in which every user may have files, by the Filesystem Hierarchy Standard.
const ON_DISK: [&str; 2] = ["/var/tmp", "/var/lib"];

/// As whom, and in which folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// `None` for this user.
    pub account: Option<UserAccount>,
    /// The folder in which that of the database is made.
    pub parent: PathBuf,
}

impl Place {
    /// This user and the folder of brokers' data; as root an unprivileged user, and the first folder on a disk that this
    /// one can reach.
    pub(super) fn find(data_parent: &Path) -> Result<Self, PrivateError> {
        if !geteuid().is_root() {
            make_private(data_parent).map_err(PrivateError::io("use", data_parent))?;
            let parent = data_parent.to_owned();
            return Ok(Place { account: None, parent });
        }
        let account = unprivileged()?;
        // tandem's own folders are for root alone, the one above them need not be.
        let cache = data_parent.ancestors().nth(2).map(Path::to_owned);
        let folders: Vec<PathBuf> = cache.into_iter().chain(ON_DISK.map(PathBuf::from)).collect();
        let is_fit = |folder: &&PathBuf| can_enter(&account, folder) && !is_in_memory(folder);
        let Some(parent) = folders.iter().find(is_fit) else {
            let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
            return Err(PrivateError::NoFolder {
                account: account.name,
                tried: names.join(", "),
            });
        };
        Ok(Place {
            parent: parent.clone(),
            account: Some(account),
        })
    }

    /// Lets the user enter a folder that root has made.
    pub(super) fn open(&self, folder: &Path) -> Result<(), PrivateError> {
        if self.account.is_none() {
            return Ok(());
        }
        let opened = fs::set_permissions(folder, fs::Permissions::from_mode(0o711));
        opened.map_err(PrivateError::io("open the folder", folder))
    }

    /// Gives a file or folder to the user.
    pub(super) fn give(&self, path: &Path) -> Result<(), PrivateError> {
        let Some(account) = &self.account else { return Ok(()) };
        let given = std::os::unix::fs::chown(path, Some(account.uid), Some(account.gid));
        given.map_err(PrivateError::io("give away", path))
    }
}

fn unprivileged() -> Result<UserAccount, PrivateError> {
    let known = |name: &&str| User::from_name(name).ok().flatten();
    let user = ACCOUNTS.iter().find_map(known).ok_or(PrivateError::NoAccount)?;
    Ok(UserAccount {
        name: user.name,
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
    })
}

/// True where the user may enter the folder and all above it.
fn can_enter(account: &UserAccount, folder: &Path) -> bool {
    let Ok(folder) = fs::canonicalize(folder) else {
        return false;
    };
    folder.ancestors().all(|folder| {
        fs::metadata(folder).is_ok_and(|metadata| {
            let bit = if metadata.uid() == account.uid {
                0o100
            } else if metadata.gid() == account.gid {
                0o010
            } else {
                0o001
            };
            metadata.mode() & bit != 0
        })
    })
}

/// A commit to memory would cost nothing.
fn is_in_memory(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|disk| disk.filesystem_type() == TMPFS_MAGIC)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn nobody() -> UserAccount {
        UserAccount {
            name: "nobody".to_owned(),
            uid: 65_534,
            gid: 65_534,
        }
    }

    #[test]
    fn a_folder_can_be_entered_if_all_above_it_can() {
        let above = tempfile::tempdir_in("/var/tmp").unwrap();
        let folder = above.path().join("below");
        fs::create_dir(&folder).unwrap();
        let set_mode = |mode| fs::set_permissions(above.path(), fs::Permissions::from_mode(mode)).unwrap();
        set_mode(0o700);
        assert!(!can_enter(&nobody(), &folder));
        set_mode(0o711);
        assert!(can_enter(&nobody(), &folder));
        assert!(!can_enter(&nobody(), &folder.join("none")));
    }

    #[test]
    fn memory_is_no_disk() {
        assert!(is_in_memory(Path::new("/dev/shm")) && !is_in_memory(Path::new("/var/tmp")));
    }
}
