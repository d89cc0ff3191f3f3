//! The words of the report and what they mean.

use crate::report::input::ReportInput;

type Words = &'static [(&'static str, &'static str)];

/// What the verdicts mean, in the reports of runs and of comparisons.
pub(crate) const VERDICT: (&str, &str) = (
    "Verdict",
    "same: the interval lies within the threshold; faster or slower: it excludes 1 and p is at most 0.05 (materially: it lies beyond the threshold); undecided: none of these.",
);

const OF_EVERY_RUN: Words = &[
    (
        "Read time",
        "from the common start, when every member has its partitions and may fetch, to the last record of the trial.",
    ),
    (
        "Stopwatch",
        "from the start of the first process to the last record: what a user experiences who just runs it, joining included.",
    ),
    (
        "Speed",
        "how many times as fast as the baseline: 2× takes half the time. Compared within blocks, trial by trial.",
    ),
    (
        "[95 %]",
        "the confidence interval: where the figure probably lies. An interval of a speed that contains 1 does not exclude that there is no difference.",
    ),
    (
        "Block",
        "every configuration that is still needed once, in random order, so that a change of the machine affects all of them alike.",
    ),
    (
        "Family",
        "configurations that read the same records with the same work. Only these are compared with each other.",
    ),
    (
        "Member",
        "one consumer of a group. A member without a partition is idle: it reads nothing.",
    ),
    (
        "p (Holm)",
        "the probability of a difference at least as large by chance alone, corrected for the number of comparisons.",
    ),
    VERDICT,
];

/// Where records arrive.
const OF_LOADS: Words = &[
    (
        "Response time",
        "from the moment at which the schedule intended a record to be sent until the work on it was done. The delay of a late producer is part of it.",
    ),
    (
        "p99",
        "99 of 100 records took no longer. Given where at least ten records lie beyond it; the geometric mean over trials.",
    ),
    (
        "Load not reached",
        "the producers could not send what the schedule asked for. The latencies would not be those of that load, so none are given.",
    ),
    (
        "Overloaded",
        "the readers could not keep up and fell further and further behind. Latencies would only measure how long the trial was, so none are given.",
    ),
    (
        "Holds, cannot say (to N %)",
        "whether every member and partition keeps up with its load. The trial would have detected a lag that grows by N % of what arrives, but not every smaller growth. A longer duration makes N smaller.",
    ),
    (
        "Capacity",
        "the highest rate at which the objective held, confirmed by a longer trial; it failed at the upper end of the interval.",
    ),
];

/// Where a run stops when a condition holds.
const OF_LOOKS: Words = &[
    (
        "Look",
        "after each block the run checked whether it may stop. The intervals and p of comparisons allow for that: they hold over all looks together. The intervals of single configurations only describe their trials.",
    ),
    (
        "Paired speed",
        "the speed from the blocks that hold both configurations. A configuration leaves the blocks when its comparison is decided, so rows rest on different blocks, and the ratio of their rates is not the speed.",
    ),
];

/// Where several numbers of consumers, processes or threads are compared.
const OF_SCALING: Words = &[
    (
        "Speed-up",
        "how many times as many records per second as with the smallest number of the series, from pairs of trials within blocks.",
    ),
    (
        "Efficiency",
        "the speed-up as a share of the ideal, in which twice the members are twice as fast.",
    ),
    (
        "Contention",
        "in a fitted law the share of the work that only one member can do at a time. It bounds the speed-up.",
    ),
    (
        "Coherency",
        "in a fitted law the cost for each pair of members of waiting for each other. With it, more members end up slower.",
    ),
];

/// The words of this report and what they mean.
pub(crate) fn glossary(input: &ReportInput) -> Vec<(&'static str, String)> {
    let scenario = input.scenario;
    let with_loads = scenario.configurations.iter().any(|c| c.mode.load().is_some());
    let parts = [
        (OF_EVERY_RUN, true),
        (OF_LOADS, with_loads),
        (OF_LOOKS, scenario.repetitions().until().is_some()),
        (OF_SCALING, !input.summary.scaling.is_empty()),
    ];
    let needed = parts.into_iter().filter(|(_, is_needed)| *is_needed);
    let words = needed.flat_map(|(words, _)| words);
    words.map(|(word, meaning)| (*word, (*meaning).to_owned())).collect()
}
