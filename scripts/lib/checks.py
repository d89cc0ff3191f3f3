"""What the scripts that check tandem against a known truth have in common: a run, rows of a table, and where the table
is kept."""

import argparse
import csv
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import runs


class Run:
    """What a finished run of a scenario stored. Words in braces in the scenario are replaced by `values`."""

    def __init__(self, tandem, scenario, values=None):
        text = scenario.read_text(encoding="utf-8")
        for key, value in (values or {}).items():
            text = text.replace("{" + key + "}", str(value))
        with tempfile.TemporaryDirectory(prefix="tandem-check-") as scratch:
            file, folder = Path(scratch) / scenario.name, Path(scratch) / "run"
            file.write_text(text, encoding="utf-8")
            runs.measure([tandem, "run", file, "--out", folder])
            paths = sorted((folder / "trials").glob("*.json"))
            self.trials = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
            self.summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
            self.environment = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
            with open(folder / "summary.csv", encoding="utf-8", newline="") as file:
                self.rows = list(csv.DictReader(file))


def verdict(ok):
    """The last cell of a row: (what, measured, what it should be, whether it is)."""
    return "yes" if ok else "**no**"


@dataclass
class Checks:
    """Named checks, each a function of the program that returns rows, and the document that shows their table."""

    script: str
    about: str
    checks: dict
    document: Path
    rows: Path

    def main(self):
        """Does what the command line asks for; the exit code is 1 where a row says no."""
        parser = argparse.ArgumentParser(prog=self.script, description=self.about)
        parser.add_argument("--only", action="append", choices=self.checks, help="only this check (can be given again)")
        parser.add_argument("--write", action="store_true",
                            help=f"keep the rows in {self.rows}, and put all that are there into {self.document}")
        parser.add_argument("--tandem", type=Path, help="this program instead of a release build made now")
        given = parser.parse_args()
        runs.end_in_order()
        tandem = given.tandem or release_build()
        found = {}
        for name in given.only or self.checks:
            found[name] = self.checks[name](tandem)
            # What was measured is kept even where a later check cannot be made.
            if given.write:
                self.write({name: found[name]})
        print(table(found))
        return 1 if any("**no**" in row[3] for rows in found.values() for row in rows) else 0

    def write(self, found):
        """Keeps rows, and puts all that are kept into the document."""
        kept = json.loads(self.rows.read_text(encoding="utf-8")) if self.rows.exists() else {}
        kept = {name: {**kept, **found}[name] for name in self.checks if name in kept or name in found}
        self.rows.parent.mkdir(parents=True, exist_ok=True)
        self.rows.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
        name = Path(self.script).name
        begin, end = f"<!-- {name}: made by {self.script}, not by hand -->", f"<!-- {name}: end -->"
        document = self.document.read_text(encoding="utf-8")
        before, rest = document.split(begin)
        self.document.write_text(f"{before}{begin}\n\n{table(kept)}\n\n{end}{rest.split(end)[1]}", encoding="utf-8")


def release_build():
    """The program, built from the working copy."""
    subprocess.run(["cargo", "build", "--release", "--locked", "--bin", "tandem"], check=True)
    told = subprocess.run(["cargo", "metadata", "--format-version", "1", "--no-deps"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    return Path(json.loads(told)["target_directory"]) / "release" / "tandem"


def table(found):
    """The rows of all checks as a table in Markdown."""
    lines = ["| what | measured | what it should be | so it is |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for rows in found.values() for row in rows])
