//! The figures of the latencies: of each part every statistic.

use super::catalogue::{Figure, FigureId, Over, Source, Trials, Unit};
use super::comparing::{Adjective, Better, By, Comparing, Had};
use super::statistic::Statistic;
use crate::measure::latency::LatencyPart;

/// A statistic of a part of the latency.
pub(super) fn latency(part: LatencyPart, statistic: Statistic) -> Figure {
    let meaning = match statistic {
        Statistic::Mean => format!("{}; {}", statistic.meaning(), meaning_of(part)),
        _ => statistic.meaning().to_owned(),
    };
    Figure {
        id: FigureId::Latency(part, statistic),
        name: format!("{}_{}_ms", part.name(), statistic.name()),
        unit: Unit::Milliseconds,
        meaning,
        header: None,
        source: Source::Latency(part, statistic),
        over: match statistic {
            Statistic::Max => Over::Largest,
            _ => Over::GeometricMean,
        },
        trials: Trials::Meaningful,
        comparing: Ok(comparing_of(part, statistic)),
    }
}

/// Records that wait for nothing have no delay, none in the queue and no work; all of them take a while in transit.
fn comparing_of(part: LatencyPart, statistic: Statistic) -> Comparing {
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
