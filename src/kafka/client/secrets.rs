//! Where the values of client properties come from, and which of them are secret.

use std::collections::BTreeMap;
use std::env;
use std::io::Read as _;

use crate::scenario::{AppSpec, ClusterSpec, Place, PropertyValue, Scenario};
use crate::secret::{Hidden, Secret};

/// A client property that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropertyError {
    /// The environment variable that holds the value cannot be used.
    #[error("client property {property} takes its value from the environment variable {variable}, which {problem}")]
    Variable {
        /// The property.
        property: String,
        /// The variable.
        variable: String,
        /// Such as `is not set`.
        problem: &'static str,
    },
    /// The file that holds the value cannot be used.
    #[error("client property {property} takes its value from the file {file}: {cause}")]
    Unreadable {
        /// The property.
        property: String,
        /// The file.
        file: String,
        /// Why not.
        cause: String,
    },
}

/// The properties of clients that are not measured (admin, filling the data set): those of the cluster alone.
pub fn cluster_properties(cluster: &ClusterSpec) -> Result<BTreeMap<String, Secret>, PropertyError> {
    resolve_all(&cluster.client)
}

/// Properties with their values, secrets taken from the environment and from files.
pub fn resolve_all(properties: &BTreeMap<String, PropertyValue>) -> Result<BTreeMap<String, Secret>, PropertyError> {
    properties
        .iter()
        .map(|(name, value)| Ok((name.clone(), resolve_value(name, value)?)))
        .collect()
}

/// The secrets of a scenario's client properties: passwords, keys and tokens, from files and the environment too. A missing
/// one is an error where it is used.
pub fn hidden(scenario: &Scenario) -> Hidden {
    let clusters = [&scenario.cluster].into_iter().chain(&scenario.variants.clusters);
    let of_clusters = clusters.map(|cluster| &cluster.client);
    let of_consumers = scenario
        .configurations
        .iter()
        .map(|configuration| &configuration.client.properties);
    let loads = scenario
        .configurations
        .iter()
        .filter_map(|configuration| configuration.mode.load());
    let all = of_clusters
        .chain(of_consumers)
        .chain(loads.map(|load| &load.properties));
    // A user name may be a word such as "kafka", without which messages make no sense.
    let is_secret = |name: &str| is_sensitive(name) && name != "sasl.username";
    let secret =
        |(name, value): (&String, &PropertyValue)| is_secret(name).then(|| resolve_value(name, value).ok()).flatten();
    let of_launchers = scenario.places.iter().flat_map(Place::secrets).map(Secret::new);
    let of_apps = scenario.apps.iter().flat_map(AppSpec::secrets).map(Secret::new);
    let own = scenario
        .apps
        .iter()
        .filter_map(AppSpec::program)
        .map(|program| &program.client);
    let all = all.chain(own);
    Hidden::of(all.flatten().filter_map(secret).chain(of_launchers).chain(of_apps))
}

/// The value of a property, taken from the environment or from a file where it stands there.
pub(super) fn resolve_value(property: &str, value: &PropertyValue) -> Result<Secret, PropertyError> {
    let variable = match value {
        PropertyValue::Literal(value) => return Ok(Secret::new(value)),
        PropertyValue::Environment { env } => env,
        PropertyValue::File { file } => return read_secret(property, file),
    };
    let problem = match env::var(variable) {
        Ok(value) if value.is_empty() => "is empty",
        Ok(value) => return Ok(Secret::new(value)),
        Err(env::VarError::NotPresent) => "is not set",
        Err(env::VarError::NotUnicode(_)) => "does not hold UTF-8 text",
    };
    Err(PropertyError::Variable {
        property: property.to_owned(),
        variable: variable.clone(),
        problem,
    })
}

/// No secret is longer; a key with its chain takes some thousands.
const SECRET_BYTES_MAX: u64 = 65_536;

/// The contents of a file without the end of the line that editors and `echo` put after them.
fn read_secret(property: &str, file: &str) -> Result<Secret, PropertyError> {
    let wrong = |cause: String| PropertyError::Unreadable {
        property: property.to_owned(),
        file: file.to_owned(),
        cause,
    };
    let mut text = String::new();
    let read = std::fs::File::open(file).and_then(|open| open.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text));
    let bytes = read.map_err(|error| wrong(error.to_string()))? as u64;
    if bytes > SECRET_BYTES_MAX {
        return Err(wrong(format!("it has more than {SECRET_BYTES_MAX} bytes")));
    }
    let value = text.strip_suffix('\n').unwrap_or(&text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    if value.is_empty() || value.contains('\0') {
        return Err(wrong("it is empty or holds a null character".to_owned()));
    }
    Ok(Secret::new(value))
}

/// True for properties whose value is a secret even as a literal.
pub(super) fn is_sensitive(name: &str) -> bool {
    [
        "password",
        "secret",
        "sasl.username",
        "sasl.jaas",
        "ssl.key.pem",
        "oauthbearer.config",
        "token",
    ]
    .iter()
    .any(|part| name.contains(part))
}
