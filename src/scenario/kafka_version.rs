//! Versions of Apache Kafka that tandem can run, and the one table of what each of them has. Knows nothing of brokers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A version of Apache Kafka that tandem can run: 2.8 to 4.x. Orders by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KafkaVersion {
    major: u8,
    minor: u8,
    patch: u8,
}

/// The version that is run where none is asked for.
pub const DEFAULT_KAFKA_VERSION: KafkaVersion = KafkaVersion {
    major: 4,
    minor: 3,
    patch: 1,
};

/// Something that some versions have and others have not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// Keeps its metadata in ZooKeeper.
    ZooKeeper,
    /// Keeps its metadata itself (KRaft), ready for production. 2.8 to 3.2 have earlier forms of it: that of 2.8 does not
    /// know `InitProducerId`, with which an idempotent producer begins, and those of 3.0 to 3.2 are previews.
    KRaft,
    /// The consumer protocol (KIP-848) as clients can use it: in the early form of 3.7 to 3.9 the client waits for ever
    /// for its partitions.
    ConsumerProtocol,
    /// Share groups (KIP-932) and the settings of their topics.
    ShareGroups,
    /// `group.consumer.assignment.interval.ms`.
    AssignmentInterval,
    /// Logs by Log4j 2; the others by Log4j 1 or reload4j, its successor, which read the same file.
    Log4j2,
    /// Needs Java 17; the others run on Java 8, for which their classes are compiled.
    Java17,
}

/// Major and minor number.
type Release = (u8, u8);

/// From which release on, and before which, there is something.
const TABLE: [(Feature, Release, Option<Release>); 7] = [
    (Feature::ZooKeeper, (2, 8), Some((4, 0))),
    (Feature::KRaft, (3, 3), None),
    (Feature::ConsumerProtocol, (4, 0), None),
    (Feature::ShareGroups, (4, 0), None),
    (Feature::AssignmentInterval, (4, 3), None),
    (Feature::Log4j2, (4, 0), None),
    (Feature::Java17, (4, 0), None),
];

/// What [`KafkaVersion`] takes, in words that follow "must be".
pub(super) const VERSION_ALLOWED: &str =
    "a version of Apache Kafka from 2.8.0 to 4.x in quotes, such as \"4.3.1\" or \"2.8.1\"";

/// The same as a regular expression; 3.9 is the last of 3.x.
pub(super) const VERSION_PATTERN: &str = r"^(2\.8|3\.[0-9]|4\.(0|[1-9][0-9]?))\.(0|[1-9][0-9]?)$";

/// Text that is no version of Apache Kafka that tandem can run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a version of Apache Kafka from 2.8.0 to 4.x, such as 4.3.1 or 2.8.1")]
pub struct UnknownVersion;

/// Why a version cannot keep its metadata where it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MetadataError {
    /// 4.0 removed ZooKeeper.
    #[error("Apache Kafka {0} does not work with ZooKeeper, which 3.9 was the last to support")]
    NoZooKeeper(KafkaVersion),
    /// Its KRaft is unfinished.
    #[error("Apache Kafka {0} needs ZooKeeper: KRaft is ready for production from 3.3 on")]
    NoKRaft(KafkaVersion),
}

impl KafkaVersion {
    /// True where it has this.
    pub fn has(self, feature: Feature) -> bool {
        let release = (self.major, self.minor);
        let mut rows = TABLE.iter().filter(|(of, _, _)| *of == feature);
        rows.any(|(_, from, before)| release >= *from && before.is_none_or(|before| release < before))
    }

    /// The Java release that it needs.
    pub fn java_release(self) -> u32 {
        if self.has(Feature::Java17) { 17 } else { 8 }
    }

    /// Whether it runs on ZooKeeper: as it was asked to, or else only where its KRaft is unfinished.
    pub fn on_zookeeper(self, asked: Option<bool>) -> Result<bool, MetadataError> {
        match asked.unwrap_or(!self.has(Feature::KRaft)) {
            true if !self.has(Feature::ZooKeeper) => Err(MetadataError::NoZooKeeper(self)),
            false if !self.has(Feature::KRaft) => Err(MetadataError::NoKRaft(self)),
            zookeeper => Ok(zookeeper),
        }
    }
}

impl fmt::Display for KafkaVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&format!("{}.{}.{}", self.major, self.minor, self.patch))
    }
}

impl FromStr for KafkaVersion {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        let number = |part: &str| {
            let plain = matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
            let plain = plain && (part == "0" || !part.starts_with('0'));
            plain.then(|| part.parse::<u8>().ok()).flatten()
        };
        let parts: Vec<Option<u8>> = text.split('.').map(number).collect();
        match parts[..] {
            [Some(major), Some(minor), Some(patch)] if matches!((major, minor), (2, 8) | (3, 0..=9) | (4, _)) => {
                Ok(KafkaVersion { major, minor, patch })
            }
            _ => Err(UnknownVersion),
        }
    }
}

impl TryFrom<String> for KafkaVersion {
    type Error = UnknownVersion;

    fn try_from(text: String) -> Result<Self, UnknownVersion> {
        text.parse()
    }
}

impl From<KafkaVersion> for String {
    fn from(version: KafkaVersion) -> String {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn version(text: &str) -> KafkaVersion {
        text.parse().unwrap()
    }

    #[test]
    fn versions_order_by_age_and_are_written_as_they_were_read() {
        let texts = ["2.8.0", "2.8.1", "3.1.0", "3.9.2", "4.0.0", "4.2.10", "4.3.1", "4.10.0"];
        let versions = texts.map(version);
        assert!(versions.is_sorted());
        assert_eq!(versions.map(|version| version.to_string()), texts);
        assert_eq!(versions[6], DEFAULT_KAFKA_VERSION);
        let json = serde_json::to_string(&versions[1]).unwrap();
        assert_eq!(json, "\"2.8.1\"");
        assert_eq!(serde_json::from_str::<KafkaVersion>(&json).unwrap(), versions[1]);
    }

    #[test]
    fn what_is_older_newer_or_no_version_is_refused() {
        for text in [
            "2.7.2", "2.9.0", "3.10.0", "5.0.0", "4.3", "4.3.1.0", "04.3.1", "4.03.1", "4.3.100", "four", "", "2.8.x",
            "../4.3.1", "4.3.1/..", " 4.3.1",
        ] {
            assert_eq!(text.parse::<KafkaVersion>(), Err(UnknownVersion), "{text}");
        }
    }

    #[test]
    fn each_version_has_what_it_came_with() {
        let has = |feature| {
            let versions = [
                "2.8.1", "3.1.0", "3.2.3", "3.3.0", "3.9.2", "4.0.0", "4.2.1", "4.3.1", "4.10.0",
            ];
            let with: Vec<&str> = versions.into_iter().filter(|text| version(text).has(feature)).collect();
            with.join(" ")
        };
        assert_eq!(has(Feature::ZooKeeper), "2.8.1 3.1.0 3.2.3 3.3.0 3.9.2");
        assert_eq!(has(Feature::KRaft), "3.3.0 3.9.2 4.0.0 4.2.1 4.3.1 4.10.0");
        for since_four in [
            Feature::ConsumerProtocol,
            Feature::ShareGroups,
            Feature::Log4j2,
            Feature::Java17,
        ] {
            assert_eq!(has(since_four), "4.0.0 4.2.1 4.3.1 4.10.0", "{since_four:?}");
        }
        assert_eq!(has(Feature::AssignmentInterval), "4.3.1 4.10.0");
        assert_eq!(
            (version("3.9.2").java_release(), version("4.0.0").java_release()),
            (8, 17)
        );
    }

    #[test]
    fn zookeeper_is_the_default_before_three_three_and_impossible_from_four_on() {
        let on_zookeeper = |text: &str| [None, Some(true), Some(false)].map(|wish| version(text).on_zookeeper(wish));
        let old = MetadataError::NoKRaft(version("3.2.3"));
        assert_eq!(on_zookeeper("3.2.3"), [Ok(true), Ok(true), Err(old)]);
        assert_eq!(on_zookeeper("3.3.0"), [Ok(false), Ok(true), Ok(false)]);
        assert_eq!(on_zookeeper("3.9.2"), [Ok(false), Ok(true), Ok(false)]);
        let new = MetadataError::NoZooKeeper(version("4.0.0"));
        assert_eq!(on_zookeeper("4.0.0"), [Ok(false), Err(new), Ok(false)]);
    }
}
