//! `tandem run`: runs scenarios, one after the other, and reports each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rand::RngExt;

use super::disk::{check_disk, check_store_disk, data_parent};
use super::exit::{CANNOT, DONE, INTERRUPTED, WRONG};
use super::gate::Gate;
use super::plan::{check_settings, full_loads};
use super::runtime::runtime;
use super::setting_flags::{self, SettingFlags};
use super::source::{Choices, Source, kept_as_file};
use super::{interrupt, left, progress, report};
use crate::coordinator::leftovers::state_folder;
use crate::coordinator::{self, Interrupt, RunEnd, RunError, RunOptions, cache_warning, check_builds};
use crate::measure::limits::Kernel;
use crate::plan::Plan;
use crate::report::Extent;
use crate::scenario::{Mode, Scenario, storable};
use crate::store::{RunDir, SCENARIO_FILE};
use crate::trial::Limits;

/// Folder below the present one in which runs are stored.
const RESULTS: &str = "results";

/// What `tandem run` takes.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Arguments {
    /// Scenario files, or names of those that come with tandem, such as one-vs-two; or instead the flags that --help
    /// lists by table, as in: tandem run --partitions 12 --work 'wait 3ms' --consumers 6,12 --rate 2000
    #[arg(required_unless_present_any = ["resume", setting_flags::GROUP], conflicts_with = "resume")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    choices: Choices,
    /// Store the run in this folder, which must be empty or not exist [default: results/SCENARIO/TIME]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Go on with the run in this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["quick", "repetitions", "until", "only", "bootstrap", "cluster", "against", "versions", "binary"])]
    resume: Option<PathBuf>,
    /// Resume even where the machine, the versions or the stored scenario have changed
    #[arg(long, requires = "resume")]
    force: bool,
    /// Leave the data sets on the cluster for later runs, and read those that earlier runs have left; for a cluster that
    /// outlives the run (--bootstrap, --cluster local)
    #[arg(long)]
    keep_data: bool,
    /// Seconds that members may take to join their group
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().join.as_secs(), value_parser = clap::value_parser!(u64).range(1..=3600))]
    join_limit: u64,
    /// Seconds without any record after which a trial has failed
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().stall.as_secs(), value_parser = clap::value_parser!(u64).range(1..=3600))]
    stall_limit: u64,
    #[command(flatten)]
    gate: Gate,
    /// Print only the answer, warnings, errors and notes
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Print what the workers log, too, and everything of the report that fits a terminal
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    settings: SettingFlags,
}

impl Arguments {
    fn extent(&self) -> Extent {
        report::extent(self.quiet, self.verbose)
    }
}

/// Runs what was asked for.
pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    if arguments.out.is_some() && arguments.files.len() > 1 {
        bail!("--out DIR is for one scenario; {} were given", arguments.files.len());
    }
    if let Some(dir) = &arguments.resume {
        arguments.settings.refuse_beside_run(dir)?;
    }
    arguments.gate.check_single(arguments.files.len())?;
    arguments.gate.check(&[])?;
    let runtime = runtime()?;
    let interrupt = Interrupt::default();
    runtime.spawn(interrupt::listen(interrupt.clone(), "what has been measured is kept"));
    runtime.block_on(left::clean(false));
    let mut worst = DONE;
    let code = match &arguments.resume {
        Some(dir) => resume(arguments, &runtime, &interrupt, dir)?,
        None => {
            // All files are checked before the first is run.
            let sources = Source::load_all(&arguments.files, &arguments.settings, &arguments.choices)?;
            for source in sources {
                let code = begin(arguments, &runtime, &interrupt, source)?;
                worst = worst.max(code);
                if code == INTERRUPTED {
                    break;
                }
            }
            worst
        }
    };
    // A thread that still waits for a broker must not hold the program up.
    runtime.shutdown_timeout(Duration::from_millis(200));
    Ok(code)
}

fn begin(
    arguments: &Arguments,
    runtime: &tokio::runtime::Runtime,
    interrupt: &Interrupt,
    source: Source,
) -> Result<u8> {
    arguments.gate.check_scenario(&source.scenario)?;
    check_settings(&source.scenario)?;
    check_builds(&source.scenario)?;
    if let Some(text) = kept_as_file(&source).filter(|_| !arguments.quiet) {
        eprintln!("{text}");
    }
    let mut plan = Plan::new(source.scenario).with_source(storable(&source.text));
    check_keeping(arguments, &plan.scenario)?;
    check_disk(&plan)?;
    check_store_disk(&plan.scenario)?;
    plan.scenario.warnings.extend(cache_warning(&plan, &Kernel::running()));
    if let Some(note) = plan.scenario.nothing_compared() {
        eprintln!("note: {note}");
    }
    for warning in plan.scenario.warnings.iter().chain(&full_loads(&plan)) {
        eprintln!("warning: {warning}");
    }
    let dir = match &arguments.out {
        Some(out) => RunDir::create(out)?,
        None => RunDir::create_for(Path::new(RESULTS), &plan.scenario.name, jiff::Timestamp::now())?,
    };
    dir.write_scenario(plan.source.as_deref().unwrap_or_default())?;
    dir.write_plan(&plan)?;
    execute(arguments, runtime, interrupt, &plan, dir, 1)
}

fn resume(arguments: &Arguments, runtime: &tokio::runtime::Runtime, interrupt: &Interrupt, dir: &Path) -> Result<u8> {
    let dir = RunDir::open(dir)?;
    let plan = dir.read_plan()?;
    check_unchanged(&dir, &plan, arguments.force)?;
    arguments.gate.check_stored(&dir, &plan.scenario)?;
    check_settings(&plan.scenario)?;
    check_builds(&plan.scenario)?;
    check_keeping(arguments, &plan.scenario)?;
    check_disk(&plan)?;
    check_store_disk(&plan.scenario)?;
    let session = dir.read_trials()?.iter().map(|trial| trial.session).max().unwrap_or(0) + 1;
    execute(arguments, runtime, interrupt, &plan, dir, session)
}

/// Fails where the run that is stored is not the one that would go on.
fn check_unchanged(dir: &RunDir, plan: &Plan, force: bool) -> Result<()> {
    let file = dir.path().join(SCENARIO_FILE);
    if dir.scenario_was_edited(plan)? && !force {
        bail!(
            "{file} was edited after the run had begun, and a run goes on with the scenario that it began with: begin a new \
             run with `tandem run {file}`, or go on with the old scenario with --force",
            file = file.display()
        );
    }
    Ok(())
}

/// A data set outlives a run only where its cluster does.
fn check_keeping(arguments: &Arguments, scenario: &Scenario) -> Result<()> {
    if !arguments.keep_data {
        return Ok(());
    }
    if scenario.clusters().any(|cluster| cluster.bootstrap().is_none()) {
        bail!(
            "--keep-data needs a cluster that outlives the run, and this run would start brokers of its own, whose data \
             go with them; start a cluster that stays with `tandem cluster up` and add --cluster local, or name a \
             running one with --bootstrap HOST:PORT"
        );
    }
    if scenario
        .configurations
        .iter()
        .all(|configuration| configuration.mode != Mode::Backlog)
    {
        eprintln!("note: there is no data set to keep: every trial makes the topics that its records arrive in");
    }
    Ok(())
}

/// Leaves nothing behind of a run that could not begin. A run that was to go on stays, even without trials: it may be
/// resumed again.
fn discard_new(arguments: &Arguments, dir: RunDir) -> Result<()> {
    if arguments.resume.is_none() {
        dir.discard()?;
    }
    Ok(())
}

/// Runs a plan and reports it, whichever way it ended.
fn execute(
    arguments: &Arguments,
    runtime: &tokio::runtime::Runtime,
    interrupt: &Interrupt,
    plan: &Plan,
    dir: RunDir,
    session: u32,
) -> Result<u8> {
    let options = options(arguments, &dir, session)?;
    let observer = progress::observer(arguments.quiet);
    let end = match runtime.block_on(coordinator::run(plan, &dir, &options, observer, interrupt)) {
        Ok(end) => end,
        Err(error) => return not_run(arguments, dir, &error),
    };
    let measured = !dir.read_trials()?.is_empty();
    if !measured && !matches!(end, RunEnd::ClusterLost(_) | RunEnd::StoreLost(_)) {
        discard_new(arguments, dir)?;
        return Ok(if end == RunEnd::Interrupted { INTERRUPTED } else { WRONG });
    }
    let reported = if measured {
        report::write(&dir, arguments.extent(), &arguments.gate)?
    } else {
        WRONG
    };
    Ok(match end {
        RunEnd::Done => reported,
        RunEnd::Interrupted => {
            eprintln!("interrupted; {}", how_to_go_on(&dir));
            INTERRUPTED
        }
        RunEnd::TopicsLost(cause) => {
            eprintln!("tandem: the rest was not run: {cause}");
            WRONG
        }
        RunEnd::StoreLost(cause) => {
            eprintln!("tandem: the store is gone, the rest was not run: {cause}");
            eprintln!("{}", how_to_go_on(&dir));
            WRONG
        }
        RunEnd::ClusterLost(cause) => {
            eprintln!("tandem: the cluster is gone, the rest was not run: {cause}");
            eprintln!("{}", how_to_go_on(&dir));
            WRONG
        }
    })
}

fn options(arguments: &Arguments, dir: &RunDir, session: u32) -> Result<RunOptions> {
    // A run that keeps its data goes on with what it has kept.
    let has_kept = dir
        .read_environment()?
        .is_some_and(|environment| !environment.kept_data.is_empty());
    Ok(RunOptions {
        program: std::env::current_exe().context("cannot find this program's own file")?,
        run_id: format!("{:08x}", rand::rng().random::<u32>()),
        session,
        data_parent: data_parent(),
        state: state_folder(),
        limits: Limits {
            join: Duration::from_secs(arguments.join_limit),
            stall: Duration::from_secs(arguments.stall_limit),
            ..Limits::default()
        },
        log_workers: arguments.verbose,
        force: arguments.force,
        keep_data: arguments.keep_data || has_kept,
    })
}

/// Says why a run could not go on, and reports what it had measured by then.
fn not_run(arguments: &Arguments, dir: RunDir, error: &RunError) -> Result<u8> {
    eprintln!("tandem: {error}");
    let interrupted = matches!(error, RunError::Interrupted);
    if dir.read_trials()?.is_empty() {
        discard_new(arguments, dir)?;
        return Ok(if interrupted { INTERRUPTED } else { CANNOT });
    }
    eprintln!("{}", how_to_go_on(&dir));
    report::write(&dir, arguments.extent(), &arguments.gate)?;
    Ok(if interrupted { INTERRUPTED } else { WRONG })
}

fn how_to_go_on(dir: &RunDir) -> String {
    format!("go on with: tandem run --resume {}", dir.path().display())
}
