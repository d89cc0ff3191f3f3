"""scripts/peers: reads one topic in turns with tandem and with its peers, and makes the tables of it."""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import build
import consumer_performance
import runs
import side_by_side
import table
import trials

HERE = Path("scripts/peers.d")
RUNS = trials.RESULTS / "runs"
# Size of a record's value and records of a trial, so that the fastest reads for about 0.7 s or more on two cores.
SHAPES = {"100B": (100, 10_000_000), "1KiB": (1024, 2_400_000), "10KiB": (10_240, 320_000)}
# The version that tandem brings and runs by default.
KAFKA = "4.3.1"
ROUNDS = 10
QUICK_ROUNDS, QUICK_SHARE = 2, 10
# Both at the same time: rounds, and how many times the records of the others' trials.
TOGETHER_ROUNDS, TOGETHER_TIMES = 20, 3
# Seconds without a sign of life: a JVM says nothing before its end.
STALL_LIMIT = "120"
# How tandem's worker and the C program's call their clients.
CLIENTS = {"librdkafka": table.BATCH, "rdkafka_performance": table.C}


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/peers", description="Reads one topic in turns with tandem, with librdkafka's "
        "rdkafka_performance and with Kafka's ConsumerPerformance, and writes results/peers and the tables of "
        "docs/performance.md. All of it takes about 25 minutes on two cores; --together about 6.")
    parser.add_argument("--shapes", metavar="LIST",
                        help=f"sizes of records, with commas between them [default: {','.join(SHAPES)}, with --together "
                        f"{','.join(table.TOGETHER_SHAPES)}]")
    parser.add_argument("--rounds", type=int,
                        help=f"counted rounds of each shape [default: {ROUNDS}, with --together {TOGETHER_ROUNDS}]")
    parser.add_argument("--only", action="append", default=[], metavar="CASE",
                        help="only this case of scripts/peers.d/peers.toml (can be given again); stores no tables")
    parser.add_argument("--together", action="store_true",
                        help="tandem's batch reader and the C program on the same allocator at the same time, a "
                        "partition for each, so that whatever else the machine does slows both; nothing else, records "
                        f"of {' and '.join(table.TOGETHER_SHAPES)}")
    parser.add_argument("--quick", action="store_true",
                        help=f"{QUICK_ROUNDS} rounds of a tenth of the records, for a look: stores no tables")
    parser.add_argument("--table", action="store_true", help="make the tables again from results/peers, run nothing")
    given = parser.parse_args()
    if given.together and given.only:
        parser.error("--together has one case of its own: --only does not go with it")
    if given.rounds is None:
        given.rounds = TOGETHER_ROUNDS if given.together and not given.quick else QUICK_ROUNDS if given.quick else ROUNDS
    given.shapes = given.shapes.split(",") if given.shapes else list(table.TOGETHER_SHAPES if given.together else SHAPES)
    unknown = [shape for shape in given.shapes if shape not in SHAPES]
    if unknown:
        parser.error(f"there is no shape {', '.join(unknown)}: choose from {', '.join(SHAPES)}")
    if not 2 <= given.rounds <= 100:
        parser.error("--rounds must be from 2 to 100: an interval needs two at least")
    return given


def records_of(shape, given):
    """Records of a trial."""
    records = SHAPES[shape][1] * (TOGETHER_TIMES if given.together else 1)
    return records // QUICK_SHARE if given.quick else records


def scenario(shape, built, given, scratch):
    """The scenario of a shape: the file with what stands between braces filled in."""
    size, records = SHAPES[shape][0], records_of(shape, given)
    if given.together:
        peer = [sys.executable, HERE / "rdkafka_performance.py", built.program("mimalloc")]
        return side_by_side.scenario(size, records, peer, [built.tandem, "worker"], scratch)
    values = {"size": size, "records": records, "python": sys.executable, "programs": built.folder}
    return re.sub(r"\{(size|records|python|programs)\}", lambda found: str(values[found[1]]),
                  (HERE / "peers.toml").read_text(encoding="utf-8"))


def kafka_libs():
    """Where Kafka's jars are, or will be once tandem has brought them."""
    if os.environ.get("KAFKA_HOME"):
        return Path(os.environ["KAFKA_HOME"]) / "libs"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "tandem/kafka" / KAFKA / "libs"


def run(shape, built, given):
    """Runs a shape; returns the run's folder, and ends the program where tandem could not run it."""
    RUNS.mkdir(parents=True, exist_ok=True)
    name = table.stored_name(shape, given.together)
    folder = RUNS / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    with tempfile.TemporaryDirectory(prefix="tandem-peers-") as scratch:
        file = RUNS / f"{name}.toml"
        file.write_text(scenario(shape, built, given, scratch), encoding="utf-8")
        command = [str(built.tandem), "run", str(file), "--repetitions", str(given.rounds), "--stall-limit", STALL_LIMIT,
                   "--out", str(folder)]
        for case in given.only:
            command += ["--only", case]
        runs.measure(command, env={**os.environ, "KAFKA_LIBS": str(kafka_libs())})
    return folder


def case_of(process, _):
    """Which of the two programs that read at the same time a process is."""
    return CLIENTS[process["client"]]


def about(folder, shape, built, rows, problems):
    """What a run was made with, for the head of its table."""
    environment = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    compiler = subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "--version"], capture_output=True, text=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    # The tables themselves are changed by the shape before.
    changed = subprocess.run(["git", "status", "--porcelain", "--", ":!docs", ":!results"], capture_output=True, text=True)
    commit += "-dirty" if commit and changed.stdout.strip() else ""
    version = re.search(r"\+([\d.]+)", built.scripts["rdkafka-sys"]["package_id"])
    return {
        "command": shlex.join(["scripts/peers", *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d"), "rounds": 1 + max(row.block for row in rows),
        "record_bytes": SHAPES[shape][0], "records": rows[0].records, "tandem": f"{environment['tandem_version']} ({commit or 'no git'})",
        "librdkafka": version[1] if version else "?", "kafka": environment["cluster"]["version"],
        "java": environment["cluster"]["java"],
        "compiler": " ".join([compiler.stdout.splitlines()[0], *built.library_flags()]),
        "processor": environment["processor"], "cores": environment["cores"],
        "memory_gib": round(environment["memory_bytes"] / 2**30), "kernel": environment["kernel"],
        "python": sys.version.split()[0], "problems": problems}


def main():
    given = arguments()
    if given.table:
        table.write()
        return runs.DONE
    if not shutil.which(consumer_performance.java()):
        raise build.Missing("Java 17 or later is needed, for the brokers and for ConsumerPerformance: there is none in "
                            "JAVA_HOME and none on PATH")
    built = build.Build(build.build_messages())
    for allocator in ("system", "mimalloc"):
        print(f"built: {shlex.join(build.compile_program(built, allocator))}", file=sys.stderr)
    code = runs.DONE
    for shape in given.shapes:
        folder = run(shape, built, given)
        rows, problems = trials.from_run(folder, case_of if given.together else None)
        code = runs.WRONG if problems else code
        made_with = about(folder, shape, built, rows, problems)
        print("\n".join(table.section(shape, rows, made_with, given.together)))
        if not given.quick and not given.only:
            trials.store(table.stored_name(shape, given.together), rows, made_with)
            table.write()
    return code


if __name__ == "__main__":
    build.end_with("scripts/peers", main)
