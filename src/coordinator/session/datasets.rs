//! The data sets that trials of a session share: filled before the first trial, and read once to be in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::Session;
use crate::coordinator::cluster::Cluster;
use crate::coordinator::dataset::kept::Keeping;
use crate::coordinator::dataset::{self, Dataset, DatasetError, Filling};
use crate::coordinator::ending::RunError;
use crate::coordinator::existing::{Amount, ReadAgain};
use crate::measure::KeptData;
use crate::names;
use crate::scenario::{Configuration, Mode};

/// Pause between two looks at a filling.
const FILLING_LOOK: Duration = Duration::from_millis(200);

impl Session<'_> {
    /// The data sets of each cluster.
    pub(super) async fn fill(&self) -> Result<Vec<Vec<Dataset>>, RunError> {
        let specs = &self.plan.scenario.datasets;
        let shared = (0..specs.len()).filter(|index| self.is_shared(*index) && specs[*index].existing().is_none());
        let total = shared.map(|index| specs[index].records).sum::<u64>() * self.clusters.len() as u64;
        let produced = Arc::new(AtomicU64::new(0));
        let mut filled = Vec::with_capacity(self.clusters.len());
        let mut kept = Vec::new();
        for cluster in &self.clusters {
            let mut datasets = Vec::with_capacity(specs.len());
            for (index, spec) in specs.iter().enumerate() {
                let existing = spec.existing().and_then(|existing| existing.found.as_ref());
                datasets.push(if let Some(found) = existing {
                    Dataset::existing(found, Arc::clone(&self.delivered[index]))
                } else if self.is_shared(index) {
                    let (dataset, keeps) = self.fill_one(cluster, index, &produced, total).await?;
                    kept.extend(keeps);
                    dataset
                } else {
                    // Every trial makes and fills its own.
                    Dataset::default()
                });
            }
            filled.push(datasets);
        }
        self.note_kept(kept)?;
        if total > 0 {
            self.observer.filling(total, total);
        }
        Ok(filled)
    }

    /// Writes into the environment which data sets are kept.
    fn note_kept(&self, kept: Vec<KeptData>) -> Result<(), RunError> {
        if kept.is_empty() {
            return Ok(());
        }
        if let Some(mut environment) = self.dir.read_environment()? {
            environment.kept_data.extend(kept);
            self.dir.write_environment(&environment)?;
        }
        Ok(())
    }

    /// Fills a data set on a cluster; `produced` counts the records of all, of which there will be `total`.
    async fn fill_one(
        &self,
        cluster: &Cluster,
        index: usize,
        produced: &Arc<AtomicU64>,
        total: u64,
    ) -> Result<(Dataset, Option<KeptData>), RunError> {
        let spec = &self.plan.scenario.datasets[index];
        let names = spec.topic_names(|topic| names::data_topic(&self.prefix, index + 1, topic));
        let stop = Arc::new(AtomicBool::new(false));
        let seed = self.plan.scenario.seed.wrapping_add(index as u64);
        let (admin, properties) = (&cluster.admin, &cluster.properties);
        let filling = async {
            let (produced, interrupted) = (Arc::clone(produced), Arc::clone(&stop));
            if !self.options.keep_data {
                let bootstrap = admin.bootstrap();
                let filling = Filling::new(bootstrap, properties, spec, &names, seed, produced, interrupted);
                return Ok((dataset::fill(admin, filling).await?, None));
            }
            let keeping = Keeping {
                admin,
                properties,
                prefix: &self.plan.scenario.cluster.prefix,
                run: &self.prefix,
                spec,
                seed,
                observer: self.observer.as_ref(),
                produced,
                interrupted,
            };
            let (filled, kept) = keeping.find_or_fill().await?;
            Ok((filled, Some(kept)))
        };
        let show = || self.observer.filling(produced.load(Ordering::Relaxed), total);
        match self
            .guarded(&stop, filling, show)
            .await
            .map_err(RunError::ClusterLost)?
        {
            Ok(filled) => Ok(filled),
            Err(DatasetError::Interrupted) => Err(RunError::Interrupted),
            Err(error) => Err(self.why_not_filled(cluster, error).await),
        }
    }

    /// Waits for a filling, and sets `stop` where a broker run here dies or the user interrupts. The error is what
    /// happened to the broker: the producers would go on trying for minutes, and end by themselves.
    pub(super) async fn guarded<T>(
        &self,
        stop: &AtomicBool,
        filling: impl Future<Output = T>,
        show: impl Fn(),
    ) -> Result<T, String> {
        tokio::pin!(filling);
        let mut looks = tokio::time::interval(FILLING_LOOK);
        loop {
            tokio::select! {
                filled = &mut filling => return Ok(filled),
                _ = looks.tick() => show(),
            }
            let dead = self.dead_broker();
            if dead.is_some() || self.interrupt.is_set() {
                stop.store(true, Ordering::Relaxed);
            }
            if let Some(dead) = dead {
                return Err(dead);
            }
        }
    }

    /// True for a data set that is filled once and read by many trials.
    fn is_shared(&self, dataset: usize) -> bool {
        let reads = |c: &Configuration| c.dataset == dataset && c.mode == Mode::Backlog;
        self.plan.scenario.configurations.iter().any(reads)
    }

    /// A broker that has died explains better why a data set could not be made.
    async fn why_not_filled(&self, cluster: &Cluster, cause: DatasetError) -> RunError {
        // Its connections close a moment before its process has ended.
        tokio::time::sleep(Duration::from_millis(300)).await;
        match self.dead_broker() {
            Some(dead) => RunError::ClusterLost(dead),
            None if self.clusters.len() == 1 => cause.into(),
            None => RunError::DatasetOn {
                bootstrap: cluster.admin.bootstrap().to_owned(),
                cause,
            },
        }
    }

    /// Reads every data set once. What goes wrong here goes wrong again in the trials, and counts there.
    pub(super) async fn warm(&self, filled: &[Vec<Dataset>]) {
        let sets = self.clusters.iter().zip(filled);
        let scenario = &self.plan.scenario;
        let sets = sets.flat_map(|(cluster, datasets)| (0..).zip(datasets).map(move |set| (cluster, set)));
        for (cluster, (index, dataset)) in sets.filter(|(_, (_, dataset))| !dataset.topics.is_empty()) {
            // The first session has read what exists to find out what it holds.
            if dataset.delivered.is_some() && self.options.session == 1 {
                continue;
            }
            self.observer
                .preparing("reading the data once, so that it is in memory");
            let again = ReadAgain::of(cluster, scenario, index, &self.prefix, self.interrupt.flag());
            let warmed = again.delivered(dataset.topics.clone(), Amount::All).await;
            if let Err(error) = warmed
                && !self.interrupt.is_set()
            {
                self.observer
                    .note(&format!("the warming pass was not finished: {error}"));
            }
        }
    }
}
