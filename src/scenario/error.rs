//! What can be wrong with a scenario file: every error with its place, what stands there and what is allowed.

use std::path::PathBuf;

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

use super::masking::Masked;
use super::problem::{Problem, Problems};

/// One error of a scenario file.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("{message}")]
pub struct ScenarioError {
    /// What is wrong, with the value.
    pub message: String,
    /// What is allowed instead.
    pub allowed: String,
    /// How to fix it, if that is known.
    #[help]
    pub help: Option<String>,
    /// Bytes of the file at fault.
    #[label("{allowed}")]
    pub span: SourceSpan,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// Start of the messages of the TOML parser, which quote nothing of the file.
pub(super) const SYNTAX: &str = "TOML: ";

/// All errors of a scenario file, in the order of the file. Secrets that were written into the file show as stars.
#[derive(Debug, Error, Diagnostic)]
#[error("{path}: {}", count(.errors.len()))]
pub struct ScenarioErrors {
    path: String,
    #[source_code]
    source_code: NamedSource<String>,
    #[related]
    errors: Vec<ScenarioError>,
}

impl ScenarioErrors {
    /// The errors of a file in its order, with secrets masked.
    pub(super) fn of(problems: Problems, path: &str, text: &str) -> Self {
        let mut list = problems.into_list();
        list.sort_by_key(|problem| problem.span.start);
        let masked = Masked::of(text);
        let mask = |problem: Problem| {
            if problem.message.starts_with(SYNTAX) {
                return problem;
            }
            Problem {
                message: masked.message(&problem.message),
                allowed: masked.message(&problem.allowed),
                help: problem.help.map(|help| masked.message(&help)),
                ..problem
            }
        };
        let errors = list.into_iter().map(|problem| locate(mask(problem), text)).collect();
        ScenarioErrors {
            path: path.to_owned(),
            source_code: NamedSource::new(path, masked.text),
            errors,
        }
    }

    /// The errors, at least one.
    pub fn errors(&self) -> &[ScenarioError] {
        &self.errors
    }

    /// A heading and every error drawn into its lines of the file.
    pub fn drawn(&self) -> String {
        let draw = |error: &ScenarioError| {
            let report = miette::Report::new(error.clone()).with_source_code(self.source_code.clone());
            format!("\n{report:?}")
        };
        let drawn: Vec<String> = self.errors.iter().map(draw).collect();
        format!("{self}\n{}", drawn.join("\n"))
    }

    /// One line per error, `file:line:column: message`, for terminals without drawing and for other programs.
    pub fn plain(&self) -> String {
        let line = |error: &ScenarioError| {
            let help = error.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
            let (line, column, message, allowed) = (error.line, error.column, &error.message, &error.allowed);
            format!("{}:{line}:{column}: {message}: {allowed}{help}\n", self.path)
        };
        self.errors.iter().map(line).collect()
    }
}

fn count(errors: usize) -> String {
    if errors == 1 {
        "1 error".to_owned()
    } else {
        format!("{errors} errors")
    }
}

/// Why a scenario file could not be loaded.
#[derive(Debug, Error, Diagnostic)]
pub enum LoadError {
    /// Nothing has that name.
    #[error("{}: there is no such file", .path.display())]
    NotFound {
        /// As it was given.
        path: PathBuf,
        /// The scenarios that come with tandem.
        #[help]
        help: String,
    },
    /// A directory has that name.
    #[error("{}: this is a directory; name a scenario file in it", .0.display())]
    Directory(PathBuf),
    /// The file holds nothing but blanks and comments.
    #[error("{}: the file is empty; a scenario has at least a question", .0.display())]
    Empty(PathBuf),
    /// The file is longer than any scenario.
    #[error("{}: the file is larger than 1 MiB, so it is no scenario", .0.display())]
    TooLarge(PathBuf),
    /// The file is not UTF-8, or holds characters that no text has.
    #[error("{}: the file is not text (byte {offset} is not), so it is no scenario", .path.display())]
    NotText {
        /// As it was given.
        path: PathBuf,
        /// The first byte that is not text, from 0.
        offset: usize,
    },
    /// The system refused.
    #[error("{}: the file cannot be read: {error}", .path.display())]
    Unreadable {
        /// As it was given.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file was read, but it is not a valid scenario.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Invalid(#[from] ScenarioErrors),
}

impl LoadError {
    /// The error as lines of plain text, without drawing.
    pub fn plain(&self) -> String {
        match self {
            LoadError::Invalid(errors) => errors.plain(),
            LoadError::NotFound { help, .. } => format!("{self} ({help})\n"),
            other => format!("{other}\n"),
        }
    }
}

fn locate(problem: Problem, text: &str) -> ScenarioError {
    let mut start = problem.span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let before = &text[..start];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    ScenarioError {
        message: problem.message,
        allowed: problem.allowed,
        help: problem.help,
        span: (start..problem.span.end.clamp(start, text.len())).into(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}
