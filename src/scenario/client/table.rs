//! Which client properties exist, which may stand in which table, and which tandem sets itself.

use std::sync::LazyLock;

use crate::clients::{ClientKind, Property, Use, rows};

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

/// Table, property, and what to write instead or why it cannot be set.
static OWNED: LazyLock<Vec<[&str; 3]>> = LazyLock::new(|| rows(include_str!("owned.tsv")).collect());

/// What to write instead of a property that tandem sets itself.
pub(crate) fn owned(name: &str, clients: Clients) -> Option<&'static str> {
    let table = match clients {
        Clients::Measured | Clients::All => "consumers",
        Clients::Load => "load",
        Clients::Filling => "filling",
    };
    let row = OWNED.iter().find(|row| row[..2] == [table, name]);
    row.map(|row| row[2])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_tandem_owns_exists_and_is_in_a_table() {
        let counts = ["consumers", "load", "filling"].map(|table| OWNED.iter().filter(|row| row[0] == table).count());
        assert_eq!(counts.iter().sum::<usize>(), OWNED.len());
        for [_, name, instead] in OWNED.iter() {
            assert!(
                ClientKind::Librdkafka.property(name).is_some() && !instead.is_empty(),
                "{name}"
            );
        }
    }
}
