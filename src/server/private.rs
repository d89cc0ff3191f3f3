//! Folders whose contents are run or believed: nobody else may be able to write into them.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

use nix::unistd::{getegid, geteuid};

/// The folder under which all of tandem's lie, in a cache or state folder.
const OWN: &str = "tandem";

const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

/// Makes the folder, with those above it, for this user alone, or checks the one that is there.
pub fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    check_private(folder)
}

/// Fails where another user can write into the folder, or into one between it and tandem's own.
pub fn check_private(folder: &Path) -> io::Result<()> {
    let above = folder
        .ancestors()
        .position(|folder| folder.file_name().is_some_and(|name| name == OWN));
    folder.ancestors().take(above.unwrap_or(0) + 1).try_for_each(check_one)
}

fn check_one(folder: &Path) -> io::Result<()> {
    let metadata = fs::metadata(folder)?;
    let refused = |why: &str| {
        let remedy = "remove it, or set HOME or XDG_CACHE_HOME and XDG_STATE_HOME to folders of your own";
        Err(io::Error::other(format!("{why} {}: {remedy}", folder.display())))
    };
    // A group of one's own, as many systems give each user, is nobody else.
    let by_group = metadata.mode() & GROUP_WRITES != 0 && metadata.gid() != getegid().as_raw();
    if by_group || metadata.mode() & OTHERS_WRITE != 0 {
        return refused("other users can write into");
    }
    // In a folder that all users can write, such as /tmp, another user may have made this folder before.
    let anybody = folder
        .parent()
        .is_some_and(|parent| fs::metadata(parent).is_ok_and(|parent| parent.mode() & OTHERS_WRITE != 0));
    if anybody && fs::symlink_metadata(folder)?.uid() != geteuid().as_raw() {
        return refused("another user has made");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn set_mode(folder: &Path, mode: u32) {
        fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_folder_is_made_for_its_user_alone() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("tandem/kafka");
        make_private(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        make_private(&folder).unwrap();
    }

    #[test]
    fn a_folder_that_others_can_write_is_refused_and_so_is_one_below_it() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("tandem/kafka");
        make_private(&folder).unwrap();
        for open in [parent.path().join("tandem"), folder.clone()] {
            set_mode(&open, 0o777);
            let why = check_private(&folder).unwrap_err().to_string();
            assert!(
                why.contains(&format!("other users can write into {}", open.display())),
                "{why}"
            );
            set_mode(&open, 0o755);
        }
        check_private(&folder).unwrap();
        // In a folder such as /tmp one that this user has made is no harm.
        set_mode(parent.path(), 0o1777);
        check_private(&folder).unwrap();
    }
}
