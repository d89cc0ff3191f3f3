"""Compares the bottlenecks that tandem names, and speed-ups, with what must be so."""

import os
from pathlib import Path

import checks
from checks import verdict
from runs import Run

QUESTION, TIME = "Does tandem name the bottleneck where it is known beforehand?", "About 15 minutes on a quiet machine"
DOCUMENT = Path("docs/method.md")
# Runs of one configuration under two names.
AA_RUNS = 10


def named(row, what, *wanted):
    """A row of the table: the bottleneck of a configuration against those that are true."""
    ok = row["bottleneck"] in wanted
    return (what, f"{row['bottleneck']}: {row['bottleneck_evidence']}", " or ".join(wanted), verdict(ok))


def wait(tandem):
    run = Run(tandem, "wait")
    rows = run.rows
    found = [named(row, f"`wait 1ms`, {row['members']} members on 4 partitions", "consumer-work") for row in rows]
    for comparison in run.summary["comparisons"]:
        if comparison["metric"] != "read_time" or not comparison["ratio"]:
            continue
        members = int(rows[comparison["configuration"]]["members"])
        ratio = comparison["ratio"]["point"]
        found.append((f"`wait 1ms`, {members} members against one", f"{ratio:.3f} times", f"{members}, within 5 %",
                      verdict(abs(ratio / members - 1) <= 0.05)))
    return found


def cpu(tandem):
    cores = os.cpu_count() or 1
    rows = Run(tandem, "cpu").rows
    return [named(row, f"`cpu 50us`, {row['members']} members on {cores} cores",
                  "all-cores" if int(row["members"]) >= cores else "consumer-work") for row in rows]


def skew(tandem):
    rows = Run(tandem, "skew").rows
    what, measured, wanted, _ = named(rows[0], "`weights = [0.9, 0.1]`, 2 members", "skew")
    ok = rows[0]["bottleneck"] == "skew" and "90 %" in rows[0]["bottleneck_evidence"]
    return [(what, measured, f"{wanted}, with 90 %", verdict(ok))]


def producers(tandem):
    return [named(Run(tandem, "producers").rows[0], "2,000,000 records/s of 1 kB from one producer", "producers")]


def fetch_settings(tandem):
    rows = Run(tandem, "fetch-settings").rows
    return [named(rows[0], "`fetch.queue.backoff.ms` = 1000, default queues, `cpu 1us`", "fetch-settings"),
            named(rows[1], "the same with 10", "consumer-work", "reader-thread", "all-cores")]


def reading(tandem):
    # On two cores the broker computes beside the consumer, and both together may well fill them.
    wanted = ("reader-thread",) if (os.cpu_count() or 1) > 2 else ("reader-thread", "all-cores")
    return [named(Run(tandem, "reading").rows[0], "100 B without work, one consumer", *wanted)]


def idle(tandem):
    return [named(Run(tandem, "idle").rows[0], "4 members on 2 partitions", "idle-members")]


def aa(tandem):
    counts = {"faster": 0, "slower": 0, "same": 0, "undecided": 0}
    for _ in range(AA_RUNS):
        comparisons = Run(tandem, "aa").summary["comparisons"]
        counts[next(c for c in comparisons if c["metric"] == "read_time")["verdict"]] += 1
    wrong = counts["faster"] + counts["slower"]
    said = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
    return [(f"one configuration under two names, {AA_RUNS} runs until decided, at most 16 blocks", said,
             "at most one faster or slower", verdict(wrong <= 1))]


CHECKS = {"aa": aa, "wait": wait, "cpu": cpu, "skew": skew, "producers": producers, "fetch-settings": fetch_settings,
          "reading": reading, "idle": idle}


def arguments(parser):
    checks.arguments(parser, CHECKS, DOCUMENT)


def main(given):
    return checks.run("verdicts", CHECKS, DOCUMENT, given)
