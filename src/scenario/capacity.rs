//! `[capacity]`: the question for the highest rate at which response times stay within a limit. Reads the table and
//! checks that every configuration leaves its rate to the search.

use std::ops::Range;

use toml::de::DeTable;

use super::document::{Entry, entries};
use super::draft::{Draft, set, value};
use super::error::{Problem, Problems, any_of};
use super::keys::{LimitMs, Precision, Table, unknown_key};
use super::kinds::name_of;
use super::live::{Capacity, Shape};
use super::load_kinds::{Duration, Lag, ModeName, time_text};
use super::settings::{Given, Settings};
use super::values::OneOf;

/// The keys of the objectives, each with the share of records that must be within the limit.
pub(super) const OBJECTIVES: [(&str, f64); 4] =
    [("p50_ms", 0.5), ("p90_ms", 0.9), ("p99_ms", 0.99), ("p999_ms", 0.999)];

const NS_PER_MS: f64 = 1e6;
/// How many times as long as a trial of the search the confirming one is, where nothing is said.
const CONFIRM_FACTOR: u64 = 3;

/// `[capacity]` as it stands in the file.
#[derive(Debug)]
pub(super) struct DraftCapacity {
    /// The header.
    pub(super) span: Range<usize>,
    percentile: f64,
    limit_ns: u64,
    precision: f64,
    confirm: Option<(u64, Range<usize>)>,
}

impl DraftCapacity {
    /// Where the length of the confirming trial was given.
    pub(super) fn confirm_span(&self) -> Option<Range<usize>> {
        self.confirm.as_ref().map(|(_, span)| span.clone())
    }
}

/// Reads the table.
pub(super) fn read(header: &Entry<'_>, table: &DeTable<'_>, problems: &mut Problems) -> DraftCapacity {
    let mut draft = DraftCapacity {
        span: header.key_span.clone(),
        percentile: 0.99,
        limit_ns: 0,
        precision: 0.05,
        confirm: None,
    };
    let mut objectives = Vec::new();
    for entry in entries(table) {
        if let Some((_, percentile)) = OBJECTIVES.iter().find(|(name, _)| *name == entry.key) {
            draft.percentile = *percentile;
            set(&mut draft.limit_ns, value::<LimitMs>(&entry, problems).map(limit_ns));
            objectives.push(entry);
            continue;
        }
        match entry.key {
            // It has one value; more may come.
            "lag" => {
                let _: Option<OneOf<Lag>> = value(&entry, problems);
            }
            "precision" => set(&mut draft.precision, value(&entry, problems).map(Precision::get)),
            "confirm" => {
                let read = value(&entry, problems).map(Duration::ns);
                draft.confirm = read.map(|ns| (ns, entry.value.span()));
            }
            _ => problems.add(unknown_key(&entry, Table::Capacity)),
        }
    }
    let problem = match &objectives[..] {
        [] => {
            let message = "[capacity] has no objective";
            let allowed = format!("must have {}", any_of(OBJECTIVES.map(|(name, _)| name)));
            Some(Problem::new(header.key_span.clone(), message, allowed).help("such as p99_ms = 50"))
        }
        [_] => None,
        [first, second, ..] => {
            let message = format!("[capacity] has both `{}` and `{}`", first.key, second.key);
            Some(Problem::new(
                second.key_span.clone(),
                message,
                "must have one objective",
            ))
        }
    };
    if let Some(problem) = problem {
        problems.add(problem);
    }
    draft
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ten minutes at most"
)]
fn limit_ns(limit: LimitMs) -> u64 {
    (limit.get() * NS_PER_MS).round() as u64
}

/// What the search looks for; the length of its trials is that of the file.
pub(super) fn of(draft: &Draft) -> Option<Capacity> {
    let capacity = draft.capacity.as_ref()?;
    let duration_ns = Settings::from_given(&draft.defaults).duration_ns;
    let confirm_ns = match capacity.confirm {
        Some((ns, _)) => ns,
        None => duration_ns.saturating_mul(CONFIRM_FACTOR),
    };
    Some(Capacity {
        percentile: capacity.percentile,
        limit_ns: capacity.limit_ns,
        precision: capacity.precision,
        confirm_ns,
    })
}

/// Checks what a search needs of the configurations, each with its name.
pub(super) fn check(configurations: &[(&str, &Settings<'_>)], draft: &Draft, problems: &mut Problems) {
    let Some(capacity) = &draft.capacity else {
        return;
    };
    let not_live = configurations
        .iter()
        .find(|(_, settings)| settings.mode != ModeName::Live);
    if let Some((name, settings)) = not_live {
        let message = "[capacity] needs live configurations only";
        let allowed = format!("{name:?} is {}", name_of(settings.mode));
        let problem = Problem::new(capacity.span.clone(), message, allowed);
        let help = "add [load] with the highest rate to try, such as rate = 10_000";
        problems.add(problem.maybe_help(draft.load_span.is_none().then(|| help.to_owned())));
    }
    for given in searched(draft) {
        let key = &given.key;
        let message = format!("`{key}` cannot vary beside [capacity]");
        let allowed =
            "must stand in [load]: the search finds the rate, and begins at the highest to try, which it gives";
        problems.add(Problem::new(given.key_span.clone(), message, allowed));
    }
    let profile = draft.defaults.iter().find(|given| given.key == "profile");
    let settings = Settings::from_given(&draft.defaults);
    if let Some(profile) = profile.filter(|_| *settings.shape != Shape::Constant) {
        let message = "`profile` cannot be used with [capacity]";
        let allowed = "must be left out: the search itself changes the rate from trial to trial";
        problems.add(Problem::new(profile.span.clone(), message, allowed));
    }
    if let Some((ns, span)) = &capacity.confirm
        && *ns < settings.duration_ns
    {
        let message = format!("`confirm` cannot be {}", time_text(*ns));
        let allowed = format!("must be at least `duration`, {}", time_text(settings.duration_ns));
        problems.add(Problem::new(span.clone(), message, allowed));
    }
}

/// Where the file gives other rates than that of `[load]`.
fn searched(draft: &Draft) -> impl Iterator<Item = &Given> {
    let axes = draft.axes.iter().filter_map(|axis| axis.values.first());
    let cases = draft.cases.iter().flat_map(|case| &case.given);
    axes.chain(cases)
        .filter(|given| matches!(given.key.as_str(), "rate" | "mib_per_second"))
}
