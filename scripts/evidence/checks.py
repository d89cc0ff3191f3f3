"""Questions whose answer is known beforehand: named checks, the rows that they make, and the table of all."""

import json
import sys

import build
import document

HEAD = ["| what | measured | what it should be | so it is |", "|---|---|---|---|"]


def verdict(ok):
    """The last cell of a row: (what, measured, what it should be, whether it is)."""
    return "yes" if ok else "**no**"


def arguments(parser, checks, path):
    parser.add_argument("--only", action="append", choices=checks, help="only this check (can be given again)")
    document.add_write(parser, path)
    build.add_tandem(parser)


def run(name, checks, path, given):
    """Makes the checks that are asked for and prints their table; the exit code is 1 where a row says no."""
    tandem = build.chosen(given)
    found = {}
    for check in given.only or checks:
        found[check] = []
        for row in checks[check](tandem):
            found[check].append(row)
            print(f"{check}: {' | '.join(row)}", file=sys.stderr, flush=True)
            # What was measured is kept even where the next cannot be.
            if given.write:
                write(name, checks, path, {check: found[check]})
    print(table(found))
    return 1 if any("**no**" in row[3] for rows in found.values() for row in rows) else 0


def write(name, checks, path, found):
    """Keeps rows beside those of other checks, and puts all that are kept into the document."""
    stored = build.RESULTS / name / "checks.json"
    kept = json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else {}
    kept = {check: {**kept, **found}[check] for check in checks if check in kept or check in found}
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    document.put(path, name, table(kept))


def table(found):
    """The rows of all checks as a table in Markdown."""
    return "\n".join(HEAD + [f"| {' | '.join(row)} |" for rows in found.values() for row in rows])
