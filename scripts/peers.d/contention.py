"""scripts/contention: reads with tandem from one broker and from two, and shows what the threads of the reading processes
did in the measured window: how long the client's broker threads computed and waited, and what the readers used."""

import argparse
import json
import re
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import build
import ratios
import runs
from document import put

SCENARIOS = {"One broker": Path("scripts/peers.d/contention.toml"),
             "Two brokers, each of which leads one partition": Path("scripts/peers.d/contention-two-brokers.toml")}
BEGIN, END = "<!-- contention: made by scripts/contention, not by hand -->", "<!-- contention: end -->"
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


def from_run(folder, brokers):
    """{case: [Trial]} of the counted and complete trials of a run on so many brokers, in the order of the cases."""
    cases = {}
    stored = [json.loads(path.read_text(encoding="utf-8")) for path in (folder / "trials").glob("*.json")]
    for trial in sorted(stored, key=lambda trial: trial["order"]["configuration"]):
        if trial["order"]["kind"] != "counted" or trial["status"]["status"] != "complete":
            continue
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

        cases.setdefault(trial["configuration_name"], []).append(Trial(
            trial["order"]["block"], (m["end_ns"] - m["start_ns"]) / 1e9, cpu(fetching), len(fetching),
            cpu(t for t in threads if READER_THREAD.match(t["name"])),
            sum(window["cpu_ns"] for window in windows) / 1e9))
    return cases


def rows(cases):
    """The table, as lines of Markdown: medians over the blocks, and each case's speed against the first."""
    first = next(iter(cases.values()))
    base = {trial.block: 1 / trial.read for trial in first}
    lines = ["| case | read time | speed against the first | broker threads: CPU | of their time | readers: CPU "
             "| CPU of all |", "|---|--:|--:|--:|--:|--:|--:|"]
    for name, trials in cases.items():
        def median(value, trials=trials):
            return statistics.median(value(trial) for trial in trials)

        ratio = ratios.paired_ratio({trial.block: 1 / trial.read for trial in trials}, base)
        against = "1" if trials is first else f"{ratio.mean:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
        busy = median(lambda t: t.broker_threads / (t.read * t.broker_thread_count))
        lines.append(f"| {name} | {median(lambda t: t.read):.3f} s | {against} | {median(lambda t: t.broker_threads):.2f} s "
                     f"| {busy:.0%} | {median(lambda t: t.readers):.2f} s | {median(lambda t: t.all_threads):.2f} s |")
    return lines


def main():
    parser = argparse.ArgumentParser(prog="scripts/contention", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="counted rounds [default: 10]")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    given = parser.parse_args()
    tandem = build.Build(build.build_messages()).tandem
    parts, code = [], runs.DONE
    with tempfile.TemporaryDirectory(prefix="tandem-contention-") as scratch:
        for number, (name, scenario) in enumerate(SCENARIOS.items()):
            folder = Path(scratch) / str(number)
            code = max(code, runs.measure([tandem, "run", scenario, "--repetitions", str(given.rounds), "--out", folder]))
            environment = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
            parts += ["", f"{name}:", "", *rows(from_run(folder, environment["cluster"]["brokers"]))]
    head = (f"`scripts/contention --rounds {given.rounds}`, tandem {environment['tandem_version']}, Kafka "
            f"{environment['cluster']['version']}, {environment['processor']}, {environment['cores']} cores. Medians; "
            "ratios within rounds with their 95 % interval.")
    text = "\n".join([head, *parts])
    print(text)
    if code:
        print("a trial failed: the table is not written", file=sys.stderr)
    elif given.write:
        put(BEGIN, END, text)
    return code


if __name__ == "__main__":
    build.end_with("scripts/contention", main)
