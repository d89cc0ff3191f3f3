//! The client libraries whose properties are known.

use super::counterpart::Counterpart;
use super::property::Property;
use super::{go, java, library, librdkafka};

/// A client library, by whose names an app's properties go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// The library in C, which tandem's own worker has.
    Librdkafka,
    /// kafka-clients.
    Java,
    /// franz-go.
    FranzGo,
}

impl ClientKind {
    /// The library and its version whose properties are known.
    pub fn title(self) -> &'static str {
        match self {
            ClientKind::Librdkafka => "librdkafka 2.12.1",
            ClientKind::Java => "kafka-clients 4.3.1",
            ClientKind::FranzGo => "franz-go 1.22.0",
        }
    }

    /// Its name in sentences.
    pub fn name(self) -> &'static str {
        match self {
            ClientKind::Librdkafka => "librdkafka",
            ClientKind::Java => "Java's clients",
            ClientKind::FranzGo => "franz-go",
        }
    }

    /// Its properties, by name; of Java's clients those of the consumer.
    pub(crate) fn properties(self) -> &'static [Property] {
        match self {
            ClientKind::Librdkafka => &librdkafka::PROPERTIES,
            ClientKind::Java => &java::CONSUMER,
            ClientKind::FranzGo => &go::CONSUMER,
        }
    }

    /// The names of its properties; of Java's clients those of the consumer.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.properties().iter().map(|property| property.name)
    }

    /// The property of this name.
    pub(crate) fn property(self, name: &str) -> Option<&'static Property> {
        self.properties().iter().find(|property| property.name == name)
    }

    /// The library's own name of a property, of which the name may be another.
    pub fn canonical(self, name: &str) -> &str {
        self.property(name)
            .and_then(|property| property.alias_of)
            .unwrap_or(name)
    }

    /// The default of a property.
    pub fn default_of(self, name: &str) -> Option<String> {
        match self {
            ClientKind::Librdkafka => library::default_of(name),
            ClientKind::Java | ClientKind::FranzGo => self.property(name)?.default.map(str::to_owned),
        }
    }

    /// A value in the library's own spelling, where it has several and can be asked.
    pub fn spelled(self, name: &str, value: &str) -> Option<String> {
        match self {
            ClientKind::Librdkafka => library::spelled(name, value),
            ClientKind::Java | ClientKind::FranzGo => None,
        }
    }

    /// What a property would need that is not built in.
    pub fn missing(self, name: &str) -> Option<&'static str> {
        let needs = match self {
            ClientKind::Librdkafka => librdkafka::NOT_BUILT_IN,
            ClientKind::Java | ClientKind::FranzGo => &[],
        };
        let begins = |start: &str| name == start || start.ends_with('.') && name.starts_with(start);
        let needs = needs
            .iter()
            .find(|(start, _)| begins(start) && name != "sasl.oauthbearer.config");
        needs.map(|(_, needs)| *needs)
    }

    /// What it has instead of a property that only another client has, and which client that is.
    pub fn instead_of(self, name: &str) -> Option<(ClientKind, Counterpart)> {
        if self.property(name).is_some() {
            return None;
        }
        match self {
            ClientKind::Librdkafka => {
                let of_java = java::in_librdkafka(name).map(|instead| (ClientKind::Java, instead));
                of_java.or_else(|| Some((ClientKind::FranzGo, go::in_librdkafka(name)?)))
            }
            ClientKind::Java => {
                let other = ClientKind::Librdkafka;
                other.property(name).map(|_| (other, java::of_librdkafka(name)))
            }
            ClientKind::FranzGo => {
                let of_librdkafka = |name: &str| ClientKind::Librdkafka.property(name).map(|_| go::of_librdkafka(name));
                if let Some(instead) = of_librdkafka(name) {
                    return Some((ClientKind::Librdkafka, instead));
                }
                let instead = match java::in_librdkafka(name)? {
                    Counterpart::Is([first, ..]) => of_librdkafka(first)?,
                    Counterpart::Is([]) | Counterpart::IsBut(..) | Counterpart::Key(_) | Counterpart::Nothing(_) => {
                        Counterpart::Nothing("it has nothing like it")
                    }
                };
                Some((ClientKind::Java, instead))
            }
        }
    }

    /// What it calls a property of librdkafka; `None` if it has nothing like it.
    pub fn name_of(self, librdkafka: &'static str) -> Option<&'static str> {
        if self.property(librdkafka).is_some() {
            return Some(librdkafka);
        }
        let instead = match self {
            ClientKind::Librdkafka => return None,
            ClientKind::Java => java::of_librdkafka(librdkafka),
            ClientKind::FranzGo => go::of_librdkafka(librdkafka),
        };
        match instead {
            Counterpart::Is([name, ..]) => Some(*name),
            Counterpart::IsBut(name, _) => Some(name),
            Counterpart::Is([]) | Counterpart::Key(_) | Counterpart::Nothing(_) => None,
        }
    }

    /// Names of properties that another client has and this one has not.
    pub(crate) fn foreign_names(self) -> Vec<&'static str> {
        match self {
            ClientKind::Librdkafka => java::names().collect(),
            ClientKind::Java | ClientKind::FranzGo => {
                let others = ClientKind::Librdkafka.names();
                others.filter(|name| self.property(name).is_none()).collect()
            }
        }
    }
}
