//! Rules for members that write to a store: what their transactions wait for, and what would make them fewer or shorter.

use super::case::Case;
use super::model::{Bottleneck, BottleneckKind as Kind};
use super::remedies::more_sessions;
use super::store_seen::{Parts, StoreSummary};
use super::thresholds::{FULL_TRANSACTION, SESSIONS_MIN, SKEW_TIMES, STORE_WAITS_SHARE, WORKING_SHARE};
use super::words::{self, cores, percent};
use crate::measure::Holdup;
use crate::scenario::{Read, StoreWrite};
use crate::wording::{capitalised, plural};

/// Rows of a transaction that are proposed, the first that brings most of what larger transactions can.
const PROPOSED_ROWS: [u32; 8] = [10, 20, 50, 100, 200, 500, 1_000, 2_000];

/// What the proposed rows may leave of the shared part of a transaction, as a share of what each row takes by itself.
const LEFT_TO_GAIN: f64 = 0.25;

/// Bytes of values up to which a commit takes the disk as long as a small one: it writes pages of 8 KiB, a few in a row.
const COMMIT_BYTES: f64 = 65_536.0;

/// Shares that are worth a word.
const WORTH_SHARE: f64 = 0.01;

/// Transactions that wait for something else than a core: the disk, locks, or a standby server. Neither would end sooner
/// with more cores.
pub(super) fn store_that_waits(case: &Case) -> Option<Bottleneck> {
    let store = full_of_transactions(case)?;
    let parts = store.parts(SESSIONS_MIN)?;
    (parts.disk + parts.lock + parts.other >= STORE_WAITS_SHARE).then(|| of_transactions(case, store))
}

/// Members that are in transactions most of their time, whatever these wait for.
pub(super) fn store(case: &Case) -> Option<Bottleneck> {
    Some(of_transactions(case, full_of_transactions(case)?))
}

/// The transactions, where members spend their time in them.
fn full_of_transactions<'a>(case: &'a Case) -> Option<&'a StoreSummary> {
    let store = case.observed.store.as_ref()?;
    let (working, committing) = (case.observed.working?, case.observed.committing.unwrap_or(0.0));
    let share = if case.configuration.threads > 1 {
        working
    } else {
        working + committing
    };
    (share >= WORKING_SHARE && working >= committing).then_some(store)
}

/// The store as what members spend their time with.
pub(super) fn of_transactions(case: &Case, store: &StoreSummary) -> Bottleneck {
    Bottleneck::new(Kind::Store, evidence(case, store), remedy(case, store))
}

fn evidence(case: &Case, store: &StoreSummary) -> String {
    let share = percent(store.in_transactions.unwrap_or(0.0));
    let each = match (store.rows, store.transaction_ms) {
        (Some(rows), Some(ms)) => format!(" ({} each, {})", words::rows(rows), words::duration(ms * 1e3)),
        _ => String::new(),
    };
    let committing = case.observed.committing.filter(|share| *share >= 0.01);
    let committing = committing.map(|share| format!(" and waited for commits to Kafka {} of it", percent(share)));
    let parts = store.parts(SESSIONS_MIN).map(|parts| of_parts(&parts, store));
    let server = store.cores.map(|used| format!("; the server used {}", cores(used)));
    let idle = case.observed.machine.as_ref().map(words::idle_cores);
    format!(
        "members were in transactions {share} of their time{each}{}{}{}{}{}",
        committing.unwrap_or_default(),
        parts.unwrap_or_else(|| match store.retries {
            0 => "; what the server did meanwhile was not observed".to_owned(),
            retries => format!(
                "; that has the time of {} in it that failed",
                plural(retries, "attempt")
            ),
        }),
        server.unwrap_or_default(),
        idle.unwrap_or_default(),
        gain(case, store).unwrap_or_default()
    )
}

/// `; of that 90 % was the server's disk (IO:WALSync), 7 % running in the server, ...`.
fn of_parts(parts: &Parts, store: &StoreSummary) -> String {
    let mut shares: Vec<(Holdup, f64)> = parts
        .all()
        .into_iter()
        .filter(|(_, share)| *share >= WORTH_SHARE)
        .collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    let shares = (0..).zip(shares).map(|(number, (holdup, share))| {
        let was = if number == 0 { " was" } else { "" };
        format!(
            "{}{was} {}{}",
            percent(share),
            words::holdup(holdup),
            names_of(store, holdup)
        )
    });
    format!("; of that {}", shares.collect::<Vec<_>>().join(", "))
}

/// The server's names of the most frequent waits of a kind, in parentheses.
fn names_of(store: &StoreSummary, holdup: Holdup) -> String {
    let waits = store.sessions.iter().flat_map(|seen| &seen.waits);
    let of_kind = waits.filter(|wait| wait.holdup == holdup && wait.share >= WORTH_SHARE);
    let names: Vec<&str> = of_kind.map(|wait| wait.name.as_str()).take(2).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" ({})", names.join(", "))
    }
}

fn remedy(case: &Case, store: &StoreSummary) -> String {
    let larger = larger_transactions(case, store);
    let sessions = capitalised(&more_sessions(case));
    match store.parts(SESSIONS_MIN).map(|parts| parts.largest()) {
        Some(Holdup::Disk) => format!(
            "{larger} {sessions}, or a faster disk of the server would help too: commits that wait at the same time share a \
             write. More cores will not."
        ),
        Some(Holdup::Lock) => format!("{larger} More members will not help: their sessions wait for each other."),
        Some(Holdup::Cpu) => format!(
            "{sessions} would help while cores of the server are idle: a session runs on one. {larger}{}",
            copying(case)
        ),
        Some(Holdup::Member) => format!(
            "{larger} {sessions}, or a shorter way to the server would help too: it waits for what its sessions send next."
        ),
        Some(Holdup::Other) => {
            format!("{larger} {sessions} would help too, and whatever shortens that wait. More cores will not.")
        }
        None => format!("{larger} {sessions}, or a faster server would help too."),
    }
}

/// Whether larger transactions would help, and how there would be any.
fn larger_transactions(case: &Case, store: &StoreSummary) -> &'static str {
    if case.configuration.read != Read::Batch {
        return "Larger transactions (`store_batch`) with `read = \"batch\"` would help.";
    }
    if !is_full(case, store) {
        return "Larger polls would help: transactions are as large as what a poll returns.";
    }
    match store.parts(SESSIONS_MIN) {
        Some(parts) if proposed(case, store, &parts).is_none() => {
            "Larger transactions (`store_batch`) may change little."
        }
        Some(_) | None => "Larger transactions (`store_batch`) would help.",
    }
}

/// True where transactions have as many rows as they may have.
fn is_full(case: &Case, store: &StoreSummary) -> bool {
    let most = f64::from(case.configuration.store_batch);
    store.rows.is_some_and(|rows| rows >= FULL_TRANSACTION * most)
}

/// `; 50 rows each would give at least 5 times as many records a second, unless the cores are full before`.
fn gain(case: &Case, store: &StoreSummary) -> Option<String> {
    let is_batch = case.configuration.read == Read::Batch && is_full(case, store);
    let parts = store.parts(SESSIONS_MIN).filter(|_| is_batch)?;
    let (rows, times) = proposed(case, store, &parts)?;
    Some(format!(
        "; {rows} rows each would give at least {times} times as many records a second, unless the cores are full before"
    ))
}

/// Rows of a transaction, and how many times as fast they would make the members at least. A transaction waits for the log
/// once, however many rows it has. Whatever else it takes is assumed to be that of each row, though a part is not.
fn proposed(case: &Case, store: &StoreSummary, parts: &Parts) -> Option<(u32, String)> {
    let now = f64::from(case.configuration.store_batch);
    let (in_transactions, met) = (store.in_transactions?, store.sessions.as_ref()?.met as f64);
    let rest = (1.0 - (parts.disk + parts.other) * store.once_share()).clamp(0.0, 1.0);
    // What is met in few sessions may be more: two standard errors, and of what was never met three in all sessions.
    let rest = (rest + 2.0 * (rest * (1.0 - rest) / met).sqrt())
        .max(3.0 / met)
        .min(1.0);
    let shared = 1.0 - rest;
    let is_most = |rows: &u32| shared * now / f64::from(*rows) <= rest * LEFT_TO_GAIN;
    let value_bytes = case.dataset.size.mean_bytes();
    let is_larger = |rows: &u32| f64::from(*rows) > now && f64::from(*rows) * value_bytes <= COMMIT_BYTES;
    let larger = || PROPOSED_ROWS.into_iter().filter(is_larger);
    let rows = larger().find(is_most).or(larger().next_back())?;
    let each_row = shared * now / f64::from(rows) + rest;
    let times = 1.0 / (1.0 - in_transactions + in_transactions * each_row);
    (times >= SKEW_TIMES).then(|| (rows, words::times_at_least(times)))
}

fn copying(case: &Case) -> &'static str {
    match case.store_write {
        Some(StoreWrite::Insert) => " `write = \"copy\"` takes the server less for each row.",
        Some(StoreWrite::Upsert | StoreWrite::Copy) | None => "",
    }
}
