//! The statements that write rows. Names of tables come quoted.

/// The columns of a row, in the order of the parameters: where a record was, and its value.
pub const COLUMNS: &str = r#"topic, partition, "offset", value"#;

/// The columns of which no two rows of an upsert are equal.
const IDENTITY: &str = r#"topic, partition, "offset""#;

/// A name as an identifier.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Adds a row.
pub fn insert(table: &str) -> String {
    format!("INSERT INTO {table} ({COLUMNS}) VALUES ($1, $2, $3, $4)")
}

/// Adds a row, or puts its value in the place of that of the row of the same record.
pub fn upsert(table: &str) -> String {
    format!(
        "{} ON CONFLICT ({IDENTITY}) DO UPDATE SET value = EXCLUDED.value",
        insert(table)
    )
}

/// Adds the rows that follow, in the binary form.
pub fn copy(table: &str) -> String {
    format!("COPY {table} ({COLUMNS}) FROM STDIN (FORMAT binary)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_name_is_one_identifier_whatever_is_in_it() {
        assert_eq!(quoted("tandem-1-t7"), "\"tandem-1-t7\"");
        assert_eq!(quoted("a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
    }
}
