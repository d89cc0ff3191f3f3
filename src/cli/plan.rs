//! `tandem plan`: what a scenario would run, and what that would cost.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use comfy_table::{Table, presets};

use super::DONE;
use super::source::{Choices, Source, check_disk};
use crate::kafka::client::ClientProperties;
use crate::plan::Plan;
use crate::report::{bytes, duration, thousands};
use crate::scenario::{Scenario, TrialLength};

/// What `tandem plan` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Scenario file, or the name of one that comes with tandem, such as one-vs-two
    file: PathBuf,
    #[command(flatten)]
    choices: Choices,
}

/// Prints the plan of one scenario.
pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    let source = Source::load(&arguments.file, &arguments.choices)?;
    check_settings(&source.scenario)?;
    let plan = Plan::new(source.scenario);
    check_disk(&plan)?;
    write!(std::io::stdout().lock(), "{}", describe(&plan))?;
    Ok(DONE)
}

/// Fails where a client property needs an environment variable that is not set.
pub(super) fn check_settings(scenario: &Scenario) -> Result<()> {
    for configuration in &scenario.configurations {
        ClientProperties::of_consumers(&scenario.cluster, configuration, "").resolve()?;
    }
    Ok(())
}

/// The plan as text.
fn describe(plan: &Plan) -> String {
    let scenario = &plan.scenario;
    let forecast = plan.forecast();
    let mut text = format!("{}: {}\n\n", scenario.name, scenario.question);
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
    let length = match scenario.trial {
        TrialLength::Seconds(seconds) => {
            format!("about {seconds} s of reading each; a pilot per family finds the records")
        }
        TrialLength::Records(records) => format!("{} records each", thousands(records)),
    };
    let _ = writeln!(
        text,
        "trials: {} = {} for sizing + {} warm-up + {} counted ({} blocks of {}), {length}",
        forecast.trials(),
        forecast.pilots,
        forecast.warmup_trials,
        forecast.counted_trials,
        scenario.repetitions,
        scenario.configurations.len(),
    );
    let _ = writeln!(
        text,
        "data: {} records in {} data sets, {} (about {} on the brokers' disks)",
        thousands(forecast.fill_records),
        scenario.datasets.len(),
        bytes(forecast.fill_bytes),
        bytes(forecast.disk_bytes),
    );
    let _ = writeln!(
        text,
        "time: about {} after the brokers are up (a rough guess)",
        duration(forecast.seconds())
    );
    let _ = writeln!(text, "\nrules fixed beforehand:");
    for rule in plan.exclusion.sentences() {
        let _ = writeln!(text, "- {rule}");
    }
    for warning in &scenario.warnings {
        let _ = writeln!(text, "\nwarning: {warning}");
    }
    text
}
