//! Why a database did not do what it was asked, and whether another try may work.

use std::error::Error;
use std::io;
use std::time::Duration;

/// Classes of SQLSTATE whose errors may pass: the connection failed, a resource is short, somebody intervened, the
/// transaction was in the way of another one.
const PASSING: [&str; 4] = ["08", "53", "57", "40"];

/// Errors after which it is not known what became of a commit: the connection failed, or the session was ended. With any other
/// error the server says that it has rolled back.
const UNANSWERED: [&str; 2] = ["08", "57P"];

/// Why the database did not do what it was asked. It says what the server said, and never a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DatabaseError {
    message: String,
    code: Option<String>,
    passes: bool,
}

impl DatabaseError {
    /// Nothing came within so long.
    pub(super) fn silence(limit: Duration) -> Self {
        DatabaseError {
            message: format!("the store did not answer within {} s", limit.as_secs()),
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

    /// True if the error is no answer to a commit that was sent: the transaction may be committed.
    pub fn is_unanswered(&self) -> bool {
        match self.code() {
            Some(code) => UNANSWERED.iter().any(|class| code.starts_with(class)),
            // Lost or silent.
            None => self.passes,
        }
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
        DatabaseError {
            message: explained(&error),
            code: None,
            passes: error.is_closed() || causes(&error).iter().any(|cause| cause.is::<io::Error>()),
        }
    }
}

/// The error and what caused it; a cause that the error repeats is left out.
pub(super) fn explained(error: &(dyn Error + 'static)) -> String {
    causes(error).iter().fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) {
            text
        } else {
            format!("{text}: {cause}")
        }
    })
}

/// What caused an error, the nearest first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(nearest) = cause {
        causes.push(nearest);
        cause = nearest.source();
    }
    causes
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

    #[test]
    fn a_lost_or_silent_connection_leaves_a_commit_unanswered_and_an_error_of_the_transaction_answers_it() {
        let error = |code: Option<&str>, passes| DatabaseError {
            message: String::new(),
            code: code.map(str::to_owned),
            passes,
        };
        for code in [None, Some("08006"), Some("57P01"), Some("57P02")] {
            assert!(error(code, true).is_unanswered(), "{code:?}");
        }
        for code in ["40001", "53100", "57014", "23505"] {
            assert!(!error(Some(code), passes(code)).is_unanswered(), "{code}");
        }
        assert!(!DatabaseError::permanent(String::new()).is_unanswered());
    }
}
