//! Scenario files of the tests: what most of them share is written here once, and a test names the rest.

use std::fmt::{self, Display, Formatter};

/// The text of a scenario file.
#[derive(Clone)]
pub struct Scenario {
    repetitions: String,
    warmup_blocks: u32,
    prefix: Option<String>,
    partitions: u32,
    records: u32,
    trial_records: u32,
    consumer: String,
    tables: String,
}

impl Scenario {
    /// A data set of so many records in two partitions, which each trial reads completely: one trial of each case.
    pub fn reading(records: u32) -> Self {
        Scenario {
            repetitions: "1".to_owned(),
            warmup_blocks: 0,
            prefix: None,
            partitions: 2,
            records,
            trial_records: records,
            consumer: String::new(),
            tables: String::new(),
        }
    }

    /// Two cases whose trials take some tenths of a second, after a block of warm-up.
    pub fn two_short_cases() -> Self {
        let trials = Scenario::reading(2_000).trial_records(1_000).warmup_blocks(1);
        trials.case("one", "").case("two", "processes = 2")
    }

    /// So many trials of each case, or a table such as `{ until = 'decided' }`.
    pub fn repetitions(mut self, repetitions: impl Display) -> Self {
        self.repetitions = repetitions.to_string();
        self
    }

    pub fn warmup_blocks(mut self, blocks: u32) -> Self {
        self.warmup_blocks = blocks;
        self
    }

    /// Start of the names of the run's topics and groups.
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = Some(prefix.to_owned());
        self
    }

    pub fn partitions(mut self, partitions: u32) -> Self {
        self.partitions = partitions;
        self
    }

    /// Trials of another number of records than the data set has.
    pub fn trial_records(mut self, records: u32) -> Self {
        self.trial_records = records;
        self
    }

    /// A line of `[consumer]`.
    pub fn consumer(mut self, line: &str) -> Self {
        self.consumer += line;
        self.consumer += "\n";
        self
    }

    /// A case with these lines.
    pub fn case(self, name: &str, lines: &str) -> Self {
        self.tables(&format!("[[case]]\nname = '{name}'\n{lines}"))
    }

    /// Further tables, as they are written.
    pub fn tables(mut self, tables: &str) -> Self {
        self.tables += tables;
        self.tables += "\n";
        self
    }
}

impl Display for Scenario {
    fn fmt(&self, out: &mut Formatter) -> fmt::Result {
        let Scenario {
            repetitions,
            warmup_blocks,
            partitions,
            records,
            trial_records,
            ..
        } = self;
        write!(
            out,
            "question = 'q'\nrepetitions = {repetitions}\nwarmup_blocks = {warmup_blocks}\n"
        )?;
        if let Some(prefix) = &self.prefix {
            write!(out, "[cluster]\nprefix = '{prefix}'\n")?;
        }
        write!(
            out,
            "[dataset]\npartitions = {partitions}\nrecords = {records}\nsize = 100\n"
        )?;
        write!(out, "[trial]\nrecords = {trial_records}\n")?;
        if !self.consumer.is_empty() {
            write!(out, "[consumer]\n{}", self.consumer)?;
        }
        out.write_str(&self.tables)
    }
}
