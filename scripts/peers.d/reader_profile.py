"""scripts/profile: what the threads of tandem's reader and of the C program spend their CPU on, by perf's samples in
time and by valgrind's count of instructions, which knows neither caches nor neighbours and so is the same every time."""

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import build
import runs
from document import put

SCENARIO = Path("scripts/peers.d/profile.toml")
BEGIN, END = "<!-- profile: made by scripts/profile, not by hand -->", "<!-- profile: end -->"
PROGRAMS = {"tandem": "tandem batch", "rdkafka_performance": "rdkafka_performance"}
# CPU time between two samples.
SAMPLE_NS = 500_000
PERF = f"exec perf record -q -e cpu-clock -c {SAMPLE_NS} -o {{out}}.$$ -- {{program}} \"$@\""
CALLGRIND = "exec valgrind -q --tool=callgrind --separate-threads=yes --callgrind-out-file={out}.%p {program} \"$@\""
# Records of a trial and trials of each program. Callgrind takes about 50 times as long.
PERF_SIZE, CALLGRIND_SIZE = (20_000_000, 3), (500_000, 1)

BROKER, READER, OTHERS = "broker thread", "reader", "others"
# What a function does, by its name; the first that matches. The kernel's are known by their place.
GROUPS = [
    ("allocator", r"_*(mi_|malloc|calloc|free|realloc)"),
    ("decoding", r"rd_kafka_(msgset_reader|fetch_reply|broker_fetch|aborted_txns)|rd_slice|rd_u?varint|rd_kafka_buf_read|"
                 r"rd_buf_(get|write|seek|push|find)|rd_crc32|rd_segment"),
    ("messages and their references", r"rd_kafka_(op_new|op_destroy|op_version|msg_destroy|message_|buf_handle_op|"
                                      r"buf_destroy|toppar_(keep|destroy)|topic_(keep|destroy)|interceptors|headers)|"
                                      r"rd_refcnt|<.*QueueMessage|.*drop_in_place.*Message"),
    ("queues and locks", r"rd_kafka_(q_|consume|poll_cb|op_handle|op_app|fetch_op|update_app_pos|yield|app_poll|"
                         r"purge_outdated)|mtx_|cnd_|_*(pthread|lll)_|rwlock"),
    ("the program's own", r".*tandem::|<?(core|alloc|std|hashbrown)::|msg_consume|main$|print_stats|rd_clock"),
]


def group(function, kernel):
    if kernel:
        return "kernel"
    return next((name for name, pattern in GROUPS if re.match(pattern, function)), "the rest")


def role_by_name(thread):
    """What a thread does, by the name that it gave itself."""
    if thread.startswith("rdk:broker"):
        return BROKER
    return READER if thread.startswith(("reader-", "rdkafka_perf")) else OTHERS


def samples(files):
    """{(role, group): nanoseconds of CPU} of perf's files."""
    spent = Counter()
    for file in files:
        text = subprocess.run(["perf", "script", "-i", str(file), "-F", "comm,ip,sym,dso", "--no-inline"], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace").stdout
        for line in text.splitlines():
            found = re.match(r"\s*(.+?)\s+[0-9a-f]+\s+(.+?)\s+\((.*)\)$", line)
            if found:
                thread, function, place = found.groups()
                kernel = "kernel" in place or place == "[unknown]" and function == "[unknown]"
                spent[role_by_name(thread), group(function, kernel)] += SAMPLE_NS
    return spent


def costs(text):
    """{function: instructions of its own} of one thread's file of callgrind
    (https://valgrind.org/docs/manual/cl-format.html)."""
    names, cost, function, of_a_call = {}, Counter(), None, False
    for line in text.splitlines():
        found = re.match(r"(c?fn)=\((\d+)\)(?: (.*))?$", line)
        if found:
            kind, number, name = found.groups()
            names.setdefault(number, name)
            function = names[number] if kind == "fn" else function
        elif line.startswith("calls="):
            of_a_call = True
        elif re.match(r"[+\-*\d]", line) and function:
            # The line after a call has what the called function cost, with all below it.
            if not of_a_call:
                cost[function] += int(line.split()[1])
            of_a_call = False
    return cost


def instructions(files):
    """{(role, group): instructions} of callgrind's files, one for each thread. A thread is known by what it did."""
    spent = Counter()
    for file in files:
        cost = costs(file.read_text(encoding="utf-8", errors="replace"))
        done = " ".join(cost)
        role = BROKER if "rd_kafka_msgset_reader" in done else READER if "rd_kafka_message_get" in done else OTHERS
        for function, count in cost.items():
            spent[role, group(function, False)] += count
    return spent


def run(built, folder, wrapper, size):
    """Runs the scenario with this around both programs; returns {program: its files}."""
    folder.mkdir()
    records, repetitions = size
    for name, program in [("tandem", built.tandem), ("rdkafka_performance", built.program("mimalloc"))]:
        script = folder / name
        script.write_text(f"#!/bin/sh\n{wrapper.format(out=folder / f'{name}.out', program=program.resolve())}\n")
        script.chmod(0o755)
    values = {"records": records, "repetitions": repetitions, "folder": folder, "python": sys.executable}
    scenario = folder / "profile.toml"
    scenario.write_text(re.sub(r"\{(records|repetitions|folder|python)\}", lambda found: str(values[found[1]]),
                               SCENARIO.read_text(encoding="utf-8")), encoding="utf-8")
    if runs.measure([built.tandem, "run", scenario, "--out", folder / "run", "--join-limit", "300", "--stall-limit", "300"]):
        raise build.Failed(runs.WRONG, "a trial failed, no table is made")
    files = {name: sorted(folder.glob(f"{name}.out.*")) for name in PROGRAMS}
    for name, found in files.items():
        if len(found) < repetitions:
            raise build.Missing(f"{name} left {len(found)} profiles where {repetitions} trials were run")
    return files


def rows(time, count):
    """The table, from {program: {(role, group): figure per record}} of both."""
    lines = ["| thread | what it does | tandem, ns | C program, ns | tandem, instructions | C program, instructions |",
             "|---|---|--:|--:|--:|--:|"]
    groups = [*(name for name, _ in GROUPS), "kernel", "the rest"]
    columns = [figures[name] for figures in (time, count) for name in PROGRAMS]

    def shown(figure):
        return figure >= 0.05

    def row(thread, what, keys):
        sums = [sum(column[key] for key in keys) for column in columns]
        # Callgrind does not see the kernel.
        cells = [f"{ns:.1f}" for ns in sums[:2]] + ["–" if what == "kernel" else f"{n:.0f}" for n in sums[2:]]
        return f"| {thread} | {what} | {' | '.join(cells)} |"

    for role in (BROKER, READER):
        lines += [row(role, name, [(role, name)]) for name in groups if any(shown(column[role, name]) for column in columns)]
        lines.append(row(f"**{role}**", "all", [(role, name) for name in groups]))
    lines.append(row("others", "", [(OTHERS, name) for name in groups]))
    lines.append(row("**all**", "", [(role, name) for role in (BROKER, READER, OTHERS) for name in groups]))
    return lines


def main():
    parser = argparse.ArgumentParser(prog="scripts/profile", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    given = parser.parse_args()
    built = build.Build(build.build_messages())
    build.compile_program(built, "mimalloc")
    with tempfile.TemporaryDirectory(prefix="tandem-profile-") as scratch:
        sampled = run(built, Path(scratch) / "perf", PERF, PERF_SIZE)
        time = {name: samples(files) for name, files in sampled.items()}
        counted = run(built, Path(scratch) / "callgrind", CALLGRIND, CALLGRIND_SIZE)
        count = {name: instructions(files) for name, files in counted.items()}
    for figures, (records, repetitions) in ((time, PERF_SIZE), (count, CALLGRIND_SIZE)):
        for name, spent in figures.items():
            if not spent[READER, "queues and locks"] or not spent[BROKER, "decoding"]:
                raise build.Missing(f"the profile of {name} shows no reading; are its symbols there?")
            for key in spent:
                spent[key] /= records * repetitions
    head = (f"`scripts/profile`: one consumer, two partitions, records of 100 B, mimalloc in both, per record. Time: "
            f"perf, a sample every {SAMPLE_NS // 1000} us of CPU, {PERF_SIZE[1]} trials of {PERF_SIZE[0]:,} records. "
            f"Instructions: callgrind, {CALLGRIND_SIZE[0]:,} records, from the start of the process to its end, without "
            "the kernel's.")
    text = "\n".join([head, "", *rows(time, count)])
    print(text)
    if given.write:
        put(BEGIN, END, text)
    return 0


if __name__ == "__main__":
    build.end_with("scripts/profile", main)
