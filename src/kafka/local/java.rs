//! Finding the Java that runs the brokers.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::LocalError;
use crate::scenario::KafkaVersion;
use crate::server::find_program;

/// A Java that is recent enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Java {
    /// The program.
    pub program: PathBuf,
    /// Its version, such as `17.0.15`.
    pub version: String,
}

impl Java {
    /// `bin/java` of `java_home`, or else the first `java` on `path`, if it can run this version of Kafka.
    pub(super) fn find(
        kafka: KafkaVersion,
        java_home: Option<&Path>,
        path: Option<&OsStr>,
    ) -> Result<Java, LocalError> {
        let needed = kafka.java_release();
        let at_home = java_home
            .map(|home| home.join("bin/java"))
            .filter(|program| program.is_file());
        let Some(program) = at_home.or_else(|| find_program("java", path)) else {
            let looked = match java_home {
                Some(home) => format!("in JAVA_HOME {} and on PATH", home.display()),
                None => "on PATH; JAVA_HOME is not set".to_owned(),
            };
            return Err(LocalError::NoJava {
                version: kafka,
                needed,
                looked,
            });
        };
        let broken = |cause: String| LocalError::BrokenJava {
            java: program.clone(),
            cause,
        };
        let output = Command::new(&program)
            .arg("-version")
            .output()
            .map_err(|error| broken(error.to_string()))?;
        let output_text = String::from_utf8_lossy(&output.stderr).into_owned();
        let Some(version) = quoted_version(&output_text) else {
            return Err(broken(
                output_text
                    .lines()
                    .next()
                    .unwrap_or("it says nothing about its version")
                    .to_owned(),
            ));
        };
        if release_of(&version) < needed {
            return Err(LocalError::OldJava {
                java: program,
                found: version,
                version: kafka,
                needed,
            });
        }
        Ok(Java { program, version })
    }

    /// 17 of `17.0.15`.
    pub(super) fn release(&self) -> u32 {
        release_of(&self.version)
    }
}

/// The version between quotes in what `java -version` says.
fn quoted_version(said: &str) -> Option<String> {
    let line = said.lines().find(|line| line.contains("version \""))?;
    line.split('"').nth(1).map(str::to_owned)
}

/// 17 of `17.0.15`, 8 of `1.8.0_402`, 0 where it is no version.
fn release_of(version: &str) -> u32 {
    let mut numbers = version
        .split(['.', '-', '+', '_'])
        .map(|number| number.parse().unwrap_or(0));
    match numbers.next() {
        Some(1) => numbers.next().unwrap_or(0),
        first => first.unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::fs;
    use std::path::Path;

    use super::{Java, quoted_version, release_of};
    use crate::server::write_program;

    /// A folder with a `bin/java` that says this version.
    fn fake_java(said: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("bin")).unwrap();
        let program = home.path().join("bin/java");
        write_program(&program, &format!("echo '{said}' >&2"));
        home
    }

    #[test]
    fn versions_are_read_in_the_old_and_the_new_form() {
        let said = "openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime";
        assert_eq!(quoted_version(said).unwrap(), "17.0.15");
        assert_eq!(
            (release_of("17.0.15"), release_of("1.8.0_402"), release_of("21-ea")),
            (17, 8, 21)
        );
    }

    #[test]
    fn an_old_java_is_refused_with_its_version_and_the_one_needed() {
        let home = fake_java("openjdk version \"11.0.2\"");
        let error = Java::find("4.3.1".parse().unwrap(), Some(home.path()), None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("Java 11.0.2") && error.contains("Java 17"), "{error}");
        assert_eq!(
            Java::find("3.9.2".parse().unwrap(), Some(home.path()), None)
                .unwrap()
                .version,
            "11.0.2"
        );
    }

    #[test]
    fn no_java_at_all_says_where_it_was_looked_for() {
        let error = Java::find("4.3.1".parse().unwrap(), Some(Path::new("/nowhere")), None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("JAVA_HOME /nowhere") && error.contains("needs Java 17"),
            "{error}"
        );
    }

    #[test]
    fn something_that_is_not_java_is_named() {
        let home = fake_java("Unable to locate a Java Runtime");
        let error = Java::find("4.3.1".parse().unwrap(), Some(home.path()), None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("does not work as Java") && error.contains("Unable to locate"),
            "{error}"
        );
    }
}
