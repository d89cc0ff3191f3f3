//! What would change a bottleneck, and what would not: a sentence for each kind, with the figures that it depends on.

use super::case::Case;
use super::observed::Machine;
use super::spread::{InOrder, Ordered, Skew};
use super::threads::ThreadRole;
use super::thresholds::{IDLE_FOR_A_THREAD, SKEW_TIMES};
use super::words;
use crate::measure::limits::core_figure;
use crate::scenario::WorkOrdering;
use crate::summary::idle::deals_by_topic;
use crate::wording::plural;

/// Where a live load was held.
pub(super) const LOAD_HELD: &str = "A higher rate, or a search for its capacity, shows where it ends.";

/// Where a live load may have been held or not.
pub(super) const LOAD_UNSURE: &str = "A longer `load.duration` shows whether it is held.";

/// Where no rule fits.
pub(super) const NOTHING_FITS: &str = "What would change it is not known from these trials.";

/// Where the trials are too short.
pub(super) const SHORT: &str = "More records in each trial (`seconds` or `records` in [trial]) would show it.";

/// Others that take more than this make the machine's figures theirs too.
const OTHERS_CORES: f64 = 0.1;

/// Settings of the client that say when and how much it fetches.
const FETCH_SETTINGS: [&str; 8] = [
    "fetch.queue.backoff.ms",
    "fetch.min.bytes",
    "fetch.wait.max.ms",
    "fetch.max.bytes",
    "max.partition.fetch.bytes",
    "queued.min.messages",
    "queued.max.messages.kbytes",
    "fetch.error.backoff.ms",
];

pub(super) const PRODUCERS: &str =
    "More producer processes (`producers`) or a lower rate would help; no change to the consumers will show before.";

pub(super) fn idle_members(case: &Case) -> String {
    let partitions = case.dataset.partitions_of_all();
    if case.configuration.members_per_group() > partitions {
        return format!(
            "More than {partitions} partitions, or fewer members: a partition has one reader in a group, so \
             those beyond get nothing."
        );
    }
    if deals_by_topic(&case.configuration.membership) {
        "Another assignor would help: range deals out each topic by itself.".to_owned()
    } else {
        "Another assignor would help: there are partitions enough.".to_owned()
    }
}

pub(super) fn skew(skew: &Skew) -> String {
    let (held, of_all) = skew.partitions;
    if skew.largest.1 * skew.members as f64 >= SKEW_TIMES {
        "Records spread more evenly over the partitions, by their keys, would help; more members will not, because a partition \
         has one reader in a group."
            .to_owned()
    } else {
        format!(
            "A number of partitions that the members divide evenly would help: one of {} members has {held} of {of_all}.",
            skew.members
        )
    }
}

pub(super) fn in_order(in_order: &InOrder, is_uneven: bool) -> String {
    let order = "`ordering = \"key\"` or `\"none\"`";
    match (in_order.what, is_uneven) {
        (Ordered::Partitions(..), _) => {
            format!("A number of threads that divides the partitions evenly would help, or {order}.")
        }
        (Ordered::Partition(_), true) => format!(
            "Records spread more evenly over the partitions, by their keys, would help, or {order}; more threads or members \
             will not."
        ),
        (Ordered::Partition(_), false) => {
            format!("More partitions would help, {order}, or quicker work; more threads on these partitions will not.")
        }
        (Ordered::Key(_), true) => {
            "Only quicker work on the records of that key would help, or `ordering = \"none\"`; more threads \
                                    or members will not."
                .to_owned()
        }
        (Ordered::Key(_), false) => {
            "More keys would help, quicker work, or `ordering = \"none\"`; more threads will not.".to_owned()
        }
    }
}

pub(super) const QUOTA: &str = "A higher quota for these clients (`consumer_byte_rate`) would help, and more members only where each has a quota of its \
     own; faster brokers will not.";

pub(super) fn held_fetches(case: &Case) -> String {
    let [bytes, wait] = ["fetch.min.bytes", "fetch.wait.max.ms"].map(|name| case.property(name));
    format!(
        "A smaller {bytes} or a shorter {wait} would help; more members will not, because each of their fetches is held as \
         well."
    )
}

pub(super) const LINGERING: &str =
    "A shorter `linger.ms` of the producers would help; no change to the consumers will.";

pub(super) const QUICKER_WORK: &str =
    "Quicker work would help; more members will not: a record's own work is as long on any of them.";

pub(super) const QUICKER_STORE: &str = "A quicker store would help, or a shorter way to it; more members will not: a record's transaction is as long for any \
     of them, and longer with more rows in it.";

/// Where one partition has so much that more members gain little.
fn little_gain(case: &Case) -> Option<String> {
    let skew = case.observed.skew.as_ref()?;
    let gain = skew.gain_of_members();
    let is_little = skew.partitions.1 > 1 && gain < SKEW_TIMES;
    is_little.then(|| {
        format!(
            "at most {gain:.2} times as fast, because {} holds {} of the records",
            words::partition(skew.largest.0, case.dataset.topics),
            words::percent(skew.largest.1)
        )
    })
}

pub(super) const COMMITS: &str = "Committing less often would help (`commit = \"auto\"` or `\"every N\"`), and so would more members, each of which waits \
     for its own commits.";

pub(super) fn work(case: &Case) -> String {
    let waits = case.configuration.work.waits();
    let partitions = case.dataset.partitions_of_all();
    let configuration = case.configuration;
    let is_full = case
        .observed
        .machine
        .is_some_and(|machine| machine.idle() < IDLE_FOR_A_THREAD);
    if is_full && !waits {
        return "Quicker work would help, or more cores: it computes, and no core is idle for another thread."
            .to_owned();
    }
    let threads = configuration.members_per_group() * configuration.threads;
    // A thread that keeps the order of partitions needs one of its own, as a member does.
    let threads_help = configuration.ordering != WorkOrdering::Partition || threads < partitions;
    let has_partitions = configuration.members_per_group() < partitions;
    let little = little_gain(case).filter(|_| has_partitions);
    let how = match (has_partitions, threads_help) {
        _ if !case.has_threads => work_without_threads(partitions, has_partitions, little),
        _ if little.is_some() => {
            let threads = match configuration.ordering {
                WorkOrdering::Partition => {
                    "more threads per consumer (`threads`) with `ordering = \"key\"` or `\"none\"`"
                }
                WorkOrdering::Key | WorkOrdering::None => "more threads per consumer (`threads`)",
            };
            format!(
                "Quicker work would help, or {threads}; more members would make it {}.",
                little.unwrap_or_default()
            )
        }
        (true, true) => {
            "More members would help, or more threads per consumer (`threads`), or quicker work.".to_owned()
        }
        (true, false) => {
            "Quicker work would help, or more threads per consumer (`threads`) with `ordering = \"key\"` or \
                          `\"none\"`; with more members instead of threads nothing is gained."
                .to_owned()
        }
        (false, true) => format!(
            "More threads per consumer (`threads`) or quicker work would help; more members only with {}.",
            more_partitions(partitions)
        ),
        (false, false) => format!(
            "Quicker work would help, or {} with more members or threads; more threads (`threads`) on these only with \
             `ordering = \"key\"` or `\"none\"`.",
            more_partitions(partitions)
        ),
    };
    if waits {
        return format!("{how} It needs no core; fetching faster will not help.");
    }
    format!("{how} It computes: once no core is idle, only quicker work helps.")
}

/// What makes more sessions of a store that write at the same time.
pub(super) fn more_sessions(case: &Case) -> String {
    let partitions = case.dataset.partitions_of_all();
    let configuration = case.configuration;
    let members = configuration.members_per_group();
    let threads_help =
        configuration.ordering != WorkOrdering::Partition || members * configuration.threads < partitions;
    match (members < partitions, case.has_threads && threads_help) {
        (true, true) => "more members, or more threads per consumer (`threads`)".to_owned(),
        (true, false) => "more members".to_owned(),
        (false, true) => "more threads per consumer (`threads`)".to_owned(),
        (false, false) => format!("more members, with {}", more_partitions(partitions)),
    }
}

/// What helps an app whose consumers work on the thread that reads, whatever is asked of them.
fn work_without_threads(partitions: u32, has_partitions: bool, little: Option<String>) -> String {
    match little {
        Some(little) => format!("Quicker work would help; more members would make it {little}."),
        None if has_partitions => "More members would help, or quicker work.".to_owned(),
        None => format!(
            "Quicker work would help, or {} with more members.",
            more_partitions(partitions)
        ),
    }
}

fn more_partitions(there: u32) -> String {
    format!("more than {}", plural(there, "partition"))
}

pub(super) fn all_cores(case: &Case, machine: &Machine) -> String {
    let mut remedy = "More cores would help, or brokers on another machine".to_owned();
    if case.observed.store.is_some() {
        let store = if machine.store.is_some() {
            ", the store on another machine"
        } else {
            ""
        };
        remedy =
            format!("{remedy}{store}, or larger transactions (`store_batch`), which take less of them for each row");
    } else if case.configuration.has_work() {
        remedy.push_str(", or quicker work");
    }
    remedy.push_str("; more members on this machine will not.");
    if machine.others >= OTHERS_CORES {
        remedy.push_str(" First end the programs that are no part of the run.");
    }
    remedy
}

pub(super) fn reader_thread(case: &Case, role: ThreadRole) -> String {
    let partitions = case.dataset.partitions_of_all();
    if role == ThreadRole::Worker {
        return "More working threads (`threads`) would help, where their partitions or keys are enough to share out."
            .to_owned();
    }
    let scarce = case.observed.machine.as_ref().map(Machine::idle);
    let scarce = scarce.filter(|idle| *idle < IDLE_FOR_A_THREAD);
    if case.configuration.members_per_group() >= partitions {
        let cores = scarce.map_or_else(String::new, |idle| {
            let idle = core_figure(idle);
            format!(" Only {idle} of a core is idle here for their threads: more cores would help more.")
        });
        return format!(
            "More members would help, because each has threads of its own, but only with {} for them to read.{cores}",
            more_partitions(partitions)
        );
    }
    if let Some(gain) = little_gain(case) {
        return format!(
            "Records spread more evenly over the partitions would help; more members would make it {gain}."
        );
    }
    let what = match case.configuration.members_per_group() {
        1 => "A second consumer, in this process or another,",
        _ => "One more consumer",
    };
    match scarce {
        Some(idle) => format!(
            "{what} would help a little, because it has threads of its own. Only {} of a core is idle here for them: more \
             cores would help more, and more partitions alone will not help.",
            core_figure(idle)
        ),
        None => {
            format!("{what} would probably help, because it has threads of its own; more partitions alone will not.")
        }
    }
}

pub(super) fn brokers(case: &Case) -> String {
    let [least, most] = ["fetch.min.bytes", "max.partition.fetch.bytes"].map(|name| case.property(name));
    format!(
        "Faster brokers, more of them to share the partitions, or a shorter way to them would help; so may fewer and larger \
         answers ({least}, {most}). More consumers will not."
    )
}

pub(super) fn fetch_settings(case: &Case) -> String {
    let set: Vec<String> = FETCH_SETTINGS
        .iter()
        .filter_map(|name| Some(words::property(name, case.configuration.client.properties.get(*name)?)))
        .collect();
    let set = if !set.is_empty() {
        format!("here {}", set.join(", "))
    } else if case.configuration.client.library_defaults_only {
        "here the client library's defaults".to_owned()
    } else {
        "here tandem's own".to_owned()
    };
    format!(
        "Other fetch settings would help ({set}): a shorter `fetch.queue.backoff.ms`, or longer queues (`queued.min.messages`, \
         `queued.max.messages.kbytes`). More members only hide it."
    )
}
