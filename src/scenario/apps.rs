//! The apps of a scenario, and the properties that each configuration sets for the client of its own.

use std::collections::BTreeMap;

use super::checks;
use super::draft::Draft;
use super::keys::Settings;
use super::model::{AppSpec, PropertyValue};

/// tandem's own worker, those of `[[app]]`, and the ready-made clients in the order in which configurations name them.
pub(super) fn of<'a>(configurations: impl Iterator<Item = &'a Settings>, draft: &Draft) -> Vec<AppSpec> {
    let mut apps = draft.apps.clone();
    for Settings { app: name, .. } in configurations {
        if apps.iter().all(|app| app.name != *name) {
            apps.extend(checks::app_named(name, draft));
        }
    }
    apps
}

/// The properties of a configuration's clients: those that the app has for itself win.
pub(super) fn properties(settings: &Settings, app: &AppSpec) -> BTreeMap<String, PropertyValue> {
    let mut properties = settings.properties.clone();
    let own = app.which().and_then(|which| settings.own_properties.get(&which));
    properties.extend(
        own.into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    properties
}
