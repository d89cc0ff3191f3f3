//! Why a database did not do what it was asked, and whether another try may work.

use std::error::Error as _;
use std::io;

use super::connection::ANSWER_LIMIT;

/// Classes of SQLSTATE whose errors may pass: the connection failed, a resource is short, somebody intervened, the
/// transaction was in the way of another one.
const PASSING: [&str; 4] = ["08", "53", "57", "40"];

/// Why the database did not do what it was asked. It says what the server said, and never a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DatabaseError {
    message: String,
    code: Option<String>,
    passes: bool,
}

impl DatabaseError {
    /// Nothing came within [`ANSWER_LIMIT`].
    pub fn silence() -> Self {
        DatabaseError {
            message: format!("the store did not answer within {} s", ANSWER_LIMIT.as_secs()),
            code: None,
            passes: true,
        }
    }

    /// Another try would fail too.
    pub(super) fn permanent(message: String) -> Self {
        DatabaseError {
            message,
            code: None,
            passes: false,
        }
    }

    /// The server's SQLSTATE, where it answered.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// True where another try may work.
    pub fn passes(&self) -> bool {
        self.passes
    }
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(said) = error.as_db_error() {
            let code = said.code().code().to_owned();
            return DatabaseError {
                message: format!("{}: {} (SQLSTATE {code})", said.severity(), said.message()),
                passes: passes(&code),
                code: Some(code),
            };
        }
        let mut message = error.to_string();
        let mut lost = error.is_closed();
        let mut source = error.source();
        while let Some(cause) = source {
            lost |= cause.is::<io::Error>();
            let cause_text = cause.to_string();
            // Some errors repeat what caused them.
            if !message.contains(&cause_text) {
                message = format!("{message}: {cause_text}");
            }
            source = cause.source();
        }
        DatabaseError {
            message,
            code: None,
            passes: lost,
        }
    }
}

fn passes(code: &str) -> bool {
    PASSING.iter().any(|class| code.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_try_may_change_passes_and_what_is_wrong_by_itself_does_not() {
        for code in ["08006", "53100", "53300", "57P01", "57P03", "40001", "40P01"] {
            assert!(passes(code), "{code}");
        }
        for code in ["28P01", "42P01", "42703", "42501", "22001", "23505", "3D000", "25P02"] {
            assert!(!passes(code), "{code}");
        }
    }
}
