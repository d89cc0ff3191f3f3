//! Which client properties exist, which may stand in which table, and which tandem sets itself.

use super::properties::{NOT_BUILT_IN, OWNED, OWNED_OF_FILLING, OWNED_OF_PRODUCERS, PROPERTIES};
use super::property::{Property, Use};
use super::values::Values;

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

/// What a property would need that this client has not.
pub(super) fn missing(name: &str) -> Option<&'static str> {
    let begins = |start: &str| name == start || start.ends_with('.') && name.starts_with(start);
    let needs = NOT_BUILT_IN
        .iter()
        .find(|(start, _)| begins(start) && name != "sasl.oauthbearer.config");
    needs.map(|(_, needs)| *needs)
}

pub(super) fn find(name: &str) -> Option<&'static Property> {
    PROPERTIES.iter().find(|property| property.name == name)
}

/// True for the name of a property, whoever sets it.
pub(crate) fn is_property(name: &str) -> bool {
    find(name).is_some()
}

/// True for a property one value of which is several words with commas between them.
pub(crate) fn takes_several(name: &str) -> bool {
    find(name).is_some_and(|property| matches!(property.values, Values::SomeOf(_)))
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

/// The library's own name of a property.
pub(crate) fn canonical(name: &str) -> &str {
    find(name).and_then(|property| property.alias_of).unwrap_or(name)
}

pub(super) fn may_stand(property: &Property, clients: Clients) -> bool {
    let free = owned(property.name, clients).is_none() && missing(property.name).is_none();
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
    let standing = PROPERTIES.iter().filter(move |property| may_stand(property, clients));
    standing.map(|property| property.name)
}
