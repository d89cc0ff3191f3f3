"""Looks for the capacity of a script that knows nothing of tandem, sleeps 2 ms on each record in one thread and measures
itself what a record takes it: examples/service.py, as one instance, two, and three on two partitions."""

import tempfile
from pathlib import Path

import checks
import clients
from checks import verdict
from runs import Run

QUESTION, TIME = "Is the capacity of a program that speaks nothing what its own clock says?", "About 12 minutes"
DOCUMENT = Path("docs/clients.md")
PARTITIONS, NEAR = 2, 0.05
NUMBERS = {1: "one instance", 2: "two instances", 3: "three instances"}


def seconds_of_a_record(folder):
    """What a record took all instances on average, by their own clocks."""
    measured = [path.read_text(encoding="utf-8").split() for path in folder.iterdir()]
    return sum(float(seconds) for _, seconds in measured) / sum(int(records) for records, _ in measured)


def rows(number, run, seconds):
    """What a search with so many instances found, whose records took so long."""
    configuration, = run.summary["configurations"]
    found = configuration["live"]["capacity"]
    working = min(number, PARTITIONS)
    theory = working / seconds
    name = f"capacity of {NUMBERS[number]}"
    if not found["per_second"] or not found["high"]:
        yield name, "not found", f"{theory:,.0f} records/s", verdict(False)
        return
    times = "" if working == 1 else f"{working} x "
    yield (name, f"{found['per_second']:,.0f} records/s, and {found['high']:,.0f} is too much ({len(run.trials)} trials)",
           f"{theory:,.0f} records/s = {times}1 s / {seconds * 1e3:.3f} ms by its own clock, within 5 %",
           verdict(abs(found["per_second"] / theory - 1) <= NEAR))
    idle = (configuration["idle_explanation"] or "").split(";")[0]
    if number > working or idle:
        yield (f"who of {NUMBERS[number]} is idle", idle or "nobody",
               f"{number - working} of {number} members" if number > working else "nobody",
               verdict(idle.startswith(f"{number - working} of {number} members")))


def of(number):
    """The check of so many instances."""
    def check(tandem):
        with tempfile.TemporaryDirectory(prefix="tandem-silent-") as scratch:
            folder = Path(scratch)
            times = folder / "times"
            times.mkdir()
            python = clients.with_confluent_kafka(folder)
            run = Run(tandem, "silent", {"python": python, "times": times, "processes": number})
            yield from rows(number, run, seconds_of_a_record(times))
    return check


CHECKS = {"one": of(1), "two": of(2), "three": of(3)}


def arguments(parser):
    checks.arguments(parser, CHECKS, DOCUMENT)


def main(given):
    return checks.run("silent", CHECKS, DOCUMENT, given)
