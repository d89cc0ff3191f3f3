//! Fetching a distribution with Maven, from a pom that is part of this program.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::LocalError;
use super::jars::{jar_version, jars};
use crate::scenario::KafkaVersion;
use crate::server::find_program;

/// The jars of Log4j 1, which nobody maintains any more. reload4j takes its place: the same classes with its known holes
/// closed, as Kafka has had it since 3.1.1.
const LOG4J_1: [&str; 2] = ["log4j-1.", "slf4j-log4j12-"];

/// What Maven prints, and what it means. The first that applies is reported.
const CAUSES: [(&[&str], &str); 3] = [
    (
        &[
            "Unknown host",
            "No route to host",
            "Network is unreachable",
            "Connect timed out",
            "Connection refused",
            "Temporary failure in name resolution",
            "Could not transfer artifact",
        ],
        "its repository cannot be reached; is there a network? Or set KAFKA_HOME to an unpacked distribution",
    ),
    (
        &["Could not find artifact org.apache.kafka"],
        "there is no such version in its repository",
    ),
    (&["JAVA_HOME"], "it found no Java that it can use"),
];

const POM: &str = include_str!("pom.xml");

/// Fills `libs` with the jars of this version of Kafka; `scratch` is a folder for Maven's own files.
pub(super) fn fetch(
    version: KafkaVersion,
    libs: &Path,
    scratch: &Path,
    path: Option<&OsStr>,
) -> Result<(), LocalError> {
    let Some(program) = find_program("mvn", path) else {
        return Err(LocalError::NoMaven(version));
    };
    let pom = scratch.join("pom.xml");
    fs::write(&pom, POM).map_err(LocalError::io("write", &pom))?;
    let maven = Maven {
        program: &program,
        version,
        pom: &pom,
        libs,
    };
    maven.copy_dependencies(&[])?;
    // Which Log4j comes with it is Kafka's choice; the binding has to be of the same version.
    let names = jars(libs)?;
    let is_log4j1 = |name: &&String| LOG4J_1.iter().any(|jar| name.starts_with(jar));
    let old: Vec<&String> = names.iter().filter(is_log4j1).collect();
    if !old.is_empty() {
        maven.copy_dependencies(&["-Preload4j"])?;
        let remove = |name: &String| {
            let jar = libs.join(name);
            fs::remove_file(&jar).map_err(LocalError::io("remove", &jar))
        };
        return old.into_iter().try_for_each(remove);
    }
    let bound = ["log4j-slf4j", "slf4j-reload4j", "logback-classic"];
    if names
        .iter()
        .any(|name| bound.iter().any(|binding| name.starts_with(binding)))
    {
        return Ok(());
    }
    let Some(log4j) = jar_version(&names, "log4j-core") else {
        return Ok(());
    };
    let slf4j = jar_version(&names, "slf4j-api").unwrap_or_default();
    let binding = if slf4j.starts_with("1.") {
        "log4j-slf4j-impl"
    } else {
        "log4j-slf4j2-impl"
    };
    let (log4j, binding) = (format!("-Dlog4j.version={log4j}"), format!("-Dlog4j.binding={binding}"));
    maven.copy_dependencies(&["-Plog4j-binding", &log4j, &binding])
}

struct Maven<'a> {
    program: &'a Path,
    version: KafkaVersion,
    pom: &'a Path,
    libs: &'a Path,
}

impl Maven<'_> {
    fn copy_dependencies(&self, extra: &[&str]) -> Result<(), LocalError> {
        let output = Command::new(self.program)
            .args(["-q", "-B", "-f"])
            .arg(self.pom)
            .args(["dependency:copy-dependencies", "-DincludeScope=runtime"])
            .arg(format!("-DoutputDirectory={}", self.libs.display()))
            .arg(format!("-Dkafka.version={}", self.version))
            .args(extra)
            .stdin(Stdio::null())
            .output()
            .map_err(LocalError::io("run", self.program))?;
        if output.status.success() {
            return Ok(());
        }
        let output_text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Err(self.failure(&output_text))
    }

    fn failure(&self, said: &str) -> LocalError {
        let cause = CAUSES
            .iter()
            .find(|(words, _)| words.iter().any(|word| said.contains(word)));
        let cause = cause.map_or("it failed", |(_, cause)| cause);
        let lines: Vec<_> = said.lines().map(plain).filter(|line| !line.is_empty()).collect();
        let output = lines[lines.len().saturating_sub(5)..].join("\n");
        LocalError::Maven {
            version: self.version,
            cause: cause.to_owned(),
            output,
        }
    }
}

/// A line without colours and cut to a readable length.
fn plain(line: &str) -> String {
    let mut plain = String::new();
    let mut characters = line.trim().chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else if plain.chars().count() < 300 {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::fs;
    use std::path::Path;

    use super::{fetch, plain};
    use crate::kafka::local::LocalError;
    use crate::server::write_program;

    /// Runs `fetch` with a Maven that does what this shell script says.
    fn fetch_with(script: &str) -> (Result<(), LocalError>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("mvn");
        let out = "for a; do case $a in -DoutputDirectory=*) out=${a#*=};; esac; done";
        write_program(
            &program,
            &format!(
                "{out}
{script}"
            ),
        );
        let libs = folder.path().join("libs");
        fs::create_dir(&libs).unwrap();
        let result = fetch(
            "4.3.1".parse().unwrap(),
            &libs,
            folder.path(),
            Some(folder.path().as_os_str()),
        );
        let mut names: Vec<_> = fs::read_dir(&libs)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        (result, names)
    }

    #[test]
    fn the_binding_is_asked_for_in_the_version_of_the_log4j_that_came() {
        let (result, names) = fetch_with(
            "touch $out/log4j-core-2.25.4.jar $out/slf4j-api-1.7.36.jar; case \"$*\" in *log4j-binding*) \
             touch $out/asked; case \"$*\" in *-Dlog4j.version=2.25.4*-Dlog4j.binding=log4j-slf4j-impl*) \
             touch $out/right;; esac;; esac",
        );
        result.unwrap();
        assert!(
            names.contains(&"asked".to_owned()) && names.contains(&"right".to_owned()),
            "{names:?}"
        );
    }

    #[test]
    fn a_version_that_brings_its_own_binding_needs_no_second_one() {
        let (result, names) = fetch_with("touch $out/slf4j-reload4j-1.7.36.jar $out/call-$$");
        result.unwrap();
        assert_eq!(names.iter().filter(|name| name.starts_with("call-")).count(), 1);
    }

    #[test]
    fn log4j_1_is_replaced_by_reload4j() {
        let (result, names) = fetch_with(
            "touch $out/slf4j-api-1.7.30.jar; case \"$*\" in *reload4j*) touch $out/slf4j-reload4j-1.7.36.jar \
             $out/reload4j-1.2.19.jar;; *) touch $out/log4j-1.2.17.jar $out/slf4j-log4j12-1.7.30.jar;; esac",
        );
        result.unwrap();
        assert_eq!(
            names,
            [
                "reload4j-1.2.19.jar",
                "slf4j-api-1.7.30.jar",
                "slf4j-reload4j-1.7.36.jar"
            ]
        );
    }

    #[test]
    fn a_failing_maven_is_explained_with_its_last_lines() {
        let (result, _) = fetch_with("echo one; echo '[ERROR] x: Unknown host repo: nodename' >&2; exit 1");
        let message = result.unwrap_err().to_string();
        assert!(
            message.contains("is there a network") && message.contains("Unknown host"),
            "{message}"
        );
        let (result, _) = fetch_with("echo 'Could not find artifact org.apache.kafka:kafka_2.13'; exit 1");
        assert!(result.unwrap_err().to_string().contains("no such version"));
    }

    #[test]
    fn a_missing_maven_says_what_to_do() {
        let nowhere = Path::new("/nowhere");
        let message = fetch("4.3.1".parse().unwrap(), nowhere, nowhere, Some(nowhere.as_os_str()))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("install Maven") && message.contains("KAFKA_HOME"),
            "{message}"
        );
    }

    #[test]
    fn colours_are_taken_off_a_line() {
        assert_eq!(plain(" \u{1b}[1;31mERROR\u{1b}[m it failed"), "ERROR it failed");
    }
}
