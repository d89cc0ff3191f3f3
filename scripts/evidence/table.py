"""The tables of results/peers and docs/performance.md, made from the stored trials and from nothing else."""

import statistics
from dataclasses import dataclass

import document
import ratios
import trials

SHAPES = ["100B", "1KiB", "10KiB"]
C, C_SYSTEM = "rdkafka_performance, same allocator", "rdkafka_performance, system's allocator"
JAVA = "ConsumerPerformance"
BATCH = "tandem batch"
TWO_CONSUMERS, TWO_PROCESSES = f"{BATCH}, one process of two consumers", f"{BATCH}, two processes"
ONE_CORE = f"{BATCH}, all its threads on one core"
ONE = ", one partition"


@dataclass
class Pair:
    """Two cases that are compared."""

    mine: str
    peer: str
    # Whether docs/performance.md shows it.
    chosen: bool = False


PAIRS = [
    Pair(BATCH, C, chosen=True),
    Pair("tandem poll", C, chosen=True),
    Pair("tandem stream", C, chosen=True),
    Pair(BATCH, JAVA, chosen=True),
    Pair(TWO_CONSUMERS, JAVA),
    Pair(ONE_CORE, BATCH),
    Pair(ONE_CORE, JAVA),
    Pair(TWO_CONSUMERS, f"{C}, two processes", chosen=True),
    Pair(TWO_PROCESSES, f"{C}, two processes"),
    Pair(BATCH, f"{C}, two processes"),
    Pair(C, f"{C}, two processes"),
    Pair(C, C_SYSTEM, chosen=True),
    Pair(BATCH, C_SYSTEM),
    Pair(BATCH + ONE, C + ONE),
    Pair(BATCH + ONE, C_SYSTEM + ONE),
    Pair("tandem poll" + ONE, C + ONE),
    Pair("tandem stream" + ONE, C + ONE),
    Pair(BATCH + ONE, JAVA + ONE),
]


def stored_name(shape, together):
    """What the files of a size are called."""
    return f"{shape}-together" if together else shape


def by_case(rows):
    cases = {}
    for row in rows:
        cases.setdefault(row.case, []).append(row)
    return cases


def cases_table(rows):
    """A row for each case: medians over its blocks."""
    lines = ["| case | rounds | records/s | MB/s | first to last | first record after | CPU s per million records |",
             "|---|--:|--:|--:|--:|--:|--:|"]
    for case, of_case in by_case(rows).items():
        def median(value):
            return statistics.median(value(row) for row in of_case)

        wait_ms = median(lambda r: r.start_to_last - r.first_to_last) * 1e3
        lines.append(f"| {case} | {len(of_case)} | {median(lambda r: r.records / r.first_to_last) / 1e6:.2f} M "
                     f"| {median(lambda r: r.bytes / r.first_to_last) / 1e6:,.0f} "
                     f"| {median(lambda r: r.first_to_last):.3f} s "
                     f"| {f'{wait_ms:.0f} ms' if wait_ms else '–'} "
                     f"| {median(lambda r: r.cpu / r.records * 1e6):.3f} |")
    return lines


def compare(rows, pair):
    """Ratios mine / peer of records/s in equal windows, of records/s with mine from the common start and the peer's
    in its own window, and of CPU; None where a case was not run."""
    cases = by_case(rows)
    if pair.mine not in cases or pair.peer not in cases:
        return None

    def values(case, value):
        return {row.block: value(row) for row in cases[case]}

    theirs = values(pair.peer, lambda row: row.records / row.first_to_last)
    return (ratios.paired_ratio(values(pair.mine, lambda row: row.records / row.first_to_last), theirs),
            ratios.paired_ratio(values(pair.mine, lambda row: row.records / row.start_to_last), theirs),
            ratios.of_trials(cases[pair.mine], cases[pair.peer], lambda row: row.cpu / row.records))


def pairs_table(rows):
    lines = ["| program | against | speed, first to last record | speed, from the common start | CPU per record |",
             "|---|---|--:|--:|--:|"]
    for pair in PAIRS:
        compared = compare(rows, pair)
        if compared:
            lines.append(f"| {pair.mine} | {pair.peer} | {' | '.join(ratio.shown(3) for ratio in compared)} |")
    return lines


def section(rows, about, together=False):
    """The part of a size, as lines."""
    how = " for each of two programs at the same time" if together else ""
    lines = [f"### {about['records']:,} records of {about['record_bytes']:,} B{how}, {about['processor']}", "",
             f"{about['date']}, `{about['command']}`: {about['rounds']} rounds, tandem {about['tandem']}, librdkafka "
             f"{about['librdkafka']}, Kafka {about['kafka']} on Java {about['java']}, {about['compiler']}; "
             f"{about['processor']}, {about['cores']} cores, {about['memory_gib']} GiB, Linux {about['kernel']}.", ""]
    problems = list(about["problems"])
    flagged = [row for row in rows if row.flags]
    if flagged:
        names = ", ".join(sorted({name for row in flagged for name in row.flags.split()}))
        problems.append(f"{len(flagged)} of {len(rows)} trials were flagged and kept ({names})")
    lines += cases_table(rows) + [""] + pairs_table(rows)
    if problems:
        lines += ["", "Note: " + "; ".join(problems) + "."]
    return lines


def stored():
    """(trials, what they were made with, whether at the same time) of all that was ever run, machine by machine; after
    each size what was read at the same time."""
    for machine in trials.machines():
        for shape in SHAPES:
            for together in (False, True):
                found = trials.load(machine, stored_name(shape, together))
                if found:
                    yield *found, together


def tables():
    """All that was ever run, as one text."""
    return "\n".join("\n".join(section(*one)) + "\n" for one in stored())


def summary():
    """The table of docs/performance.md: the comparisons that answer its question."""
    lines = ["| program | against | at the same time | size | processor | speed | CPU per record |",
             "|---|---|---|--:|---|--:|--:|"]
    runs = list(stored())
    for pair in (pair for pair in PAIRS if pair.chosen):
        for rows, about, together in runs:
            if compared := compare(rows, pair):
                lines.append(f"| {pair.mine} | {pair.peer} | {'yes' if together else ''} | {about['record_bytes']:,} B "
                             f"| {about['processor']} | {compared[0].shown()} | {compared[2].shown()} |")
    return "\n".join(lines)


def write():
    """Writes results/peers/README.md and the table in docs/performance.md."""
    heading = ("# tandem beside its peers\n\nMade by `scripts/evidence/run peers --table` from the trials in the folders of "
               "this one: a folder for each\nmachine, a CSV file for each size of record. What the columns mean and how the "
               "windows are made equal:\n[docs/performance.md](../../docs/performance.md). In November 2026 the command was "
               "called `scripts/peers`.\n\n")
    (trials.RESULTS / "README.md").write_text(heading + tables(), encoding="utf-8")
    document.put(document.PERFORMANCE, "peers", summary())
