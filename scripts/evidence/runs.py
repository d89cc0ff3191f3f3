"""Runs of tandem that a script starts: they end with the script, in order, and never outlive it."""

import csv
import json
import re
import signal
import subprocess
import tempfile
from pathlib import Path

SCENARIOS = Path("scripts/evidence/scenarios")

# What a run says of itself: all trials were used, or some of them failed. Anything else, and there is nothing to read.
DONE, WRONG = 0, 1


def end_in_order():
    """From here on a signal that ends this program is an exception like Ctrl-C's, so that what it made is put away."""
    def leave(number, _):
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, leave)


def measure(command, **options):
    """Runs a command line of tandem that stores trials; returns DONE or WRONG, or ends this program with the code of a
    run that could not be made, of which tandem has said why."""
    code = run_to_its_end(command, **options)
    if code not in (DONE, WRONG):
        raise SystemExit(code)
    return code


def run_to_its_end(command, **options):
    """Runs a command line and returns its exit code. A signal that is to end this program ends the command instead, which
    is waited for, since tandem then stops its processes and deletes its topics, and this program after it, with 128 and
    the signal's number."""
    came, untold, process = [], [], None

    def tell():
        while process and untold:
            process.send_signal(untold.pop(0))

    def pass_on(number, _):
        came.append(number)
        untold.append(number)
        tell()

    # What is ignored stays so, as for the programs that a shell starts in the background.
    ours = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, pass_on) for number in ours}
    try:
        # In a session of its own: a signal to a whole group, as of a terminal or of `timeout`, would come to it twice,
        # and the second ends tandem at once.
        process = subprocess.Popen(command, start_new_session=True, **options)
        # What came before there was a process.
        tell()
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise SystemExit(128 + came[0])
    return code


def scenario(name, values, folder=SCENARIOS):
    """The text of a scenario with these values in place of their names in braces."""
    text = (folder / f"{name}.toml").read_text(encoding="utf-8")
    return re.sub(r"\{(" + "|".join(values) + r")\}", lambda found: str(values[found[1]]), text) if values else text


def rows_of(path):
    """The rows of a CSV file; none where there is no such file."""
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Run:
    """Runs a scenario and holds what it stored."""

    def __init__(self, tandem, name, values=None, flags=(), folder=SCENARIOS, **options):
        with tempfile.TemporaryDirectory(prefix=f"tandem-{name}-") as scratch:
            file, out = Path(scratch) / f"{name}.toml", Path(scratch) / "run"
            file.write_text(scenario(name, values or {}, folder), encoding="utf-8")
            self.code = measure([tandem, "run", file, "--out", out, *map(str, flags)], **options)
            self.trials = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob("trials/*.json"))]
            self.summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
            self.environment = json.loads((out / "environment.json").read_text(encoding="utf-8"))
            self.rows, self.trial_rows, self.changes = (
                rows_of(out / f"{name}.csv") for name in ("summary", "trials", "changes"))

    def counted(self):
        """Trials that are counted and complete, by configuration and block."""
        orders = [trial["order"] for trial in self.trials]
        chosen = [trial for trial, order in zip(self.trials, orders)
                  if order["kind"] == "counted" and trial["status"]["status"] == "complete"]
        return sorted(chosen, key=lambda trial: (trial["order"]["configuration"], trial["order"]["block"]))

    def figure(self, configuration, name):
        """A figure of a configuration by its column; None where no trial has it."""
        value = self.summary["configurations"][configuration][name]
        return value["point"] if isinstance(value, dict) else value

    def measured(self, configuration, name):
        """The same where it has to be there."""
        value = self.figure(configuration, name)
        if value is None:
            raise ValueError(f"the run measured no {name} of configuration {configuration + 1}: its trials say why")
        return value
