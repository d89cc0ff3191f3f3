//! The text of the scenario that flags make, and the flag that each part of it comes from.

use super::flag::GivenFlag;
use super::question::{name, question};
use super::setting::{FlagError, Setting, settings};
use super::value::quoted;
use crate::scenario::error::ScenarioErrors;
use crate::scenario::keys::Table;
use crate::scenario::source::Source;

/// The tables in the order in which they are written; the keys before the first table come first.
const ORDER: [Table; 8] = [
    Table::Top,
    Table::Trial,
    Table::Cluster,
    Table::Dataset,
    Table::Consumer,
    Table::Load,
    Table::Store,
    Table::Capacity,
];

/// A scenario that flags make: its text can be kept as a file.
#[derive(Debug, Clone, Default)]
pub struct WrittenScenario {
    text: String,
    name: String,
    /// Where parts of the text begin, in order, with the flags that they come from.
    places: Vec<(usize, String)>,
}

impl WrittenScenario {
    /// Writes the scenario. Values are checked when the text is read.
    pub fn of(given: &[GivenFlag]) -> Result<Self, FlagError> {
        let settings = settings(given)?;
        let mut written = WrittenScenario {
            name: name(&settings),
            ..WrittenScenario::default()
        };
        if settings.iter().all(|setting| setting.name() != "question") {
            let question = question(&settings);
            written.add(String::new(), &format!("question = {}\n", quoted(&question)));
        }
        for table in ORDER {
            written.add_table(table, &settings);
        }
        let varying: Vec<&Setting> = settings.iter().filter(|setting| setting.varies).collect();
        if let Some(first) = varying.first() {
            written.add(first.label(), "\n[matrix]\n");
        }
        for setting in varying {
            written.add(setting.label(), &setting.line_of_matrix());
        }
        Ok(written)
    }

    /// The scenario as a source that can be read.
    pub fn source(&self) -> Source {
        Source {
            name: self.name.clone(),
            path: "flags".to_owned(),
            text: self.text.clone(),
        }
    }

    /// The errors of the text, a line for each, by the flags that they come from.
    pub fn explain(&self, errors: &ScenarioErrors) -> String {
        let lines = errors.errors().iter().map(|error| {
            let before = |(start, _): &&(usize, String)| *start <= error.span.offset();
            let flag = self.places.iter().rev().find(before).map_or("", |(_, flag)| flag);
            let flag = if flag.is_empty() {
                String::new()
            } else {
                format!("{flag}: ")
            };
            let help = error.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
            format!("{flag}{}: {}{help}", error.message, error.allowed)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The keys of a table that do not vary, then its tables of properties. `[load]` is there even if all its keys vary:
    /// it makes the scenario live.
    fn add_table(&mut self, table: Table, settings: &[Setting]) {
        let all: Vec<&Setting> = settings.iter().filter(|setting| setting.flag.table == table).collect();
        let fixed = || all.iter().filter(|setting| !setting.varies);
        let keys: Vec<&&Setting> = fixed().filter(|setting| setting.property.is_none()).collect();
        let is_load = table == Table::Load;
        let header = match keys.first().copied().or(all.first().filter(|_| is_load)) {
            Some(first) if table != Table::Top => Some(first.label()),
            _ => None,
        };
        if let Some(label) = header {
            self.add(label, &format!("\n{}\n", table.header()));
        }
        for setting in keys {
            self.add(setting.label(), &setting.line());
        }
        let mut inner = None;
        let mut properties: Vec<&&Setting> = fixed().filter(|setting| setting.property.is_some()).collect();
        properties.sort_by_key(|setting| setting.inner_table());
        for setting in properties {
            if inner != setting.inner_table() {
                inner = setting.inner_table();
                let header = format!("\n[{}.{}]\n", table.name(), inner.unwrap_or_default());
                self.add(setting.label(), &header);
            }
            self.add(setting.label(), &setting.line());
        }
    }

    fn add(&mut self, label: String, text: &str) {
        self.places.push((self.text.len(), label));
        self.text.push_str(text);
    }
}
