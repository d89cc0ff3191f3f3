//! Which client properties exist, which may stand in which table, and which tandem sets itself.

use super::owned::{OWNED, OWNED_OF_FILLING, OWNED_OF_PRODUCERS};
use crate::clients::{ClientKind, Property, Use};

/// A table of client properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clients {
    /// Of the consumers that are measured.
    Measured,
    /// Of the producers of load.
    Load,
    /// Of the producers that fill data sets.
    Filling,
    /// Of every client of the run.
    All,
}

impl Clients {
    /// By whose names the properties of the table go. Those of measured consumers are librdkafka's for every app: the
    /// protocol hands them over by these names.
    pub(crate) fn kind(self) -> ClientKind {
        match self {
            Clients::Measured | Clients::Load | Clients::Filling | Clients::All => ClientKind::Librdkafka,
        }
    }
}

/// True for the name of a property, whoever sets it.
pub(crate) fn is_property(name: &str) -> bool {
    ClientKind::Librdkafka.property(name).is_some()
}

/// What to write instead of a property that tandem sets itself.
pub(crate) fn owned(name: &str, clients: Clients) -> Option<&'static str> {
    let list = match clients {
        Clients::Measured | Clients::All => OWNED,
        Clients::Load => OWNED_OF_PRODUCERS,
        Clients::Filling => OWNED_OF_FILLING,
    };
    list.iter()
        .find(|(owned, _)| *owned == name)
        .map(|(_, instead)| *instead)
}

/// The client's own name of a property.
pub(crate) fn canonical(name: &str) -> &str {
    ClientKind::Librdkafka.canonical(name)
}

pub(super) fn may_stand(property: &Property, clients: Clients) -> bool {
    let free = owned(property.name, clients).is_none() && clients.kind().missing(property.name).is_none();
    let unused = match clients {
        Clients::Measured => property.user == Use::Producer,
        Clients::Load => property.user == Use::Consumer,
        Clients::Filling => property.user != Use::Producer,
        Clients::All => false,
    };
    free && !unused
}

/// The names of the properties that may stand in a table.
pub(crate) fn names(clients: Clients) -> impl Iterator<Item = &'static str> {
    let standing = clients
        .kind()
        .properties()
        .iter()
        .filter(move |property| may_stand(property, clients));
    standing.map(|property| property.name)
}
