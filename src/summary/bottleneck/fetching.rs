//! Rules for readers that wait for records: a quota, the client's pauses, or the longest part of the fetching.

use super::case::Case;
use super::model::{Bottleneck, BottleneckKind as Kind};
use super::observed::Machine;
use super::remedies;
use super::thresholds::{
    BROKER_BUSY_CORES, BROKER_IDLE_CORES, PAUSING_SHARE, THROTTLED_SHARE, WAITING_FOR_FULLER_SHARE, WAITING_SHARE,
};
use super::words::{self, percent};
use super::work::reader_thread;
use crate::clients::ClientKind;

/// How the fetching before readers that wait spends its time: the library's thread sends a request, awaits the answer,
/// unpacks it, and perhaps pauses before the next.
struct Fetching {
    waiting: f64,
    awaited: f64,
    unpacking: f64,
    pausing: f64,
}

impl Fetching {
    fn of(case: &Case) -> Option<Self> {
        if !case.is_never_without_records() || case.is_short() {
            return None;
        }
        let observed = &case.observed;
        let (waiting, awaited) = (observed.waiting?, observed.awaited?);
        let unpacking = observed.fetcher.as_ref().map_or(0.0, |thread| thread.wanting);
        // Awaiting and unpacking overlap, so this is the most that it may have paused.
        let pausing_at_most = 1.0 - awaited.max(unpacking);
        // While records arrive, a client that awaits an answer may have nothing to fetch.
        let is_fuller = observed.load.is_none() && waiting >= WAITING_FOR_FULLER_SHARE && waiting > pausing_at_most;
        (waiting >= WAITING_SHARE || is_fuller).then(|| Fetching {
            waiting,
            awaited,
            unpacking,
            pausing: (1.0 - awaited - unpacking).max(0.0),
        })
    }

    fn evidence(&self) -> String {
        format!(
            "readers waited {} of the time with an empty queue; an answer of a broker was awaited {} of it",
            percent(self.waiting),
            percent(self.awaited)
        )
    }

    fn pauses(&self, case: &Case) -> Bottleneck {
        let evidence = format!(
            "{}, and for {} of it nothing was asked for or unpacked{}",
            self.evidence(),
            percent(self.pausing),
            words::brokers_and_cores(&case.observed)
        );
        Bottleneck::new(Kind::FetchSettings, evidence, remedies::fetch_settings(case))
    }
}

/// A quota of the cluster holds answers back, and readers wait for them.
pub(super) fn quota(case: &Case) -> Option<Bottleneck> {
    let observed = &case.observed;
    let throttled = observed.throttled.filter(|share| *share >= THROTTLED_SHARE)?;
    if observed.waiting.is_some_and(|share| share < THROTTLED_SHARE) {
        return None;
    }
    let waiting = observed.waiting.map(|share| {
        let share = percent(share);
        format!(", while readers waited {share} of it with an empty queue")
    });
    let evidence = format!(
        "the cluster held answers back because of a quota for {} of the time{}{}",
        percent(throttled),
        waiting.unwrap_or_default(),
        words::brokers_and_cores(observed)
    );
    Some(Bottleneck::new(Kind::Quota, evidence, remedies::QUOTA))
}

/// A pause needs no core, so it comes before them.
pub(super) fn pausing(case: &Case) -> Option<Bottleneck> {
    let fetching = Fetching::of(case).filter(|fetching| fetching.pausing >= PAUSING_SHARE)?;
    Some(fetching.pauses(case))
}

/// The longest part of the fetching limits readers that wait.
pub(super) fn fetching(case: &Case) -> Option<Bottleneck> {
    let (seen, parts) = (&case.observed, Fetching::of(case)?);
    match &seen.fetcher {
        Some(thread) if parts.unpacking >= parts.awaited.max(parts.pausing) => {
            let more = format!(
                ", and answers were awaited {} of it, while readers waited {} of it with an empty queue",
                percent(parts.awaited),
                percent(parts.waiting)
            );
            Some(reader_thread(case, thread, &more))
        }
        _ if parts.awaited >= parts.pausing => {
            let evidence = format!("{}{}", parts.evidence(), words::brokers_and_cores(seen));
            Some(Bottleneck::new(Kind::Brokers, evidence, remedies::brokers(case)))
        }
        _ => Some(parts.pauses(case)),
    }
}

/// The same without the client library's own figures: by the brokers' processors, where they run here. What another
/// library than librdkafka does while its reader waits is not known: it may unpack.
pub(super) fn fetching_unseen(case: &Case) -> Option<Bottleneck> {
    if case.client != ClientKind::Librdkafka {
        return None;
    }
    let observed = &case.observed;
    let waiting = observed
        .waiting
        .filter(|share| *share >= WAITING_SHARE && case.is_never_without_records() && !case.is_short())?;
    let brokers = observed
        .machine
        .as_ref()
        .and_then(|machine: &Machine| machine.brokers)?;
    let evidence = format!(
        "readers waited {} of the time with an empty queue{}; what their client did meanwhile was not observed",
        percent(waiting),
        words::brokers_and_cores(observed)
    );
    if brokers >= BROKER_BUSY_CORES {
        Some(Bottleneck::new(Kind::Brokers, evidence, remedies::brokers(case)))
    } else if brokers < BROKER_IDLE_CORES {
        Some(Bottleneck::new(
            Kind::FetchSettings,
            evidence,
            remedies::fetch_settings(case),
        ))
    } else {
        None
    }
}
