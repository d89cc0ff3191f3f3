//! The orders of programs that speak nothing: their commands with everything in them that only a trial knows.

use std::collections::BTreeMap;

use crate::kafka::client::ResolvedSettings;
use crate::measure::programs::program_files;
use crate::protocol::{PROPERTIES_FILE, Program};
use crate::scenario;
use crate::scenario::Placeholder;
use crate::secret::Secret;
use crate::trial::Reader;

/// What makes the order of each process of a program. `settings` has what the user set for its client, and how tandem's
/// own consumers in its place reach the brokers; with `log` its output is printed as it comes.
pub(super) fn orders(
    program: &scenario::Program,
    settings: &ResolvedSettings,
    run_id: &str,
    log: bool,
) -> impl Fn(&Reader) -> Program {
    let (program, client, settings) = (program.clone(), settings.own.clone(), settings.properties.clone());
    let file_prefix = program_files(run_id);
    let bootstrap = settings.get("bootstrap.servers").map_or("", Secret::reveal).to_owned();
    move |reader| {
        let order = &reader.prepare;
        let topics: Vec<&str> = order.topics.iter().map(|topic| topic.name.as_str()).collect();
        let client_id = order
            .consumers
            .first()
            .map_or("", |consumer| consumer.client_id.as_str());
        let value = |placeholder: Placeholder| match placeholder {
            Placeholder::Bootstrap => bootstrap.clone(),
            Placeholder::Topic => topics.first().copied().unwrap_or_default().to_owned(),
            Placeholder::Topics => topics.join(","),
            Placeholder::Group => order.group_id.clone(),
            Placeholder::ClientId => client_id.to_owned(),
            Placeholder::Process => (reader.process + 1).to_string(),
            // Its observer writes the file, and knows then what it is called.
            Placeholder::PropertiesFile => PROPERTIES_FILE.to_owned(),
        };
        let filled = |template: &scenario::Template| Secret::new(template.filled(value));
        let wants_file = program.placeholders().any(|each| each == Placeholder::PropertiesFile);
        Program {
            command: program.command.iter().map(filled).collect(),
            env: program
                .env
                .iter()
                .map(|(name, text)| (name.clone(), filled(text)))
                .collect(),
            ready: program.ready.clone(),
            properties: wants_file.then(|| {
                let own = [("group.id", order.group_id.as_str()), ("client.id", client_id)];
                properties(&settings, &client, own)
            }),
            file_prefix: file_prefix.clone(),
            asks_offsets: false,
            log,
        }
    }
}

/// What reaches a program by its file: how the cluster is reached, its group and name, and what the user set for it.
fn properties(
    settings: &BTreeMap<String, Secret>,
    client: &BTreeMap<String, Secret>,
    own: [(&str, &str); 2],
) -> BTreeMap<String, Secret> {
    let connects = |name: &str| {
        name == "bootstrap.servers"
            || ["security.", "sasl.", "ssl."]
                .iter()
                .any(|start| name.starts_with(start))
    };
    let connection = settings.iter().filter(|(name, _)| connects(name));
    let mut properties: BTreeMap<String, Secret> =
        connection.map(|(name, value)| (name.clone(), value.clone())).collect();
    properties.extend(own.map(|(name, value)| (name.to_owned(), Secret::new(value))));
    properties.extend(client.clone());
    properties
}
