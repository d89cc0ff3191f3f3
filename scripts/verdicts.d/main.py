"""scripts/verdicts: runs the scenarios beside this file and compares the bottlenecks named, and the speed-ups, with what
must be so."""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path("scripts/verdicts.d")
DOCUMENT = Path("docs/method.md")
ROWS = Path("results/verdicts/checks.json")
BEGIN, END = "<!-- verdicts: made by scripts/verdicts, not by hand -->", "<!-- verdicts: end -->"


def run(tandem, name):
    """The rows of summary.csv and the summary of a finished run."""
    with tempfile.TemporaryDirectory(prefix="tandem-verdicts-") as scratch:
        folder = Path(scratch) / "run"
        code = subprocess.run([tandem, "run", str(HERE / f"{name}.toml"), "--out", str(folder)]).returncode
        if code not in (0, 1):
            raise SystemExit(code)
        with open(folder / "summary.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return rows, json.loads((folder / "summary.json").read_text(encoding="utf-8"))


# Runs of one configuration under two names.
AA_RUNS = 10


def verdict(ok):
    return "yes" if ok else "**no**"


def named(row, what, *wanted):
    """A row of the table: the bottleneck of a configuration against those that are true."""
    ok = row["bottleneck"] in wanted
    return (what, f"{row['bottleneck']}: {row['bottleneck_evidence']}", " or ".join(wanted), verdict(ok))


def wait(tandem):
    rows, summary = run(tandem, "wait")
    found = [named(row, f"`wait 1ms`, {row['members']} members on 4 partitions", "consumer-work") for row in rows]
    for comparison in summary["comparisons"]:
        if comparison["metric"] != "read_time" or not comparison["ratio"]:
            continue
        members = int(rows[comparison["configuration"]]["members"])
        ratio = comparison["ratio"]["point"]
        found.append((f"`wait 1ms`, {members} members against one", f"{ratio:.3f} times", f"{members}, within 5 %",
                      verdict(abs(ratio / members - 1) <= 0.05)))
    return found


def cpu(tandem):
    cores = os.cpu_count() or 1
    rows, _ = run(tandem, "cpu")
    return [named(row, f"`cpu 50us`, {row['members']} members on {cores} cores",
                  "all-cores" if int(row["members"]) >= cores else "consumer-work") for row in rows]


def skew(tandem):
    rows, _ = run(tandem, "skew")
    what, measured, wanted, _ = named(rows[0], "`weights = [0.9, 0.1]`, 2 members", "skew")
    ok = rows[0]["bottleneck"] == "skew" and "90 %" in rows[0]["bottleneck_evidence"]
    return [(what, measured, f"{wanted}, with 90 %", verdict(ok))]


def producers(tandem):
    return [named(run(tandem, "producers")[0][0], "2,000,000 records/s of 1 kB from one producer", "producers")]


def fetch_settings(tandem):
    rows, _ = run(tandem, "fetch-settings")
    return [named(rows[0], "`fetch.queue.backoff.ms` = 1000, default queues, `cpu 1us`", "fetch-settings"),
            named(rows[1], "the same with 10", "consumer-work", "reader-thread", "all-cores")]


def reading(tandem):
    # On two cores the broker computes beside the consumer, and both together may well fill them.
    wanted = ("reader-thread",) if (os.cpu_count() or 1) > 2 else ("reader-thread", "all-cores")
    return [named(run(tandem, "reading")[0][0], "100 B without work, one consumer", *wanted)]


def idle(tandem):
    return [named(run(tandem, "idle")[0][0], "4 members on 2 partitions", "idle-members")]


def aa(tandem):
    counts = {"faster": 0, "slower": 0, "same": 0, "undecided": 0}
    for _ in range(AA_RUNS):
        _, summary = run(tandem, "aa")
        counts[next(c for c in summary["comparisons"] if c["metric"] == "read_time")["verdict"]] += 1
    wrong = counts["faster"] + counts["slower"]
    said = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
    return [(f"one configuration under two names, {AA_RUNS} runs until decided, at most 16 blocks", said,
             "at most one faster or slower", verdict(wrong <= 1))]


CHECKS = {"aa": aa, "wait": wait, "cpu": cpu, "skew": skew, "producers": producers, "fetch-settings": fetch_settings,
          "reading": reading, "idle": idle}


def main():
    parser = argparse.ArgumentParser(prog="scripts/verdicts", description=__doc__)
    parser.add_argument("--only", action="append", choices=CHECKS, help="only this check (can be given again)")
    parser.add_argument("--write", action="store_true", help=f"keep the rows in {ROWS}, and put all that are there into "
                        f"{DOCUMENT}")
    parser.add_argument("--tandem", type=Path, help="this program instead of a release build made now")
    given = parser.parse_args()
    tandem = given.tandem or release_build()
    found = {name: CHECKS[name](tandem) for name in given.only or CHECKS}
    print(table(found))
    if given.write:
        kept = json.loads(ROWS.read_text(encoding="utf-8")) if ROWS.exists() else {}
        kept = {name: {**kept, **found}[name] for name in CHECKS if name in kept or name in found}
        ROWS.parent.mkdir(parents=True, exist_ok=True)
        ROWS.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
        document = DOCUMENT.read_text(encoding="utf-8")
        before, rest = document.split(BEGIN)
        DOCUMENT.write_text(f"{before}{BEGIN}\n\n{table(kept)}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")
    return 1 if any("**no**" in row[3] for rows in found.values() for row in rows) else 0


def release_build():
    subprocess.run(["cargo", "build", "--release", "--locked", "--bin", "tandem"], check=True)
    told = subprocess.run(["cargo", "metadata", "--format-version", "1", "--no-deps"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    return Path(json.loads(told)["target_directory"]) / "release" / "tandem"


def table(found):
    """The rows of all checks as a table in Markdown."""
    lines = ["| what | measured | what it must be | so it is |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for rows in found.values() for row in rows])


if __name__ == "__main__":
    sys.exit(main())
