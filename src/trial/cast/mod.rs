//! The cast of a trial: who takes part, as what, and where each is in its life. Pure.

mod broker;
mod life;
mod producer;
mod reader;
mod single;

use std::ops::{Index, IndexMut};

use crate::client_errors::client_note;
use crate::measure::{Failure, FailureKind};
use crate::protocol::PrepareProducer;
pub use broker::Broker;
pub use life::{Actor, AnyActor};
pub use producer::ProducerStage;
pub use reader::{Held, Reader, ReaderStage};
pub use single::{Load, Store};

/// Names an actor: its role, and which one of that role it is, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActorId {
    /// Reads for a group.
    Reader(usize),
    /// Sends records of the load.
    Producer(usize),
    /// Keeps the records. Its process is none of the trial's own: only acts of the script are done to it.
    Broker(usize),
    /// Where members write records to.
    Store,
    /// All producers together.
    Load,
}

/// Everybody who takes part in a trial.
#[derive(Debug, Default)]
pub struct Cast {
    /// Groups outermost.
    pub readers: Vec<Actor<Reader>>,
    /// Processes that send the records of the load.
    pub producers: Vec<Actor<PrepareProducer>>,
    /// The brokers that a script may act on: those that the run started.
    pub brokers: Vec<Actor<Broker>>,
    /// There where the run started the store of the trial.
    pub store: Actor<Store>,
    /// There where the trial has a load.
    pub load: Actor<Load>,
}

impl Cast {
    /// All actors that speak the protocol.
    pub fn ids(&self) -> impl Iterator<Item = ActorId> + use<> {
        self.reader_ids().chain(self.producer_ids())
    }

    /// Those of them whose process runs.
    pub fn present(&self) -> impl Iterator<Item = ActorId> {
        self.ids().filter(|actor| self[*actor].is_present())
    }

    /// The readers whose process runs.
    pub fn present_readers(&self) -> impl Iterator<Item = ActorId> {
        self.present().filter(|actor| matches!(actor, ActorId::Reader(_)))
    }

    /// The readers.
    pub fn reader_ids(&self) -> impl Iterator<Item = ActorId> + use<> {
        (0..self.readers.len()).map(ActorId::Reader)
    }

    /// The producers.
    pub fn producer_ids(&self) -> impl Iterator<Item = ActorId> + use<> {
        (0..self.producers.len()).map(ActorId::Producer)
    }

    /// Reader and consumer of each member of a group that is there, in order.
    pub fn members_of(&self, group: usize) -> Vec<(usize, usize)> {
        let readers = self.readers.iter().enumerate();
        let of_group = readers.filter(|(_, reader)| reader.role.group == group && reader.is_present());
        of_group
            .map(|(index, reader)| (index, reader.role.prepare.consumers.len()))
            .flat_map(|(index, consumers)| (0..consumers).map(move |consumer| (index, consumer)))
            .collect()
    }

    /// A failure of this actor, with a note where its client is known for it.
    pub fn failure(&self, actor: ActorId, kind: FailureKind, message: impl Into<String>) -> Failure {
        let mut message = message.into();
        let actor = &self[actor];
        let note = actor
            .hello()
            .and_then(|hello| client_note(&message, &hello.client, &hello.client_version));
        if let Some(note) = note {
            message = format!("{message} ({note})");
        }
        Failure {
            kind,
            who: Some(actor.name()),
            message,
        }
    }

    /// True where the readers are programs that speak nothing; all of a trial are, or none.
    pub fn is_observed(&self) -> bool {
        self.readers.iter().any(|reader| reader.role.is_observer())
    }

    /// True once every producer gave its result, or was killed.
    pub fn all_sent(&self) -> bool {
        let mut producers = self.producers.iter();
        producers.all(|producer| producer.is_done() || !producer.is_present())
    }

    /// True where a script may act on somebody of this name, before the trial begins.
    pub fn has(&self, actor: ActorId) -> bool {
        match actor {
            ActorId::Reader(_) | ActorId::Producer(_) => self.ids().any(|other| other == actor),
            ActorId::Broker(broker) => broker < self.brokers.len(),
            ActorId::Store | ActorId::Load => self[actor].is_present(),
        }
    }

    /// The broker of this id, where a script may act on it.
    pub fn broker(&self, id: u32) -> Option<ActorId> {
        let index = self.brokers.iter().position(|broker| broker.role.id == id);
        index.map(ActorId::Broker)
    }
}

impl Index<ActorId> for Cast {
    type Output = dyn AnyActor;

    fn index(&self, actor: ActorId) -> &Self::Output {
        match actor {
            ActorId::Reader(reader) => &self.readers[reader],
            ActorId::Producer(producer) => &self.producers[producer],
            ActorId::Broker(broker) => &self.brokers[broker],
            ActorId::Store => &self.store,
            ActorId::Load => &self.load,
        }
    }
}

impl IndexMut<ActorId> for Cast {
    fn index_mut(&mut self, actor: ActorId) -> &mut Self::Output {
        match actor {
            ActorId::Reader(reader) => &mut self.readers[reader],
            ActorId::Producer(producer) => &mut self.producers[producer],
            ActorId::Broker(broker) => &mut self.brokers[broker],
            ActorId::Store => &mut self.store,
            ActorId::Load => &mut self.load,
        }
    }
}
