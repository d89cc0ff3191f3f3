#!/usr/bin/env python3
"""Starts tandem's worker or the C program's, in turns: of the two processes of a trial one becomes each, and which takes
the first partition changes from trial to trial.

    together.py FOLDER PROGRAM TANDEM...

FOLDER is where the turns of one run are counted. PROGRAM is built by scripts/peers; TANDEM... is the command line of
tandem's worker.
"""

import itertools
import os
import sys
from pathlib import Path

# How the two call their client.
TANDEM, PEER = "librdkafka", "rdkafka_performance"


def turn(folder):
    """The number of this process among all that were started, from 0: making a folder succeeds for one alone."""
    for number in itertools.count():
        try:
            (Path(folder) / str(number)).mkdir()
            return number
        except FileExistsError:
            continue


def is_tandem(number):
    """Whether the process with this number is tandem's."""
    trial, process = divmod(number, 2)
    return (trial + process) % 2 == 0


def main():
    folder, program, *tandem = sys.argv[1:]
    if is_tandem(turn(folder)):
        os.execvp(tandem[0], tandem)
    peer = Path(__file__).with_name("rdkafka_performance.py")
    os.execv(sys.executable, [sys.executable, str(peer), program])


if __name__ == "__main__":
    main()
