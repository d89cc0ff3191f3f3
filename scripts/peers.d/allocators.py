"""scripts/allocators: the reader with the system's allocator, mimalloc and jemalloc, in turns in one run."""

import argparse
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import build as cargo
import ratios
import runs
import trials
from document import put

SCENARIO = Path("scripts/peers.d/allocators.toml")
BEGIN, END = "<!-- allocators: made by scripts/allocators, not by hand -->", "<!-- allocators: end -->"
# What cargo is told for each; the first is what the others are compared with.
BUILDS = {"system": ["--no-default-features"],
          "mimalloc": ["--no-default-features", "--features", "mimalloc"],
          "jemalloc": ["--no-default-features", "--features", "jemalloc"]}
SHAPES = {"100 B": (100, 10_000_000), "1 KiB": (1024, 2_400_000)}


def build(folder):
    """Builds tandem with each allocator; leaves the default one in target/release."""
    for name, features in [*BUILDS.items(), ("default", [])]:
        shutil.copy2(cargo.program(cargo.build_messages(features)), folder / f"tandem-{name}")


def table(shape, cases):
    """A row for each case: medians, and ratios to the system's allocator with as many consumers."""
    lines = []
    for case, of_case in cases.items():
        members, allocator = case.split(", ")
        base = cases[f"{members}, system"]

        def ratio(value):
            if allocator == "system":
                return "1"
            found = ratios.paired_ratio(*({t.block: value(t) for t in these} for these in (of_case, base)))
            return f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]"

        speed = statistics.median(t.records / t.start_to_last for t in of_case) / 1e6
        cpu = statistics.median(t.cpu / t.records for t in of_case) * 1e6
        lines.append(f"| {shape}, {members} | {allocator} | {speed:.2f} M | {ratio(lambda t: t.records / t.start_to_last)} "
                     f"| {cpu:.3f} | {ratio(lambda t: t.cpu / t.records)} |")
    return lines


def main():
    parser = argparse.ArgumentParser(prog="scripts/allocators", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="counted rounds [default: 10]")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    given = parser.parse_args()
    lines = ["| records, consumers in one process | allocator | records/s | speed against the system's "
             "| CPU s per million records | against the system's |", "|---|---|--:|--:|--:|--:|"]
    failed = []
    with tempfile.TemporaryDirectory(prefix="tandem-allocators-") as scratch:
        scratch = Path(scratch)
        build(scratch)
        for shape, (size, records) in SHAPES.items():
            values = {"size": size, "records": records, "programs": scratch}
            file = scratch / f"{shape.replace(' ', '')}.toml"
            file.write_text(re.sub(r"\{(size|records|programs)\}", lambda found: str(values[found[1]]),
                                   SCENARIO.read_text(encoding="utf-8")), encoding="utf-8")
            folder = scratch / f"run-{size}"
            runs.measure([scratch / "tandem-default", "run", file, "--repetitions", str(given.rounds), "--out", folder])
            rows, problems = trials.from_run(folder)
            failed += problems
            cases = {}
            for row in rows:
                cases.setdefault(row.case, []).append(row)
            lines += table(shape, cases) if not problems else []
    text = "\n".join([f"`scripts/allocators --rounds {given.rounds}`: medians; ratios within rounds with their 95 % "
                      "interval.", "", *lines])
    print(text)
    if failed:
        print("trials failed, the table is not written: " + "; ".join(failed), file=sys.stderr)
        return 1
    if given.write:
        put(BEGIN, END, text)
    return 0


if __name__ == "__main__":
    cargo.end_with("scripts/allocators", main)
