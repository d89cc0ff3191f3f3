//! Choices that a file has and a configuration keeps in another form.

use crate::load::Arrivals;
use crate::scenario::choice::Choice;
use crate::scenario::model::Mode;

/// Who gives members their partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Assignment {
    Group,
    Manual,
}

impl Choice for Assignment {
    const ALL: &'static [(&'static str, Self)] = &[("group", Assignment::Group), ("manual", Assignment::Manual)];
}

/// The group protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Classic,
    Consumer,
}

impl Choice for Protocol {
    const ALL: &'static [(&'static str, Self)] = &[("classic", Protocol::Classic), ("consumer", Protocol::Consumer)];
}

/// Whether tandem's own client settings are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientDefaults {
    Tandem,
    Library,
}

impl Choice for ClientDefaults {
    const ALL: &'static [(&'static str, Self)] = &[
        ("tandem", ClientDefaults::Tandem),
        ("defaults", ClientDefaults::Library),
    ];
}

/// What the trials of a configuration do, without the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ModeName {
    #[default]
    Backlog,
    Live,
    Mixed,
}

impl Choice for ModeName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("backlog", ModeName::Backlog),
        ("live", ModeName::Live),
        ("mixed", ModeName::Mixed),
    ];
}

impl From<&Mode> for ModeName {
    fn from(mode: &Mode) -> Self {
        match mode {
            Mode::Backlog => ModeName::Backlog,
            Mode::Live(_) => ModeName::Live,
            Mode::Mixed(_) => ModeName::Mixed,
        }
    }
}

impl Mode {
    /// As it stands in a scenario.
    pub fn name(&self) -> &'static str {
        ModeName::from(self).name()
    }
}

impl Choice for Arrivals {
    const ALL: &'static [(&'static str, Self)] = &[("constant", Arrivals::Constant), ("poisson", Arrivals::Poisson)];
}

/// How far readers may fall behind in a search for capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lag {
    /// Not further and further.
    Bounded,
}

impl Choice for Lag {
    const ALL: &'static [(&'static str, Self)] = &[("bounded", Lag::Bounded)];
}
