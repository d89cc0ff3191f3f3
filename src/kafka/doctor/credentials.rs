//! The client's side of a TLS handshake: the authorities it trusts, its own certificate and key.

use std::fs;
use std::path::Path;

use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::ssl::SslConnectorBuilder;
use openssl::x509::{X509, X509NameRef};

use super::patient::Patient;

/// A property and what is wrong with its file or value; never the value.
pub(super) type Wrong = (String, String);

/// Configures a connector with the client's properties; `Err` with the property that cannot be used.
pub(super) fn load(patient: &Patient, builder: &mut SslConnectorBuilder) -> Result<(), Wrong> {
    authorities(patient, builder)?;
    if let Some((file, store)) = keystore(patient)? {
        let wrong = |error: ErrorStack| (format!("ssl.keystore.location = {file:?}"), reason(&error));
        if let Some(certificate) = &store.cert {
            builder.set_certificate(certificate).map_err(wrong)?;
        }
        for above in store.ca.iter().flatten() {
            builder.add_extra_chain_cert(above.to_owned()).map_err(wrong)?;
        }
        if let Some(key) = &store.pkey {
            builder.set_private_key(key).map_err(wrong)?;
        }
    }
    if let Some(file) = patient.property("ssl.certificate.location") {
        let wrong = |error: ErrorStack| (format!("ssl.certificate.location = {file:?}"), reason(&error));
        readable("ssl.certificate.location", file)?;
        builder.set_certificate_chain_file(file).map_err(wrong)?;
    } else if let Some(certificate) = certificate(patient) {
        let wrong = |error: ErrorStack| ("ssl.certificate.pem".to_owned(), reason(&error));
        let certificate = certificate.map_err(wrong)?;
        builder.set_certificate(&certificate).map_err(wrong)?;
    }
    if let Some((what, key)) = key(patient) {
        let key = key.map_err(|cause| (what.clone(), cause))?;
        builder
            .set_private_key(&key)
            .map_err(|error| (what, format!("{}: is it the key of the certificate?", reason(&error))))?;
    }
    Ok(())
}

fn authorities(patient: &Patient, builder: &mut SslConnectorBuilder) -> Result<(), Wrong> {
    if let Some(file) = patient.property("ssl.ca.location").filter(|file| *file != "probe") {
        let wrong = |error: ErrorStack| (format!("ssl.ca.location = {file:?}"), reason(&error));
        let folder = Path::new(file);
        readable("ssl.ca.location", file)?;
        if folder.is_dir() {
            builder.load_verify_locations(None, Some(folder)).map_err(wrong)?;
        } else {
            builder.set_ca_file(file).map_err(wrong)?;
        }
    }
    if let Some(pem) = patient.property("ssl.ca.pem") {
        let wrong = |error: ErrorStack| ("ssl.ca.pem".to_owned(), reason(&error));
        for authority in X509::stack_from_pem(pem.as_bytes()).map_err(wrong)? {
            builder.cert_store_mut().add_cert(authority).map_err(wrong)?;
        }
    }
    Ok(())
}

/// Reports the system's error where a file cannot be opened; the TLS library's is less exact.
fn readable(property: &str, file: &str) -> Result<(), Wrong> {
    let opened = fs::File::open(file).map(drop);
    opened.map_err(|error| (format!("{property} = {file:?}"), error.to_string()))
}

/// True where the client has a certificate.
pub(super) fn shows_certificate(patient: &Patient) -> bool {
    [
        "ssl.certificate.location",
        "ssl.certificate.pem",
        "ssl.keystore.location",
    ]
    .iter()
    .any(|name| patient.property(name).is_some())
}

/// The name in the client's certificate as brokers write a principal, such as `CN=client,O=Example`; `None` without a
/// certificate, or where the name has characters that would be escaped.
pub(super) fn distinguished_name(patient: &Patient) -> Option<String> {
    let certificate = match patient.property("ssl.certificate.location") {
        Some(file) => X509::from_pem(&fs::read(file).ok()?).ok()?,
        None => match keystore(patient).ok()? {
            Some((_, store)) => store.cert?,
            None => certificate(patient)?.ok()?,
        },
    };
    rfc2253(certificate.subject_name())
}

fn rfc2253(name: &X509NameRef) -> Option<String> {
    let part = |entry: &openssl::x509::X509NameEntryRef| {
        let value = entry.data().to_string().ok()?;
        let plain = !value.contains([',', '+', '"', '\\', '<', '>', ';', '=', '#']) && value.trim() == value;
        plain.then_some(format!("{}={value}", entry.object().nid().short_name().ok()?))
    };
    let mut parts: Vec<String> = name.entries().map(part).collect::<Option<_>>()?;
    parts.reverse();
    (!parts.is_empty()).then(|| parts.join(","))
}

fn certificate(patient: &Patient) -> Option<Result<X509, ErrorStack>> {
    let pem = patient.property("ssl.certificate.pem")?;
    Some(X509::from_pem(pem.as_bytes()))
}

fn keystore(patient: &Patient) -> Result<Option<(String, openssl::pkcs12::ParsedPkcs12_2)>, Wrong> {
    let Some(file) = patient.property("ssl.keystore.location") else {
        return Ok(None);
    };
    let what = format!("ssl.keystore.location = {file:?}");
    let bytes = fs::read(file).map_err(|error| (what.clone(), error.to_string()))?;
    let password = patient.property("ssl.keystore.password").unwrap_or_default();
    let store = Pkcs12::from_der(&bytes).and_then(|store| store.parse2(password));
    let store = store.map_err(|error| (what, format!("{}: is ssl.keystore.password right?", reason(&error))))?;
    Ok(Some((file.to_owned(), store)))
}

/// The client's key, and from which property it comes.
fn key(patient: &Patient) -> Option<(String, Result<PKey<Private>, String>)> {
    let (what, pem) = match (patient.property("ssl.key.location"), patient.property("ssl.key.pem")) {
        (Some(file), _) => {
            let read = fs::read(file).map_err(|error| error.to_string());
            (format!("ssl.key.location = {file:?}"), read)
        }
        (None, Some(pem)) => ("ssl.key.pem".to_owned(), Ok(pem.as_bytes().to_vec())),
        (None, None) => return None,
    };
    let password = patient.property("ssl.key.password");
    let key = pem.and_then(|pem| {
        // Without a callback the library would ask for the password on the terminal.
        let given = |buffer: &mut [u8]| {
            let password = password.unwrap_or_default().as_bytes();
            let length = password.len().min(buffer.len());
            buffer[..length].copy_from_slice(&password[..length]);
            Ok(length)
        };
        PKey::private_key_from_pem_callback(&pem, given).map_err(|error| match password {
            Some(_) => format!("{}: is ssl.key.password right?", reason(&error)),
            None => format!("{}: does the key need ssl.key.password?", reason(&error)),
        })
    });
    Some((what, key))
}

/// The last reason of the library's errors.
pub(super) fn reason(error: &ErrorStack) -> String {
    let reasons: Vec<&str> = error
        .errors()
        .iter()
        .filter_map(openssl::error::Error::reason)
        .collect();
    reasons
        .last()
        .map_or_else(|| error.to_string(), |reason| (*reason).to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use openssl::x509::X509NameBuilder;

    use super::rfc2253;

    #[test]
    fn a_principal_is_written_as_brokers_write_it() {
        let name = |entries: &[(&str, &str)]| {
            let mut builder = X509NameBuilder::new().unwrap();
            for (key, value) in entries {
                builder.append_entry_by_text(key, value).unwrap();
            }
            rfc2253(&builder.build())
        };
        let principal = name(&[("C", "DE"), ("O", "Example"), ("CN", "client")]);
        assert_eq!(principal.unwrap(), "CN=client,O=Example,C=DE");
        assert_eq!(name(&[("CN", "a,b")]), None, "would be escaped");
        assert_eq!(name(&[]), None);
    }
}
