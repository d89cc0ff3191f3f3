//! Client properties in a scenario.

mod advice;
mod mechanisms;
mod reading;
mod schema;
mod table;
mod values;

#[cfg(test)]
pub(crate) use mechanisms::built_in as built_in_mechanisms;
pub(crate) use mechanisms::check as check_mechanisms;
#[cfg(test)]
pub(crate) use reading::read_property;
pub(crate) use reading::{
    check_name, dotted_name, is_variable_name, prefixed_without_quotes, read_value, without_quotes,
};
pub(crate) use schema::{definitions, measured_tables, own_table, property_schema, table_schema};
pub(crate) use table::{Clients, canonical, is_property, may_be_set, names, takes_several};
pub(crate) use values::Values;
