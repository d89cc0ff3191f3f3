//! The figures of a bottleneck in words.

use super::behind::Behind;
use super::case::Case;
use super::observed::{LoadSeen, Machine, Observed};
use super::spread::{InOrder, Ordered, Skew};
use super::threads::BusyThread;
use crate::measure::limits::core_figure as figure;
pub(super) use crate::measure::limits::cores;
use crate::measure::{Holdup, LoadJudgement, TopicPartition};
use crate::scenario::PropertyValue;
use crate::wording::thousands;

/// Cores that are worth a word.
const WORTH_CORES: f64 = 0.05;

/// `71 %`.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.5 {
        return "under 1 %".to_owned();
    }
    format!("{percent:.0} %")
}

pub(super) fn load_not_reached(load: &LoadSeen) -> String {
    let mut text = format!(
        "of {} records a second that were to arrive, producers sent {}",
        thousands(load.offered),
        thousands(load.sent)
    );
    if let Some(thread) = &load.thread {
        text = format!("{text}; {}", busy(thread));
    }
    if load.queue_full >= 0.01 {
        let full = percent(load.queue_full);
        text = format!("{text}; their client's queue was full {full} of the time");
    }
    text
}

/// A load of which the trials cannot say whether it is held.
pub(super) fn load_unsure(judged: &LoadJudgement) -> String {
    format!(
        "whether the load is held cannot be said: {}; a growth of the lag under {} % need not show in this window",
        judged.how_full(),
        judged.resolution_percent()
    )
}

pub(super) fn load_held(load: &LoadSeen, seen: &Observed) -> String {
    let waiting = seen.waiting.map(|share| {
        let share = percent(share);
        format!(", and readers waited {share} of the time with an empty queue")
    });
    format!(
        "nothing limited it: the load of {} records a second was sent and read{}",
        thousands(load.sent),
        waiting.unwrap_or_default()
    )
}

/// Where it was held in most trials and not in all.
pub(super) fn load_partly_held(load: &LoadSeen) -> String {
    let (not_held, trials) = load.not_held;
    format!(
        "in {not_held} of {trials} trials the load was not reached or readers fell behind; in the others nothing limited \
         them: {} records a second were sent and read",
        thousands(load.sent)
    )
}

/// `the reader thread of process 1 was at 99 % of a core`.
pub(super) fn busy(thread: &BusyThread) -> String {
    let BusyThread {
        name, running, wanting, ..
    } = thread;
    let ready = wanting - running;
    if ready < 0.05 {
        return format!("{name} was at {} of a core", percent(*running));
    }
    format!(
        "{name} was busy {} of the time ({} on a core and {} ready but waiting for one)",
        percent(*wanting),
        percent(*running),
        percent(ready)
    )
}

/// `; 0.9 of 2 cores idle`.
pub(super) fn idle_cores(machine: &Machine) -> String {
    format!("; {} of {} idle", figure(machine.idle()), cores(machine.cores))
}

pub(super) fn saturated(machine: &Machine) -> String {
    let mut text = format!(
        "machine saturated: {} of {}",
        figure(machine.busy),
        cores(machine.cores)
    );
    let parts = [
        ("consumers", machine.clients),
        ("brokers", machine.brokers),
        ("the store", machine.store),
        ("programs outside of the run", Some(machine.others)),
    ];
    for (who, used) in parts {
        if let Some(used) = used.filter(|used| *used >= WORTH_CORES) {
            text = format!("{text}, {who} {} of them", figure(used));
        }
    }
    if let Some(pressure) = machine.pressure {
        text = format!(
            "{text}; some thread waited for a core {} of the time",
            percent(pressure)
        );
    }
    text
}

pub(super) fn working(seen: &Observed) -> String {
    let working = seen.working.map(|working| {
        let each = seen.work_us.map(|us| format!(" ({} per record)", duration(us)));
        format!(
            "members were in work {} of their time{}",
            percent(working),
            each.unwrap_or_default()
        )
    });
    let committing = seen.committing.filter(|share| *share >= 0.01).map(percent);
    let text = match (working, committing) {
        (Some(working), Some(committing)) => format!("{working} and waited for commits {committing} of it"),
        (None, Some(committing)) => format!("members waited for commits {committing} of their time"),
        (working, None) => working.unwrap_or_default(),
    };
    let idle = seen.machine.as_ref().map(idle_cores).unwrap_or_default();
    format!("{text}{idle}")
}

pub(super) fn duration(us: f64) -> String {
    if us >= 1_000.0 {
        format!("{:.2} ms", us / 1e3)
    } else {
        format!("{us:.1} us")
    }
}

/// `1 row`, `9.8 rows`.
pub(super) fn rows(rows: f64) -> String {
    let text = format!("{rows:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    format!("{text} {}", if text == "1" { "row" } else { "rows" })
}

/// `1.4`, `13`: how many times at least, so never rounded up, and no finer than what it is derived from.
pub(super) fn times_at_least(times: f64) -> String {
    if times < 3.0 {
        format!("{:.1}", (times * 10.0).floor() / 10.0)
    } else {
        format!("{:.0}", times.floor())
    }
}

/// What held transactions up, after the share of their time.
pub(super) fn holdup(holdup: Holdup) -> &'static str {
    match holdup {
        Holdup::Disk => "the server's disk",
        Holdup::Cpu => "running in the server",
        Holdup::Lock => "locks",
        Holdup::Member => "the members and the way to the server",
        Holdup::Other => "other waits of the server",
    }
}

/// `514 ms`, `1.9 ms`.
pub(super) fn milliseconds(ms: f64) -> String {
    let digits = usize::from(ms < 10.0);
    format!("{ms:.digits$} ms")
}

/// A setting of the user's, as it stands in the scenario; the value of one that may be secret is left out.
pub(super) fn property(name: &str, value: &PropertyValue) -> String {
    match value {
        PropertyValue::Literal(value) => format!("`{name}` = {value}"),
        PropertyValue::Environment { .. } | PropertyValue::File { .. } => format!("`{name}`"),
    }
}

/// `partition 0`, with its topic where there are several.
pub(super) fn partition(partition: TopicPartition, topics: u32) -> String {
    if topics > 1 {
        format!("partition {} of topic {}", partition.partition, partition.topic + 1)
    } else {
        format!("partition {}", partition.partition)
    }
}

pub(super) fn skew(skew: &Skew, topics: u32, is_backlog: bool) -> String {
    let (held, of_all) = skew.partitions;
    if let Some(busy) = skew.busy().filter(|_| !is_backlog) {
        let (full, share) = busy.full;
        let others = busy.others.map(|share| format!(", the others {}", percent(share)));
        return format!(
            "{full} of {} members were in work {} of their time, with up to {} of {of_all} partitions each{}",
            skew.members,
            percent(share),
            busy.partitions,
            others.unwrap_or_default()
        );
    }
    let mut text = format!(
        "{} holds {} of the records; {} read {} of them, with {held} of {of_all} partitions for {} members",
        partition(skew.largest.0, topics),
        percent(skew.largest.1),
        skew.member,
        percent(skew.share),
        skew.members
    );
    if is_backlog {
        let left = percent(skew.finished_early);
        text = format!("{text}; {left} of the members' time was left when they had read theirs");
    }
    text
}

pub(super) fn in_order(in_order: &InOrder, is_uneven: bool, working: f64, case: &Case) -> String {
    let (share, threads) = (percent(in_order.share), case.configuration.threads);
    let what = match in_order.what {
        Ordered::Partitions(mine, all) => {
            format!("one of {threads} threads has {mine} of {all} partitions with {share} of the records")
        }
        Ordered::Partition(_) | Ordered::Key(_) if !is_uneven => format!(
            "no more than {} of {threads} threads can work at once, one for each {}",
            in_order.usable,
            if matches!(in_order.what, Ordered::Key(_)) {
                "key"
            } else {
                "partition"
            }
        ),
        Ordered::Partition(largest) => format!(
            "{} holds {share} of the records, which are worked one after another",
            partition(largest, case.dataset.topics)
        ),
        Ordered::Key(count) => format!(
            "the most frequent of {count} keys has about {share} of the records, which are worked one after another"
        ),
    };
    let idle = case.observed.machine.as_ref().map(idle_cores).unwrap_or_default();
    format!(
        "{what}: the busiest was in work {} of the time, and all {threads} threads {} of theirs{idle}",
        percent(in_order.working),
        percent(working)
    )
}

/// `while records lay before the readers (3.1 s, 16 % of the time)`.
pub(super) fn while_behind(behind: &Behind) -> String {
    format!(
        "while records lay before the readers ({:.1} s, {} of the time)",
        behind.seconds,
        percent(behind.time)
    )
}

/// Of a trial of which nothing more can be known.
pub(super) fn short(seconds: f64) -> String {
    format!(
        "trials of {} are too short to say what they waited for: they are over after a few exchanges with the brokers",
        milliseconds(seconds * 1e3)
    )
}

/// Brokers and cores after another clause.
pub(super) fn brokers_and_cores(seen: &Observed) -> String {
    let Some(machine) = &seen.machine else {
        return String::new();
    };
    let brokers = machine.brokers.map(|used| format!("; brokers used {}", cores(used)));
    format!("{}{}", brokers.unwrap_or_default(), idle_cores(machine))
}

/// What there is to say where no rule fits.
pub(super) fn seen(case: &Case) -> String {
    match figures(&case.observed) {
        Some(figures) => format!("no rule fits: {figures}"),
        None => "its workers and this machine recorded nothing that says why".to_owned(),
    }
}

/// The figures that the rules look at; `None` where nothing was recorded.
pub(super) fn figures(seen: &Observed) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(working) = seen.working {
        parts.push(format!("members were in work {} of their time", percent(working)));
    }
    if let Some(waiting) = seen.waiting {
        parts.push(format!(
            "readers waited {} of the time with an empty queue",
            percent(waiting)
        ));
    }
    if let Some(thread) = &seen.thread {
        parts.push(busy(thread));
    }
    if let Some(awaited) = seen.awaited {
        parts.push(format!(
            "an answer of a broker was awaited {} of the time",
            percent(awaited)
        ));
    }
    if let Some(machine) = &seen.machine {
        parts.push(format!("{} of {} busy", figure(machine.busy), cores(machine.cores)));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}
