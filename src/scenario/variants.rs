//! Variants: every configuration of a scenario once on each of several clusters, or once with the workers of each of
//! several builds, in the same blocks. Then the question is what the other cluster or build changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::families;
use super::kafka_version::KafkaVersion;
use super::model::{
    App, Axis, Build, ClusterSource, ClusterSpec, Configuration, GroupProtocol, Membership, Place, Reach, Scenario,
    Variant,
};

/// Key of the axis whose values are clusters.
pub const CLUSTER_AXIS: &str = "cluster";
/// Key of the axis whose values are versions of Apache Kafka, each run on a cluster of its own.
pub const VERSION_AXIS: &str = "kafka";
/// Key of the axis whose values are builds.
pub const BINARY_AXIS: &str = "binary";

/// The value of [`CLUSTER_AXIS`] for brokers that the run starts itself: their address is not known before.
const LOCAL: &str = "local";

/// Why a scenario cannot be run with these clusters or builds.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VariantError {
    /// Nothing to compare.
    #[error("--against {0} is a cluster that the scenario already runs on; name another one")]
    SameCluster(String),
    /// What a scenario does to its brokers, or sets on them, cannot be done to somebody else's.
    #[error("--against cannot be used with {0}: brokers of another cluster belong to somebody else")]
    OwnBrokers(&'static str),
    /// Two clusters have not the same topics.
    #[error("--against cannot be used with [dataset] topic: another cluster does not hold the same records")]
    Existing,
    /// Nothing to compare.
    #[error("--versions takes two versions or more, separated by commas: --versions OLD,NEW")]
    OneVersion,
    /// Nothing to compare.
    #[error("--versions names {0} twice; name another version, or leave it out")]
    SameVersion(KafkaVersion),
    /// Nothing to compare.
    #[error("--binary takes two builds or more, separated by commas: --binary OLD,NEW")]
    OneBuild,
    /// An address that is none.
    #[error("--{0} has an empty value")]
    Empty(&'static str),
    /// The program of that place is not ours to choose.
    #[error(
        "--binary cannot choose the workers of place {place:?}: its launcher names a program of its own; put \
         {{tandem}} where the program stands in it"
    )]
    Launcher {
        /// The place.
        place: String,
    },
    /// The program of that place is in an image.
    #[error(
        "--binary cannot choose the workers of place {place:?}: they run the program of its image; make an image of each \
         build and a place for each image"
    )]
    Image {
        /// The place.
        place: String,
    },
    /// Builds are of tandem's own worker.
    #[error(
        "--binary compares builds of tandem's own worker, and the scenario runs app {app:?}: leave one of them out"
    )]
    App {
        /// The app.
        app: String,
    },
}

impl Place {
    /// Refuses builds where the program of the workers is not ours to choose.
    fn takes_builds(&self) -> Result<(), VariantError> {
        match self.reach() {
            Reach::Here | Reach::Launcher(_) | Reach::Ssh(_) => Ok(()),
            Reach::Container(_) | Reach::Kubernetes(_) => Err(VariantError::Image {
                place: self.name.clone(),
            }),
        }
    }
}

/// What a scenario needs of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterNeeds {
    /// The consumer group protocol (KIP-848).
    pub consumer_protocol: bool,
    /// The right to read in this group, which it fixes.
    pub group: Option<String>,
    /// The right to read these topics, which exist; without those that only a pattern tells.
    pub topics: Vec<String>,
    /// The listeners that workers use instead of the brokers' default.
    pub listeners: BTreeSet<String>,
    /// Of these, the ones of workers to which 127.0.0.1 may be another machine, or another network.
    pub listeners_elsewhere: BTreeSet<String>,
    /// True where something is done on purpose: then the groups' behaviour is measured, with Kafka's own settings.
    pub has_events: bool,
    /// The session timeouts of classic groups, in milliseconds.
    pub sessions_ms: BTreeSet<u64>,
    /// Those of groups of the consumer protocol.
    pub group_sessions_ms: BTreeSet<u64>,
    /// Their heartbeats.
    pub group_heartbeats_ms: BTreeSet<u64>,
}

impl Scenario {
    /// Every configuration once on the scenario's cluster and once on that at `against`, and once with each of the
    /// builds at `binaries`. What a configuration is compared with is then itself as its first variant; what the
    /// scenario compared stays in [`Variant::own_baseline`].
    ///
    /// It is the last of the changes of a scenario: blocks and parts are chosen before. Without both it changes nothing.
    pub fn with_variants(&self, against: Option<&str>, binaries: &[PathBuf]) -> Result<Scenario, VariantError> {
        let other = against.map(|against| self.other_cluster(against)).transpose()?;
        self.multiplied(CLUSTER_AXIS, other.into_iter().collect(), cluster_name, binaries)
    }

    /// The same with clusters that are started, one for each version; the first of them is the scenario's own.
    pub fn with_versions(&self, clusters: &[ClusterSpec], binaries: &[PathBuf]) -> Result<Scenario, VariantError> {
        let versions: Vec<KafkaVersion> = clusters.iter().filter_map(ClusterSpec::version).collect();
        if versions.len() < 2 {
            return Err(VariantError::OneVersion);
        }
        let mut named = BTreeSet::new();
        if let Some(twice) = versions.iter().find(|version| !named.insert(**version)) {
            return Err(VariantError::SameVersion(*twice));
        }
        let name = |cluster: &ClusterSpec| {
            cluster
                .version()
                .map_or_else(String::new, |version| version.to_string())
        };
        self.multiplied(VERSION_AXIS, clusters[1..].to_vec(), name, binaries)
    }

    fn multiplied(
        &self,
        key: &str,
        others: Vec<ClusterSpec>,
        name: impl Fn(&ClusterSpec) -> String,
        binaries: &[PathBuf],
    ) -> Result<Scenario, VariantError> {
        let mut scenario = self.clone();
        if !others.is_empty() {
            scenario.variants.clusters = others;
            let values = scenario.clusters().map(name).collect();
            scenario.multiply(key, values, |variant, number| variant.cluster = number);
        }
        if !binaries.is_empty() {
            scenario.variants.builds = self.builds(binaries)?;
            let values = scenario
                .variants
                .builds
                .iter()
                .map(|build| build.name.clone())
                .collect();
            scenario.multiply(BINARY_AXIS, values, |variant, number| variant.build = number);
        }
        if !scenario.variants.is_empty() {
            scenario.compare_variants();
            let before = families::blocks_warning(self);
            scenario.replace_blocks_warning(before.as_deref());
        }
        Ok(scenario)
    }

    /// The scenario's cluster and those that it is compared with, by [`Variant::cluster`].
    pub fn clusters(&self) -> impl Iterator<Item = &ClusterSpec> {
        std::iter::once(&self.cluster).chain(&self.variants.clusters)
    }

    /// What the configurations that are run on this cluster, by [`Variant::cluster`], need of it.
    pub fn needs(&self, cluster: usize) -> ClusterNeeds {
        let consumer = |c: &Configuration| matches!(c.membership, Membership::Group(GroupProtocol::Consumer { .. }));
        let here = || self.configurations.iter().filter(|c| c.variant.cluster == cluster);
        ClusterNeeds {
            consumer_protocol: here().any(consumer),
            group: here().find_map(|c| c.group.clone()),
            topics: self.existing_topics(),
            listeners: here()
                .flat_map(|c| self.places_of(c))
                .filter_map(|place| place.listener.clone())
                .collect(),
            listeners_elsewhere: here()
                .flat_map(|c| self.places_of(c))
                .filter(|place| place.is_managed())
                .filter_map(|place| place.listener.clone())
                .collect(),
            has_events: here().any(|c| !c.events.is_empty()),
            sessions_ms: here()
                .filter(|c| !consumer(c))
                .filter_map(|c| c.session_timeout_ms)
                .collect(),
            group_sessions_ms: here().filter_map(|c| c.group_timeouts()?.session_ms).collect(),
            group_heartbeats_ms: here().filter_map(|c| c.group_timeouts()?.heartbeat_ms).collect(),
        }
    }

    /// The cluster that a configuration is run on.
    pub fn cluster_of(&self, configuration: &Configuration) -> &ClusterSpec {
        let others = configuration.variant.cluster.checked_sub(1);
        others.map_or(&self.cluster, |index| &self.variants.clusters[index])
    }

    /// The build whose workers a configuration is run with; `None` for this program.
    pub fn build_of(&self, configuration: &Configuration) -> Option<&Build> {
        self.variants.builds.get(configuration.variant.build)
    }

    /// True for an axis whose values are clusters or builds.
    pub fn is_variant_axis(&self, axis: usize) -> bool {
        let clusters = usize::from(!self.variants.clusters.is_empty());
        let builds = usize::from(!self.variants.builds.is_empty());
        // They were added behind all others.
        axis < self.axes.len() && axis + clusters + builds >= self.axes.len()
    }

    /// The other cluster, which is spoken to as the scenario's own is.
    fn other_cluster(&self, against: &str) -> Result<ClusterSpec, VariantError> {
        let addresses = addresses(against);
        if addresses.is_empty() {
            return Err(VariantError::Empty("against"));
        }
        if self.reads_existing_topics() {
            return Err(VariantError::Existing);
        }
        let each = || self.configurations.iter();
        if each().any(|c| c.events.iter().any(|event| event.target.is_broker())) {
            return Err(VariantError::OwnBrokers("events of brokers"));
        }
        if each().any(|c| c.group_timeouts().is_some()) {
            let keys = "`session_timeout` or `heartbeat` of the consumer protocol";
            return Err(VariantError::OwnBrokers(keys));
        }
        if let ClusterSource::Bootstrap(own) = &self.cluster.source
            && !addresses.is_disjoint(&self::addresses(own))
        {
            return Err(VariantError::SameCluster(against.to_owned()));
        }
        Ok(ClusterSpec {
            source: ClusterSource::Bootstrap(against.to_owned()),
            broker: BTreeMap::new(),
            ..self.cluster.clone()
        })
    }

    fn builds(&self, binaries: &[PathBuf]) -> Result<Vec<Build>, VariantError> {
        if binaries.iter().any(|path| path.as_os_str().is_empty()) {
            return Err(VariantError::Empty("binary"));
        }
        if binaries.len() < 2 {
            return Err(VariantError::OneBuild);
        }
        for configuration in &self.configurations {
            match self.app_of(configuration) {
                App::Tandem => self.places_of(configuration).try_for_each(Place::takes_builds)?,
                App::Launched { place, .. } => {
                    return Err(VariantError::Launcher {
                        place: place.to_owned(),
                    });
                }
                App::Other(spec) => return Err(VariantError::App { app: spec.name.clone() }),
            }
        }
        let names = build_names(binaries);
        let builds = names.into_iter().zip(binaries);
        Ok(builds
            .map(|(name, path)| Build {
                name,
                path: path.clone(),
            })
            .collect())
    }

    /// One more axis, the last and fastest, each value of which every configuration is there with.
    fn multiply(&mut self, key: &str, values: Vec<String>, set: impl Fn(&mut Variant, usize)) {
        let several = values.len();
        let variant_of = |configuration: &Configuration, number: usize| {
            let mut next = configuration.clone();
            let value = &values[number];
            // One that is named like the scenario has no case and no key that would tell it apart.
            let named = !next.case.is_empty() || self.axes.iter().any(|axis| axis.values.len() > 1);
            let part = format!("{key}={value}");
            next.name = if named { format!("{} {part}", next.name) } else { part };
            next.axis_values.push(value.clone());
            next.key_values.push(value.clone());
            next.baseline = next.baseline.map(|baseline| baseline * several + number);
            set(&mut next.variant, number);
            next
        };
        let all = self.configurations.iter();
        let multiplied = all.flat_map(|configuration| {
            (0..several)
                .map(|number| variant_of(configuration, number))
                .collect::<Vec<_>>()
        });
        self.configurations = multiplied.collect();
        for family in &mut self.families {
            let members = family.configurations.iter();
            family.configurations = members
                .flat_map(|index| index * several..(index + 1) * several)
                .collect();
        }
        self.keys_in_use.push(key.to_owned());
        self.axes.push(Axis {
            key: key.to_owned(),
            values,
        });
    }

    /// Compares each configuration with its first variant.
    fn compare_variants(&mut self) {
        let several = (self.variants.clusters.len() + 1) * self.variants.builds.len().max(1);
        for (index, configuration) in self.configurations.iter_mut().enumerate() {
            let first = index - index % several;
            configuration.variant.own_baseline = configuration.baseline;
            configuration.baseline = (first != index).then_some(first);
        }
        let other = self.variants.clusters.first();
        if let (None, Some(other)) = (
            self.cluster.bootstrap(),
            other.filter(|other| other.bootstrap().is_some()),
        ) {
            self.warnings.push(format!(
                "one cluster is started on this machine and the other runs at {}: they differ in more than their \
                 version (machine, disk, network, settings), and a verdict is about all of it",
                cluster_name(other)
            ));
        }
    }
}

/// The value of [`CLUSTER_AXIS`] for a cluster.
fn cluster_name(cluster: &ClusterSpec) -> String {
    match &cluster.source {
        ClusterSource::Local { .. } => LOCAL.to_owned(),
        ClusterSource::Bootstrap(bootstrap) => bootstrap.clone(),
    }
}

/// The addresses in a list of them, without what does not tell brokers apart.
fn addresses(bootstrap: &str) -> BTreeSet<String> {
    let plain = |address: &str| {
        let address = address.trim().to_ascii_lowercase();
        let (_, address) = address.split_once("://").unwrap_or(("", &address));
        address.to_owned()
    };
    let all = bootstrap.split(',').map(plain);
    all.filter(|address| !address.is_empty()).collect()
}

/// What tells builds apart: as little of the end of their paths as does, without what all have in common there. A path
/// that is given again gets a number.
fn build_names(paths: &[PathBuf]) -> Vec<String> {
    let full: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let ways: Vec<Vec<&str>> = full.iter().map(|path| path.rsplit('/').collect()).collect();
    let shortest = ways.iter().map(Vec::len).min().unwrap_or(0);
    let alike = |back: &usize| ways.iter().all(|way| way[*back] == ways[0][*back]);
    let common = (0..shortest).take_while(alike).count();
    let distinct = |names: &[String]| names.iter().collect::<BTreeSet<_>>().len();
    let name = |way: &[&str], depth: usize| {
        let parts = way.iter().skip(common).take(depth).rev();
        parts.copied().collect::<Vec<_>>().join("/")
    };
    let longest = ways.iter().map(Vec::len).max().unwrap_or(0);
    let mut names = (1..=longest).map(|depth| ways.iter().map(|way| name(way, depth)).collect::<Vec<_>>());
    let names = names.find(|names| distinct(names) == distinct(&full) && !names.iter().any(String::is_empty));
    // Where one path is the end of another, or all are one.
    numbered(&names.unwrap_or_else(|| full.iter().map(|path| file_name(path)).collect()))
}

fn file_name(path: &str) -> String {
    let name = Path::new(path)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| path.to_owned())
}

/// The names, those that are there several times with their number among them.
fn numbered(names: &[String]) -> Vec<String> {
    let several = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
    let number = |index: usize| names[..=index].iter().filter(|other| **other == names[index]).count();
    let name = |(index, name): (usize, &String)| {
        if several(name) {
            format!("{name}#{}", number(index))
        } else {
            name.clone()
        }
    };
    names.iter().enumerate().map(name).collect()
}
