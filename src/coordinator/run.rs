//! A run: puts the guardian up, opens the cluster, and hands both to a session.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::cluster::{Cluster, Opening, provide};
use super::confinement::Confinement;
use super::database::{self, Database, NoDatabase};
use super::ending::{RunEnd, RunError};
use super::events::Observer;
use super::existing::{self, Resolved};
use super::guardian::Guardian;
use super::interrupt::Interrupt;
use super::leftovers::LeftTopics;
use super::memory::Started;
use super::options::RunOptions;
use super::places::{OpeningPlaces, Places};
use super::programs::Programs;
use super::ready_made::{self, ClientError};
use super::session::Session;
use super::steps::Steps;
use crate::measure::Step;
use crate::measure::limits::{self, Kernel};
use crate::plan::Plan;
use crate::scenario::{ClusterSpec, Scenario};
use crate::secret::Hidden;
use crate::server::Keeper;
use crate::store::RunDir;

/// Runs a plan in a run's folder until nothing is left, the user interrupts or the cluster is gone.
pub async fn run(
    plan: &Plan,
    dir: &RunDir,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
    interrupt: &Interrupt,
) -> Result<RunEnd, RunError> {
    let steps = Steps::start(options.session);
    let guardian = Guardian::start(&options.program, &options.run_id, dir.path(), &options.state);
    let guardian = Arc::new(guardian.map_err(RunError::Guardian)?);
    let result = match Confinement::open(&plan.scenario, &options.run_id, &guardian) {
        Err(error) => Err(error.into()),
        Ok(confinement) => {
            let around = (&observer, &guardian, confinement.as_ref());
            // On the heap: all that a run waits for is part of it.
            let result = Box::pin(execute(plan, dir, options, around, interrupt, &steps)).await;
            if let Some(confinement) = confinement {
                confinement.close(&guardian);
            }
            result
        }
    };
    if let Some(problem) = guardian.problem() {
        observer.note(&problem);
    }
    if let Err(error) = guardian.finish() {
        observer.note(&format!("the guardian did not end well: {error}"));
    }
    if let Err(error) = steps.store(dir) {
        observer.note(&format!("the times of the session were not stored: {error}"));
    }
    result
}

/// Who hears of a run, what ends with it, and where places limit their processes.
type Around<'a> = (&'a Arc<dyn Observer>, &'a Arc<Guardian>, Option<&'a Confinement>);

/// Asks the builds who they are, opens the places, and goes on with the clusters.
async fn execute(
    plan: &Plan,
    dir: &RunDir,
    options: &RunOptions,
    around: Around<'_>,
    interrupt: &Interrupt,
    steps: &Steps,
) -> Result<RunEnd, RunError> {
    let (observer, guardian, _) = around;
    let scenario = &plan.scenario;
    existing::check_cluster(scenario)?;
    let prefix = format!("{}{}", scenario.cluster.prefix, options.run_id);
    let found = find_database(scenario, &prefix, interrupt).await?;
    let programs = programs(scenario, options, observer, interrupt, steps).await?;
    steps.begin(Step::Places);
    let places = open_places(plan, &programs, options, (observer, interrupt, guardian))?;
    let ready = Ready {
        found,
        prefix,
        programs,
        places: &places,
    };
    let ended = Box::pin(on_clusters(plan, dir, options, ready, around, interrupt, steps)).await;
    places.close(guardian);
    ended
}

/// What was found out before anything is started.
struct Ready<'a> {
    found: Option<database::Found>,
    /// Start of the names of topics and groups.
    prefix: String,
    programs: Programs,
    places: &'a Places,
}

/// No forecast that pods' deadlines are made of is longer: 30 days.
const FORECAST_MAX_SECONDS: f64 = 2_592_000.0;

/// Opens the places that are not this machine.
fn open_places(
    plan: &Plan,
    programs: &Programs,
    options: &RunOptions,
    (observer, interrupt, guardian): (&Arc<dyn Observer>, &Interrupt, &Arc<Guardian>),
) -> Result<Places, RunError> {
    let opening = OpeningPlaces {
        scenario: &plan.scenario,
        programs,
        run_id: &options.run_id,
        forecast: Duration::from_secs_f64(plan.forecast().seconds().clamp(0.0, FORECAST_MAX_SECONDS)),
        guardian,
        progress: &|message: &str| observer.preparing(message),
        interrupted: &interrupt.flag(),
    };
    tokio::task::block_in_place(|| Places::open(&opening)).map_err(|error| {
        if error.is_interruption() {
            RunError::Interrupted
        } else {
            error.into()
        }
    })
}

/// Opens the store and the clusters, and runs a session on them.
async fn on_clusters(
    plan: &Plan,
    dir: &RunDir,
    options: &RunOptions,
    Ready {
        found,
        prefix,
        programs,
        places,
    }: Ready<'_>,
    (observer, guardian, confinement): Around<'_>,
    interrupt: &Interrupt,
    steps: &Steps,
) -> Result<RunEnd, RunError> {
    let scenario = &plan.scenario;
    let database = open_database(found, options, &prefix, (observer, interrupt, guardian, steps)).await?;
    for (spec, bootstrap) in addresses(scenario) {
        guardian.register_topics(LeftTopics {
            bootstrap: bootstrap.to_owned(),
            prefix: prefix.clone(),
            client: spec.client.clone(),
        });
    }
    steps.begin(Step::Brokers);
    let clusters = match open(scenario, options, observer, interrupt, guardian).await {
        Ok(clusters) => clusters,
        Err(error) => {
            unregister(guardian, scenario, database.as_ref());
            let is_interrupted = interrupt.is_set();
            return Err(if is_interrupted { RunError::Interrupted } else { error });
        }
    };
    steps.begin(Step::Data);
    let resolved = existing::resolve(plan, dir, &clusters[0], &prefix, observer.as_ref(), interrupt).await;
    let (resolved, refused) = match resolved {
        Ok(resolved) => (resolved, None),
        Err(error) => (Resolved::unseen(plan), Some(error)),
    };
    let session = Session {
        plan: &resolved.plan,
        delivered: resolved.delivered.clone(),
        dir,
        options,
        observer: Arc::clone(observer),
        interrupt,
        clusters,
        programs,
        prefix,
        named_are_ours: AtomicBool::new(false),
        hidden: Arc::new(hidden(&resolved.plan.scenario, database.as_ref())),
        database,
        places,
        confinement,
        steps,
    };
    // On the heap: all that a trial waits for is part of it.
    Box::pin(hold(session, refused, guardian)).await
}

/// Runs a session, unless it was refused, and removes what it has made.
async fn hold(session: Session<'_>, refused: Option<RunError>, guardian: &Guardian) -> Result<RunEnd, RunError> {
    let ended = match refused {
        None => session.execute().await,
        Some(error) => Err(error),
    };
    let ended = ended.map_err(|error| session.explained(error));
    session.steps.begin(Step::Closing);
    session.close(guardian).await;
    ended
}

/// The clusters of a scenario that somebody else runs, with their addresses.
fn addresses(scenario: &Scenario) -> impl Iterator<Item = (&ClusterSpec, &str)> {
    scenario.clusters().filter_map(|spec| Some((spec, spec.bootstrap()?)))
}

/// Takes back what was said of clusters and a database in which nothing was made yet.
fn unregister(guardian: &Guardian, scenario: &Scenario, database: Option<&Database>) {
    addresses(scenario).for_each(|(_, bootstrap)| guardian.unregister_topics(bootstrap));
    let variable = database.and_then(Database::variable);
    if let Some(variable) = variable {
        guardian.unregister_tables(&variable.env);
    }
}

/// Looks for the database in which records of a scenario end: one that cannot be used costs no start of anything.
async fn find_database(
    scenario: &Scenario,
    prefix: &str,
    interrupt: &Interrupt,
) -> Result<Option<database::Found>, RunError> {
    tokio::select! {
        found = database::Found::of(scenario, prefix) => Ok(found?),
        () = interrupt.wait() => Err(RunError::Interrupted),
    }
}

/// Starts it, if it is the run's own. In another one tables will be made, which a later start has to drop if this run cannot.
async fn open_database(
    found: Option<database::Found>,
    options: &RunOptions,
    prefix: &str,
    around: (&Arc<dyn Observer>, &Interrupt, &Arc<Guardian>, &Steps),
) -> Result<Option<Database>, RunError> {
    let (observer, interrupt, guardian, steps) = around;
    let Some(found) = found else { return Ok(None) };
    match found.tables(prefix) {
        Some(tables) => guardian.register_tables(tables),
        None => {
            steps.begin(Step::Store);
            observer.preparing("starting PostgreSQL");
        }
    }
    let opening = database::Opening {
        run_id: options.run_id.clone(),
        data_parent: options.data_parent.clone(),
        keeper: Arc::<Guardian>::clone(guardian),
        interrupted: interrupt.flag(),
    };
    let opened = found.open(opening).await;
    let interrupted = |error: NoDatabase| {
        if interrupt.is_set() {
            RunError::Interrupted
        } else {
            error.into()
        }
    };
    Ok(Some(opened.map_err(interrupted)?))
}

/// What must show nowhere: of the scenario, and of its database.
fn hidden(scenario: &Scenario, database: Option<&Database>) -> Hidden {
    let of_database = database.into_iter().flat_map(Database::secrets);
    crate::kafka::client::hidden(scenario).and(of_database)
}

/// The programs that the workers of a scenario are started from.
async fn programs(
    scenario: &Scenario,
    options: &RunOptions,
    observer: &Arc<dyn Observer>,
    interrupt: &Interrupt,
    steps: &Steps,
) -> Result<Programs, RunError> {
    let programs = ask_programs(scenario, options, interrupt).await?;
    let clients = provide_clients(scenario, options, observer, interrupt, steps).await?;
    Ok(programs.with_clients(clients))
}

/// Asks the builds that a scenario compares who they are.
async fn ask_programs(scenario: &Scenario, options: &RunOptions, interrupt: &Interrupt) -> Result<Programs, RunError> {
    let asking = Programs::ask(&options.program, scenario, &options.run_id, options.log_workers);
    tokio::select! {
        asked = asking => Ok(asked?),
        () = interrupt.wait() => Err(RunError::Interrupted),
    }
}

/// The folders of the ready-made clients of a scenario, which are built if they are not in the cache.
async fn provide_clients(
    scenario: &Scenario,
    options: &RunOptions,
    observer: &Arc<dyn Observer>,
    interrupt: &Interrupt,
    steps: &Steps,
) -> Result<BTreeMap<String, PathBuf>, RunError> {
    if ready_made::found(scenario).iter().any(|client| client.folder.is_none()) {
        steps.begin(Step::Building);
    }
    let (scenario, run_id) = (scenario.clone(), options.run_id.clone());
    let (observer, interrupted) = (Arc::clone(observer), interrupt.flag());
    let providing = tokio::task::spawn_blocking(move || {
        ready_made::provide(&scenario, &run_id, &|message| observer.preparing(message), &interrupted)
    });
    match providing.await {
        Ok(Err(ClientError::Interrupted)) => Err(RunError::Interrupted),
        Ok(provided) => Ok(provided?),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The clusters of a scenario, its own first.
async fn open(
    scenario: &Scenario,
    options: &RunOptions,
    observer: &Arc<dyn Observer>,
    interrupt: &Interrupt,
    guardian: &Arc<Guardian>,
) -> Result<Vec<Cluster>, RunError> {
    let machine = limits::Limits::of_this_process(&Kernel::running());
    let heap_mib = Started::by(scenario).broker_heap_mib(&machine);
    let open = |index: usize, spec| {
        let keeper: Arc<dyn Keeper> = Arc::<Guardian>::clone(guardian);
        let opening = Opening {
            run_id: options.run_id.clone(),
            data_parent: options.data_parent.clone(),
            heap_mib,
            keeper,
            observer: Arc::clone(observer),
            interrupted: interrupt.flag(),
        };
        Cluster::open(spec, scenario.needs(index), opening)
    };
    if scenario.clusters().count() > 1 {
        let versions = scenario.clusters().filter_map(ClusterSpec::version).collect();
        provide(versions, Arc::clone(observer)).await?;
    }
    // Those that run already first: brokers of our own take their time, and would have to be ended again.
    let mut others = Vec::new();
    for (index, spec) in scenario.variants.clusters.iter().enumerate() {
        others.push(open(index + 1, spec).await.map_err(|cause| match spec.bootstrap() {
            Some(bootstrap) => RunError::OtherCluster {
                bootstrap: bootstrap.to_owned(),
                cause,
            },
            // It names the version itself.
            None => cause.into(),
        })?);
    }
    let own = open(0, &scenario.cluster).await?;
    for other in &others {
        let ids = (own.admin.cluster_id().await, other.admin.cluster_id().await);
        if let (Some(id), Some(same)) = ids
            && id == same
        {
            let bootstrap = other.admin.bootstrap().to_owned();
            return Err(RunError::SameCluster { bootstrap, id });
        }
    }
    Ok(std::iter::once(own).chain(others).collect())
}
