//! Rules for loads that are held: nothing limits how much is read, and what a record waits for longest says how to make its
//! response time shorter.

use super::case::Case;
use super::model::{Bottleneck, BottleneckKind as Kind};
use super::remedies;
use super::store::of_transactions;
use super::thresholds::{BUSY_SHARE, HELD_MS, LONGEST_SHARE, PAUSING_SHARE, WAITING_SHARE};
use super::words::{self, milliseconds, percent};
use crate::figures::{FigureId, Statistic};
use crate::measure::LoadVerdict;
use crate::measure::latency::LatencyPart;
use crate::scenario::{Mode, PropertyValue};

/// A live load that was held is no limit of anything.
pub(super) fn load_held(case: &Case) -> Option<Bottleneck> {
    let is_live = matches!(case.configuration.mode, Mode::Live(_));
    let load = case.observed.load.as_ref().filter(|load| is_live && !load.behind)?;
    if case.is_beyond {
        return None;
    }
    if let Some(longest) = response(case) {
        return Some(longest);
    }
    let unsure = case
        .judged
        .as_ref()
        .filter(|judged| judged.verdict == LoadVerdict::CannotSay);
    if let Some(judged) = unsure {
        return Some(Bottleneck::unknown(words::load_unsure(judged), remedies::LOAD_UNSURE));
    }
    let mut evidence = if load.not_held.0 > 0 {
        words::load_partly_held(load)
    } else {
        words::load_held(load, &case.observed)
    };
    if let Some(longest) = Longest::of(case) {
        evidence = format!("{evidence}; {}", longest.evidence());
    }
    Some(Bottleneck::unknown(evidence, remedies::LOAD_HELD))
}

/// The part of a record's way that takes longest, in means.
struct Longest {
    part: LatencyPart,
    ms: f64,
    response_ms: f64,
}

impl Longest {
    fn of(case: &Case) -> Option<Self> {
        let of_part = |part| case.figures.point(FigureId::Latency(part, Statistic::Mean));
        let response_ms = of_part(LatencyPart::Response).filter(|ms| *ms > 0.0)?;
        let parts = LatencyPart::ALL
            .into_iter()
            .filter(|part| *part != LatencyPart::Response);
        let measured = parts.filter_map(|part| Some((part, of_part(part)?)));
        let (part, ms) = measured.max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(Longest { part, ms, response_ms })
    }

    fn evidence(&self) -> String {
        let passed = match self.part {
            LatencyPart::ProducerDelay => "passed before the producers sent the record",
            LatencyPart::Transit => {
                "passed between the producer's sending and the consumer's client handing the record over"
            }
            LatencyPart::Queued => "passed between the client's handing the record over and its work",
            LatencyPart::Work | LatencyPart::Response => "were the work on the record",
        };
        let (ms, response) = (milliseconds(self.ms), milliseconds(self.response_ms));
        format!("{ms} of {response} of mean response time {passed}")
    }
}

/// What makes the response time of a load that is held.
pub(super) fn response(case: &Case) -> Option<Bottleneck> {
    if case.is_behind() {
        return None;
    }
    let longest = Longest::of(case).filter(|longest| longest.ms >= LONGEST_SHARE * longest.response_ms)?;
    let evidence = longest.evidence();
    match longest.part {
        LatencyPart::ProducerDelay => Some(Bottleneck::new(Kind::Producers, evidence, remedies::PRODUCERS)),
        LatencyPart::Transit => held_by_the_broker(case, &longest)
            .or_else(|| held_by_the_producer(case, &longest))
            .or_else(|| behind_others(case, &longest)),
        LatencyPart::Queued => behind_others(case, &longest)
            .or_else(|| Some(Bottleneck::new(Kind::ConsumerWork, evidence, remedies::work(case)))),
        LatencyPart::Work | LatencyPart::Response if case.observed.store.is_some() => {
            Some(Bottleneck::new(Kind::Store, evidence, remedies::QUICKER_STORE))
        }
        LatencyPart::Work | LatencyPart::Response => {
            Some(Bottleneck::new(Kind::ConsumerWork, evidence, remedies::QUICKER_WORK))
        }
    }
}

/// The broker keeps a fetch until there are so many bytes: readers have nothing meanwhile.
fn held_by_the_broker(case: &Case, longest: &Longest) -> Option<Bottleneck> {
    let named = |name| case.client.name_of(name).unwrap_or(name);
    let [least, longest_wait] = ["fetch.min.bytes", "fetch.wait.max.ms"].map(named);
    let setting = |name| case.configuration.client.properties.get(name);
    let bytes = setting(least).filter(|value| literal(value).is_none_or(|bytes| bytes > 1.0))?;
    if longest.ms < HELD_MS || case.observed.waiting.is_some_and(|share| share < WAITING_SHARE) {
        return None;
    }
    let wait = setting(longest_wait);
    let evidence = format!(
        "{}, and the broker held the fetch: {}, {}",
        longest.evidence(),
        words::property(least, bytes),
        match wait {
            Some(wait) => words::property(longest_wait, wait),
            None => format!("`{longest_wait}` as the library has it"),
        }
    );
    Some(Bottleneck::new(
        Kind::FetchSettings,
        evidence,
        remedies::held_fetches(case),
    ))
}

/// The producer's client collects records before it sends them.
fn held_by_the_producer(case: &Case, longest: &Longest) -> Option<Bottleneck> {
    let linger = case.configuration.mode.load()?.properties.get("linger.ms")?;
    let is_long = literal(linger).is_some_and(|ms| ms >= longest.ms * PAUSING_SHARE);
    is_long.then(|| {
        let setting = words::property("linger.ms", linger);
        let evidence = format!("{}, and the producers collected records: {setting}", longest.evidence());
        Bottleneck::new(Kind::Producers, evidence, remedies::LINGERING)
    })
}

/// Records wait while their member works others, or waits for a commit.
fn behind_others(case: &Case, longest: &Longest) -> Option<Bottleneck> {
    let observed = &case.observed;
    let because = |said: String| format!("{}; {said}", longest.evidence());
    if let Some(skew) = observed.skew.as_ref().filter(|skew| skew.is_busy_unevenly()) {
        let evidence = because(words::skew(skew, case.dataset.topics, false));
        return Some(Bottleneck::new(Kind::Skew, evidence, remedies::skew(skew)));
    }
    let committing = observed.committing.unwrap_or(0.0);
    if committing >= BUSY_SHARE {
        let evidence = because(format!(
            "members waited for commits {} of their time",
            percent(committing)
        ));
        return Some(Bottleneck::new(Kind::ConsumerWork, evidence, remedies::COMMITS));
    }
    let working = observed.working.filter(|share| *share >= BUSY_SHARE)?;
    if let Some(store) = &observed.store {
        let found = of_transactions(case, store);
        let evidence = because(found.evidence);
        return Some(Bottleneck { evidence, ..found });
    }
    let evidence = because(format!("members were in work {} of their time", percent(working)));
    Some(Bottleneck::new(Kind::ConsumerWork, evidence, remedies::work(case)))
}

fn literal(value: &PropertyValue) -> Option<f64> {
    match value {
        PropertyValue::Literal(value) => value.parse().ok(),
        PropertyValue::Environment { .. } | PropertyValue::File { .. } => None,
    }
}
