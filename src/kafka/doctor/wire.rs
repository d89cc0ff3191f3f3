//! The few requests that a Kafka broker answers before authentication, spoken without the client library: they distinguish
//! a Kafka listener without TLS from one with TLS, and both from other servers.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use rand::RngExt;

use super::patient::CLIENT_ID;
use super::tcp::connect;
use crate::kafka::bytes::{self, body, read_answer, take_i16, take_i32, take_text, text};

/// Key of the request for the versions that a broker speaks.
const API_VERSIONS: i16 = 18;
/// Key of the request for brokers and topics.
const METADATA: i16 = 3;
/// Key of the request that names a mechanism of authentication.
const SASL_HANDSHAKE: i16 = 17;
/// Key of the request that carries a message of that mechanism.
const SASL_AUTHENTICATE: i16 = 36;
/// Key of the request that describes the cluster, which Kafka 2.8 brought (KIP-700).
const DESCRIBE_CLUSTER: i16 = 60;
/// Key of the heartbeat of the group protocol of KIP-848.
const CONSUMER_GROUP_HEARTBEAT: i16 = 68;
/// Version of it that Kafka 4.0 brought; 3.9 has an early form, in which clients wait for their partitions for ever.
const HEARTBEAT_OF_4_0: i16 = 1;
/// Error codes.
const UNSUPPORTED_MECHANISM: i16 = 33;
const ILLEGAL_SASL_STATE: i16 = 34;
const AUTHENTICATION_FAILED: i16 = 58;
/// First bytes of TLS records: an alert, or a handshake.
const TLS_RECORDS: [u8; 2] = [0x15, 0x16];

/// What an address answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Spoken {
    /// A Kafka broker that talks without TLS.
    Kafka(Versions),
    /// TLS.
    Tls,
    /// It closed the connection without a word.
    Closed,
    /// It did not answer within the limit.
    Silent,
    /// Something else; the beginning of what it said.
    Other(String),
}

/// The versions of each request that a broker speaks: key, lowest, highest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Versions(Vec<(i16, i16, i16)>);

impl Versions {
    fn of(&self, key: i16) -> Option<(i16, i16)> {
        let found = self.0.iter().find(|(k, _, _)| *k == key);
        found.map(|(_, low, high)| (*low, *high))
    }

    /// True for Kafka 2.8 or later.
    pub(super) fn is_recent(&self) -> bool {
        self.of(DESCRIBE_CLUSTER).is_some()
    }

    /// True where the broker knows the group protocol of KIP-848.
    pub(super) fn has_consumer_protocol(&self) -> bool {
        self.of(CONSUMER_GROUP_HEARTBEAT)
            .is_some_and(|(_, high)| high >= HEARTBEAT_OF_4_0)
    }

    /// Number of kinds of requests.
    pub(super) fn requests(&self) -> usize {
        self.0.len()
    }
}

/// Asks an address for its versions.
pub(super) fn ask(address: SocketAddr, limit: Duration) -> io::Result<Spoken> {
    let mut stream = connect(address, limit)?;
    stream.write_all(&bytes::request((API_VERSIONS, 0), 1, CLIENT_ID, &[]))?;
    let answer = match read_answer(&mut stream) {
        Ok(answer) => answer,
        Err(error) => return Ok(silence(&error)),
    };
    Ok(match answer.first() {
        None => Spoken::Closed,
        Some(first) if TLS_RECORDS.contains(first) => Spoken::Tls,
        Some(_) => versions(&answer).map_or_else(|| Spoken::Other(beginning(&answer)), Spoken::Kafka),
    })
}

/// A conversation with a broker before anybody has authenticated, with TLS or without.
pub(super) struct Dialogue {
    stream: Box<dyn Connection>,
    correlation: i32,
}

/// Both directions of a connection.
pub(super) trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

/// What a broker says to the name of a mechanism.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// It offers it.
    Offered,
    /// It offers these, and not this one.
    NotAmong(Vec<String>),
    /// Nobody authenticates at this listener.
    NoUsers,
}

impl Dialogue {
    /// Over a connection that is open.
    pub(super) fn over(stream: impl Connection + 'static) -> Self {
        Dialogue {
            stream: Box::new(stream),
            correlation: 0,
        }
    }

    /// Without TLS.
    pub(super) fn plain(address: SocketAddr, limit: Duration) -> io::Result<Self> {
        connect(address, limit).map(Dialogue::over)
    }

    /// The versions of each request; `Ok(None)` where what answers is no Kafka broker.
    pub(super) fn versions(&mut self) -> io::Result<Option<Versions>> {
        let answer = self.ask(API_VERSIONS, 0, &[])?;
        if answer.is_empty() {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "it closes the connection"));
        }
        Ok(versions(&answer))
    }

    /// True where the broker answers clients that have not authenticated; `None` where that is unknown.
    pub(super) fn answers_strangers(&mut self, versions: &Versions) -> Option<bool> {
        let (low, high) = versions.of(METADATA)?;
        // From version 1 on an absent list asks for all topics; version 4 adds a flag, version 9 another form.
        let version = (1..=4).rev().find(|version| (low..=high).contains(version))?;
        let mut body = (-1_i32).to_be_bytes().to_vec();
        if version == 4 {
            body.push(0);
        }
        match self.ask(METADATA, version, &body) {
            Ok(answer) => Some(!answer.is_empty()),
            Err(error) => (silence(&error) == Spoken::Closed).then_some(false),
        }
    }

    /// Asks for a mechanism of authentication; `None` where the broker gives no answer that can be read.
    pub(super) fn mechanism(&mut self, wanted: &str) -> Option<Mechanism> {
        let answer = self.ask(SASL_HANDSHAKE, 1, &text(wanted)).ok()?;
        let mut rest = body(&answer)?;
        match take_i16(&mut rest)? {
            0 => Some(Mechanism::Offered),
            UNSUPPORTED_MECHANISM => {
                let count = take_i32(&mut rest)?;
                let names = (0..count.min(100)).map(|_| take_text(&mut rest));
                names.collect::<Option<Vec<_>>>().map(Mechanism::NotAmong)
            }
            ILLEGAL_SASL_STATE => Some(Mechanism::NoUsers),
            _ => None,
        }
    }

    /// True where the broker has a SCRAM password of this user; to be asked after [`Dialogue::mechanism`]. Only the name
    /// is sent (RFC 5802, client-first-message): a broker that knows it answers with its salt, and refuses at once
    /// otherwise. `None` where that is unknown.
    pub(super) fn knows_scram_user(&mut self, user: &str) -> Option<bool> {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let first = format!("n,,n={user},r=tandem{:016x}", rand::rng().random::<u64>());
        let length = i32::try_from(first.len()).ok()?;
        let body_bytes = [&length.to_be_bytes()[..], first.as_bytes()].concat();
        let answer = self.ask(SASL_AUTHENTICATE, 0, &body_bytes).ok()?;
        match take_i16(&mut body(&answer)?)? {
            0 => Some(true),
            AUTHENTICATION_FAILED => Some(false),
            _ => None,
        }
    }

    fn ask(&mut self, key: i16, version: i16, body: &[u8]) -> io::Result<Vec<u8>> {
        self.correlation += 1;
        let request = bytes::request((key, version), self.correlation, CLIENT_ID, body);
        self.stream.write_all(&request)?;
        self.stream.flush()?;
        read_answer(&mut self.stream)
    }
}

fn silence(error: &io::Error) -> Spoken {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Spoken::Silent,
        _ => Spoken::Closed,
    }
}

/// The versions in an answer of version 0; `None` where it is no such answer.
fn versions(answer: &[u8]) -> Option<Versions> {
    let mut rest = body(answer).filter(|_| answer[4..8] == 1_i32.to_be_bytes())?;
    let (error, count) = (take_i16(&mut rest)?, take_i32(&mut rest)?);
    if error != 0 || usize::try_from(count).ok()? > rest.len() {
        return None;
    }
    let mut number = || take_i16(&mut rest);
    let versions = (0..count).map(|_| Some((number()?, number()?, number()?)));
    versions.collect::<Option<Vec<_>>>().map(Versions)
}

/// The printable beginning of what a server said.
fn beginning(answer: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(answer).chars().take(60).collect();
    let line = text.lines().next().unwrap_or_default();
    line.chars()
        .map(|c| if c.is_control() { '\u{b7}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const SOON: Duration = Duration::from_millis(500);

    /// A server that says this to whoever asks, then closes.
    fn server(answer: Vec<u8>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut question = [0; 256];
                let _ = stream.read(&mut question);
                let _ = stream.write_all(&answer);
            }
        });
        address
    }

    /// The answer of a broker that speaks these versions.
    pub(in crate::kafka::doctor) fn answer(versions: &[(i16, i16, i16)]) -> Vec<u8> {
        let mut payload = [1_i32.to_be_bytes().to_vec(), 0_i16.to_be_bytes().to_vec()].concat();
        payload.extend(i32::try_from(versions.len()).unwrap().to_be_bytes());
        for (key, low, high) in versions {
            payload.extend([key.to_be_bytes(), low.to_be_bytes(), high.to_be_bytes()].concat());
        }
        [u32::try_from(payload.len()).unwrap().to_be_bytes().to_vec(), payload].concat()
    }

    #[test]
    fn a_broker_tells_its_versions() {
        let spoken = ask(server(answer(&[(DESCRIBE_CLUSTER, 0, 0), (METADATA, 0, 12)])), SOON).unwrap();
        let Spoken::Kafka(versions) = spoken else {
            panic!("{spoken:?}")
        };
        assert!(versions.is_recent() && !versions.has_consumer_protocol());
        let Spoken::Kafka(old) = ask(server(answer(&[(METADATA, 0, 9), (68, 0, 0)])), SOON).unwrap() else {
            panic!()
        };
        assert!(!old.is_recent() && !old.has_consumer_protocol());
        let Spoken::Kafka(new) = ask(server(answer(&[(DESCRIBE_CLUSTER, 0, 2), (68, 0, 1)])), SOON).unwrap() else {
            panic!()
        };
        assert!(new.is_recent() && new.has_consumer_protocol());
    }

    #[test]
    fn other_servers_are_recognised_by_their_answer() {
        let http = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
        assert_eq!(
            ask(server(http), SOON).unwrap(),
            Spoken::Other("HTTP/1.1 400 Bad Request".into())
        );
        assert_eq!(ask(server(vec![0x15, 3, 3, 0, 2, 2, 40]), SOON).unwrap(), Spoken::Tls);
        assert_eq!(ask(server(Vec::new()), SOON).unwrap(), Spoken::Closed);
        // An answer that promises more than it gives is none.
        assert!(matches!(
            ask(server(vec![0, 0, 1, 0, 0, 0, 0, 1]), SOON).unwrap(),
            Spoken::Other(_)
        ));
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(ask(silent.local_addr().unwrap(), SOON).unwrap(), Spoken::Silent);
    }

    /// An answer with a body.
    fn reply(body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&length.to_be_bytes()[..], &[0, 0, 0, 1], body].concat()
    }

    #[test]
    fn a_listener_says_which_mechanisms_it_offers_and_whether_it_knows_a_user() {
        let mechanism = |body: &[u8]| Dialogue::plain(server(reply(body)), SOON).unwrap().mechanism("PLAIN");
        assert_eq!(mechanism(&[0, 0, 0, 0, 0, 1, 0, 5, b'P']), Some(Mechanism::Offered));
        let others = [&[0, 33, 0, 0, 0, 2][..], &text("GSSAPI"), &text("SCRAM-SHA-512")].concat();
        let names = ["GSSAPI", "SCRAM-SHA-512"].map(str::to_owned).to_vec();
        assert_eq!(mechanism(&others), Some(Mechanism::NotAmong(names)));
        assert_eq!(mechanism(&others[..12]), None, "cut off");
        assert_eq!(
            mechanism(&[0, 33, 0x7f, 0xff, 0xff, 0xff]),
            None,
            "many that are not there"
        );
        assert_eq!(mechanism(&[0, 34, 0, 0, 0, 0]), Some(Mechanism::NoUsers));
        assert_eq!(mechanism(&[]), None);
        let known = |code: u8| {
            Dialogue::plain(server(reply(&[0, code, 0xff, 0xff, 0, 0, 0, 0])), SOON)
                .unwrap()
                .knows_scram_user("a,b")
        };
        assert_eq!((known(0), known(58), known(17)), (Some(true), Some(false), None));
    }

    #[test]
    fn nothing_that_a_server_says_can_break_the_reading() {
        let huge = answer(&[(METADATA, 0, 12)])
            .into_iter()
            .map(|byte| byte ^ 0x7f)
            .collect();
        assert!(matches!(ask(server(huge), SOON).unwrap(), Spoken::Other(_)));
        let mut many = answer(&[]);
        many[10..14].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(matches!(ask(server(many), SOON).unwrap(), Spoken::Other(_)));
    }
}
