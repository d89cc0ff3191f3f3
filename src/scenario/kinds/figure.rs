//! Figures by their columns, and amounts of them.

use serde_json::{Value, json};

use super::basic::Decimal;
use super::kind::{Kind, Refusal};
use crate::figures::{FIGURES, Figure, FigureId, Unit};
use crate::scenario::document::{Node, number};
use crate::scenario::suggest::did_you_mean_value;
use toml::de::DeValue;

/// A figure of the catalogue.
pub(crate) enum FigureName {}

/// A figure by which configurations are compared.
pub(crate) enum MetricName {}

fn figures(is_allowed: fn(&Figure) -> bool) -> impl Iterator<Item = &'static Figure> {
    FIGURES.iter().filter(move |figure| is_allowed(figure))
}

fn read(node: &Node<'_>, allowed: &str, is_allowed: fn(&Figure) -> bool) -> Result<FigureId, Refusal> {
    let Some(name) = node.get_ref().as_str() else {
        return Err(Refusal::new(allowed));
    };
    let found = FigureId::named(name).map(FigureId::figure);
    if let Some(Err(why)) = found
        .filter(|figure| !is_allowed(figure))
        .map(|figure| &figure.comparing)
    {
        return Err(Refusal::new(allowed).help(Some(format!("nothing is compared by `{name}`: {why}"))));
    }
    let names = figures(is_allowed).map(|figure| figure.name.as_str());
    let found = found.map(|figure| figure.id);
    found.ok_or_else(|| Refusal::new(allowed).help(did_you_mean_value(name, names)))
}

fn schema(is_allowed: fn(&Figure) -> bool) -> Value {
    let names: Vec<&str> = figures(is_allowed).map(|figure| figure.name.as_str()).collect();
    json!({ "enum": names })
}

impl Kind for FigureName {
    type Value = FigureId;

    fn allowed() -> String {
        "a figure of summary.csv by its column, such as \"response_p99_ms\"".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<FigureId, Refusal> {
        read(node, &Self::allowed(), |_| true)
    }

    fn text(id: &FigureId) -> String {
        id.figure().name.clone()
    }

    fn schema() -> Value {
        schema(|_| true)
    }
}

impl Kind for MetricName {
    type Value = FigureId;

    fn allowed() -> String {
        "a figure of summary.csv by its column, such as \"client_cpu_seconds_per_million\"".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<FigureId, Refusal> {
        read(node, &Self::allowed(), |figure| figure.comparing.is_ok())
    }

    fn text(id: &FigureId) -> String {
        id.figure().name.clone()
    }

    fn schema() -> Value {
        schema(|figure| figure.comparing.is_ok())
    }
}

/// Any number.
pub(crate) enum Number {}

impl Kind for Number {
    type Value = f64;

    fn allowed() -> String {
        "a number in the figure's unit".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<f64, Refusal> {
        number(node).ok_or_else(Refusal::of::<Self>)
    }

    fn text(value: &f64) -> String {
        value.to_string()
    }

    fn schema() -> Value {
        json!({ "type": "number" })
    }
}

/// A difference that is not worth a decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Threshold {
    /// Of ratios.
    Share(f64),
    /// Of differences.
    Amount(Amount),
}

/// An amount of a figure with a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Amount {
    value: f64,
    unit: &'static str,
}

type Share = Decimal<1, 500>;

/// Units of amounts: their names, the unit of figures, and how many of that one of them is.
const UNITS: [(&str, Unit, f64); 7] = [
    ("s", Unit::Seconds, 1.0),
    ("ms", Unit::Seconds, 1e-3),
    ("us", Unit::Seconds, 1e-6),
    ("ns", Unit::Seconds, 1e-9),
    ("records", Unit::Records, 1.0),
    ("offsets", Unit::Offsets, 1.0),
    ("members", Unit::Members, 1.0),
];

impl Amount {
    fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (value, unit) = (text[..end].parse().ok()?, text[end..].trim_start());
        let (unit, ..) = UNITS.iter().find(|(name, ..)| *name == unit)?;
        Some(Amount { value, unit }).filter(|amount| amount.value > 0.0)
    }

    /// The amount in the unit of a figure; `None` where it is of something else.
    pub(crate) fn of_figure(self, unit: Unit) -> Option<f64> {
        let (_, own, times) = UNITS.iter().find(|(name, ..)| *name == self.unit)?;
        let base = self.value * times;
        match unit {
            Unit::Milliseconds if *own == Unit::Seconds => Some(base * 1e3),
            Unit::Microseconds if *own == Unit::Seconds => Some(base * 1e6),
            unit => (unit == *own).then_some(base),
        }
    }

    /// An amount as it could be written for figures of a unit.
    pub(crate) fn example(unit: Unit) -> String {
        match unit {
            Unit::Seconds | Unit::Milliseconds | Unit::Microseconds => "\"50ms\"".to_owned(),
            other => format!("\"100 {}\"", other.name()),
        }
    }
}

impl Kind for Threshold {
    type Value = Threshold;

    fn allowed() -> String {
        format!(
            "{}, or for a `metric` that is compared by differences an amount, such as \"50ms\" or \"100 records\"",
            Share::allowed()
        )
    }

    fn read(node: &Node<'_>) -> Result<Threshold, Refusal> {
        if let DeValue::String(text) = node.get_ref() {
            let amount = Amount::parse(text).map(Threshold::Amount);
            if let Some(amount) = amount {
                return Ok(amount);
            }
        }
        let share = Share::read(node).map(Threshold::Share);
        share.map_err(|refusal| Refusal {
            allowed: Self::allowed(),
            ..refusal
        })
    }

    fn text(threshold: &Threshold) -> String {
        match threshold {
            Threshold::Share(share) => Share::text(share),
            Threshold::Amount(Amount { value, unit }) => format!("{value} {unit}"),
        }
    }

    fn schema() -> Value {
        let units = UNITS.map(|(name, ..)| name).join("|");
        let pattern = format!("^[0-9]+(\\.[0-9]+)? ?({units})$");
        json!({ "anyOf": [Share::schema(), { "type": "string", "pattern": pattern }] })
    }
}
