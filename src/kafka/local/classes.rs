//! Java's archive of the classes that a broker loads. With it a broker starts in about half of the time. A broker that is
//! started for nothing else makes it, once for each version of Kafka and Java.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::LocalError;
use super::java::Java;
use crate::server::unfinished_folder;

/// The first release of Java that can archive the classes of a program when it ends.
const FIRST_RELEASE: u32 = 13;

/// The archive for one Kafka and one Java; the file of one that could not be made is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassArchive(PathBuf);

/// What a server does with the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Classes<'a> {
    /// It reads its classes from their jars.
    FromJars,
    /// It takes them from this archive.
    FromArchive(&'a Path),
    /// It makes this archive when it ends.
    Archived(&'a Path),
}

impl Classes<'_> {
    /// The argument of a Java program.
    pub(super) fn argument(self) -> Option<String> {
        match self {
            Classes::FromJars => None,
            // Java does without an archive that does not fit the jars or the Java.
            Classes::FromArchive(file) => Some(format!("-XX:SharedArchiveFile={}", file.display())),
            Classes::Archived(file) => Some(format!("-XX:ArchiveClassesAtExit={}", file.display())),
        }
    }
}

impl ClassArchive {
    /// The archive beside the jars of a Kafka in tandem's own cache; `None` if this Java cannot make one.
    pub(super) fn beside(libs: &Path, java: &Java) -> Option<Self> {
        let name = format!("classes-java-{}.jsa", java.version);
        (java.release() >= FIRST_RELEASE).then(|| ClassArchive(libs.with_file_name(name)))
    }

    /// Its file.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// What a server does with the archive: it uses one that is there.
    pub(super) fn classes(archive: Option<&Self>) -> Classes<'_> {
        let there = archive.filter(|archive| fs::metadata(&archive.0).is_ok_and(|file| file.len() > 0));
        there.map_or(Classes::FromJars, |archive| Classes::FromArchive(&archive.0))
    }

    /// Makes the archive with `record`, which runs a server with the [`Classes`] that it gets to its end. An error of
    /// `record` is returned. If it is final, that is, would come again, no later start tries again.
    pub(super) fn make(
        &self,
        record: impl FnOnce(Classes<'_>) -> Result<(), LocalError>,
        is_final: impl FnOnce(&LocalError) -> bool,
    ) -> Result<(), LocalError> {
        if self.0.exists() {
            return Ok(());
        }
        // As of a Kafka that is being fetched: renamed when it is complete, removed with its folder when it is not.
        let cache = self.0.ancestors().nth(2).unwrap_or(Path::new("."));
        let unfinished = unfinished_folder(cache, "classes")?;
        let file = unfinished.path().join("classes.jsa");
        let recorded = record(Classes::Archived(&file));
        match &recorded {
            Ok(()) if file.exists() => {}
            Err(error) if !is_final(error) => return recorded,
            Ok(()) | Err(_) => fs::write(&file, "").map_err(LocalError::io("write", &file))?,
        }
        fs::rename(&file, &self.0).map_err(LocalError::io("make", &self.0))?;
        recorded
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn java(version: &str) -> Java {
        Java {
            program: "java".into(),
            version: version.to_owned(),
        }
    }

    /// The archive in the folder of a version in a cache.
    fn archive(cache: &Path) -> ClassArchive {
        let home = cache.join("4.3.1");
        fs::create_dir(&home).unwrap();
        ClassArchive::beside(&home.join("libs"), &java("17.0.15")).unwrap()
    }

    /// What the cache and the folder of the version hold.
    fn contents(cache: &Path) -> Vec<std::ffi::OsString> {
        let folders = [cache.to_owned(), cache.join("4.3.1")];
        let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
        entries.map(|entry| entry.unwrap().file_name()).collect()
    }

    fn failure() -> LocalError {
        LocalError::Interrupted
    }

    #[test]
    fn an_archive_is_made_once_and_used_by_every_later_start() {
        let folder = tempfile::tempdir().unwrap();
        let archive = archive(folder.path());
        assert_eq!(ClassArchive::classes(Some(&archive)), Classes::FromJars);
        let record = |classes: Classes<'_>| {
            let argument = classes.argument().unwrap();
            let file = argument.strip_prefix("-XX:ArchiveClassesAtExit=").unwrap();
            fs::write(file, "classes").map_err(LocalError::io("write", Path::new(file)))
        };
        archive.make(record, |_| true).unwrap();
        let used = ClassArchive::classes(Some(&archive)).argument().unwrap();
        let file = folder.path().join("4.3.1/classes-java-17.0.15.jsa");
        assert_eq!(used, format!("-XX:SharedArchiveFile={}", file.display()));
        let again = |_: Classes<'_>| -> Result<(), LocalError> { panic!("it is there") };
        archive.make(again, |_| true).unwrap();
        assert_eq!(contents(folder.path()), ["4.3.1", "classes-java-17.0.15.jsa"]);
    }

    #[test]
    fn a_server_that_fails_is_not_tried_again_and_one_that_was_interrupted_is() {
        let folder = tempfile::tempdir().unwrap();
        let archive = archive(folder.path());
        archive.make(|_| Err(failure()), |_| false).unwrap_err();
        assert_eq!(contents(folder.path()), ["4.3.1"]);
        archive.make(|_| Err(failure()), |_| true).unwrap_err();
        assert_eq!(ClassArchive::classes(Some(&archive)), Classes::FromJars);
        archive.make(|_| panic!("it would fail again"), |_| true).unwrap();
    }

    #[test]
    fn a_java_that_cannot_make_an_archive_has_none() {
        let libs = Path::new("/cache/2.8.1/libs");
        assert_eq!(ClassArchive::beside(libs, &java("11.0.20")), None);
        assert_eq!(ClassArchive::beside(libs, &java("1.8.0_402")), None);
        assert_eq!(ClassArchive::classes(None), Classes::FromJars);
        assert_eq!(Classes::FromJars.argument(), None);
    }
}
