//! Listens to the client of a reading: what it reported since the latest record, and the first error that no waiting
//! fixes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::client_errors::{ClientError, Reports, report_of_log};

#[derive(Default)]
pub(super) struct Listener {
    reports: Mutex<Reports>,
    /// Whether there are any reports, to be asked for every record.
    has_reports: AtomicBool,
    permanent: OnceLock<ClientError>,
}

impl Listener {
    /// An error that no waiting fixes.
    pub(super) fn permanent(&self) -> Option<&ClientError> {
        self.permanent.get()
    }

    /// What was reported since the latest record, to follow a sentence; empty where nothing was.
    pub(super) fn reported(&self) -> String {
        if !self.has_reports.load(Ordering::Relaxed) {
            return String::new();
        }
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let texts: Vec<&str> = reports.iter().map(|report| report.text.as_str()).collect();
        format!("; the client reported: {}", texts.join("; "))
    }

    /// A record has come: what was reported before is over.
    pub(super) fn forget(&self) {
        if self.has_reports.load(Ordering::Relaxed) {
            *self.reports.lock().unwrap_or_else(PoisonError::into_inner) = Reports::default();
            self.has_reports.store(false, Ordering::Relaxed);
        }
    }

    fn note(&self, text: &str) {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).count(text);
        self.has_reports.store(true, Ordering::Relaxed);
    }
}

impl ClientContext for Listener {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        if let Some(report) = report_of_log(facility, message) {
            self.note(&report);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        use RDKafkaErrorCode::{GroupAuthorizationFailed, PartitionEOF};
        // The library looks for the coordinator of a group that is not joined.
        let about_records = |code: &RDKafkaErrorCode| !matches!(*code, PartitionEOF | GroupAuthorizationFailed);
        let Some(code) = error.rdkafka_error_code().filter(about_records) else {
            return;
        };
        let error = ClientError::new(code, reason);
        self.note(&error.to_string());
        if error.is_permanent() {
            // The first is the cause of what follows.
            let _ = self.permanent.set(error);
        }
    }
}

impl ConsumerContext for Listener {}
