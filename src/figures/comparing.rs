//! How configurations are compared by a figure, and the words for what comes out.

/// What the catalogue says of comparisons by a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparing {
    /// What is better.
    pub better: Better,
    /// By ratios, or by differences where the figure can be 0.
    pub by: By,
    /// The figure in a sentence: `client CPU`.
    pub noun: String,
    /// Which comparatives suit it.
    pub(super) adjective: Adjective,
    /// Which trials have it.
    pub had: Had,
}

/// Which direction of a figure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Better {
    Less,
    More,
    /// Neither is better in itself.
    Neither,
}

/// What is made of the two figures of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Their ratio, on the log scale: both are above 0.
    Ratio,
    /// Their difference in the figure's unit: either can be 0.
    Difference,
}

/// Comparatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Adjective {
    /// Faster, slower; the noun is left out.
    Speed,
    /// Shorter, longer.
    Length,
    /// Less, more.
    Amount,
    /// Fewer, more.
    Number,
    /// Lower, higher.
    Level,
}

/// Which trials have a figure that may be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Had {
    /// All.
    Always,
    /// Those that read a backlog. Where records arrive, such a time is only the length of the load.
    Backlog,
    /// Those in which records arrive.
    Load,
    /// Those in which records arrive behind a backlog.
    Mixed,
    /// Those with work for each record.
    Work,
    /// Those in which something is done on purpose.
    Acts,
}

impl Comparing {
    /// The comparative of a figure that is better or worse than another one: `less`, `shorter`. Where neither direction is
    /// better in itself, a higher figure counts as better.
    pub fn adjective(&self, is_better: bool) -> &'static str {
        let is_higher = is_better == (self.better != Better::Less);
        match (self.adjective, is_higher) {
            (Adjective::Speed, _) => ["slower", "faster"][usize::from(is_better)],
            (Adjective::Length, false) => "shorter",
            (Adjective::Length, true) => "longer",
            (Adjective::Amount, false) => "less",
            (Adjective::Number, false) => "fewer",
            (Adjective::Amount | Adjective::Number, true) => "more",
            (Adjective::Level, false) => "lower",
            (Adjective::Level, true) => "higher",
        }
    }

    /// True for a time or a speed, of which `faster` and `slower` can be said.
    pub fn is_of_time(&self) -> bool {
        matches!(self.adjective, Adjective::Speed | Adjective::Length)
    }

    /// True for a noun with an article: a longer time, and less memory.
    pub fn is_countable(&self) -> bool {
        matches!(self.adjective, Adjective::Length | Adjective::Level)
    }

    /// What a table says of a figure that is better or worse than another one: `faster` where it is a time, else
    /// `less client CPU`.
    pub fn verdict(&self, is_better: bool) -> String {
        match (self.is_of_time(), is_better) {
            (true, true) => "faster".to_owned(),
            (true, false) => "slower".to_owned(),
            (false, _) => format!("{} {}", self.adjective(is_better), self.noun),
        }
    }
}
