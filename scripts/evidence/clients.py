"""Reads one topic with the ready-made clients in Python and Go and with plain loops of the same libraries, in turns, in a
batch and by poll. Prints how much longer a client takes than its loop; it may take 2 % more, and 5 % at the upper limit."""

import subprocess
import sys
import tempfile
from pathlib import Path

import build
import ratios
import runs

QUESTION, TIME = "Is a ready-made client as fast as a plain loop of its library?", "About 10 minutes"
PAIRS = [(f"{app}, {read}", f"{app}'s loop, {read}") for app in ("python", "go") for read in ("batch", "poll")]
POINT, UPPER = 1.02, 1.05
CONFLUENT_KAFKA = "2.12.1"


def arguments(parser):
    parser.add_argument("--records", type=int, default=2_000_000, help="records of a trial [default: 2,000,000]")
    parser.add_argument("--rounds", type=int, default=10, help="counted rounds [default: 10]")


def prepared(folder):
    """Builds the Go programs in a folder, and a Python with confluent-kafka, whose path it returns."""
    commands = [(["go", "build", "-o", folder / "worker", "."], "clients/go"),
                (["go", "build", "-o", folder / "plain_loop", Path("scripts/evidence/workers/plain_loop.go").resolve()],
                 "clients/go"),
                ([sys.executable, "-m", "venv", folder / "venv"], "."),
                ([folder / "venv/bin/pip", "install", "--quiet", "--requirement", "clients/python/requirements.txt",
                  f"confluent-kafka=={CONFLUENT_KAFKA}"], ".")]
    for command, where in commands:
        try:
            subprocess.run(command, cwd=where, check=True)
        except (OSError, subprocess.CalledProcessError) as failure:
            raise build.Missing(f"the clients could not be built: {failure}") from failure
    return folder / "venv/bin/python"


def read_ns(run):
    """{name: {block: ns from the common start to the last record}}."""
    times = {}
    for trial in run.counted():
        measured = trial["measurement"]
        blocks = times.setdefault(trial["configuration_name"], {})
        blocks[trial["order"]["block"]] = measured["end_ns"] - measured["start_ns"]
    return times


def lines(times):
    """What is printed, and whether every client is as fast as it should be."""
    found = {client: ratios.paired_ratio(times[client], times[loop]) for client, loop in PAIRS}
    is_good = all(ratio.mean <= POINT and ratio.high <= UPPER for ratio in found.values())
    table = [f"| {client} | {ratio.shown(3)} | {ratio.blocks} |" for client, ratio in found.items()]
    return ["| client | time, its loop's = 1 [95 %] | rounds |", "|---|---|---|", *table], is_good


def main(given):
    with tempfile.TemporaryDirectory(prefix="tandem-clients-") as scratch:
        folder = Path(scratch)
        values = {"python": prepared(folder), "folder": folder, "records": given.records}
        run = runs.Run(build.tandem(), "clients", values, ["--repetitions", given.rounds])
    table, is_good = lines(read_ns(run))
    print("\n".join(table))
    return run.code if is_good else runs.WRONG
