//! The figures of the latencies: of each part every statistic.

use super::comparing::{Adjective, Better, By, Comparing, Had};
use super::statistic::Statistic;
use crate::measure::latency::LatencyPart;

/// What a statistic of a part of the latency means.
pub(super) fn meaning(part: LatencyPart, statistic: Statistic) -> String {
    match statistic {
        Statistic::Mean => format!("{}; {}", statistic.meaning(), meaning_of(part)),
        _ => statistic.meaning().to_owned(),
    }
}

/// Records that wait for nothing have no delay, none in the queue and no work; all of them take a while in transit.
pub(super) fn comparing(part: LatencyPart, statistic: Statistic) -> Comparing {
    Comparing {
        better: Better::Less,
        by: match part {
            LatencyPart::ProducerDelay | LatencyPart::Queued | LatencyPart::Work => By::Difference,
            LatencyPart::Transit | LatencyPart::Response => By::Ratio,
        },
        noun: format!("{} of the {}", statistic.short(), noun_of(part)),
        adjective: Adjective::Length,
        had: Had::Load,
    }
}

fn noun_of(part: LatencyPart) -> &'static str {
    match part {
        LatencyPart::ProducerDelay => "producer delay",
        LatencyPart::Transit => "transit time",
        LatencyPart::Queued => "time queued",
        LatencyPart::Work => "time in work",
        LatencyPart::Response => "response time",
    }
}

fn meaning_of(part: LatencyPart) -> &'static str {
    match part {
        LatencyPart::ProducerDelay => "from the intended moment until the producer gave the record to its client",
        LatencyPart::Transit => "from the producer's client until the consumer's client handed the record over",
        LatencyPart::Queued => "from being handed over until its work began",
        LatencyPart::Work => "the work on the record",
        LatencyPart::Response => "from the intended moment until the work was done: all of it",
    }
}
