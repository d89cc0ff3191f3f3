"""scripts/accounting: tandem's reader with and without the accounting of every record, both at the same time in one
run."""

import argparse
import tempfile
from pathlib import Path

import build as cargo
import runs
import side_by_side
from document import put

BEGIN, END = "<!-- accounting: made by scripts/accounting, not by hand -->", "<!-- accounting: end -->"
SHAPES = {"100 B": (100, 30_000_000)}
ON, OFF = "counted", "not counted"


def case_of(_, members):
    """Which of the two a process is: the one that does not count has no ledger."""
    counts = [partition["runs"] is not None for member in members for partition in member["partitions"]]
    return ON if all(counts) else OFF


def main():
    parser = argparse.ArgumentParser(prog="scripts/accounting", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="counted rounds [default: 20]")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    given = parser.parse_args()
    tandem = cargo.program(cargo.build_messages())
    off = ["env", "TANDEM_ACCOUNTING=off", tandem, "worker", "consumer"]
    lines = ["| records | every record is | records/s | speed | CPU s per million records | CPU |",
             "|---|---|--:|--:|--:|--:|"]
    with tempfile.TemporaryDirectory(prefix="tandem-accounting-") as scratch:
        scratch = Path(scratch)
        for shape, (size, records) in SHAPES.items():
            rows = side_by_side.run(tandem, scratch, size, records, off, [tandem, "worker"], given.rounds, case_of)
            # Who does not count does not know when the first record came.
            lines += side_by_side.table(shape, rows, ON, OFF, lambda trial: trial.start_to_last)
    text = "\n".join([f"`scripts/accounting --rounds {given.rounds}`: medians; ratios within rounds with their 95 % "
                      "interval.", "", *lines])
    print(text)
    if given.write:
        put(BEGIN, END, text)
    return runs.DONE


if __name__ == "__main__":
    cargo.end_with("scripts/accounting", main)
