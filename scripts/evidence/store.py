"""Writes the same rows to a PostgreSQL that tandem starts: with tandem's own worker, which reads them from Kafka, and with
a plain program with pgx, which reads nothing, in turns, with 1, 10 and 100 rows in a transaction and by COPY. Prints how many rows
tandem writes where the plain program writes one; it should be 0.9 at least."""

import subprocess
import sys
import tempfile
from pathlib import Path

import build
import ratios
import runs

QUESTION, TIME = "Does tandem's worker write to a database as fast as a plain program?", "About 10 minutes"
# Way of writing, most rows of a transaction, and records of a trial, so that each takes some seconds.
WAYS = [("insert", 1, 4_000), ("insert", 10, 20_000), ("insert", 100, 60_000), ("copy", 1_000, 400_000)]
LEAST = 0.9


def arguments(parser):
    parser.add_argument("--rounds", type=int, default=10, help="counted rounds [default: 10]")
    parser.add_argument("--share", type=float, default=1.0, help="share of the records of a trial [default: 1]")
    build.add_tandem(parser)


def prepared(folder):
    """Builds the plain program in a folder."""
    command = ["go", "build", "-o", folder / "plain_store", Path("scripts/evidence/workers/plain_store.go").resolve()]
    try:
        subprocess.run(command, cwd="clients/go", check=True)
    except (OSError, subprocess.CalledProcessError) as failure:
        raise build.Missing(f"the plain program could not be built: {failure}") from failure


def rate(run):
    """Rows per second of tandem where the plain program writes one."""
    rates = [{}, {}]
    for trial in run.counted():
        measured, order = trial["measurement"], trial["order"]
        seconds = (measured["end_ns"] - measured["start_ns"]) / 1e9
        rates[order["configuration"]][order["block"]] = order["records"] / seconds
    return ratios.paired_ratio(*rates), [sorted(each.values())[len(each) // 2] for each in rates]


def main(given):
    code, lines = runs.DONE, []
    tandem = build.chosen(given)
    with tempfile.TemporaryDirectory(prefix="tandem-store-") as scratch:
        prepared(Path(scratch))
        for write, rows, records in WAYS:
            values = {"python": sys.executable, "folder": scratch, "write": write, "rows": rows,
                      "records": max(1_000, round(records * given.share))}
            run = runs.Run(tandem, "store", values, ["--repetitions", given.rounds])
            ratio, (mine, plain) = rate(run)
            lines.append(f"| {write} | {rows:,} | {mine:,.0f} | {plain:,.0f} | {ratio.shown(2)} | {ratio.blocks} |")
            code = max(code, run.code, runs.WRONG if ratio.mean < LEAST else runs.DONE)
    print("| write | rows of a transaction | rows/s, tandem | rows/s, plain program | tandem, plain = 1 [95 %] | rounds |")
    print("|---|--:|--:|--:|---|--:|", *lines, sep="\n")
    return code
