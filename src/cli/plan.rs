//! `tandem plan`: what a scenario would run, and what that would cost.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Result, bail};
use comfy_table::{Table, presets};

use super::disk::check_disk;
use super::exit::DONE;
use super::places::describe_places;
use super::setting_flags::{self, SettingFlags};
use super::source::{Choices, Source, kept_as_file};
use super::timeline::describe_events;
use crate::coordinator::leftovers::state_folder;
use crate::coordinator::{cache_warning, check_builds, check_existing_topics, check_named_topics, ready_made};
use crate::kafka::client::{ConsumerSettings, resolve_all};
use crate::measure::COMMITS_PER_WINDOW;
use crate::measure::limits::{Kernel, Limits};
use crate::plan::{Forecast, Plan, USUAL_COMMIT_INTERVAL_NS};
use crate::report::{bytes, duration, memory_in_words};
use crate::scenario::{
    CLUSTER_AXIS, Capacity, ClusterSource, Configuration, DatasetSpec, Mode, ResponseLimit, Scenario, TrialLength,
};
use crate::wording::{grouped, plural, with_commas};

/// What `tandem plan` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Scenario file, or the name of one that comes with tandem, such as one-vs-two; or instead the flags that --help
    /// lists by table, as in: tandem plan --partitions 12 --consumers 6,12 --rate 2000
    #[arg(required_unless_present = setting_flags::GROUP)]
    file: Option<PathBuf>,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    settings: SettingFlags,
}

/// Prints the plan of one scenario.
pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    let files: Vec<PathBuf> = arguments.file.iter().cloned().collect();
    for source in Source::load_all(&files, &arguments.settings, &arguments.choices)? {
        print(source)?;
    }
    Ok(DONE)
}

fn print(source: Source) -> Result<()> {
    let text = kept_as_file(&source);
    check_settings(&source.scenario)?;
    check_builds(&source.scenario)?;
    check_existing_topics(&source.scenario)?;
    check_named_topics(&source.scenario, &state_folder())?;
    let kernel = Kernel::running();
    let mut plan = Plan::new(source.scenario);
    check_disk(&plan)?;
    plan.scenario.warnings.extend(cache_warning(&plan, &kernel));
    let mut out = std::io::stdout().lock();
    if let Some(text) = text {
        writeln!(out, "{text}")?;
    }
    write!(out, "{}", describe(&plan))?;
    for client in ready_made::found(&plan.scenario) {
        writeln!(out, "{}", client.sentence())?;
    }
    let limits = Limits::of_this_process(&kernel);
    let (cores, memory) = (limits.cores_in_words(), memory_in_words(&limits));
    writeln!(out, "\nthis machine: {cores}; {memory} of memory")?;
    Ok(())
}

/// Fails where a client property needs an environment variable that is not set, or a launcher a secret that is not there.
pub(super) fn check_settings(scenario: &Scenario) -> Result<()> {
    if let Some(place) = scenario.places.iter().find(|place| place.lacks_secrets()) {
        bail!(
            "the launcher of place {:?} has (hidden) in the place of a secret, because secrets are not stored: begin a new \
             run with the complete launcher; a run whose launcher takes its secrets from environment variables can be resumed",
            place.name
        );
    }
    if let Some(app) = scenario.apps.iter().find(|app| app.lacks_secrets()) {
        bail!(
            "the command or `env` of app {:?} has (hidden) in the place of a secret, because secrets are not stored: begin a \
             new run with the complete file; secrets that come from the environment of tandem reach the app without it",
            app.name
        );
    }
    for configuration in &scenario.configurations {
        ConsumerSettings::of(scenario, configuration, "").resolve()?;
        if let Some(load) = configuration.mode.load() {
            resolve_all(&load.properties)?;
        }
    }
    Ok(())
}

/// The plan as text.
fn describe(plan: &Plan) -> String {
    let scenario = &plan.scenario;
    let forecast = plan.forecast();
    let mut text = format!("{}: {}\n\n", scenario.name, scenario.question);
    if let Some(note) = scenario.nothing_compared() {
        let _ = writeln!(text, "note: {note}\n");
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["#", "configuration", "members", "family", "compared with"]);
    for (index, configuration) in scenario.configurations.iter().enumerate() {
        let baseline = configuration.baseline.map(|b| format!("#{}", b + 1));
        table.add_row([
            (index + 1).to_string(),
            configuration.name.clone(),
            format!(
                "{} = {} x {} x {}",
                configuration.members(),
                configuration.groups,
                configuration.processes,
                configuration.consumers
            ),
            scenario.families[configuration.family].name.clone(),
            baseline.unwrap_or_else(|| "(baseline)".to_owned()),
        ]);
    }
    let _ = writeln!(text, "{table}\n(members = groups x processes x consumers)\n");
    text += &describe_variants(scenario);
    text += &describe_places(scenario);
    text += &describe_loads(scenario);
    text += &describe_limits(plan);
    text += &describe_trials(scenario, &forecast);
    text += &describe_data(scenario, &forecast);
    text += &describe_existing(scenario);
    text += &describe_time(scenario, &forecast);
    text += &describe_events(scenario);
    let _ = writeln!(text, "\nrules fixed beforehand:");
    for rule in plan.exclusion.sentences() {
        let _ = writeln!(text, "- {rule}");
    }
    for warning in &scenario.warnings {
        let _ = writeln!(text, "\nwarning: {warning}");
    }
    text
}

/// The clusters that are started, and the clusters and builds that are compared.
fn describe_variants(scenario: &Scenario) -> String {
    let mut text = String::new();
    for (index, axis) in scenario.axes.iter().enumerate() {
        if scenario.is_variant_axis(index) && axis.key == CLUSTER_AXIS {
            let _ = writeln!(text, "clusters: {}, in the same blocks", axis.values.join(" and "));
        }
    }
    for cluster in scenario.clusters() {
        if let ClusterSource::Local {
            brokers,
            version,
            zookeeper,
            ..
        } = cluster.source
        {
            let on = if zookeeper { " on ZooKeeper" } else { "" };
            let _ = writeln!(
                text,
                "cluster: {} of Apache Kafka {version}{on}, started for the run",
                plural(brokers, "broker")
            );
        }
    }
    for build in &scenario.variants.builds {
        let _ = writeln!(text, "build {}: workers of {}", build.name, build.path.display());
    }
    text
}

/// A line for each sentence, with the numbers of the configurations that it applies to unless these are all.
fn lines(name: &str, scenario: &Scenario, sentences: impl Iterator<Item = (String, usize)>) -> String {
    let line = |(sentence, these): (String, Vec<usize>)| {
        if these.len() == scenario.configurations.len() {
            return format!("{name}: {sentence}\n");
        }
        let numbers: Vec<String> = these.iter().map(|index| format!("#{}", index + 1)).collect();
        format!("{name} of {}: {sentence}\n", numbers.join(", "))
    };
    grouped(sentences).into_iter().map(line).collect()
}

/// How records arrive: a line for each load, with the configurations that have it.
fn describe_loads(scenario: &Scenario) -> String {
    let load_of = |(index, configuration): (usize, &Configuration)| {
        let backlog = with_commas(scenario.datasets[configuration.dataset].records);
        let load = match &configuration.mode {
            Mode::Backlog => return None,
            Mode::Live(load) => load.to_string(),
            Mode::Mixed(load) => format!("behind a backlog of {backlog} records, {load}"),
        };
        Some((load, index))
    };
    let loads = scenario.configurations.iter().enumerate().filter_map(load_of);
    let mut text = lines("load", scenario, loads);
    if let Some(capacity) = &scenario.capacity {
        let quick = if capacity.is_quick { ", as a quick look" } else { "" };
        let _ = writeln!(
            text,
            "capacity: {}; to {} %{quick}",
            sought(capacity),
            percent(capacity.precision),
        );
    }
    text
}

/// What a search looks for.
fn sought(capacity: &Capacity) -> String {
    match capacity.limit {
        Some(ResponseLimit { percentile, limit_ns }) => format!(
            "the highest rate, from that of the load downwards, at which {} % of the records are done within {} ms and \
             readers do not fall further and further behind",
            percent(percentile),
            limit_ns as f64 / 1e6
        ),
        None => format!(
            "the highest rate at which readers do not fall further and further behind; of programs that speak nothing a \
             window has at least {COMMITS_PER_WINDOW} commits, which the first trial measures: {} s if they commit every {} s, \
             as Kafka's own clients do",
            COMMITS_PER_WINDOW * USUAL_COMMIT_INTERVAL_NS / 1_000_000_000,
            USUAL_COMMIT_INTERVAL_NS / 1_000_000_000,
        ),
    }
}

/// What arithmetic knows of the loads, and what their windows will tell.
fn describe_limits(plan: &Plan) -> String {
    let limits = plan.load_limits();
    let sentences = limits.iter().flat_map(|limit| {
        // The load of a mixed trial is not judged.
        let is_live = matches!(plan.scenario.configurations[limit.configuration].mode, Mode::Live(_));
        let resolution = is_live.then(|| limit.resolution_sentence());
        let sentences = limit.sentence().into_iter().chain(resolution);
        sentences.map(|sentence| (sentence, limit.configuration))
    });
    lines("limits", &plan.scenario, sentences)
}

/// Loads that leave the members nothing to spare, as arithmetic knows it; a search for the capacity begins with one on
/// purpose.
pub(super) fn full_loads(plan: &Plan) -> Vec<String> {
    if plan.scenario.capacity.is_some() {
        return Vec::new();
    }
    let limits = plan.load_limits();
    let full = limits.iter().filter(|limit| limit.is_full());
    full.filter_map(|limit| {
        let name = plan.scenario.shown_name(limit.configuration);
        Some(format!("{name}: {}", limit.sentence()?))
    })
    .collect()
}

/// A share in percent, to the thousandth.
fn percent(share: f64) -> f64 {
    (share * 1e5).round() / 1e3
}

/// How many trials there are, and how long each is.
fn describe_trials(scenario: &Scenario, forecast: &Forecast) -> String {
    if scenario.capacity.is_some() {
        return format!(
            "trials: about {} = about {} of search + {} that confirm the answers\n",
            forecast.trials(),
            forecast.search_trials,
            forecast.confirming_trials
        );
    }
    let loaded = scenario
        .configurations
        .iter()
        .filter(|c| c.mode.load().is_some())
        .count();
    let backlog = match scenario.trial {
        TrialLength::Seconds(seconds) => {
            format!("about {seconds} s of reading each; a pilot per family finds the records")
        }
        TrialLength::Records(records) => format!("{} records each", with_commas(records)),
        TrialLength::Everything => "all that the topics hold each".to_owned(),
    };
    let length = match loaded {
        0 => backlog,
        all if all == scenario.configurations.len() => "each as long as its load".to_owned(),
        _ => format!("as long as their load; those without, {backlog}"),
    };
    let until = scenario.repetitions().until();
    let most = if until.is_some() { "at most " } else { "" };
    let several = until.filter(|_| forecast.least_blocks < scenario.repetitions().at_most());
    let leaving = several.map_or(String::new(), |_| {
        format!(
            "the first look is after {} blocks; from then on, configurations leave the blocks when their comparisons have \
             stopped\n",
            forecast.least_blocks
        )
    });
    let until = until.map_or(String::new(), |until| format!(", until {until}"));
    format!(
        "trials: {most}{} = {} for sizing + {} warm-up + {most}{} counted ({most}{} blocks of {}{until}), \
         {length}\n{leaving}",
        forecast.trials(),
        forecast.pilots,
        forecast.warmup_trials,
        forecast.counted_trials,
        scenario.repetitions().at_most(),
        scenario.configurations.len(),
    )
}

/// What is filled before the trials, and what a trial makes for itself.
fn describe_data(scenario: &Scenario, forecast: &Forecast) -> String {
    let mut parts = Vec::new();
    if forecast.data_sets > 0 {
        let records = with_commas(forecast.fill_records);
        let filled = bytes(forecast.fill_bytes);
        parts.push(format!(
            "{records} records in {}, {filled}",
            plural(forecast.data_sets, "data set")
        ));
    }
    if forecast.trial_bytes > 0 {
        let made = bytes(forecast.trial_bytes);
        parts.push(format!(
            "up to {made} in the topics of a trial with a load, deleted after it"
        ));
    }
    if parts.is_empty() {
        return String::new();
    }
    let disk = bytes(forecast.disk_bytes);
    let whose = if scenario.clusters().count() > 1 {
        "the disks of each cluster"
    } else {
        "the brokers' disks"
    };
    format!("data: {} (about {disk} on {whose})\n", parts.join("; "))
}

/// Existing topics. A plan knows only what the scenario says about them.
fn describe_existing(scenario: &Scenario) -> String {
    let mut text = String::new();
    for existing in scenario.datasets.iter().filter_map(DatasetSpec::existing) {
        let last = existing.last.map_or(String::new(), |last| {
            format!(", the last {} offsets of each partition", with_commas(last))
        });
        let _ = writeln!(
            text,
            "data: {}, as it is ({}){last}; nothing is written to it",
            existing.wanted.join(", "),
            existing.isolation.as_str(),
        );
    }
    if !text.is_empty() {
        text += "how many partitions and records there are is known when a run looks at them; it first reads all of them \
                 once\n";
    }
    text
}

fn describe_time(scenario: &Scenario, forecast: &Forecast) -> String {
    if !scenario.datasets.iter().all(DatasetSpec::is_seen) {
        return "time: not known before the topics are seen\n".to_owned();
    }
    let time = duration(forecast.seconds());
    let least = duration(forecast.least_seconds());
    let time = if least == time {
        format!("about {time}")
    } else if scenario.capacity.is_some() {
        format!("{least} if the programs commit every second or more often, {time} if they commit every 5 s")
    } else {
        format!("{least} if the first look decides everything, {time} if nothing is decided before the last block")
    };
    format!("time: {time}; on a quiet machine of two cores, the start of a broker included\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::scenario::parse;

    fn described(text: &str) -> String {
        describe(&Plan::new(parse("mine", "mine.toml", text).unwrap()))
    }

    #[test]
    fn a_plan_says_how_records_arrive_and_how_long_that_takes() {
        insta::assert_snapshot!(described(
            r#"
            question = "?"
            repetitions = 8
            [load]
            arrivals = "poisson"
            profile = { burst = 5, every = "5s", for = "1s" }
            producers = 2
            [load.client]
            "linger.ms" = 5
            "sasl.password" = { env = "PASSWORD" }
            [matrix]
            rate = [400, 1_600.5]
            [[case]]
            name = "one"
            [[case]]
            name = "two"
            processes = 2
            "#
        ));
    }

    #[test]
    fn a_plan_that_compares_nothing_says_so_first() {
        let text = described("question = '?'\n[matrix]\ncompression = ['none', 'lz4', 'zstd']");
        let start: Vec<&str> = text.lines().take(4).collect();
        insta::assert_snapshot!(start.join("\n"), @r#"
        mine: ?

        note: nothing will be compared, because configurations that differ in `compression` are not compared with each other: set compare_across = ["compression"], or add a [[case]], or another key to [matrix], such as processes = [1, 2]
        "#);
        assert!(!described("question = '?'\n[matrix]\nprocesses = [1, 2]").contains("nothing will be compared"));
    }

    #[test]
    fn a_plan_tells_backlogs_from_what_arrives() {
        insta::assert_snapshot!(described(
            "question = '?'\n[load]\nrate = 1_000\n[matrix]\nmode = ['backlog', 'live', 'mixed']"
        ));
    }

    #[test]
    fn a_plan_of_a_topic_that_exists_says_what_is_not_known_yet() {
        insta::assert_snapshot!(described(
            "question = '?'\nrepetitions = 8\n[dataset]\ntopic = ['orders', '^clicks-']\nlast = 1_000_000\n[matrix]\n\
             processes = [1, 2]\n[matrix.client]\n'isolation.level' = ['read_committed', 'read_uncommitted']"
        ));
    }

    #[test]
    fn a_plan_that_goes_on_until_decided_says_at_most() {
        insta::assert_snapshot!(described(
            "question = '?'\nrepetitions = { until = 'decided' }\n[matrix]\nprocesses = [1, 2]"
        ));
    }

    #[test]
    fn a_plan_of_a_search_says_what_it_looks_for() {
        insta::assert_snapshot!(described(
            "question = '?'\n[load]\nrate = 4_000\n[capacity]\np999_ms = 2.5\nprecision = 0.07\n\
             [matrix]\nprocesses = [1, 2]"
        ));
    }

    #[test]
    fn a_plan_with_a_second_cluster_and_two_builds_says_so_and_counts_both() {
        let text = "question = '?'\nrepetitions = 8\n[cluster]\nbootstrap = 'a:9092'\n[[case]]\nname = 'one'\n\
                    [[case]]\nname = 'two'\nprocesses = 2";
        let scenario = parse("mine", "mine.toml", text).unwrap();
        let builds = ["/old/tandem", "/new/tandem"].map(PathBuf::from);
        let scenario = scenario.with_variants(Some("b:9092"), &builds).unwrap();
        insta::assert_snapshot!(describe(&Plan::new(scenario)));
    }
}
