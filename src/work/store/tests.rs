//! The handler with a real PostgreSQL.
