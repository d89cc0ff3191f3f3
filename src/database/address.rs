//! The address of a database: a URI as libpq takes it, with what it says of TLS.

use openssl::ssl::{SslConnector, SslConnectorBuilder, SslFiletype, SslMethod, SslVerifyMode};
use openssl::x509::store::X509StoreBuilder;
use percent_encoding::percent_decode_str;
use postgres_openssl::MakeTlsConnector;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::error::explained;
use crate::secret::Secret;

const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];

/// PostgreSQL's port, where an address names none.
const DEFAULT_PORT: u16 = 5432;

/// An address that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(String);

/// The address of a database.
#[derive(Debug, Clone)]
pub struct Address {
    pub(super) config: Config,
    /// The password as the address has it, with its escapes.
    written_password: Option<Secret>,
    tls: Tls,
}

/// What the address says of TLS, in libpq's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Tls {
    verifies: Verifies,
    /// `sslrootcert`
    root: Option<String>,
    /// `sslcert` and `sslkey`
    own: Option<(String, String)>,
}

/// What must be true of the server's certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Verifies {
    /// It may be any.
    #[default]
    Nothing,
    /// A known authority has issued it.
    Authority,
    /// And for this host.
    AuthorityAndHost,
}

impl Address {
    /// Reads an address. No error shows what may be a password.
    pub fn parse(url: &Secret) -> Result<Self, AddressError> {
        let url = url.reveal();
        if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(AddressError(
                "the address of the store must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE".to_owned(),
            ));
        }
        let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
        let (mut tls, mut own) = (Tls::default(), (None, None));
        let mut mode = SslMode::Prefer;
        let mut others = Vec::new();
        let mut written_password = password_before_host(place);
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if name == "password" {
                written_password = Some(value);
            }
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            match name {
                "sslmode" => (mode, tls.verifies) = of_mode(&value)?,
                "sslrootcert" => tls.root = Some(value),
                "sslcert" => own.0 = Some(value),
                "sslkey" => own.1 = Some(value),
                // This client has no GSSAPI: whoever does not need it gets what was asked for.
                "gssencmode" if value != "require" => {}
                _ => others.push(parameter),
            }
        }
        tls.own = own.0.zip(own.1);
        // As libpq has it: whoever names an authority wants it checked.
        if mode == SslMode::Require && tls.root.is_some() && tls.verifies == Verifies::Nothing {
            tls.verifies = Verifies::Authority;
        }
        let rest = format!("{place}?{}", others.join("&"));
        let mut config: Config = rest.trim_end_matches('?').parse().map_err(|error| {
            AddressError(format!(
                "the address of the store cannot be read: {}",
                explained(&error)
            ))
        })?;
        // The parser ends the password at the first of them, and what follows would be printed as a host.
        let has_at = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
        if config.get_hosts().iter().any(has_at) {
            return Err(AddressError(
                "the address of the store cannot be read: an @ in the password must be written %40".to_owned(),
            ));
        }
        config.ssl_mode(mode);
        Ok(Address {
            config,
            written_password: written_password.map(Secret::new),
            tls,
        })
    }

    /// The password in it, which nothing may print, and the same as it is written in the address.
    pub fn passwords(&self) -> impl Iterator<Item = Secret> {
        let password = self.config.get_password();
        let password = password.map(|password| Secret::new(String::from_utf8_lossy(password)));
        password.into_iter().chain(self.written_password.clone())
    }

    /// The hosts, their ports and the database, `db:5432/mine`: the same for every user and password.
    pub fn database(&self) -> String {
        // As libpq has it, a user's own database is the one of the same name.
        let name = self.config.get_dbname().or(self.config.get_user()).unwrap_or_default();
        format!("{}/{name}", self.place())
    }

    /// The hosts and their ports, `db:5432`.
    pub fn place(&self) -> String {
        let hosts = self.hosts().map(|(host, port)| match host {
            Host::Tcp(host) => format!("{host}:{port}"),
            Host::Unix(folder) => folder.display().to_string(),
        });
        hosts.collect::<Vec<_>>().join(",")
    }

    /// Those that are reached by TCP.
    pub fn tcp_places(&self) -> Vec<(String, u16)> {
        let by_tcp = self.hosts().filter_map(|(host, port)| match host {
            Host::Tcp(host) => Some((host.clone(), port)),
            Host::Unix(_) => None,
        });
        by_tcp.collect()
    }

    fn hosts(&self) -> impl Iterator<Item = (&Host, u16)> {
        let ports = self.config.get_ports();
        let port = |index| ports.get(index).or(ports.first()).copied().unwrap_or(DEFAULT_PORT);
        let hosts = self.config.get_hosts().iter().enumerate();
        hosts.map(move |(index, host)| (host, port(index)))
    }

    /// What makes TLS of a connection.
    pub(super) fn connector(&self) -> Result<MakeTlsConnector, AddressError> {
        let refused = |error: openssl::error::ErrorStack| AddressError(format!("TLS cannot be used: {error}"));
        let mut builder = SslConnector::builder(SslMethod::tls()).map_err(refused)?;
        if self.tls.verifies == Verifies::Nothing {
            builder.set_verify(SslVerifyMode::NONE);
        }
        self.tls.files(&mut builder)?;
        let mut connector = MakeTlsConnector::new(builder.build());
        let verifies_host = self.tls.verifies == Verifies::AuthorityAndHost;
        connector.set_callback(move |connection, _| {
            connection.set_verify_hostname(verifies_host);
            Ok(())
        });
        Ok(connector)
    }
}

impl Tls {
    fn files(&self, builder: &mut SslConnectorBuilder) -> Result<(), AddressError> {
        let unusable = |file: &str| {
            let file = file.to_owned();
            move |error: openssl::error::ErrorStack| AddressError(format!("TLS cannot use the file {file}: {error}"))
        };
        // libpq's word for the authorities that the machine knows.
        if let Some(root) = self.root.as_ref().filter(|root| *root != "system") {
            // Instead of those, with which the builder begins.
            let none_yet = X509StoreBuilder::new().map_err(unusable(root))?.build();
            builder.set_cert_store(none_yet);
            builder.set_ca_file(root).map_err(unusable(root))?;
        }
        if let Some((certificate, key)) = &self.own {
            builder
                .set_certificate_chain_file(certificate)
                .map_err(unusable(certificate))?;
            builder
                .set_private_key_file(key, SslFiletype::PEM)
                .map_err(unusable(key))?;
        }
        Ok(())
    }
}

/// The password of `postgresql://USER:PASSWORD@HOST`, as it is written.
fn password_before_host(place: &str) -> Option<&str> {
    let (_, rest) = place.split_once("://")?;
    let (user, _) = rest.split_once('@')?;
    Some(user.split_once(':')?.1)
}

/// An `sslmode` of libpq.
fn of_mode(name: &str) -> Result<(SslMode, Verifies), AddressError> {
    match name {
        "disable" => Ok((SslMode::Disable, Verifies::Nothing)),
        "allow" | "prefer" => Ok((SslMode::Prefer, Verifies::Nothing)),
        "require" => Ok((SslMode::Require, Verifies::Nothing)),
        "verify-ca" => Ok((SslMode::Require, Verifies::Authority)),
        "verify-full" => Ok((SslMode::Require, Verifies::AuthorityAndHost)),
        _ => Err(AddressError(
            "`sslmode` in the address of the store must be disable, allow, prefer, require, verify-ca or verify-full"
                .to_owned(),
        )),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, AddressError> {
        Address::parse(&Secret::new(url))
    }

    #[test]
    fn an_address_says_where_the_database_is_and_what_is_checked_of_its_certificate() {
        let address = parse("postgresql://me:a%20b@db:5433/mine?connect_timeout=3&sslmode=verify-full").unwrap();
        assert_eq!(address.config.get_dbname(), Some("mine"));
        assert_eq!(address.place(), "db:5433");
        assert_eq!(address.tcp_places(), [("db".to_owned(), 5433)]);
        let passwords: Vec<Secret> = address.passwords().collect();
        assert_eq!(passwords, ["a b", "a%20b"].map(Secret::new));
        assert_eq!(address.database(), "db:5433/mine");
        assert_eq!(address.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(address.tls.verifies, Verifies::AuthorityAndHost);
        assert_eq!(parse("postgres://me@db/mine").unwrap().tls, Tls::default());
        let named = parse("postgres://me@db/mine?sslmode=require&sslrootcert=%2Fca.pem").unwrap();
        assert_eq!(named.tls.verifies, Verifies::Authority);
        assert_eq!(named.tls.root.as_deref(), Some("/ca.pem"));
    }

    #[test]
    fn a_password_among_the_parameters_is_known_as_it_is_written_too() {
        let passwords: Vec<Secret> = parse("postgres://me@db?password=p%25w%26d")
            .unwrap()
            .passwords()
            .collect();
        assert_eq!(passwords, ["p%w&d", "p%25w%26d"].map(Secret::new));
        assert_eq!(parse("postgres://me@db").unwrap().passwords().count(), 0);
        assert_eq!(parse("postgres://me@db").unwrap().database(), "db:5432/me");
    }

    #[test]
    fn an_address_that_cannot_be_used_is_an_error_without_the_password() {
        for (url, said) in [
            ("host=db password=hunter2", "must be postgresql://"),
            ("mysql://me:hunter2@db/mine", "must be postgresql://"),
            ("postgres://me:hunter2@db/mine?sslmode=full", "verify-full"),
            ("postgres://me:hunter2@db:port/mine", "cannot be read"),
            ("postgres://me:hunter2@db/mine?colour=red", "colour"),
            ("postgres://me:p@hunter2@db/mine", "%40"),
        ] {
            let error = parse(url).unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains("hunter2"), "{error}");
        }
    }
}
