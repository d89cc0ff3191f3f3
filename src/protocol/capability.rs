//! What a worker may be able to do beyond reading and reporting positions. One declaration for each: what the built-in
//! worker offers, the table of docs/protocol.md, and what a trial names as not observed are made from it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// What it means that a worker lacks a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Without {
    /// Each of its trials names this as not observed.
    NotObserved(&'static str),
    /// Nothing is missing in its trials, or it has none.
    Otherwise(&'static str),
}

macro_rules! capabilities {
    ($($variant:ident: $does:literal, $without:ident($missing:literal);)*) => {
        /// What a worker may be able to do beyond reading and reporting positions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Capability {
            $(#[doc = concat!("The worker ", $does, ".")] $variant,)*
        }

        impl Capability {
            /// All, in the order of the documents.
            pub const ALL: &[Capability] = &[$(Capability::$variant),*];

            /// What a worker that has it does, to follow "the worker".
            pub fn does(self) -> &'static str {
                match self {
                    $(Capability::$variant => $does,)*
                }
            }

            /// What it means to lack it.
            pub fn without(self) -> Without {
                match self {
                    $(Capability::$variant => Without::$without($missing),)*
                }
            }
        }
    };
}

capabilities! {
    Hold: "has its partitions before `start` and fetches nothing",
        NotObserved("whether records were fetched before the start");
    Assignment: "answers `query_assignments`",
        NotObserved("its own view of its assignment; the cluster's is used");
    Ledger: "gives `runs`, every offset that it read",
        NotObserved("which offsets were read; only their number is compared");
    Usage: "measures its own CPU, memory and threads",
        NotObserved("its CPU, memory and threads");
    Work: "measures the time spent in work",
        NotObserved("the time that it spent in work");
    Manual: "takes partitions without a group",
        Otherwise("`assignment = \"manual\"` fails with it");
    Calibrate: "answers `calibrate`",
        Otherwise("the calibration in `prepare` is all zeros");
    Threads: "works records on several threads per consumer",
        Otherwise("`threads` above 1 fails with it");
    Reading: "measures how long its reading threads wait for records and for commits",
        Otherwise("what limits its reading is said by fewer figures");
    Statistics: "says what its client library counts itself",
        Otherwise("what limits its reading is said by fewer figures");
    Pauses: "says where its process did not run",
        NotObserved("where its process did not run");
    Stamps: "reads the stamps of records and says how long they waited",
        Otherwise("live and mixed trials fail with it");
    Static: "keeps its place in the group by `group.instance.id`",
        Otherwise("`static = true` fails with it");
    Store: "writes records to the store of the trial",
        Otherwise("`work = \"store\"` fails with it");
    Flow: "says when it read each partition and when not",
        NotObserved("when it read each partition and when not");
}

impl fmt::Display for Capability {
    /// Its name in the protocol.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Reads the capabilities that this version knows: a newer worker may have others.
pub(super) fn known<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Capability>, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    let known = |name: &String| Capability::ALL.iter().copied().find(|each| each.to_string() == *name);
    Ok(names.iter().filter_map(known).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Hello;
    use crate::testing::Document;

    #[test]
    fn the_document_lists_every_capability() {
        let row = |capability: &Capability| {
            let without = match capability.without() {
                Without::NotObserved(what) => format!("not observed: {what}"),
                Without::Otherwise(what) => what.to_owned(),
            };
            vec![format!("`{capability}`"), capability.does().to_owned(), without]
        };
        let rows: Vec<_> = Capability::ALL.iter().map(row).collect();
        let mut document = Document::read("docs/protocol.md");
        document.table("capabilities", &["capability", "the worker", "without it"], &rows);
        document.check();
    }

    #[test]
    fn capabilities_of_a_newer_worker_are_left_out() {
        let hello =
            r#"{"protocol": 1, "client": "x", "client_version": "1", "pid": 1, "capabilities": ["hold", "flight"]}"#;
        let hello: Hello = serde_json::from_str(hello).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(hello.capabilities, [Capability::Hold]);
    }
}
