//! The TLS handshake with a listener, and what is wrong with the certificates where it fails.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use openssl::nid::Nid;
use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode};
use openssl::x509::{X509NameRef, X509Ref, X509VerifyResult};

use super::address::Address;
use super::check::Check;
use super::credentials::{self, Wrong};
use super::patient::Patient;
use super::tcp::{LIMIT, connect};

/// Codes of the library's verification that get messages of their own.
const EXPIRED: i32 = 10;
const NOT_YET_VALID: i32 = 9;
const UNKNOWN_ISSUER: [i32; 5] = [2, 18, 19, 20, 21];

/// True where TLS is spoken at an address, with whatever certificate.
pub(super) fn is_spoken(address: SocketAddr) -> bool {
    let connected = || -> Option<()> {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).ok()?;
        builder.set_verify(SslVerifyMode::NONE);
        let mut configuration = builder.build().configure().ok()?;
        configuration.set_verify_hostname(false);
        configuration
            .connect("tandem.invalid", connect(address, LIMIT).ok()?)
            .ok()
            .map(drop)
    };
    connected().is_some()
}

/// What the verification of a chain found.
#[derive(Debug, Clone)]
struct Problem {
    code: i32,
    words: String,
    subject: String,
    issuer: String,
    not_after: String,
}

/// Does the handshake as the client would, and reports what is wrong with the certificates; `None` where it fails.
pub(super) fn handshake(
    patient: &Patient,
    address: &Address,
    open: SocketAddr,
    report: &mut dyn FnMut(Check),
) -> Option<SslStream<TcpStream>> {
    let name = format!("TLS of {address}");
    let found: Arc<Mutex<Option<Problem>>> = Arc::default();
    let connector = match connector(patient, &found) {
        Ok(connector) => connector,
        Err((what, cause)) => {
            let fix = "the file must be there, readable, in the form that the property asks for";
            report(Check::failed(name, format!("{what}: {cause}"), fix));
            return None;
        }
    };
    let checks_name = patient
        .property("ssl.endpoint.identification.algorithm")
        .unwrap_or("https")
        != "none";
    let shaken = connector
        .configure()
        .map_err(|error| error.to_string())
        .and_then(|mut configuration| {
            configuration.set_verify_hostname(checks_name);
            let stream = connect(open, LIMIT).map_err(|error| error.to_string())?;
            configuration
                .connect(&address.host, stream)
                .map_err(|error| error.to_string())
        });
    match shaken {
        Ok(session) => {
            let certificate = session.ssl().peer_certificate();
            let expiry = certificate.map_or(String::new(), |c| {
                format!(", certificate valid until {}", c.not_after())
            });
            report(Check::ok(name, format!("{}{expiry}", session.ssl().version_str())));
            Some(session)
        }
        Err(error) => {
            let problem = found.lock().unwrap_or_else(PoisonError::into_inner).take();
            let (detail, fix) = match problem {
                Some(problem) => explain(patient, address, &problem),
                None if is_refusal(&error) => refused_client(patient, &error),
                None => (
                    format!("the handshake fails: {error}"),
                    "does the listener ask for a client certificate (set \"ssl.certificate.location\" and \
                     \"ssl.key.location\"), or a version of TLS that this machine refuses?"
                        .to_owned(),
                ),
            };
            report(Check::failed(name, detail, fix));
            None
        }
    }
}

/// A connector with the client's files; `Err` with the property and what is wrong with its file.
fn connector(patient: &Patient, found: &Arc<Mutex<Option<Problem>>>) -> Result<SslConnector, Wrong> {
    let mut builder =
        SslConnector::builder(SslMethod::tls_client()).map_err(|error| ("TLS".to_owned(), error.to_string()))?;
    credentials::load(patient, &mut builder)?;
    let verifies = patient
        .property("enable.ssl.certificate.verification")
        .unwrap_or("true")
        != "false";
    let first = Arc::clone(found);
    let mode = if verifies {
        SslVerifyMode::PEER
    } else {
        SslVerifyMode::NONE
    };
    builder.set_verify_callback(mode, move |well, context| {
        if !well {
            let problem = Problem::of(context.error(), context.current_cert());
            first
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(problem);
        }
        well || !verifies
    });
    Ok(builder.build())
}

/// The finding where a listener refuses the client with a TLS alert. In TLS 1.3 the client gets it only after the
/// handshake.
pub(super) fn refused_client(patient: &Patient, error: &str) -> (String, String) {
    let error = error.rsplit(':').next().unwrap_or(error).trim();
    if credentials::shows_certificate(patient) {
        let detail = format!("the listener refuses the client's certificate ({error})");
        let fix = "the broker must trust the authority that issued it (ssl.truststore.location there), and it must not \
                    have expired";
        return (detail, fix.to_owned());
    }
    let detail = format!("the listener asks for a client certificate, and none is set ({error})");
    let fix = "set \"ssl.certificate.location\" and \"ssl.key.location\" under [cluster.client] (mutual TLS); \
                \"ssl.key.password\" as { env = \"VARIABLE\" } or { file = \"PATH\" }";
    (detail, fix.to_owned())
}

/// True for the TLS alerts with which a listener refuses the client's certificate.
pub(super) fn is_refusal(error: &str) -> bool {
    error.contains("alert") && (error.contains("certificate") || error.contains("unknown ca"))
}

impl Problem {
    fn of(result: X509VerifyResult, certificate: Option<&X509Ref>) -> Self {
        let text = |name: Option<&X509NameRef>| name.map_or_else(|| "nobody".to_owned(), common_name);
        Problem {
            code: result.as_raw(),
            words: result.error_string().to_owned(),
            subject: text(certificate.map(X509Ref::subject_name)),
            issuer: text(certificate.map(X509Ref::issuer_name)),
            not_after: certificate.map_or_else(String::new, |c| c.not_after().to_string()),
        }
    }
}

/// The common name, or the full name where there is none.
fn common_name(name: &X509NameRef) -> String {
    let common = name.entries_by_nid(Nid::COMMONNAME).next();
    let common = common.and_then(|entry| entry.data().to_string().ok());
    common.unwrap_or_else(|| format!("{name:?}"))
}

/// What is wrong with a certificate, and the fix.
fn explain(patient: &Patient, address: &Address, problem: &Problem) -> (String, String) {
    let Problem {
        code,
        words,
        subject,
        issuer,
        not_after,
    } = problem;
    let (detail, fix) = if *code == EXPIRED {
        (
            format!("the certificate of {subject} expired on {not_after}"),
            "the broker needs a new certificate (ssl.keystore.location)",
        )
    } else if *code == NOT_YET_VALID {
        (
            format!("the certificate of {subject} is not valid yet"),
            "is the clock of this machine right?",
        )
    } else if UNKNOWN_ISSUER.contains(code) {
        let known = match patient.property("ssl.ca.location") {
            Some(file) => format!("which is not in {file}"),
            None => "which this machine does not know".to_owned(),
        };
        (
            format!("the certificate of {subject} was issued by {issuer}, {known} ({words})"),
            "set \"ssl.ca.location\" under [cluster.client] to the PEM file of the authority that issued it",
        )
    } else if words.contains("ostname") || words.contains("IP address mismatch") {
        (
            format!("the certificate is for {subject}, not for {} ({words})", address.host),
            "use a name that the certificate holds, have the broker's certificate name this one (subjectAltName), or, if \
             you know what you give up, set \"ssl.endpoint.identification.algorithm\" = \"none\"",
        )
    } else {
        (
            format!("the certificate of {subject}, issued by {issuer}, is refused: {words}"),
            "see `openssl s_client -connect` for the complete chain",
        )
    };
    (detail, fix.to_owned())
}
