//! Client properties in a scenario.

mod foreign_names;
mod library;
mod mechanisms;
mod properties;
mod property;
mod reading;
mod schema;
mod table;
mod values;

pub(crate) use foreign_names::names as names_of_java;
pub(crate) use mechanisms::check as check_mechanisms;
pub(crate) use properties::REFUSED_BY_CONSUMER_PROTOCOL;
pub(crate) use reading::{check_name, dotted_name, prefixed_without_quotes, read_value, without_quotes};
pub(crate) use schema::{definitions, property_schema, table_schema};
pub(crate) use table::{Clients, canonical, is_property, names, takes_several};
pub(crate) use values::Values;
