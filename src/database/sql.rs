//! The statements that make tables, write rows and count them. Names of tables come quoted.

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

/// Adds any number of rows: each parameter is the array of a column.
pub fn insert_all_of(table: &str) -> String {
    format!(
        "INSERT INTO {table} ({COLUMNS}) SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bytea[])"
    )
}

/// Adds a row, or puts its value in the place of that of the row of the same record.
pub fn upsert(table: &str) -> String {
    replacing(&insert(table))
}

/// The same with any number of rows of different records: each parameter is the array of a column.
pub fn upsert_all_of(table: &str) -> String {
    replacing(&insert_all_of(table))
}

/// An insert whose rows take the place of those of the same records.
fn replacing(insert: &str) -> String {
    format!("{insert} ON CONFLICT ({IDENTITY}) DO UPDATE SET value = EXCLUDED.value")
}

/// Adds the rows that follow, in the binary form.
pub fn copy(table: &str) -> String {
    format!("COPY {table} ({COLUMNS}) FROM STDIN (FORMAT binary)")
}

/// Makes a table for rows.
pub(super) fn create(table: &str, one_per_record: bool) -> String {
    let key = if one_per_record {
        format!(", PRIMARY KEY ({IDENTITY})")
    } else {
        String::new()
    };
    format!(
        "CREATE TABLE {table} (topic text NOT NULL, partition integer NOT NULL, \"offset\" bigint NOT NULL, \
         value bytea NOT NULL{key})"
    )
}

/// Runs of consecutive offsets that have equally many rows: topic, partition, rows of each, first offset, one past the last, and
/// the bytes of all values.
/// The difference between an offset and its place among those of as many rows is the same throughout a run.
pub(super) fn runs(table: &str) -> String {
    format!(
        "SELECT topic, partition, copies, min(\"offset\"), max(\"offset\") + 1, sum(bytes)::bigint \
         FROM (SELECT *, \"offset\" - row_number() OVER (PARTITION BY topic, partition, copies ORDER BY \"offset\") AS run \
         FROM (SELECT {IDENTITY}, count(*) AS copies, sum(octet_length(value)) AS bytes FROM {table} GROUP BY {IDENTITY}) AS counted) AS numbered \
         GROUP BY topic, partition, copies, run ORDER BY topic, partition, min(\"offset\")"
    )
}

/// Sessions of applications whose names start with the parameter, this one left out.
pub(super) const SESSIONS: &str = "SELECT count(*) FROM pg_stat_activity \
     WHERE left(application_name, length($1)) = $1 AND pid <> pg_backend_pid()";

/// Tables that the user finds without naming a schema, and whose names start with the parameter.
pub(super) const TABLES: &str = "SELECT tablename::text FROM pg_tables \
     WHERE schemaname = ANY (current_schemas(false)) AND left(tablename::text, length($1)) = $1 ORDER BY 1";

/// Settings that decide what a commit costs, with their values and PostgreSQL's defaults.
pub(super) const SETTINGS: &str = "SELECT name, setting || coalesce(' ' || unit, ''), boot_val || coalesce(' ' || unit, '') \
     FROM pg_settings WHERE name IN ('server_version', 'max_connections', 'superuser_reserved_connections', 'fsync', \
     'synchronous_commit', 'full_page_writes', 'wal_level', 'wal_sync_method', 'wal_compression', 'wal_buffers', \
     'shared_buffers', 'max_wal_size', 'checkpoint_timeout', 'commit_delay', 'synchronous_standby_names', \
     'default_tablespace', 'autovacuum') ORDER BY name";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_name_is_one_identifier_whatever_is_in_it() {
        assert_eq!(quoted("tandem-1-t7"), "\"tandem-1-t7\"");
        assert_eq!(quoted("a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
    }
}
