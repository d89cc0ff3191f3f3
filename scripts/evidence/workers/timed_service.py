"""examples/service.py with a clock: `timed_service.py FOLDER ADDRESS TOPIC GROUP` writes into a file of the folder how many
records it has worked and how many seconds the work took.
"""

import os
import sys
import time
from pathlib import Path

WRITE_EVERY = 100


def timed(work, file):
    """The work on a record, whose times are added up in a file."""
    records = seconds = 0

    def work_and_note(record):
        nonlocal records, seconds
        begin = time.perf_counter()
        work(record)
        seconds += time.perf_counter() - begin
        records += 1
        if records % WRITE_EVERY == 0:
            file.write_text(f"{records} {seconds}\n", encoding="utf-8")
    return work_and_note


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parents[3] / "examples"))
    import service
    folder, *own = sys.argv[1:]
    service.work = timed(service.work, Path(folder) / str(os.getpid()))
    service.main(*own)
