//! Limits of a place: cores in thousandths, and memory in bytes.

use serde_json::{Value, json};

use super::kind::{Kind, Refusal};
use crate::scenario::document::{Node, number};
use crate::wording::without_zeros;

/// A number of cores, read as thousandths of a core.
pub(crate) enum Cores {}

/// The kernel gives a group at least a millisecond in each period of 100 ms.
const MILLICORES_MIN: u32 = 10;
const MILLICORES_MAX: u32 = 1_024_000;

impl Kind for Cores {
    type Value = u32;

    fn allowed() -> String {
        "a number of cores from 0.01 to 1024".to_owned()
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be from 0.01 to 1024"
    )]
    fn read(node: &Node<'_>) -> Result<u32, Refusal> {
        let range = f64::from(MILLICORES_MIN) / 1e3..=f64::from(MILLICORES_MAX) / 1e3;
        let cores = number(node).filter(|cores| range.contains(cores));
        let cores = cores.ok_or_else(|| {
            let text = node.get_ref().as_str().filter(|text| text.parse::<f64>().is_ok());
            Refusal::of::<Self>().help(text.map(|text| format!("write it without quotes: {text}")))
        })?;
        Ok((cores * 1e3).round() as u32)
    }

    fn text(value: &u32) -> String {
        without_zeros(&format!("{}.{:03}", value / 1_000, value % 1_000)).to_owned()
    }

    fn schema() -> Value {
        json!({ "type": "number", "minimum": 0.01, "maximum": 1024 })
    }
}

/// An amount of memory with its unit, in bytes.
pub(crate) enum Memory {}

const UNITS: [(&str, u64); 2] = [("GiB", 1 << 30), ("MiB", 1 << 20)];
/// Less is not enough for any program to begin.
const MEMORY_MIN: u64 = 4 << 20;
const MEMORY_MAX: u64 = 1 << 50;

impl Kind for Memory {
    type Value = u64;

    fn allowed() -> String {
        "an amount of memory in quotes, such as \"512MiB\" or \"2GiB\", at least 4MiB".to_owned()
    }

    fn read(node: &Node<'_>) -> Result<u64, Refusal> {
        let read = |text: &str| {
            let (number, unit) = UNITS
                .iter()
                .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?.trim_end(), bytes)))?;
            let digits = (1..=7).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
            let number: u64 = digits.then(|| number.parse().ok()).flatten()?;
            number.checked_mul(*unit)
        };
        let bytes = node.get_ref().as_str().and_then(read);
        let bytes = bytes.filter(|bytes| (MEMORY_MIN..=MEMORY_MAX).contains(bytes));
        bytes.ok_or_else(Refusal::of::<Self>)
    }

    fn text(value: &u64) -> String {
        let (unit, bytes) = if value.is_multiple_of(UNITS[0].1) {
            UNITS[0]
        } else {
            UNITS[1]
        };
        format!("{}{unit}", value / bytes)
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[0-9]{1,7} *(MiB|GiB)$" })
    }
}
