"""Runs short trials with a load on hosts whose clocks differ from this one's by times that are known, all on this machine.
Prints by how much the times of each host were wrong in the report, and the bound that the report gives."""

import statistics
from pathlib import Path

import build
import document
import runs
from checks import HEAD, verdict
from hosts import Host, started

QUESTION, TIME = "Are times of other hosts as exact as the report says?", "About 15 minutes"
DOCUMENT = Path("docs/method.md")
MS = 10**6
HOSTS = [Host("level"), Host("ahead", 7_300_000), Host("behind", -120 * MS), Host("far-ahead", 100_000 * MS),
         Host("delayed", 0, 0.020)]
# Largest bounds, in milliseconds: on a direct way, and where each way takes 20 ms.
BOUND_MS, DELAYED_BOUND_MS = 1.0, 25.0


def arguments(parser):
    parser.add_argument("--trials", type=int, default=50, help="trials on each host [default: 50]")
    parser.add_argument("--tandem", type=Path, help="a program of tandem that is built already")
    document.add_write(parser, DOCUMENT)


def place(host):
    return f"[[place]]\nname = '{host.name}'\nssh = '{host.name}'\n"


def errors(trial, host):
    """By how many nanoseconds a trial has the clocks of its host wrong, and the bound that it gives."""
    clocks = trial["measurement"]["clocks"]
    if not host.ahead_ns and not clocks:
        raise ValueError(f"trial {trial['order']['number']}: {host.name} was taken for this host")
    return [(abs(clock["offset_ns"] + host.ahead_ns), clock["bound_ns"]) for clock in clocks]


def row(host, trials, count):
    """What was measured on a host in its trials, of which there should be so many, beside what should be."""
    found = [error for trial in trials for error in errors(trial, host)]
    within = sum(wrong <= bound for wrong, bound in found)
    most_ms = DELAYED_BOUND_MS if host.way else BOUND_MS
    bounds = sorted(bound / MS for _, bound in found)
    wrong = max(wrong for wrong, _ in found) / MS
    what = f"clock {host.ahead_ns / MS:+,.1f} ms" + (f", each way takes {host.way * 1e3:.0f} ms" if host.way else "")
    measured = (f"within the bound in {within} of {len(found)} trials; wrong by at most {wrong:.3f} ms; bound "
                f"{statistics.median(bounds):.3f} ms in the middle, {bounds[-1]:.3f} ms at most")
    return what, measured, f"all, and a bound below {most_ms:g} ms", verdict(
        within == len(found) >= count and bounds[-1] < most_ms)


def main(given):
    tandem = given.tandem or build.tandem()
    with started(HOSTS) as environment:
        values = {"repetitions": given.trials, "places": "\n".join(map(place, HOSTS)),
                  "names": ", ".join(f"'{host.name}'" for host in HOSTS)}
        run = runs.Run(tandem, "clocks", values, env=environment)
    # A trial that is excluded because the machine was disturbed has compared the clocks all the same.
    trials = [trial for trial in run.trials if trial["order"]["kind"] == "counted" and trial["measurement"]]
    rows = [row(host, [trial for trial in trials if trial["order"]["configuration"] == index], given.trials)
            for index, host in enumerate(HOSTS)]
    text = "\n".join(HEAD + [f"| {' | '.join(cells)} |" for cells in rows])
    print(text)
    if given.write:
        document.put(DOCUMENT, "clocks", text)
    return max(run.code, runs.WRONG if any("**no**" in cells[3] for cells in rows) else runs.DONE)
