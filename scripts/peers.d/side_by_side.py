"""Two workers at the same time in one run, each with a partition of its own: the scenario of it, the run, and a table of
what the second is to the first."""

import json
import re
import statistics
import sys
from pathlib import Path

import build
import ratios
import runs
import trials

SCENARIO = Path("scripts/peers.d/together.toml")


def scenario(size, records, first, second, turns):
    """together.toml for these two workers' command lines, with so many records of this size between them. `turns` is a
    folder in which nothing else lies. Behind the second's command line tandem puts what follows its own."""
    launcher = [sys.executable, "scripts/peers.d/together.py", *map(str, [turns, *first, "--", *second])]
    # A list of strings is the same in TOML as in JSON.
    values = {"size": size, "records": records, "launcher": json.dumps(launcher)}
    return re.sub(r"\{(size|records|launcher)\}", lambda found: str(values[found[1]]), SCENARIO.read_text(encoding="utf-8"))


def run(tandem, scratch, size, records, first, second, rounds, case_of):
    """Runs two workers' command lines at the same time; returns the trials of both. What tandem
    could not run ends this program, and a trial that failed raises build.Failed. `scratch` is a folder that has nothing of this size yet."""
    turns, file, folder = scratch / f"turns-{size}", scratch / f"{size}.toml", scratch / f"run-{size}"
    turns.mkdir()
    file.write_text(scenario(size, records, first, second, turns), encoding="utf-8")
    runs.measure([tandem, "run", file, "--repetitions", str(rounds), "--out", folder])
    rows, problems = trials.from_run(folder, case_of)
    if problems:
        raise build.Failed(runs.WRONG, "trials failed, no table is made: " + "; ".join(problems))
    return rows


def table(head, rows, base, other, length):
    """A row for each of the two cases, which begins with `head` and the case: medians, and the ratios of `other` to
    `base`. Speed is records by `length`, a trial's window in seconds."""
    def ratio(case, value):
        if case == base:
            return "1"
        found = ratios.paired_ratio(*({t.block: value(t) for t in rows if t.case == name} for name in (case, base)))
        return f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"

    def speed(trial):
        return trial.records / length(trial)

    def cpu(trial):
        return trial.cpu / trial.records

    lines = []
    for case in (base, other):
        of_case = [row for row in rows if row.case == case]
        lines.append(f"| {head} | {case} | {statistics.median(map(speed, of_case)) / 1e6:.2f} M | {ratio(case, speed)} "
                     f"| {statistics.median(map(cpu, of_case)) * 1e6:.3f} | {ratio(case, cpu)} |")
    return lines
