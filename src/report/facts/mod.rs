//! What a reader needs to judge the figures: bottlenecks, idle members, settings, environment, every trial, and the words of
//! the report.

mod at_a_glance;
mod environment;
mod existing;
mod glossary;
mod members;
mod quality;
mod settings;
mod time;
mod trials;

pub(super) use self::at_a_glance::at_a_glance;
pub(super) use self::environment::{dates, environment};
pub(super) use self::glossary::{VERDICT, glossary};
pub(super) use self::members::{Reason, idle, reasons};
pub(super) use self::quality::quality;
pub(super) use self::settings::settings;
pub(super) use self::time::{reading_share, times};
pub(super) use self::trials::{trials, trials_sentence, trials_with_remarks};
