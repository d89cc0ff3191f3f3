//! `tandem clean --place`: lists what killed runs have left at a place, asks, and removes it.

use std::path::Path;

use anyhow::{Result, bail};
use serde::Serialize;

use super::super::exit::{DONE, WRONG};
use super::super::runtime::block_on;
use super::super::source::{Choices, Source};
use crate::coordinator::leftovers::{recorded, state_folder};
use crate::coordinator::{Interrupt, LeftThere, Visit};
use crate::wording::listed;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Findings<'a> {
    schema_version: u32,
    place: &'a str,
    found: Vec<LeftThere>,
    /// What could not be removed, and why.
    problems: Vec<String>,
    nothing_left: bool,
}

/// Cleans the place of this name. `may_delete` is asked where something may be removed.
pub(super) fn run(scenario: &Path, name: &str, is_json: bool, may_delete: impl FnOnce() -> Result<bool>) -> Result<u8> {
    let scenario = Source::load(scenario, &Choices::default())?.scenario;
    let Some(place) = scenario.places.iter().find(|place| place.name == name) else {
        let names: Vec<&str> = scenario.places.iter().map(|place| place.name.as_str()).collect();
        bail!(
            "--place: there is no place {name:?}; the scenario has {}",
            listed(&names)
        );
    };
    let interrupt = Interrupt::default();
    let Some(visit) = Visit::of(place, &interrupt.flag())? else {
        bail!("--place: place {name:?} is this machine, which `tandem clean` looks at without --place");
    };
    block_on(async { clean(name, &visit, is_json, may_delete) })
}

fn clean(name: &str, visit: &Visit<'_>, is_json: bool, may_delete: impl FnOnce() -> Result<bool>) -> Result<u8> {
    let look = || visit.list(&recorded(&state_folder())).map_err(anyhow::Error::msg);
    let mut found = look()?;
    if !is_json {
        show(name, &found);
    }
    let mut problems = Vec::new();
    if found.iter().any(|left| left.stays_because.is_none()) && may_delete()? {
        // The answer may have taken its time, and a run may have begun meanwhile.
        let now = look()?;
        let known = |left: &&LeftThere| found.iter().any(|listed| listed.run_id == left.run_id);
        for left in now.iter().filter(known).filter(|left| left.stays_because.is_none()) {
            let removed = visit.remove(left);
            problems.extend(
                removed
                    .err()
                    .map(|error| format!("{} of run {}: {error}", left.what, left.run_id)),
            );
        }
        found.retain(|left| left.stays_because.is_some());
        if !is_json {
            for problem in &problems {
                eprintln!("tandem: {problem}");
            }
            let is_done = found.is_empty() && problems.is_empty();
            say!(
                "{}",
                if is_done {
                    "deleted; nothing is left"
                } else {
                    "deleted what could be"
                }
            );
        }
    }
    let nothing_left = found.is_empty() && problems.is_empty();
    if is_json {
        let findings = Findings {
            schema_version: 1,
            place: name,
            found,
            problems,
            nothing_left,
        };
        say!("{}", serde_json::to_string_pretty(&findings)?);
    }
    Ok(if nothing_left { DONE } else { WRONG })
}

fn show(name: &str, found: &[LeftThere]) {
    if found.is_empty() {
        say!("nothing of tandem's is at place {name}");
        return;
    }
    say!("at place {name}:");
    for left in found {
        say!("  run {}: {}", left.run_id, left.what);
        if let Some(why) = &left.stays_because {
            say!("    is not deleted: {why}");
        }
    }
}
