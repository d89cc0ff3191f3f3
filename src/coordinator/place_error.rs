//! Why the workers of a place cannot be started, whatever the place is.

use super::containers::ContainerError;
use super::kubectl::PodError;
use super::remote::SshError;
use crate::scenario::{Place, Reach};

/// A place whose workers cannot be started.
#[derive(Debug, thiserror::Error)]
#[error("place {place}: {cause}")]
pub struct PlaceError {
    /// As [`described`].
    place: String,
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
            place: described(place),
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

/// A place as messages name it, with how its workers are started: `box (docker image tandem:slim)`.
pub(super) fn described(place: &Place) -> String {
    let name = &place.name;
    match place.reach() {
        Reach::Here => name.clone(),
        Reach::Launcher(_) => format!("{name} (launcher)"),
        Reach::Ssh(target) => format!("{name} (ssh {target})"),
        Reach::Container(container) => format!("{name} ({} image {})", container.engine.program(), container.image),
        Reach::Kubernetes(pods) => format!("{name} (pods of {})", pods.image),
    }
}
