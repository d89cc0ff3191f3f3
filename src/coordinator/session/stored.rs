//! The store of a session's trials: a table for each group, made before the trial's processes are started, counted when they
//! have ended, and dropped.

use super::Session;
use super::prepare::NotRun;
use crate::contents::KEY_BYTES;
use crate::coordinator::database::{Counting, Database, count_committed, count_rows};
use crate::coordinator::dataset::Dataset;
use crate::coordinator::drive::Outcome;
use crate::coordinator::guardian::Guardian;
use crate::coordinator::store_watch::StoreWatch;
use crate::database::tables::{self, Rows};
use crate::database::{Connection, DatabaseError, quoted};
use crate::measure::{Failure, FailureKind, Measurement, TrialOrder};
use crate::names;
use crate::protocol::StoreOrder;
use crate::scenario::{Configuration, DatasetSpec, Keys, Size, StoreWrite, Work, WorkOrdering};
use crate::trial::TrialSpec;

impl Session<'_> {
    /// The database, for trials whose records end there.
    fn database_of(&self, configuration: &Configuration) -> Option<&Database> {
        self.database.as_ref().filter(|_| configuration.work == Work::Store)
    }

    /// The names of the tables of a trial, one for each group.
    fn tables(&self, order: &TrialOrder, configuration: &Configuration) -> Vec<String> {
        let trial = names::trial(&self.prefix, order.number);
        (1..=configuration.groups)
            .map(|group| names::trial_group(&trial, group))
            .collect()
    }

    /// The trial with a table for each group, which are made. If one cannot be, none stays.
    pub(super) async fn with_tables(
        &self,
        spec: TrialSpec,
        order: &TrialOrder,
        configuration: &Configuration,
    ) -> Result<TrialSpec, NotRun> {
        let Some(database) = self.database_of(configuration) else {
            return Ok(spec);
        };
        let refused = |cause: DatabaseError| {
            // A server that has ended says more in its log.
            let cause = database.ended().unwrap_or_else(|| cause.to_string());
            NotRun::NotPrepared(FailureKind::Store, format!("no table could be made: {cause}"))
        };
        let rows = match database.spec.write {
            StoreWrite::Insert | StoreWrite::Copy => Rows::Any,
            StoreWrite::Upsert => Rows::OnePerRecord,
        };
        let connection = database.connect().await.map_err(refused)?;
        let mut orders = Vec::new();
        for name in self.tables(order, configuration) {
            let table = quoted(&name);
            if let Err(cause) = tables::create(&connection, &table, rows).await {
                // Not this one: it may be somebody else's.
                for StoreOrder { table, .. } in &orders {
                    self.drop_table(&connection, table).await;
                }
                return Err(refused(cause));
            }
            orders.push(StoreOrder::new(
                &database.spec,
                configuration,
                database.url().clone(),
                table,
            ));
        }
        let spec = spec.with_store(&orders);
        Ok(if database.is_private() {
            spec.with_own_store()
        } else {
            spec
        })
    }

    /// What the rows of a trial will be counted with; `None` if none of its records end in a store.
    pub(super) fn counting(
        &self,
        spec: &TrialSpec,
        order: &TrialOrder,
        configuration: &Configuration,
        datasets: &[Dataset],
    ) -> Option<Counting> {
        let database = self.database_of(configuration)?;
        let cluster = self.cluster(configuration);
        let dataset = &self.plan.scenario.datasets[configuration.dataset];
        Some(Counting {
            trial: format!("{}-", names::trial(&self.prefix, order.number)),
            tables: self.tables(order, configuration),
            groups: spec.terms.groups.clone(),
            topics: spec.terms.topics.clone(),
            in_order: configuration.threads == 1 || configuration.ordering == WorkOrdering::Partition,
            one_per_record: database.spec.write == StoreWrite::Upsert,
            key_bytes: key_bytes(dataset),
            same_length: matches!(dataset.size, Size::Fixed(_)) && dataset.existing().is_none(),
            delivered: datasets[configuration.dataset].delivered.clone(),
            bootstrap: cluster.admin.bootstrap().to_owned(),
            properties: cluster.properties.clone(),
        })
    }

    /// Begins to look at the sessions of a trial's members.
    pub(super) fn watch_store(&self, counting: Option<&Counting>) -> Option<StoreWatch> {
        let address = self.database.as_ref()?.address().clone();
        Some(StoreWatch::start(address, counting?.trial.clone()))
    }

    /// Counts the rows of a trial that has ended, and drops its tables. A failure that its rows show is added to what it
    /// came to.
    pub(super) async fn close_tables(
        &self,
        counting: Option<&Counting>,
        sessions: Option<StoreWatch>,
        outcome: &mut Outcome,
    ) {
        let (Some(counting), Some(database)) = (counting, &self.database) else {
            return;
        };
        if let (Some(sessions), Some(measurement)) = (sessions, &mut outcome.measurement) {
            add_activity(sessions, measurement, database.is_private());
        }
        if let Some(ended) = database.ended() {
            outcome.failure = Some(match outcome.failure.take() {
                Some(failure) if failure.kind == FailureKind::Store => failure,
                // Whatever members said of it, this is the cause.
                Some(failure) => Failure {
                    kind: FailureKind::Store,
                    message: format!("{}; {ended}", failure.message),
                    ..failure
                },
                None => Failure {
                    kind: FailureKind::Store,
                    who: None,
                    message: ended,
                },
            });
            return;
        }
        let mut counted = count(database, counting, outcome).await;
        let is_read = outcome.measurement.is_some() && outcome.failure.is_none();
        if counted.is_err() && is_read && self.lost_store().await.is_none() {
            // It was away for a while. What was stored is there to be counted.
            counted = count(database, counting, outcome).await;
        }
        if !counted.as_ref().is_err_and(DatabaseError::passes) {
            self.drop_counted(database, counting).await;
        }
        let failure = counted.unwrap_or_else(|cause| {
            // Without a measurement there was nothing to count.
            let (kind, who) = (FailureKind::Store, None);
            let message = format!("the rows of the trial could not be counted: {cause}");
            outcome.measurement.is_some().then_some(Failure { kind, who, message })
        });
        match (&mut outcome.failure, failure) {
            (None, failure) => outcome.failure = failure,
            (Some(first), Some(failure)) => first.message = format!("{}; {}", first.message, failure.message),
            (Some(_), None) => {}
        }
    }

    async fn drop_counted(&self, database: &Database, counting: &Counting) {
        match database.connect().await {
            Ok(connection) => {
                for table in &counting.tables {
                    self.drop_table(&connection, &quoted(table)).await;
                }
            }
            Err(error) => self.observer.note(&format!(
                "the tables {} are left until the end of the run: {error}",
                counting.tables.join(", ")
            )),
        }
    }

    async fn drop_table(&self, connection: &Connection, table: &str) {
        if let Err(error) = tables::drop(connection, table).await {
            self.observer
                .note(&format!("the table {table} is left until the end of the run: {error}"));
        }
    }

    /// Ends a database that the run started. In another one the run's tables are dropped that are still there.
    pub(super) async fn close_database(&self, database: Database, guardian: &Guardian) {
        let Some(variable) = database.variable().cloned() else {
            if let Err(error) = database.close().await {
                self.observer.note(&format!("the database did not end well: {error}"));
            }
            return;
        };
        match database.drop_tables(&self.prefix).await {
            Ok(_) => guardian.unregister_tables(&variable.env),
            Err(error) => self.observer.note(&format!(
                "tables that start with {} may be left in the database of {variable}: {error}; the next run with that \
                 variable drops them",
                self.prefix
            )),
        }
    }

    /// What is wrong with the store, if it does not answer any more.
    pub(super) async fn lost_store(&self) -> Option<String> {
        let note = |text: &str| self.observer.note(text);
        self.database.as_ref()?.lost(|| self.interrupt.is_set(), note).await
    }
}

/// How a trial fails by its rows.
async fn count(
    database: &Database,
    counting: &Counting,
    outcome: &mut Outcome,
) -> Result<Option<Failure>, DatabaseError> {
    let connection = database.connect().await?;
    match &mut outcome.measurement {
        Some(measurement) => count_rows(&connection, counting, measurement).await,
        None => count_committed(&connection, counting).await,
    }
}

/// Bytes of each record's key; not known of topics that tandem did not fill.
fn key_bytes(dataset: &DatasetSpec) -> Option<u64> {
    match dataset.keys {
        _ if dataset.existing().is_some() => None,
        Keys::None => Some(0),
        Keys::Unique | Keys::Zipf { .. } => Some(KEY_BYTES as u64),
    }
}

/// Adds what the members' sessions did, or why that is not known.
fn add_activity(sessions: StoreWatch, measurement: &mut Measurement, is_private: bool) {
    let activity = sessions.end(measurement.start_ns, measurement.end_ns);
    if let Err(reason) = &activity {
        let what = "what the members' sessions did in the store";
        measurement.not_observed.push(format!("{what}: {reason}"));
    }
    if measurement.host.store_cpu_ns.is_none() {
        let reason = if is_private {
            "it ended meanwhile"
        } else {
            "it is not seen on this machine"
        };
        let what = "CPU time of the store's server";
        measurement.not_observed.push(format!("{what}: {reason}"));
    }
    measurement.store.get_or_insert_default().activity = activity.ok().flatten();
}
