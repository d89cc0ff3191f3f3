//! Which scenario is meant: a file, or the name of one that comes with tandem; and the choices of the command line
//! that change it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cluster_flags::ClusterFlags;
use super::setting_flags::SettingFlags;
use crate::measure::limits::{Kernel, usable_instead};
use crate::scenario::{
    self, Instead, KafkaVersion, LoadError, Scenario, ScenarioErrors, Until, WrittenScenario, storable,
};

/// Choices that `run` and `plan` share.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Choices {
    /// Every case, but only the first value of each matrix key (without cases, the first compared key keeps its values);
    /// trials of half a second, 7 blocks
    #[arg(long)]
    quick: bool,
    /// Counted blocks, instead of the scenario's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    repetitions: Option<u32>,
    /// Blocks until every comparison is "decided" or every interval this narrow, such as 1%, instead of the scenario's;
    /// at most as many as the scenario's rule allows, 40 where it gives a number
    #[arg(long, value_name = "decided|PERCENT%", conflicts_with = "repetitions")]
    until: Option<Until>,
    /// Only this case or configuration (and what it is compared with); may be given more than once
    #[arg(long, value_name = "CASE")]
    only: Vec<String>,
    #[command(flatten)]
    cluster: ClusterFlags,
    /// Run everything on this second cluster too, in the same blocks: does it make a difference?
    #[arg(long, value_name = "HOST:PORT")]
    against: Option<String>,
    /// Start a cluster of each of these versions of Apache Kafka and run everything on all of them, in the same blocks:
    /// does the version make a difference?
    #[arg(long, value_name = "OLD,NEW", value_delimiter = ',', conflicts_with_all = ["bootstrap", "cluster", "against"])]
    versions: Vec<KafkaVersion>,
    /// Run everything with the workers of each of these builds of tandem, in the same blocks: does it make a difference?
    #[arg(long, value_name = "OLD,NEW", value_delimiter = ',')]
    binary: Vec<PathBuf>,
}

impl Choices {
    /// The builds by paths that hold in every folder.
    fn binaries(&self) -> Result<Vec<PathBuf>> {
        // An empty path is none; who reads it says so.
        let absolute = |path: &PathBuf| {
            if path.as_os_str().is_empty() {
                return Ok(path.clone());
            }
            std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))
        };
        self.binary.iter().map(absolute).collect()
    }
}

/// A scenario with the text that it was made from.
pub(super) struct Source {
    pub(super) text: String,
    pub(super) scenario: Scenario,
    /// The text was made from flags: it is in no file yet.
    pub(super) is_written: bool,
}

impl Source {
    /// Reads and parses what the files name, or else what the flags say, and applies the choices.
    pub(super) fn load_all(files: &[PathBuf], settings: &SettingFlags, choices: &Choices) -> Result<Vec<Self>> {
        if let Some(file) = files.first() {
            settings.refuse_beside(file)?;
        }
        match settings.written()? {
            Some(written) => Ok(vec![Self::of_flags(&written, choices)?]),
            None => files.iter().map(|file| Self::load_to_run(file, choices)).collect(),
        }
    }

    /// Reads and parses what `file` names, and applies the choices.
    pub(super) fn load(file: &Path, choices: &Choices) -> Result<Self> {
        let read = scenario::Source::read(file).map_err(show)?;
        Self::parse(read, choices, |errors| show(LoadError::Invalid(errors)))
    }

    /// The same for a run on this machine.
    fn load_to_run(file: &Path, choices: &Choices) -> Result<Self> {
        let kernel = Kernel::running();
        let read = scenario::Source::read(file).map_err(show)?;
        let invalid = |errors| show(LoadError::Invalid(errors));
        let source = Self::parse(read.clone(), choices, invalid)?;
        let instead = |processors: &BTreeSet<u32>| usable_instead(&kernel, processors);
        read.check_cpus(instead).map_err(invalid)?;
        Ok(source)
    }

    /// Parses what flags have made, and applies the choices.
    fn of_flags(written: &WrittenScenario, choices: &Choices) -> Result<Self> {
        let explain = |errors: ScenarioErrors| anyhow::anyhow!(written.explain(&errors));
        let source = Self::parse(written.source(), choices, explain)?;
        Ok(Source {
            is_written: true,
            ..source
        })
    }

    fn parse(
        read: scenario::Source,
        choices: &Choices,
        invalid: impl Fn(ScenarioErrors) -> anyhow::Error,
    ) -> Result<Self> {
        let (mut scenario, versions) = if choices.versions.is_empty() {
            let named = choices.cluster.named()?;
            (
                read.parse_on(named.map(Instead::Running).as_ref()).map_err(&invalid)?,
                Vec::new(),
            )
        } else {
            choices.cluster.refuse_environment("--versions")?;
            read.parse_on_versions(&choices.versions).map_err(invalid)?
        };
        if choices.quick {
            scenario = scenario.quick();
        }
        if !choices.only.is_empty() {
            scenario = scenario.only(&choices.only)?;
        }
        if let Some(repetitions) = choices.repetitions {
            scenario = scenario.with_repetitions(repetitions);
        }
        if let Some(until) = choices.until {
            scenario = scenario.until(until)?;
        }
        let binaries = choices.binaries()?;
        scenario = if versions.is_empty() {
            scenario.with_variants(choices.against.as_deref(), &binaries)?
        } else {
            scenario.with_versions(&versions, &binaries)?
        };
        Ok(Source {
            text: read.text,
            scenario,
            is_written: false,
        })
    }
}

/// A scenario that flags have made, as it may be kept, with its heading.
pub(super) fn kept_as_file(source: &Source) -> Option<String> {
    let text = storable(&source.text);
    source
        .is_written
        .then(|| format!("# The scenario; keep it in a file to run or change it again.\n{text}"))
}

/// Errors of a scenario as text that points into the file.
fn show(error: LoadError) -> anyhow::Error {
    match error {
        LoadError::Invalid(errors) => anyhow::anyhow!(errors.drawn()),
        LoadError::NotFound { ref help, .. } => anyhow::anyhow!("{error}; {help}"),
        other => anyhow::anyhow!("{other}"),
    }
}
