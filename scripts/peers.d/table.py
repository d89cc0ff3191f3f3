"""The tables of results/peers and docs/performance.md, made from the stored trials and from nothing else."""

import itertools
import statistics
from dataclasses import dataclass

import ratios
import trials
from document import put

BEGIN, END = "<!-- peers: made by scripts/peers, not by hand -->", "<!-- peers: end -->"
SHAPES = ["100B", "1KiB", "10KiB"]
# Where the speed of the C program itself is asked for, and where both are run at the same time too.
TOGETHER_SHAPES = ("100B", "1KiB")

C, C_SYSTEM = "rdkafka_performance, same allocator", "rdkafka_performance, system's allocator"
JAVA = "ConsumerPerformance"
BATCH = "tandem batch"
TWO_CONSUMERS, TWO_PROCESSES = f"{BATCH}, one process of two consumers", f"{BATCH}, two processes"
ONE_CORE = f"{BATCH}, all its threads on one core"
ONE = ", one partition"


@dataclass
class Bound:
    """What a comparison has to reach: records/s at least, and CPU at most so many times the peer's."""

    speed: float
    cpu: float = None
    shapes: tuple = ("100B", "1KiB", "10KiB")


@dataclass
class Pair:
    mine: str
    peer: str
    bound: Bound = None


PAIRS = [
    Pair(BATCH, C, Bound(0.97, 1.03, TOGETHER_SHAPES)),
    Pair(BATCH, C_SYSTEM),
    Pair(ONE_CORE, BATCH),
    Pair("tandem poll", C),
    Pair("tandem stream", C),
    Pair(BATCH, JAVA, Bound(1.75, 1 / 3)),
    Pair(ONE_CORE, JAVA, Bound(1.75, 1 / 3)),
    Pair(TWO_CONSUMERS, JAVA, Bound(2.0, 1 / 3)),
    Pair(TWO_CONSUMERS, f"{C}, two processes", Bound(0.95)),
    Pair(BATCH, f"{C}, two processes", Bound(0.75)),
    Pair(C, f"{C}, two processes"),
    Pair(TWO_PROCESSES, f"{C}, two processes"),
    Pair(BATCH + ONE, C + ONE, Bound(0.97, 1.03, TOGETHER_SHAPES)),
    Pair(BATCH + ONE, C_SYSTEM + ONE),
    Pair("tandem poll" + ONE, C + ONE),
    Pair("tandem stream" + ONE, C + ONE),
    Pair(BATCH + ONE, JAVA + ONE),
]


def stored_name(shape, together):
    """What the files of a shape are called."""
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
            ratios.paired_ratio(*(values(case, lambda row: row.cpu / row.records) for case in (pair.mine, pair.peer))))


def shown(ratio):
    if ratio.blocks < 2:
        return f"{ratio.mean:.2f}"
    return f"{ratio.mean:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"


def verdict(pair, shape, speed, cpu):
    """What was asked of a comparison, and whether it is so: by the interval, by the mean alone, or not."""
    bound = pair.bound
    if not bound or shape not in bound.shapes:
        return "", ""
    asked, held = [f"speed >= {bound.speed:g}"], [(speed.low >= bound.speed, speed.mean >= bound.speed)]
    if bound.cpu:
        asked.append(f"CPU <= {bound.cpu:.3g}")
        held.append((cpu.high <= bound.cpu, cpu.mean <= bound.cpu))
    words = ["yes" if surely else "in the mean" if mean else "**no**" for surely, mean in held]
    return ", ".join(asked), ", ".join(words)


def pairs_table(rows, shape):
    lines = ["| tandem | peer | speed, first to last record | speed, from tandem's start | CPU per record | asked | so? |",
             "|---|---|--:|--:|--:|---|---|"]
    for pair in PAIRS:
        compared = compare(rows, pair)
        if compared:
            speed, from_start, cpu = compared
            asked, held = verdict(pair, shape, speed, cpu)
            lines.append(f"| {pair.mine} | {pair.peer} | {shown(speed)} | {shown(from_start)} | {shown(cpu)} | {asked} "
                         f"| {held} |")
    return lines


def section(shape, rows, about, together=False):
    """The part of a shape, as lines."""
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
    lines += cases_table(rows) + [""] + pairs_table(rows, shape)
    if problems:
        lines += ["", "To be known: " + "; ".join(problems) + "."]
    return lines


def tables():
    """All shapes that were ever run, machine by machine, as one text; after each what was read at the same time."""
    parts = []
    for machine, shape, together in itertools.product(trials.machines(), SHAPES, (False, True)):
        stored = trials.load(machine, stored_name(shape, together))
        if stored:
            parts += section(shape, *stored, together) + [""]
    return "\n".join(parts)


def write():
    """Writes results/peers/README.md and the tables in docs/performance.md."""
    text = tables()
    heading = ("# tandem beside its peers\n\nMade by `scripts/peers` from the trials in the folders of this one: a folder for "
               "each machine, a CSV file\nfor each size of record. What the columns mean and how the windows are made "
               "equal:\n[docs/performance.md](../../docs/performance.md).\n\n")
    (trials.RESULTS / "README.md").write_text(heading + text, encoding="utf-8")
    put(BEGIN, END, text)
