//! Why the workers of a place cannot be started, whatever the place is.

use super::containers::ContainerError;
use super::kubectl::PodError;
use super::remote::SshError;
use crate::scenario::{Place, Reach};

/// A place whose workers cannot be started.
#[derive(Debug, thiserror::Error)]
#[error("place {place}{}: {cause}", in_brackets(.reach))]
pub struct PlaceError {
    place: String,
    /// How its workers are started, such as `ssh bench@host`; empty for this machine.
    reach: String,
    cause: Box<PlaceCause>,
}

/// Why, by what the place is.
#[derive(Debug, thiserror::Error)]
pub enum PlaceCause {
    /// A host, or the way to it.
    #[error(transparent)]
    Ssh(#[from] SshError),
    /// Pods, or the way to their cluster.
    #[error(transparent)]
    Pods(#[from] PodError),
    /// An engine, or an image.
    #[error(transparent)]
    Container(#[from] ContainerError),
}

impl PlaceError {
    pub(super) fn new(place: &Place, cause: impl Into<PlaceCause>) -> Self {
        PlaceError {
            place: place.name.clone(),
            reach: reach(place),
            cause: Box::new(cause.into()),
        }
    }

    /// True if the user asked to stop.
    pub fn is_interruption(&self) -> bool {
        match &*self.cause {
            PlaceCause::Ssh(cause) => *cause == SshError::Interrupted,
            PlaceCause::Pods(cause) => *cause == PodError::Interrupted,
            PlaceCause::Container(cause) => *cause == ContainerError::Interrupted,
        }
    }
}

/// How the workers of a place are started, as a message names it.
fn reach(place: &Place) -> String {
    match place.reach() {
        Reach::Here => String::new(),
        Reach::Launcher(_) => "launcher".to_owned(),
        Reach::Ssh(target) => format!("ssh {target}"),
        Reach::Container(container) => format!("{} image {}", container.engine.program(), container.image),
        Reach::Kubernetes(pods) => format!("pods of {}", pods.image),
    }
}

fn in_brackets(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(" ({text})")
    }
}
