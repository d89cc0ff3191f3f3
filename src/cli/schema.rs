//! `tandem schema`: prints the JSON Schema of scenario files.

use std::io::Write as _;

use anyhow::Context as _;

use crate::scenario;

/// Prints the schema on standard output, on one line: editors and programs read it.
pub fn run() -> anyhow::Result<()> {
    let schema = serde_json::to_string(&scenario::json_schema()).context("the schema is not JSON")?;
    writeln!(std::io::stdout().lock(), "{schema}").context("standard output cannot be written to")
}
