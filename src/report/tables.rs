//! The tables and sentences that the terminal, Markdown and HTML have in common. Plain text: each of them escapes it
//! as it needs.

use super::ReportInput;
use super::csv::kind;
use super::figures::TrialFigures;
use super::format::{
    UNKNOWN, bytes, count, duration, or_unknown, p_value, percent, printable, rate, rate_estimate, ratio_estimate,
    significant, thousands,
};
use super::labels::{Labels, family_title};
use crate::measure::{Environment, Status, Trial, TrialKind};
use crate::scenario::{PropertyValue, TrialLength};
use crate::summary::{Comparison, ConfigurationSummary, Metric, Verdict};

/// Cells as text under headers; numeric columns are set to the right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// What the table shows.
    pub(super) caption: String,
    pub(super) headers: Vec<String>,
    /// For each column, whether it holds figures.
    pub(super) numeric: Vec<bool>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    /// A table whose headers say by a leading `#` that a column is numeric.
    pub(super) fn new(caption: impl Into<String>, headers: &[&str], rows: Vec<Vec<String>>) -> Self {
        Table {
            caption: caption.into(),
            numeric: headers.iter().map(|h| h.starts_with('#')).collect(),
            headers: headers.iter().map(|h| h.trim_start_matches('#').to_owned()).collect(),
            rows,
        }
    }

    /// Takes a column out, if there is one of this header.
    pub(super) fn remove(&mut self, header: &str) {
        if let Some(column) = self.headers.iter().position(|h| h == header) {
            self.headers.remove(column);
            self.numeric.remove(column);
            for row in &mut self.rows {
                row.remove(column);
            }
        }
    }
}

/// What each family of configurations read, with the speed against the baseline.
pub(super) fn results(input: &ReportInput) -> Vec<Table> {
    let labels = Labels::new(input.scenario);
    let with_idle = input.summary.configurations.iter().any(|c| c.idle_members > 0);
    let mut headers = vec![
        "configuration",
        "#records/s [95\u{a0}%]",
        "#speed [95\u{a0}%]",
        "verdict",
        "#read time",
        "#stopwatch",
        "#trials",
    ];
    if with_idle {
        headers.push("#idle members");
    }
    per_family(input, |family| {
        let rows = of_family(input, family).map(|c| {
            let mut row = result_row(input, &labels, c);
            if with_idle {
                row.push(if c.idle_members > 0 {
                    format!("{} of {}", c.idle_members, c.members)
                } else {
                    "0".to_owned()
                });
            }
            row
        });
        Table::new(family_title(input.scenario, family), &headers, rows.collect())
    })
}

fn per_family(input: &ReportInput, table: impl Fn(usize) -> Table) -> Vec<Table> {
    (0..input.scenario.families.len())
        .map(table)
        .filter(|t| !t.rows.is_empty())
        .collect()
}

/// The summaries of a family's configurations, in the scenario's order.
pub(super) fn of_family<'a>(
    input: &ReportInput<'a>,
    family: usize,
) -> impl Iterator<Item = &'a ConfigurationSummary> + use<'a> {
    input.summary.configurations.iter().filter(move |c| c.family == family)
}

fn result_row(input: &ReportInput, labels: &Labels, c: &ConfigurationSummary) -> Vec<String> {
    let compared = comparison(input, c.configuration, Metric::ReadTime);
    let (speed, verdict) = match compared {
        Some(compared) => (
            compared
                .ratio
                .map_or_else(|| UNKNOWN.to_owned(), |r| ratio_estimate(&r)),
            verdict(input, compared),
        ),
        None if is_baseline(input, c.configuration) => ("1".to_owned(), "baseline".to_owned()),
        None => (UNKNOWN.to_owned(), UNKNOWN.to_owned()),
    };
    vec![
        labels.short(c.configuration).to_owned(),
        c.records_per_second
            .map_or_else(|| UNKNOWN.to_owned(), |e| rate_estimate(&e)),
        speed,
        verdict,
        or_unknown(c.read_seconds.map(|e| e.point), duration),
        or_unknown(c.stopwatch_seconds.map(|e| e.point), duration),
        trials_cell(c),
    ]
}

/// What else was measured of each family: joining, resources, and whether every record arrived once.
pub(super) fn details(input: &ReportInput) -> Vec<Table> {
    let labels = Labels::new(input.scenario);
    let headers = [
        "configuration",
        "#MiB/s",
        "#join",
        "#first record",
        "#client CPU, s per million",
        "#broker CPU, s per million",
        "#work, mean",
        "#lost",
        "#duplicated",
        "#redelivered",
        "#not delivered",
    ];
    let row = |c: &ConfigurationSummary| {
        vec![
            labels.short(c.configuration).to_owned(),
            or_unknown(c.mib_per_second, |v| significant(v, 3)),
            or_unknown(c.join_seconds, duration),
            or_unknown(c.first_record_ms.map(|ms| ms / 1e3), duration),
            or_unknown(c.client_cpu_seconds_per_million, |s| significant(s, 3)),
            or_unknown(c.broker_cpu_seconds_per_million, |s| significant(s, 3)),
            or_unknown(c.work_us_mean.map(|us| us / 1e6), duration),
            thousands(c.lost),
            thousands(c.duplicated),
            thousands(c.redelivered),
            thousands(c.not_delivered),
        ]
    };
    per_family(input, |family| {
        Table::new(
            family_title(input.scenario, family),
            &headers,
            of_family(input, family).map(row).collect(),
        )
    })
}

/// Used of planned trials, and what became of the others.
fn trials_cell(c: &ConfigurationSummary) -> String {
    let mut text = format!("{} of {}", c.trials_used, c.trials_planned);
    if c.trials_failed > 0 {
        text.push_str(&format!(", {} failed", c.trials_failed));
    }
    if c.trials_excluded > 0 {
        text.push_str(&format!(", {} excluded", c.trials_excluded));
    }
    text
}

/// The comparison of a configuration with its baseline by this metric.
pub(super) fn comparison<'a>(input: &ReportInput<'a>, configuration: usize, metric: Metric) -> Option<&'a Comparison> {
    input
        .summary
        .comparisons
        .iter()
        .find(|c| c.configuration == configuration && c.metric == metric)
}

fn is_baseline(input: &ReportInput, configuration: usize) -> bool {
    input
        .scenario
        .configurations
        .iter()
        .any(|c| c.baseline == Some(configuration))
}

/// The verdict in words: `materially faster`, `undecided (about 6 more blocks)`.
pub(super) fn verdict(input: &ReportInput, comparison: &Comparison) -> String {
    let threshold = input.scenario.threshold;
    let interval = comparison.ratio.and_then(|r| r.interval);
    match comparison.verdict {
        Verdict::Same => "same".to_owned(),
        Verdict::Faster if interval.is_some_and(|(low, _)| low > 1.0 + threshold) => "materially faster".to_owned(),
        Verdict::Faster => "faster".to_owned(),
        Verdict::Slower if interval.is_some_and(|(_, high)| high < 1.0 - threshold) => "materially slower".to_owned(),
        Verdict::Slower => "slower".to_owned(),
        Verdict::Undecided => match comparison.blocks_more {
            Some(more) => format!(
                "undecided (about {} would decide)",
                count(u64::from(more), "more block")
            ),
            None => "undecided".to_owned(),
        },
    }
}

/// Every comparison of each family, by read time and by stopwatch.
pub(super) fn comparisons(input: &ReportInput) -> Vec<Table> {
    let labels = Labels::new(input.scenario);
    let headers = [
        "configuration",
        "against",
        "by",
        "#speed [95\u{a0}%]",
        "#p",
        "#p (Holm)",
        "#blocks",
        "verdict",
    ];
    let row = |c: &Comparison| {
        vec![
            labels.short(c.configuration).to_owned(),
            labels.short(c.baseline).to_owned(),
            metric(c.metric).to_owned(),
            c.ratio.map_or_else(|| UNKNOWN.to_owned(), |r| ratio_estimate(&r)),
            or_unknown(c.p, p_value),
            or_unknown(c.p_holm, p_value),
            c.blocks.to_string(),
            verdict(input, c),
        ]
    };
    per_family(input, |family| {
        let in_family = |c: &&Comparison| {
            input
                .scenario
                .configurations
                .get(c.configuration)
                .is_some_and(|configuration| configuration.family == family)
        };
        let rows = input.summary.comparisons.iter().filter(in_family).map(row).collect();
        Table::new(family_title(input.scenario, family), &headers, rows)
    })
}

fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::ReadTime => "read time",
        Metric::Stopwatch => "stopwatch",
    }
}

/// Why members were idle: the configurations of which the same is to be said, and what it is.
pub(super) fn idle(input: &ReportInput) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for c in &input.summary.configurations {
        let Some(why) = &c.idle_explanation else { continue };
        let (name, why) = (printable(&c.name), printable(why));
        match found.iter_mut().find(|(_, known)| *known == why) {
            Some((names, _)) => {
                names.push_str("; ");
                names.push_str(&name);
            }
            None => found.push((name, why)),
        }
    }
    found
}

/// Settings of brokers and clients that differ from the defaults.
pub(super) fn settings(input: &ReportInput) -> Table {
    let mut rows = Vec::new();
    let mut row = |whose: &str, name: &str, value: &str, reason: &str| {
        rows.push([whose, name, value, reason].map(printable).to_vec());
    };
    for s in &input.environment.cluster.deviations {
        row("brokers", &s.name, &s.value, &s.reason);
    }
    for s in &input.environment.client.deviations {
        row("client", &s.name, &s.value, &s.reason);
    }
    for (name, value) in &input.scenario.cluster.client {
        row(
            "every client",
            name,
            &property(value),
            "the scenario sets it for the cluster",
        );
    }
    for (name, value, whose) in client_properties(input) {
        row(&whose, name, &property(value), "the scenario sets it");
    }
    let defaults: Vec<&str> = input
        .scenario
        .configurations
        .iter()
        .filter(|c| c.client.library_defaults_only)
        .map(|c| &*c.name)
        .collect();
    if !defaults.is_empty() {
        row(
            &these_or_all(input, &defaults),
            "client",
            "defaults",
            "tandem's own client settings are left out",
        );
    }
    Table::new(
        "Settings that differ from the defaults",
        &["of", "setting", "value", "why"],
        rows,
    )
}

/// Each distinct property of the configurations, with the configurations that have it.
fn client_properties<'a>(input: &ReportInput<'a>) -> Vec<(&'a str, &'a PropertyValue, String)> {
    let mut found: Vec<(&str, &PropertyValue, Vec<&str>)> = Vec::new();
    for c in &input.scenario.configurations {
        for (name, value) in &c.client.properties {
            match found.iter_mut().find(|(n, v, _)| n == name && *v == value) {
                Some((_, _, whose)) => whose.push(&c.name),
                None => found.push((name, value, vec![&c.name])),
            }
        }
    }
    found
        .into_iter()
        .map(|(name, value, whose)| (name, value, these_or_all(input, &whose)))
        .collect()
}

fn these_or_all(input: &ReportInput, names: &[&str]) -> String {
    if names.len() == input.scenario.configurations.len() {
        "client, every configuration".to_owned()
    } else {
        format!("client of {}", names.join("; "))
    }
}

/// Only the variable's name is known here; its value never reaches a report.
fn property(value: &PropertyValue) -> String {
    match value {
        PropertyValue::Literal(text) => text.clone(),
        PropertyValue::Environment { env } => format!("(from the environment variable {env})"),
    }
}

/// The machine, the cluster, the client and the length of the run.
pub(super) fn environment(input: &ReportInput) -> Vec<(&'static str, String)> {
    let Environment { cluster, client, .. } = input.environment;
    let e = input.environment;
    let unknown = || "unknown".to_owned();
    let place = if cluster.local {
        "run by tandem on this machine"
    } else {
        "running before tandem"
    };
    let (first, last) = dates(input);
    [
        ("Measured", format!("{first} to {last}")),
        ("tandem", e.tandem_version.clone()),
        ("Machine", e.host.clone()),
        (
            "Processor",
            format!("{}, {}", e.processor, count(u64::from(e.cores), "core")),
        ),
        ("Memory", bytes(e.memory_bytes)),
        ("Frequency governor", e.governor.clone().unwrap_or_else(unknown)),
        ("System", format!("{}, kernel {}", e.system, e.kernel)),
        (
            "Kafka",
            format!(
                "{}, {}, {place} ({})",
                cluster.version.clone().unwrap_or_else(|| "unknown version".to_owned()),
                count(u64::from(cluster.brokers), "broker"),
                cluster.bootstrap
            ),
        ),
        ("Java of the brokers", cluster.java.clone().unwrap_or_else(unknown)),
        (
            "Client",
            format!("{} {} ({})", client.name, client.version, client.features),
        ),
        ("Allocator", client.allocator.clone()),
        ("Plan", plan(input)),
    ]
    .into_iter()
    .chain(
        input
            .scenario
            .warnings
            .iter()
            .map(|warning| ("Note on the plan", warning.clone())),
    )
    .map(|(name, value)| (name, printable(&value)))
    .collect()
}

fn plan(input: &ReportInput) -> String {
    let s = input.scenario;
    let length = match s.trial {
        TrialLength::Seconds(seconds) => format!("about {} of reading per trial", duration(seconds)),
        TrialLength::Records(records) => format!("{} per group and trial", count(records, "record")),
    };
    format!(
        "{}, {} and {} to warm up, {length}, seed {}, threshold ±{}",
        count(s.configurations.len() as u64, "configuration"),
        count(u64::from(s.repetitions), "block"),
        s.warmup_blocks,
        s.seed,
        percent(s.threshold)
    )
}

/// When the first and the last trial began, to the second.
pub(super) fn dates(input: &ReportInput) -> (String, String) {
    let show = |t: Option<&Trial>| {
        t.map_or_else(
            || UNKNOWN.to_owned(),
            |t| t.started_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        )
    };
    (
        show(input.trials.iter().min_by_key(|t| t.started_at)),
        show(input.trials.iter().max_by_key(|t| t.started_at)),
    )
}

/// Every trial with its status and flags.
pub(super) fn trials(input: &ReportInput) -> Table {
    let rows = input.trials.iter().map(|t| {
        let figures = t.measurement.as_ref().map(TrialFigures::of);
        vec![
            t.order.number.to_string(),
            kind(t.order.kind).to_owned(),
            (t.order.block + 1).to_string(),
            printable(&t.configuration_name),
            t.status.as_str().to_owned(),
            or_unknown(figures.as_ref().and_then(|f| f.records_per_second), rate),
            or_unknown(figures.as_ref().map(|f| f.read_seconds), duration),
            or_unknown(figures.as_ref().map(|f| f.stopwatch_seconds), duration),
            remarks(t),
        ]
    });
    let headers = [
        "#number",
        "kind",
        "#block",
        "configuration",
        "status",
        "#records/s",
        "#read time",
        "#stopwatch",
        "remarks",
    ];
    Table::new("Every trial, in the order of running", &headers, rows.collect())
}

/// What is to be said of a trial: why it takes no part, and its flags with their evidence.
pub(super) fn remarks(trial: &Trial) -> String {
    let status = match &trial.status {
        Status::Complete => None,
        Status::Excluded { reason } => Some(reason.clone()),
        Status::Failed(f) => {
            let who = f.who.as_ref().map(|who| format!(" ({who})")).unwrap_or_default();
            Some(format!("{}{who}: {}", f.kind.describe(), f.message))
        }
    };
    let session = (trial.session > 1).then(|| format!("session {}", trial.session));
    let flags = trial.flags.iter().map(|f| format!("{}: {}", f.name, f.evidence));
    let remarks: Vec<String> = status.into_iter().chain(flags).chain(session).collect();
    printable(&remarks.join("; "))
}

/// How many trials there are and what became of them, in a sentence.
pub(super) fn trials_sentence(input: &ReportInput) -> String {
    let counted = || input.trials.iter().filter(|t| t.order.kind == TrialKind::Counted);
    let number = |wanted: fn(&&Trial) -> bool| thousands(counted().filter(wanted).count() as u64);
    format!(
        "{} run, {} of them counted (the others are pilots and warm-up): {} used, {} failed, {} excluded.",
        count(input.trials.len() as u64, "trial"),
        thousands(counted().count() as u64),
        number(|t| t.is_used()),
        number(|t| matches!(t.status, Status::Failed(_))),
        number(|t| matches!(t.status, Status::Excluded { .. })),
    )
}

/// The words of the report and what they mean.
pub(super) const GLOSSARY: [(&str, &str); 9] = [
    (
        "Read time",
        "from the common start, when every member has its partitions and may fetch, to the last record of the trial.",
    ),
    (
        "Stopwatch",
        "from the start of the first process to the last record: what somebody sees who just runs it, joining included.",
    ),
    (
        "Speed",
        "how many times as fast as the baseline: 2× takes half the time. Compared within blocks, trial by trial.",
    ),
    (
        "[95 %]",
        "the confidence interval: where the figure probably lies. An interval of a speed that contains 1 shows no difference.",
    ),
    (
        "Block",
        "every configuration once, in random order, so that a change of the machine meets all of them alike.",
    ),
    (
        "Family",
        "configurations that read the same records with the same work. Only these are compared with each other.",
    ),
    (
        "Member",
        "one consumer of a group. A member without a partition is idle: it reads nothing.",
    ),
    (
        "p (Holm)",
        "the probability of a difference at least as large by chance alone, corrected for the number of comparisons.",
    ),
    (
        "Verdict",
        "same: the interval lies within the threshold; faster or slower: it excludes 1 (materially: it lies beyond the threshold); undecided: none of these.",
    ),
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn a_verdict_is_material_only_beyond_the_threshold() {
        let fixture = Fixture::one_vs_two();
        let mut c = fixture.summary.comparisons[0].clone();
        let mut shown = |verdict_found, interval| {
            c.verdict = verdict_found;
            c.ratio.as_mut().unwrap().interval = Some(interval);
            verdict(&fixture.input(), &c)
        };
        assert_eq!(shown(Verdict::Faster, (1.01, 1.2)), "faster");
        assert_eq!(shown(Verdict::Faster, (1.04, 1.2)), "materially faster");
        assert_eq!(shown(Verdict::Slower, (0.5, 0.99)), "slower");
        assert_eq!(shown(Verdict::Slower, (0.5, 0.96)), "materially slower");
    }

    #[test]
    fn a_secret_is_named_by_its_variable_only() {
        let mut fixture = Fixture::one_vs_two();
        let secret = PropertyValue::Environment {
            env: "KAFKA_PASSWORD".into(),
        };
        fixture.scenario.cluster.client.insert("sasl.password".into(), secret);
        let table = settings(&fixture.input());
        let row = table.rows.iter().find(|row| row[1] == "sasl.password").unwrap();
        assert_eq!(row[2], "(from the environment variable KAFKA_PASSWORD)");
    }

    #[test]
    fn a_property_of_some_configurations_names_them() {
        let mut fixture = Fixture::one_vs_two();
        let value = PropertyValue::Literal("4096".into());
        fixture.scenario.configurations[1]
            .client
            .properties
            .insert("fetch.min.bytes".into(), value);
        let table = settings(&fixture.input());
        let row = table.rows.iter().find(|row| row[1] == "fetch.min.bytes").unwrap();
        assert_eq!(row[0], "client of one process, both partitions work=cpu 5us");
    }

    #[test]
    fn remarks_name_the_failure_and_the_member() {
        let fixture = Fixture::one_vs_two();
        let failed = fixture
            .trials
            .iter()
            .find(|t| matches!(t.status, Status::Failed(_)))
            .unwrap();
        assert_eq!(
            remarks(failed),
            "a worker died (group 1, process 2): the worker was ended by signal 9 (KILL)"
        );
    }
}
