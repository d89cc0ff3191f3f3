//! The tables of a scenario file.

/// A table of the file in which keys stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Before the first header.
    Top,
    /// `[trial]`
    Trial,
    /// `[cluster]`
    Cluster,
    /// `[[place]]`
    Place,
    /// `[place.kubernetes]`, or `kubernetes = { ... }` in `[[place]]`
    Kubernetes,
    /// `[[app]]`
    App,
    /// `[dataset]`
    Dataset,
    /// `[consumer]`
    Consumer,
    /// `[load]`
    Load,
    /// `[store]`
    Store,
    /// `[capacity]`
    Capacity,
    /// `[[require]]`
    Require,
    /// `[[event]]`, and `[[case.event]]`
    Event,
    /// `[matrix]`, where each value is a list.
    Matrix,
    /// `[[case]]`
    Case,
}

impl Table {
    /// The tables that stand once, in the order of the documentation.
    pub(crate) const SINGLE: [Table; 8] = [
        Table::Trial,
        Table::Cluster,
        Table::Dataset,
        Table::Consumer,
        Table::Load,
        Table::Store,
        Table::Capacity,
        Table::Matrix,
    ];

    /// The tables that stand any number of times.
    pub(crate) const LISTS: [Table; 5] = [Table::Place, Table::App, Table::Require, Table::Event, Table::Case];

    /// The tables that stand within others.
    pub(crate) const NESTED: [Table; 1] = [Table::Kubernetes];

    /// The table whose header has this name.
    pub(crate) fn named(name: &str) -> Option<Table> {
        let tables = Table::SINGLE.into_iter().chain(Table::LISTS);
        tables.into_iter().find(|table| table.name() == name)
    }

    /// The name between the brackets.
    pub(crate) fn name(self) -> &'static str {
        self.header().trim_matches(['[', ']'])
    }

    /// As a reader of a message finds it in the file.
    pub fn header(self) -> &'static str {
        match self {
            Table::Top => "the top of the file",
            Table::Trial => "[trial]",
            Table::Cluster => "[cluster]",
            Table::Place => "[[place]]",
            Table::Kubernetes => "[place.kubernetes]",
            Table::App => "[[app]]",
            Table::Dataset => "[dataset]",
            Table::Consumer => "[consumer]",
            Table::Load => "[load]",
            Table::Store => "[store]",
            Table::Capacity => "[capacity]",
            Table::Require => "[[require]]",
            Table::Event => "[[event]]",
            Table::Matrix => "[matrix]",
            Table::Case => "[[case]]",
        }
    }
}

/// Start of the name of a property of the measured consumers among keys.
pub(crate) const CLIENT: &str = "client.";
/// Start of the name of a setting of topics among keys.
pub(crate) const TOPIC: &str = "topic.";
/// Start of the name of a property of the producers that fill data sets among keys.
pub(crate) const FILL: &str = "dataset.client.";
/// The name of all these properties together, whose values make families.
pub(crate) const FILL_TABLE: &str = "dataset.client";
/// Start of the name of a property of the producers of load among keys.
pub(crate) const PRODUCER: &str = "producer.";
