//! The acts of the events of one configuration, and how messages name them.

use crate::scenario::keys::Settings;
use crate::scenario::model::EventStep;
use crate::scenario::problem::Problem;

/// The events of a configuration with what they do.
pub(super) struct Events<'a> {
    pub(super) settings: &'a Settings,
    pub(super) steps: &'a [EventStep],
}

impl Events<'_> {
    /// A problem at a key of the event of this step.
    pub(super) fn problem(&self, step: &EventStep, key: &str, message: String, allowed: impl Into<String>) -> Problem {
        Problem::new(self.settings.events[step.event].span_of(key), message, allowed)
    }

    /// The event of a step as messages name it: `event 2 (10s kill process 1)`.
    pub(super) fn name(&self, step: &EventStep) -> String {
        format!("event {} ({})", step.event + 1, self.settings.events[step.event].event)
    }
}
