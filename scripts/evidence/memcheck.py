"""Runs every way of reading under valgrind on a real broker, with the system's allocator, which valgrind knows. It fails
where a worker reads or writes memory that is not its own: worker/reader and kafka/ffi are unsafe."""

import sys
import tempfile
from pathlib import Path

import build
import runs

QUESTION, TIME = "Does a reader touch memory that is not its own?", "About 10 minutes"


def arguments(_):
    """None of its own."""


def main(_):
    tandem = build.program(build.build_messages("build", "--no-default-features", "--bin", "tandem"))
    with tempfile.TemporaryDirectory(prefix="tandem-memcheck-") as folder:
        run = runs.Run(tandem, "memcheck", {"logs": folder}, ["--join-limit", 300, "--stall-limit", 120])
        logs = [log.read_text(encoding="utf-8", errors="replace") for log in Path(folder).glob("*.log")]
    if not logs:
        raise build.Missing("no worker ran under valgrind")
    wrong = [log for log in logs if log]
    if wrong:
        print(*wrong, sep="\n", file=sys.stderr)
        print(f"valgrind found errors in {len(wrong)} of {len(logs)} workers; see above", file=sys.stderr)
        return runs.WRONG
    print(f"{len(logs)} workers ran under valgrind without an error")
    return run.code
