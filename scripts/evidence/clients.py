"""Reads one topic with the ready-made clients in Python and Go and with plain loops of the same libraries, in turns, in a
batch and by poll, and with the client in Java and Kafka's ConsumerPerformance, whose settings it gets. Prints how much longer
a client takes, and how much more CPU. It may take 2 % more, and 5 % at the upper limit; the one in Java 5 % more."""

import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import broker
import build
import ratios
import runs

QUESTION, TIME = "Is a ready-made client as fast as a plain loop of its library?", "About 25 minutes"
# Client, how it reads, and records of a trial, so that each takes some seconds.
CLIENTS = [("python", "batch", 4_000_000), ("python", "poll", 2_000_000),
           ("go", "batch", 10_000_000), ("go", "poll", 10_000_000), ("java", "batch", 10_000_000)]
# How many times as long a client may take, and at the upper limit of the interval.
LIMITS = {"python": (1.02, 1.05), "go": (1.02, 1.05), "java": (1.05, math.inf)}
CONFLUENT_KAFKA = "2.12.1"


def arguments(parser):
    parser.add_argument("--share", type=float, default=1.0, help="share of the records of a trial [default: 1]")
    parser.add_argument("--rounds", type=int, default=10, help="counted rounds [default: 10]")
    parser.add_argument("--only", action="append", choices=LIMITS, help="only this client (can be given again)")
    build.add_tandem(parser)


def made(commands):
    """Runs the commands that make what is measured, each in its folder."""
    for command, where in commands:
        try:
            subprocess.run(command, cwd=where, check=True)
        except (OSError, subprocess.CalledProcessError) as failure:
            raise build.Missing(f"the clients could not be built: {failure}") from failure


def with_confluent_kafka(folder):
    """Makes a Python with the packages of the client below a folder, and returns its path."""
    made([([sys.executable, "-m", "venv", folder / "venv"], "."),
          ([folder / "venv/bin/pip", "install", "--quiet", "--requirement", "clients/python/requirements.txt",
            f"confluent-kafka=={CONFLUENT_KAFKA}"], ".")])
    return folder / "venv/bin/python"


def prepared(folder):
    """Builds the Go programs in a folder, and a Python with confluent-kafka, whose path it returns."""
    loop = Path("scripts/evidence/workers/plain_loop.go").resolve()
    made([(["go", "build", "-o", folder / "worker", "."], "clients/go"),
          (["go", "build", "-o", folder / "plain_loop", loop], "clients/go")])
    return with_confluent_kafka(folder)


def ratios_of(run):
    """How much longer the client takes than its loop, from the common start to the last record, and how much more CPU."""
    times, used = [{}, {}], [{}, {}]
    for trial in run.counted():
        measured, order = trial["measurement"], trial["order"]
        times[order["configuration"]][order["block"]] = measured["end_ns"] - measured["start_ns"]
        used[order["configuration"]][order["block"]] = sum(process["window"]["cpu_ns"] for process in measured["processes"])
    return ratios.paired_ratio(*times), ratios.paired_ratio(*used)


def line(client, read, records, time, used):
    """A row of the table."""
    return f"| {client}, {read} | {records:,} | {time.shown(3)} | {used.shown(3)} | {time.blocks} |"


def is_good(client, time):
    """Whether a client is as fast as it should be."""
    point, upper = LIMITS[client]
    return time.mean <= point and time.high <= upper


def main(given):
    code, table = runs.DONE, []
    tandem = build.chosen(given)
    with_jars = {**os.environ, "KAFKA_LIBS": str(broker.libraries())}
    with tempfile.TemporaryDirectory(prefix="tandem-clients-") as scratch:
        folder = Path(scratch)
        python = prepared(folder)
        for client, read, most in CLIENTS:
            if client not in (given.only or LIMITS):
                continue
            records = max(1_000, round(most * given.share))
            values = {"python": python, "folder": folder, "client": client, "read": read, "records": records}
            scenario = "java" if client == "java" else "clients"
            run = runs.Run(tandem, scenario, values, ["--repetitions", given.rounds], env=with_jars)
            time, used = ratios_of(run)
            table.append(line(client, read, records, time, used))
            print(table[-1], file=sys.stderr, flush=True)
            code = max(code, run.code, runs.DONE if is_good(client, time) else runs.WRONG)
    print("| client | records of a trial | time, its loop's = 1 [95 %] | CPU, its loop's = 1 [95 %] | rounds |",
          "|---|--:|---|---|--:|", *table, sep="\n")
    return code
