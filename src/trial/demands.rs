//! What a configuration demands of its workers beyond reading, and the error for a worker that cannot do it.

use crate::protocol::{Capability, Hello, PROTOCOL_VERSION, PROTOCOL_VERSIONS};
use crate::scenario::{Configuration, Membership, Work};

/// What workers must be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is demanded or not, whatever the others are"
)]
pub struct Demands {
    /// Take partitions without a group.
    pub(super) manual: bool,
    /// Work records on several threads per consumer.
    pub(super) threads: bool,
    /// Measure records that arrive.
    pub(super) live: bool,
    /// Write records to a store.
    pub(super) store: bool,
    /// Be known to the group by a name that stays.
    pub(super) is_static: bool,
}

impl Demands {
    /// What a configuration demands of its workers.
    pub fn of(configuration: &Configuration) -> Self {
        Demands {
            manual: configuration.membership == Membership::Manual,
            threads: configuration.threads > 1,
            live: configuration.mode.load().is_some(),
            store: configuration.work == Work::Store,
            is_static: configuration.is_static,
        }
    }

    /// What a worker that introduces itself so cannot do of this.
    pub fn unmet(self, hello: &Hello) -> Option<String> {
        if !PROTOCOL_VERSIONS.contains(&hello.protocol) {
            return Some(format!(
                "it speaks protocol {}, this tandem {PROTOCOL_VERSION}",
                hello.protocol
            ));
        }
        let demanded = [
            (self.manual, Capability::Manual, "`assignment = \"manual\"` needs"),
            (self.threads, Capability::Threads, "`threads` above 1 needs"),
            (self.live, Capability::Stamps, "live trials need"),
            (self.live, Capability::Ledger, "live trials need"),
            (self.is_static, Capability::Static, "`static = true` needs"),
            (self.store, Capability::Store, "`work = \"store\"` needs"),
            // Without it nobody knows which records should have a row.
            (self.store, Capability::Ledger, "`work = \"store\"` needs"),
        ];
        let lacks = |(demanded, capability, _): &(bool, Capability, &str)| {
            *demanded && !hello.capabilities.contains(capability)
        };
        let (_, capability, needs) = demanded.into_iter().find(lacks)?;
        Some(format!(
            "{needs} the capability `{capability}`: a worker that {}",
            capability.does()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(capabilities: &[Capability]) -> Hello {
        Hello {
            protocol: PROTOCOL_VERSION,
            client: "other".to_owned(),
            client_version: "1".to_owned(),
            pid: 1,
            capabilities: capabilities.to_vec(),
            host: None,
        }
    }

    #[test]
    fn the_first_thing_that_a_worker_lacks_is_named_and_nothing_is_demanded_that_is_not_needed() {
        assert_eq!(Demands::default().unmet(&hello(&[])), None);
        let live = Demands {
            live: true,
            ..Demands::default()
        };
        let lacks = live.unmet(&hello(&[Capability::Ledger])).unwrap_or_default();
        assert!(lacks.contains("capability `stamps`"), "{lacks}");
        let lacks = live.unmet(&hello(&[Capability::Stamps])).unwrap_or_default();
        assert!(lacks.contains("capability `ledger`"), "{lacks}");
        let threads = Demands {
            threads: true,
            ..Demands::default()
        };
        assert!(threads.unmet(&hello(&[Capability::Manual])).is_some());
        assert_eq!(threads.unmet(&hello(&[Capability::Threads])), None);
        let store = Demands {
            store: true,
            ..Demands::default()
        };
        let lacks = store.unmet(&hello(&[Capability::Ledger])).unwrap_or_default();
        assert!(lacks.contains("capability `store`"), "{lacks}");
        assert_eq!(store.unmet(&hello(&[Capability::Ledger, Capability::Store])), None);
        let old = Hello {
            protocol: 0,
            ..hello(&[])
        };
        assert!(
            Demands::default()
                .unmet(&old)
                .is_some_and(|lacks| lacks.contains("protocol 0"))
        );
    }
}
