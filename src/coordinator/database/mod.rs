//! The database of a run: one that exists is looked at before anything else is started, a private one is started and ended
//! here. Knows nothing of what trials do with it.

mod error;
mod rows;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

pub use error::NoDatabase;
pub use rows::{Counting, count_committed, count_rows};

use crate::coordinator::leftovers::LeftTables;
use crate::coordinator::listeners::program_at;
use crate::database::tables::{self, NAME_BYTES_MAX, ServerFacts};
use crate::database::{Address, Connection, DatabaseError, PrivateOptions, PrivatePostgres, Programs, quoted};
use crate::measure::{Setting, StoreEnvironment};
use crate::names;
use crate::scenario::{Configuration, Scenario, StoreSpec, Variable, Work};
use crate::secret::Secret;
use crate::server::Keeper;

/// The name of the coordinator's own sessions.
const APPLICATION: &str = "tandem";

/// Connections that a run has beside those of workers.
const OWN_CONNECTIONS: u32 = 2;

/// What PostgreSQL's first process is called, in older versions too.
const SERVER_PROGRAMS: [&str; 2] = ["postgres", "postmaster"];

/// How long a database that somebody else runs may take to answer again, and how often it is asked.
const RETURN_LIMIT: Duration = Duration::from_secs(30);
const RETURN_PAUSE: Duration = Duration::from_millis(500);

/// A database that was found, and not started yet.
pub struct Found {
    spec: StoreSpec,
    /// Connections that workers have at once, at most.
    connections: u32,
    place: Place,
}

/// Where it is.
enum Place {
    /// Somebody else runs it.
    Existing(Box<Reached>),
    /// These are the programs of a private one.
    Private(Programs),
}

/// A database that answers.
struct Reached {
    variable: Variable,
    url: Secret,
    address: Address,
    facts: ServerFacts,
}

impl Found {
    /// Looks for the database of a scenario; `None` where no record ends in one. `run` is the start of the names of the
    /// run's topics and tables.
    pub async fn of(scenario: &Scenario, run: &str) -> Result<Option<Self>, NoDatabase> {
        let stores = scenario.configurations.iter().any(|each| each.work == Work::Store);
        let Some(spec) = scenario.store.as_ref().filter(|_| stores) else {
            return Ok(None);
        };
        check_names(scenario, run)?;
        let place = match &spec.url {
            None => Place::Private(Programs::find()?),
            Some(variable) => Place::Existing(Box::new(Reached::of(variable, scenario, run).await?)),
        };
        Ok(Some(Found {
            spec: spec.clone(),
            connections: most_connections(scenario).map_or(0, |(needed, _)| needed),
            place,
        }))
    }

    /// The tables that a run will make in one that somebody else runs; `prefix` is the start of their names.
    pub fn tables(&self, prefix: &str) -> Option<LeftTables> {
        match &self.place {
            Place::Existing(reached) => Some(LeftTables {
                variable: reached.variable.clone(),
                database: Some(reached.address.database()),
                prefix: prefix.to_owned(),
            }),
            Place::Private(_) => None,
        }
    }

    /// Starts a private one; one that somebody else runs is open already.
    pub async fn open(self, opening: Opening) -> Result<Database, NoDatabase> {
        match self.place {
            Place::Existing(reached) => Ok(reached.open(self.spec)),
            Place::Private(programs) => Database::start(programs, self.spec, self.connections, opening).await,
        }
    }
}

impl Reached {
    async fn of(variable: &Variable, scenario: &Scenario, run: &str) -> Result<Self, NoDatabase> {
        let (url, address) = resolve(variable)?;
        let place = address.place();
        let refused = |cause| NoDatabase::Refused {
            variable: variable.env.clone(),
            place: place.clone(),
            cause,
        };
        let connection = connect(&address).await.map_err(refused)?;
        let facts = tables::server(&connection).await.map_err(refused)?;
        let name = names::trial_group(&names::trial(run, 0), 1);
        let tried = tables::try_create(&connection, &quoted(&name)).await;
        tried.map_err(|cause| NoDatabase::NoTable {
            variable: variable.env.clone(),
            place: place.clone(),
            cause,
        })?;
        if let Some((needed, configuration)) = most_connections(scenario)
            && needed + OWN_CONNECTIONS > facts.connections
        {
            return Err(NoDatabase::Connections {
                place,
                configuration: configuration.name.clone(),
                needed,
                allowed: facts.connections,
            });
        }
        Ok(Reached {
            variable: variable.clone(),
            url,
            address,
            facts,
        })
    }
}

impl Reached {
    fn open(self, spec: StoreSpec) -> Database {
        let setting = |(name, value)| Setting {
            name,
            value,
            reason: "as the database has it".to_owned(),
        };
        Database {
            spec,
            url: self.url,
            server: program_at(&self.address.tcp_places(), &SERVER_PROGRAMS),
            address: self.address,
            version: self.facts.version,
            settings: self.facts.settings.into_iter().map(setting).collect(),
            private: None,
        }
    }
}

/// The address that a variable holds.
fn resolve(variable: &Variable) -> Result<(Secret, Address), NoDatabase> {
    let name = || variable.env.clone();
    let value = std::env::var(&variable.env).ok().filter(|value| !value.is_empty());
    let url = Secret::new(value.ok_or_else(|| NoDatabase::Unset { variable: name() })?);
    let address = Address::parse(&url).map_err(|cause| NoDatabase::Address {
        variable: name(),
        cause,
    })?;
    Ok((url, address))
}

async fn connect(address: &Address) -> Result<Connection, DatabaseError> {
    Connection::open(address, APPLICATION).await
}

/// The most connections that workers have at once, and which configuration has them.
fn most_connections(scenario: &Scenario) -> Option<(u32, &Configuration)> {
    let storing = scenario.configurations.iter().filter(|each| each.work == Work::Store);
    let needed = storing.map(|each| (each.members().saturating_mul(each.threads), each));
    needed.max_by_key(|(needed, _)| *needed)
}

/// The name of a table is that of a group, and PostgreSQL cuts long names.
fn check_names(scenario: &Scenario, run: &str) -> Result<(), NoDatabase> {
    let groups = scenario
        .configurations
        .iter()
        .map(|each| each.groups)
        .max()
        .unwrap_or(1);
    // Nobody runs more trials than that.
    let name = names::trial_group(&names::trial(run, 99_999), groups);
    if name.len() <= NAME_BYTES_MAX {
        return Ok(());
    }
    Err(NoDatabase::Prefix {
        prefix: scenario.cluster.prefix.clone(),
        name,
        max: NAME_BYTES_MAX,
    })
}

/// What opening a database takes besides having found it.
pub struct Opening {
    /// Id of the run.
    pub run_id: String,
    /// Folder under which brokers keep their data.
    pub data_parent: PathBuf,
    /// Ends all that must not outlive the run.
    pub keeper: Arc<dyn Keeper>,
    /// Ends it early.
    pub interrupted: Arc<AtomicBool>,
}

/// The database of a run, which answers.
pub struct Database {
    /// How the scenario uses it.
    pub spec: StoreSpec,
    url: Secret,
    address: Address,
    version: String,
    settings: Vec<Setting>,
    /// The first process of the server that somebody else runs, if it is seen on this machine.
    server: Option<u32>,
    private: Option<Arc<PrivatePostgres>>,
}

impl Database {
    async fn start(
        programs: Programs,
        spec: StoreSpec,
        connections: u32,
        opening: Opening,
    ) -> Result<Self, NoDatabase> {
        let options = PrivateOptions {
            data_parent: opening.data_parent,
            run_id: opening.run_id,
            connections,
        };
        let start = move || PrivatePostgres::start(&programs, &options, &opening.keeper, &opening.interrupted);
        let postgres = match tokio::task::spawn_blocking(start).await {
            Ok(started) => started?,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let url = postgres.url().clone();
        let address = Address::parse(&url).map_err(|cause| NoDatabase::Unanswered(cause.into()))?;
        // It may say that it is ready and refuse all the same.
        connect(&address).await.map_err(NoDatabase::Unanswered)?;
        Ok(Database {
            spec,
            url,
            address,
            version: postgres.version().to_owned(),
            settings: postgres.settings().to_vec(),
            server: None,
            private: Some(Arc::new(postgres)),
        })
    }

    /// Connects to it, within the runtime that asks.
    pub async fn connect(&self) -> Result<Connection, DatabaseError> {
        connect(&self.address).await
    }

    /// Its address, with the password.
    pub fn url(&self) -> &Secret {
        &self.url
    }

    /// Its address, as it is connected to.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The variable that holds the address of one that somebody else runs.
    pub fn variable(&self) -> Option<&Variable> {
        self.spec.url.as_ref()
    }

    /// The server that the run started.
    pub fn private(&self) -> Option<&Arc<PrivatePostgres>> {
        self.private.as_ref()
    }

    /// True for one that the run started.
    pub fn is_private(&self) -> bool {
        self.private.is_some()
    }

    /// The first process of its server, if it runs on this machine and may be looked at.
    pub fn pid(&self) -> Option<u32> {
        self.private.as_ref().map_or(self.server, |private| private.pid())
    }

    /// What must show nowhere.
    pub fn secrets(&self) -> impl Iterator<Item = Secret> {
        [self.url.clone()].into_iter().chain(self.address.passwords())
    }

    /// What happened to a private server that has ended, with the end of its log.
    pub fn ended(&self) -> Option<String> {
        let private = self.private.as_ref()?;
        let status = private.exit_status()?;
        let log = private.last_log_lines();
        Some(format!(
            "PostgreSQL {} has ended ({status}); the end of its log:\n{log}",
            self.version
        ))
    }

    /// What is wrong with it, if it does not answer. One that somebody else runs is given half a minute to come back, unless
    /// `is_interrupted`.
    pub async fn lost(&self, is_interrupted: impl Fn() -> bool, note: impl FnOnce(&str)) -> Option<String> {
        let deadline = Instant::now() + RETURN_LIMIT;
        let mut note = Some(note);
        loop {
            if let Some(ended) = self.ended() {
                return Some(ended);
            }
            let cause = self.connect().await.err()?;
            if !cause.passes() || Instant::now() > deadline || is_interrupted() {
                return Some(format!(
                    "the database at {} does not answer: {cause}",
                    self.address.place()
                ));
            }
            if let Some(note) = note.take() {
                let seconds = RETURN_LIMIT.as_secs();
                note(&format!(
                    "the database at {} does not answer ({cause}); waiting up to {seconds} s for it to come back",
                    self.address.place()
                ));
            }
            tokio::time::sleep(RETURN_PAUSE).await;
        }
    }

    /// What the environment file says of it.
    pub fn describe(&self) -> StoreEnvironment {
        StoreEnvironment {
            kind: "PostgreSQL".to_owned(),
            version: self.version.clone(),
            local: self.is_private(),
            place: self.spec.url.as_ref().map(|_| self.address.place()),
            deviations: self.settings.clone(),
        }
    }

    /// Drops what is there of the tables of a run, whose names start so; how many.
    pub async fn drop_tables(&self, run: &str) -> Result<usize, DatabaseError> {
        drop_tables(&self.connect().await?, run).await
    }

    /// Ends a private server and removes its data.
    pub async fn close(self) -> Result<(), NoDatabase> {
        let Some(private) = self.private.and_then(Arc::into_inner) else {
            return Ok(());
        };
        match tokio::task::spawn_blocking(move || private.close()).await {
            Ok(closed) => Ok(closed?),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// Drops the tables that a killed run has left in a database, if the variable still holds its address; how many.
pub async fn drop_left(left: &LeftTables) -> Result<usize, NoDatabase> {
    let (_, address) = resolve(&left.variable)?;
    if let Some(database) = left
        .database
        .as_ref()
        .filter(|database| **database != address.database())
    {
        return Err(NoDatabase::Another {
            variable: left.variable.env.clone(),
            database: database.clone(),
            now: address.database(),
        });
    }
    let dropped = async { drop_tables(&connect(&address).await?, &left.prefix).await };
    dropped.await.map_err(|cause| NoDatabase::Refused {
        variable: left.variable.env.clone(),
        place: address.place(),
        cause,
    })
}

/// Drops the tables of a run: what has another form of name is not tandem's, whatever its start.
async fn drop_tables(connection: &Connection, run: &str) -> Result<usize, DatabaseError> {
    let named = tables::named(connection, &format!("{run}-")).await?;
    let is_of_run = |name: &&String| names::is_trial_group(run, name);
    let of_run: Vec<&String> = named.iter().filter(is_of_run).collect();
    for name in &of_run {
        tables::drop(connection, &quoted(name)).await?;
    }
    Ok(of_run.len())
}
