"""Reads with tandem from one broker and from two, and shows what the threads of the reading processes did in the
measured window: how long the client's broker threads computed, and what the readers used."""

import re
import statistics
import sys
from dataclasses import dataclass

import build
import document
import ratios
import runs

QUESTION, TIME = "What keeps one consumer from reading as fast as two?", "About 7 minutes"
# librdkafka's thread for one broker: it receives and decodes everything that this broker leads.
BROKER_THREAD = re.compile(r"rdk:broker\d+$")
READER_THREAD = re.compile(r"reader-\d+$")
# What a broker's thread without a partition uses at most in a trial.
IDLE_NS = 50_000_000


@dataclass
class Trial:
    """A counted trial; seconds from the common start to the last record, and CPU seconds within them."""

    block: int
    read: float
    broker_threads: float
    broker_thread_count: int
    readers: float
    all_threads: float


def measured(trial, brokers):
    """What the threads did in a trial on so many brokers."""
    m = trial["measurement"]
    windows = [process["window"] for process in m["processes"]]
    threads = [thread for window in windows for thread in window["threads"]]
    # A client has a thread for a broker that it reads nothing from, too.
    fetching = [t for t in threads if BROKER_THREAD.match(t["name"]) and t["cpu_ns"] > IDLE_NS]
    # Two partitions: of one consumer, on one broker or on two; or of two consumers, one each.
    expected = max(len(m["members"]), brokers)
    if len(fetching) != expected:
        raise ValueError(f"{trial['configuration_name']}, block {trial['order']['block'] + 1}: {len(fetching)} threads "
                         f"fetched where {expected} should have")

    def cpu(of):
        return sum(t["cpu_ns"] for t in of) / 1e9

    return Trial(trial["order"]["block"], (m["end_ns"] - m["start_ns"]) / 1e9, cpu(fetching), len(fetching),
                 cpu(t for t in threads if READER_THREAD.match(t["name"])), cpu(windows))


def rows(cluster, cases):
    """Rows of the table: medians over the blocks, and each case's speed against the first."""
    first = next(iter(cases.values()))
    lines = []
    for name, trials in cases.items():
        def median(value, trials=trials):
            return statistics.median(value(trial) for trial in trials)

        ratio = ratios.of_trials(trials, first, lambda trial: 1 / trial.read)
        busy = median(lambda t: t.broker_threads / (t.read * t.broker_thread_count))
        lines.append(f"| {cluster} | {name} | {median(lambda t: t.read):.3f} s | {'1' if trials is first else ratio.shown()} "
                     f"| {median(lambda t: t.broker_threads):.2f} s | {busy:.0%} | {median(lambda t: t.readers):.2f} s "
                     f"| {median(lambda t: t.all_threads):.2f} s |")
    return lines


def arguments(parser):
    parser.add_argument("--rounds", type=int, default=10, help="counted rounds [default: 10]")
    document.add_write(parser, document.PERFORMANCE)


def main(given):
    tandem = build.tandem()
    lines = ["| brokers | case | read time | speed against the first | broker threads: CPU | of their time "
             "| readers: CPU | CPU of all |", "|---|---|--:|--:|--:|--:|--:|--:|"]
    code = runs.DONE
    for brokers in (1, 2):
        run = runs.Run(tandem, "contention", {"brokers": brokers}, ["--repetitions", given.rounds])
        code, cases = max(code, run.code), {}
        for trial in run.counted():
            cases.setdefault(trial["configuration_name"], []).append(measured(trial, brokers))
        lines += rows(brokers, cases)
    environment = run.environment
    text = "\n".join([f"{given.rounds} rounds, tandem {environment['tandem_version']}, Kafka "
                      f"{environment['cluster']['version']}, {environment['processor']}, {environment['cores']} cores. "
                      f"Medians; ratios within rounds with their 95 % interval.", "", *lines])
    print(text)
    if code:
        print("a trial failed: the table is not written", file=sys.stderr)
    elif given.write:
        document.put(document.PERFORMANCE, "contention", text)
    return code
