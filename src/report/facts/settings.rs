//! Settings of brokers and clients that differ from the defaults.

use crate::measure::{Environment, Setting};
use crate::report::input::ReportInput;
use crate::report::table::{Column, Table};
use crate::scenario::PropertyValue;
use crate::wording::grouped;

/// Whose a setting is, its name, its value and the reason for it.
type Row = [String; 4];

fn row(owner: &str, name: &str, value: &str, reason: &str) -> Row {
    [owner, name, value, reason].map(str::to_owned)
}

/// A row for each setting; no row where all are defaults.
pub(crate) fn settings(input: &ReportInput) -> Table {
    let columns = [
        Column::words("of", |[owner, ..]: &Row| owner.clone()),
        Column::words("setting", |[_, name, ..]: &Row| name.clone()),
        Column::words("value", |[_, _, value, _]: &Row| value.clone()),
        Column::words("why", |[.., reason]: &Row| reason.clone()),
    ];
    let rows = of_brokers(input.environment)
        .into_iter()
        .chain(of_store(input.environment));
    let rows = rows.chain(of_clients(input));
    Table::of("Settings that differ from the defaults", columns, rows)
}

fn of_setting(owner: &str, setting: &Setting) -> Row {
    row(owner, &setting.name, &setting.value, &setting.reason)
}

fn of_brokers(environment: &Environment) -> Vec<Row> {
    let (first, others) = (&environment.cluster, &environment.other_clusters);
    // Clusters that tandem starts side by side are each of another version.
    let by_version = first.local && others.iter().any(|other| other.local);
    let others = others.iter().map(|other| (other, "brokers of the other cluster"));
    let clusters = std::iter::once((first, "brokers")).chain(others);
    let rows = clusters.flat_map(|(cluster, owner)| {
        let owner = match &cluster.version {
            Some(version) if by_version => format!("brokers of {version}"),
            _ => owner.to_owned(),
        };
        cluster
            .deviations
            .iter()
            .map(move |setting| of_setting(&owner, setting))
    });
    rows.collect()
}

fn of_store(environment: &Environment) -> Vec<Row> {
    let deviations = environment.store.iter().flat_map(|store| &store.deviations);
    deviations.map(|setting| of_setting("store", setting)).collect()
}

fn of_clients(input: &ReportInput) -> Vec<Row> {
    let own = &input.environment.client().deviations;
    let mut rows: Vec<Row> = own.iter().map(|setting| of_setting("client", setting)).collect();
    for other in &input.environment.clients[1..] {
        let owner = format!("client of {}", other.app);
        rows.extend(other.deviations.iter().map(|setting| of_setting(&owner, setting)));
    }
    for (name, value) in &input.scenario.cluster.client {
        let reason = "the scenario sets it for the cluster";
        rows.push(row("every client", name, &property(value), reason));
    }
    let configurations = || input.scenario.configurations.iter().enumerate();
    let set = configurations().flat_map(|(index, c)| {
        let properties = c.client.properties.iter();
        properties.map(move |property| (property, index))
    });
    for ((name, value), these) in grouped(set) {
        let owner = these_or_all(input, &these);
        rows.push(row(&owner, name, &property(value), "the scenario sets it"));
    }
    let with_defaults = configurations().filter(|(_, c)| c.client.library_defaults_only);
    let these: Vec<usize> = with_defaults.map(|(index, _)| index).collect();
    if !these.is_empty() {
        let reason = "tandem's own client settings are left out";
        rows.push(row(&these_or_all(input, &these), "client", "defaults", reason));
    }
    rows
}

fn these_or_all(input: &ReportInput, these: &[usize]) -> String {
    if these.len() == input.scenario.configurations.len() {
        "client, every configuration".to_owned()
    } else {
        let names: Vec<String> = these.iter().map(|&c| input.scenario.shown_name(c)).collect();
        format!("client of {}", names.join("; "))
    }
}

/// Only the name of the variable or the file is known here; the value never reaches a report.
fn property(value: &PropertyValue) -> String {
    match value {
        PropertyValue::Literal(text) => text.clone(),
        PropertyValue::Environment { env } => format!("(from the environment variable {env})"),
        PropertyValue::File { file } => format!("(from the file {file})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

    /// The owner and the value of a setting.
    fn owner_and_value(fixture: &Fixture, name: &str) -> Option<(String, String)> {
        let table = settings(&fixture.input());
        let row = table.texts().into_iter().find(|row| row[1] == name)?;
        Some((row[0].to_owned(), row[2].to_owned()))
    }

    #[test]
    fn a_secret_is_named_by_its_variable_only() {
        let mut fixture = Fixture::one_vs_two();
        let secret = PropertyValue::Environment {
            env: "KAFKA_PASSWORD".into(),
        };
        fixture.scenario.cluster.client.insert("sasl.password".into(), secret);
        let value = owner_and_value(&fixture, "sasl.password").map(|(_, value)| value);
        assert_eq!(value.as_deref(), Some("(from the environment variable KAFKA_PASSWORD)"));
    }

    #[test]
    fn a_property_of_some_configurations_names_them() {
        let mut fixture = Fixture::one_vs_two();
        let value = PropertyValue::Literal("4096".into());
        let client = &mut fixture.scenario.configurations[1].client;
        client.properties.insert("fetch.min.bytes".into(), value);
        let owner = owner_and_value(&fixture, "fetch.min.bytes").map(|(owner, _)| owner);
        assert_eq!(
            owner.as_deref(),
            Some("client of one process, both partitions work=cpu 5us")
        );
    }

    #[test]
    fn the_brokers_of_two_clusters_go_by_version_where_tandem_runs_both() {
        let mut fixture = Fixture::one_vs_two();
        let mut other = fixture.environment.cluster.clone();
        other.version = Some("2.8.1".into());
        fixture.environment.other_clusters.push(other);
        let owners = |fixture: &Fixture| {
            let table = settings(&fixture.input());
            let owners = table.texts().into_iter().map(|row| row[0].to_owned());
            owners.filter(|owner| owner.starts_with("brokers")).collect::<Vec<_>>()
        };
        let [one, two] = ["brokers of 4.3.1", "brokers of 2.8.1"];
        assert_eq!(owners(&fixture), [one, one, two, two]);
        fixture.environment.other_clusters[0].local = false;
        let [one, two] = ["brokers", "brokers of the other cluster"];
        assert_eq!(owners(&fixture), [one, one, two, two]);
    }
}
