"""Reads one topic with tandem, with librdkafka's rdkafka_performance and with Kafka's ConsumerPerformance, in turns or,
with --together, tandem and the C program at the same time. Prints a table of each size of record."""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

import broker
import build
import document
import runs
import table
import trials

QUESTION, TIME = "Is tandem's reader as fast as the best programs?", "25 to 50 minutes; with --together 6 to 9"
# Size of a record's value and records of a trial, so that the fastest reads for about 0.7 s or more on two cores.
SHAPES = {"100B": (100, 10_000_000), "1KiB": (1024, 2_400_000), "10KiB": (10_240, 320_000)}
ROUNDS = 10
QUICK_ROUNDS, QUICK_SHARE = 2, 10
# Both at the same time: sizes, rounds, and how many times the records of the others' trials.
TOGETHER_SHAPES, TOGETHER_ROUNDS, TOGETHER_TIMES = ["100B", "1KiB"], 20, 3
# Seconds without a sign of life: a JVM says nothing before its end.
STALL_LIMIT = 120
# How tandem's worker and the C program's call their clients.
CLIENTS = {"librdkafka": table.BATCH, "rdkafka_performance": table.C}


def arguments(parser):
    parser.add_argument("--shapes", metavar="LIST", help=f"sizes of records, with commas between them [default: "
                        f"{','.join(SHAPES)}, with --together {','.join(TOGETHER_SHAPES)}]")
    parser.add_argument("--rounds", type=int,
                        help=f"counted rounds of each size [default: {ROUNDS}, with --together {TOGETHER_ROUNDS}]")
    parser.add_argument("--together", action="store_true",
                        help="tandem's batch reader and the C program on the same allocator at the same time, a "
                        "partition for each, so that whatever else the machine does slows both; nothing else")
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--quick", action="store_true",
                      help=f"{QUICK_ROUNDS} rounds of a tenth of the records, for a look")
    kept.add_argument("--table", action="store_true", help="make the tables again from results/peers, run nothing")
    kept.add_argument("--write", action="store_true", help="store the trials and make the tables of results/peers and "
                      f"{document.PERFORMANCE} again")


def complete(given):
    """The flags with what was left out."""
    if given.rounds is None:
        given.rounds = QUICK_ROUNDS if given.quick else TOGETHER_ROUNDS if given.together else ROUNDS
    given.shapes = given.shapes.split(",") if given.shapes else TOGETHER_SHAPES if given.together else list(SHAPES)
    unknown = [shape for shape in given.shapes if shape not in SHAPES]
    if unknown:
        raise ValueError(f"there is no size {', '.join(unknown)}: choose from {', '.join(SHAPES)}")
    if not 2 <= given.rounds <= 100:
        raise ValueError("--rounds must be from 2 to 100: an interval needs two at least")
    return given


def launcher(turns, first, second):
    """The launcher of a trial of two workers, whose turns are counted in a folder: a list of strings is the same in
    TOML as in JSON. Behind the second's command line tandem puts what follows its own."""
    return json.dumps([sys.executable, str(build.WORKERS / "together.py"), *map(str, [turns, *first, "--", *second])])


def run(shape, built, given):
    """Runs a size of record."""
    size, records = SHAPES[shape]
    records = records * (TOGETHER_TIMES if given.together else 1) // (QUICK_SHARE if given.quick else 1)
    flags = ["--repetitions", given.rounds, "--stall-limit", STALL_LIMIT]
    values = {"size": size, "records": records, "python": sys.executable, "programs": built.folder}
    if not given.together:
        return runs.Run(built.tandem, "peers", values, flags, env={**os.environ, "KAFKA_LIBS": str(broker.libraries())})
    with tempfile.TemporaryDirectory(prefix="tandem-turns-") as turns:
        peer = [sys.executable, build.WORKERS / "rdkafka_performance.py", built.program("mimalloc")]
        values["launcher"] = launcher(turns, peer, [built.tandem, "worker"])
        return runs.Run(built.tandem, "together", values, flags)


def case_of(process):
    """Which of the two programs that read at the same time a process is."""
    return CLIENTS[process["client"]]


def about(environment, shape, built, rows, problems):
    """What a run was made with, for the head of its table."""
    compiler = subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "--version"], capture_output=True, text=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    # The tables themselves are changed by the size before.
    changed = subprocess.run(["git", "status", "--porcelain", "--", ":!docs", ":!results"], capture_output=True, text=True)
    commit += "-dirty" if commit and changed.stdout.strip() else ""
    version = re.search(r"\+([\d.]+)", built.scripts["rdkafka-sys"]["package_id"])
    return {
        "command": shlex.join(["scripts/evidence/run", *sys.argv[1:]]), "date": time.strftime("%Y-%m-%d"), "rounds": 1 + max(row.block for row in rows),
        "record_bytes": SHAPES[shape][0], "records": rows[0].records, "tandem": f"{environment['tandem_version']} ({commit or 'no git'})",
        "librdkafka": version[1] if version else "?", "kafka": environment["cluster"]["version"],
        "java": environment["cluster"]["java"],
        "compiler": " ".join([compiler.stdout.splitlines()[0], *built.library_flags()]),
        "processor": environment["processor"], "cores": environment["cores"],
        "memory_gib": round(environment["memory_bytes"] / 2**30), "kernel": environment["kernel"],
        "python": sys.version.split()[0], "problems": problems}


def main(given):
    if given.table:
        table.write()
        return runs.DONE
    given = complete(given)
    built = build.Build(build.build_messages())
    for allocator in ("system", "mimalloc"):
        build.compile_program(built, allocator)
    code = runs.DONE
    for shape in given.shapes:
        done = run(shape, built, given)
        rows, problems = trials.from_run(done.trials, case_of if given.together else None)
        code = runs.WRONG if problems else code
        made_with = about(done.environment, shape, built, rows, problems)
        print("\n".join(table.section(rows, made_with, given.together)))
        if given.write:
            trials.store(table.stored_name(shape, given.together), rows, made_with)
            table.write()
    return code
