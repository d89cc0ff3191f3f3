//! Where Apache Kafka comes from: `KAFKA_HOME`, tandem's cache, or Maven into that cache.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::classes::ClassArchive;
use super::error::LocalError;
use super::jars::{jar_version, jars};
use super::java::Java;
use super::maven;
use crate::scenario::KafkaVersion;
use crate::server::{check_private, make_private, unfinished_folder};

/// What the environment says of where to look.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `KAFKA_HOME`: an unpacked distribution.
    pub kafka_home: Option<PathBuf>,
    /// `JAVA_HOME`.
    pub java_home: Option<PathBuf>,
    /// `PATH`.
    pub path: Option<OsString>,
    /// tandem's cache of distributions, one folder per version.
    pub cache: PathBuf,
}

impl Sources {
    /// From the environment variables `KAFKA_HOME`, `JAVA_HOME`, `PATH`, `XDG_CACHE_HOME` and `HOME`; an empty one
    /// counts as not set.
    pub fn from_environment() -> Self {
        let folder = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
        Sources {
            kafka_home: folder("KAFKA_HOME"),
            java_home: folder("JAVA_HOME"),
            path: env::var_os("PATH"),
            cache: cache.unwrap_or_else(env::temp_dir).join("tandem/kafka"),
        }
    }
}

/// A Kafka that can be run: its jars and a Java.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Version of Apache Kafka.
    pub version: KafkaVersion,
    /// Folder of the jars.
    pub libs: PathBuf,
    /// The Java to run it with.
    pub java: Java,
    /// The archive of a broker's classes; `None` where there can be none.
    pub classes: Option<ClassArchive>,
}

impl Distribution {
    /// Finds this version as the environment says, or fetches it into the cache, which takes a while the first time:
    /// `progress` gets a message then.
    pub fn find_or_get(version: KafkaVersion, progress: &dyn Fn(&str)) -> Result<Self, LocalError> {
        Self::find_or_get_from(&Sources::from_environment(), version, progress)
    }

    /// Finds this version without fetching it; `None` where it would have to be fetched.
    pub fn find(sources: &Sources, version: KafkaVersion) -> Result<Option<Self>, LocalError> {
        let cached = sources.cache.join(version.to_string()).join("libs").is_dir();
        if sources.kafka_home.is_some() || cached {
            return Self::find_or_get_from(sources, version, &|_| {}).map(Some);
        }
        Java::find(version, sources.java_home.as_deref(), sources.path.as_deref())?;
        Ok(None)
    }

    /// As [`Distribution::find_or_get`], with other sources than the environment's.
    pub fn find_or_get_from(
        sources: &Sources,
        version: KafkaVersion,
        progress: &dyn Fn(&str),
    ) -> Result<Self, LocalError> {
        let java = Java::find(version, sources.java_home.as_deref(), sources.path.as_deref())?;
        let (libs, classes) = match &sources.kafka_home {
            // Nothing is written into a folder of somebody else.
            Some(home) => (libs_of_home(home, version)?, None),
            None => {
                let libs = libs_of_cache(sources, version, progress)?;
                let classes = ClassArchive::beside(&libs, &java);
                (libs, classes)
            }
        };
        Ok(Distribution {
            version,
            libs,
            java,
            classes,
        })
    }

    /// The version of the ZooKeeper that comes with it.
    pub fn zookeeper_version(&self) -> Result<String, LocalError> {
        let found = jar_version(&jars(&self.libs)?, "zookeeper");
        found.ok_or_else(|| LocalError::NoZooKeeper {
            version: self.version,
            libs: self.libs.clone(),
        })
    }
}

fn libs_of_home(home: &Path, version: KafkaVersion) -> Result<PathBuf, LocalError> {
    let problem = |problem: String| LocalError::KafkaHome {
        home: home.to_owned(),
        problem,
    };
    let libs = home.join("libs");
    if !libs.is_dir() {
        return Err(problem(
            "there is no folder libs in it: it has to be an unpacked distribution".to_owned(),
        ));
    }
    match kafka_version(&jars(&libs)?) {
        None => Err(problem(
            "no jar of a broker (kafka_2.13-VERSION.jar) is in its folder libs".to_owned(),
        )),
        Some(found) if found != version.to_string() => Err(problem(format!(
            "it holds Apache Kafka {found}, not {version}: write version = \"{found}\" under [cluster], or unset it"
        ))),
        Some(_) => Ok(libs),
    }
}

/// The folder of the cache is there and complete, or is made under another name in the same directory and renamed.
fn libs_of_cache(sources: &Sources, version: KafkaVersion, progress: &dyn Fn(&str)) -> Result<PathBuf, LocalError> {
    let home = sources.cache.join(version.to_string());
    let libs = home.join("libs");
    if libs.is_dir() {
        // What others can change is not run.
        check_private(&libs).map_err(LocalError::io("use", &libs))?;
        return Ok(libs);
    }
    make_private(&sources.cache).map_err(LocalError::io("use", &sources.cache))?;
    let unfinished = unfinished_folder(&sources.cache, &version.to_string())?;
    let new_home = unfinished.path().join("home");
    let new_libs = new_home.join("libs");
    fs::create_dir_all(&new_libs).map_err(LocalError::io("make the folder", &new_libs))?;
    progress(&format!(
        "fetching Apache Kafka {version} with Maven (up to 110 MB, only the first time)"
    ));
    maven::fetch(version, &new_libs, unfinished.path(), sources.path.as_deref())?;
    if kafka_version(&jars(&new_libs)?) != Some(version.to_string()) {
        return Err(LocalError::Maven {
            version,
            cause: "it ended well but brought no broker".to_owned(),
            output: String::new(),
        });
    }
    match fs::rename(&new_home, &home) {
        Ok(()) => Ok(libs),
        // Another process was faster; its folder is as complete as ours.
        Err(_) if libs.is_dir() => Ok(libs),
        Err(error) => Err(LocalError::io("make the folder", &home)(error)),
    }
}

fn kafka_version(names: &[String]) -> Option<String> {
    jar_version(names, "kafka_2.13").or_else(|| jar_version(names, "kafka-server-common"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::{Path, PathBuf};
    use std::sync::Mutex;

    use super::{Distribution, KafkaVersion, LocalError, Sources, jar_version};
    use crate::server::write_program;

    /// A machine with a Java 17 and, if `maven`, a Maven that takes a moment to bring the broker's jar.
    fn machine(folder: &Path, maven: bool) -> Sources {
        let bin = folder.join("bin");
        fs::create_dir(&bin).unwrap();
        let program = |name: &str, script: &str| write_program(&bin.join(name), script);
        program("java", "echo 'openjdk version \"17.0.1\"' >&2");
        if maven {
            let script = "for a; do case $a in -DoutputDirectory=*) out=${a#*=};; esac; done\n\
                          case \"$*\" in *kafka.version=4.9.9*) exit 1;; esac; /bin/sleep 0.2\n: > $out/kafka_2.13-4.3.1.jar";
            program("mvn", script);
        }
        Sources {
            path: Some(bin.into_os_string()),
            cache: folder.join("cache"),
            ..Sources::default()
        }
    }

    fn version(text: &str) -> KafkaVersion {
        text.parse().unwrap()
    }

    fn home(folder: &Path, jar: &str) -> PathBuf {
        let home = folder.join("home");
        fs::create_dir_all(home.join("libs")).unwrap();
        fs::write(home.join("libs").join(jar), "").unwrap();
        home
    }

    #[test]
    fn jar_versions_are_not_mistaken_for_longer_names() {
        let names = vec![
            "kafka-server-common-4.3.1.jar".to_owned(),
            "kafka-server-4.3.0.jar".to_owned(),
        ];
        assert_eq!(jar_version(&names, "kafka-server").unwrap(), "4.3.0");
        assert_eq!(jar_version(&names, "kafka"), None);
    }

    #[test]
    fn kafka_home_of_another_version_is_refused_with_both_versions() {
        let folder = tempfile::tempdir().unwrap();
        let mut sources = machine(folder.path(), false);
        sources.kafka_home = Some(home(folder.path(), "kafka_2.13-4.1.0.jar"));
        let error = Distribution::find_or_get_from(&sources, version("4.3.1"), &|_| {})
            .unwrap_err()
            .to_string();
        assert!(error.contains("holds Apache Kafka 4.1.0, not 4.3.1"), "{error}");
        let found = Distribution::find_or_get_from(&sources, version("4.1.0"), &|_| {}).unwrap();
        assert!(found.libs.ends_with("home/libs"));
    }

    #[test]
    fn an_old_distribution_is_used_with_its_zookeeper_and_one_without_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut sources = machine(folder.path(), false);
        sources.kafka_home = Some(home(folder.path(), "kafka_2.13-2.8.1.jar"));
        let found = Distribution::find_or_get_from(&sources, version("2.8.1"), &|_| {}).unwrap();
        let missing = found.zookeeper_version().unwrap_err();
        assert!(matches!(missing, LocalError::NoZooKeeper { .. }), "{missing}");
        home(folder.path(), "zookeeper-jute-3.5.9.jar");
        home(folder.path(), "zookeeper-3.5.9.jar");
        assert_eq!(found.zookeeper_version().unwrap(), "3.5.9");
    }

    #[test]
    fn kafka_home_that_is_no_distribution_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut sources = machine(folder.path(), false);
        sources.kafka_home = Some(folder.path().to_owned());
        let error = Distribution::find_or_get_from(&sources, version("4.3.1"), &|_| {})
            .unwrap_err()
            .to_string();
        assert!(error.contains("no folder libs"), "{error}");
    }

    #[test]
    fn a_version_is_fetched_once_and_nothing_unfinished_stays() {
        let folder = tempfile::tempdir().unwrap();
        let sources = machine(folder.path(), true);
        let messages = Mutex::new(0);
        let progress = |_: &str| *messages.lock().unwrap() += 1;
        let first = Distribution::find_or_get_from(&sources, version("4.3.1"), &progress).unwrap();
        let second = Distribution::find_or_get_from(&sources, version("4.3.1"), &progress).unwrap();
        assert_eq!(first, second);
        assert_eq!(*messages.lock().unwrap(), 1);
        assert_eq!(fs::read_dir(&sources.cache).unwrap().count(), 1);
    }

    #[test]
    fn jars_in_a_folder_that_others_can_write_are_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let mut sources = machine(folder.path(), true);
        sources.cache = folder.path().join("tandem/kafka");
        Distribution::find_or_get_from(&sources, version("4.3.1"), &|_| {}).unwrap();
        let open = |mode| fs::set_permissions(folder.path().join("tandem"), fs::Permissions::from_mode(mode)).unwrap();
        open(0o777);
        for wanted in ["4.3.1", "4.3.0"] {
            let error = Distribution::find_or_get_from(&sources, version(wanted), &|_| {}).unwrap_err();
            assert!(error.to_string().contains("other users can write into"), "{error}");
        }
        open(0o700);
        Distribution::find_or_get_from(&sources, version("4.3.1"), &|_| {}).unwrap();
    }

    #[test]
    fn two_that_fetch_at_once_both_end_well() {
        let folder = tempfile::tempdir().unwrap();
        let sources = machine(folder.path(), true);
        let results: Vec<_> = std::thread::scope(|scope| {
            let get = || Distribution::find_or_get_from(&sources, version("4.3.1"), &|_| {});
            let threads = [scope.spawn(get), scope.spawn(get), scope.spawn(get)];
            threads.map(|thread| thread.join().unwrap()).into_iter().collect()
        });
        for result in results {
            assert!(result.unwrap().libs.join("kafka_2.13-4.3.1.jar").exists());
        }
        assert_eq!(fs::read_dir(&sources.cache).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_fetch_leaves_nothing_and_the_left_of_a_dead_process_goes() {
        let folder = tempfile::tempdir().unwrap();
        let sources = machine(folder.path(), true);
        fs::create_dir_all(sources.cache.join(".4.3.1-4194305-abc/home")).unwrap();
        Distribution::find_or_get_from(&sources, version("4.9.9"), &|_| {}).unwrap_err();
        assert_eq!(fs::read_dir(&sources.cache).unwrap().count(), 0);
    }
}
