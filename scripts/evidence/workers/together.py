#!/usr/bin/env python3
"""Starts one of two workers, in turns: of the two processes of a trial one becomes each, and which takes the first
partition changes from trial to trial.

    together.py FOLDER FIRST... -- SECOND...

FOLDER is where the turns of one run are counted; FIRST... and SECOND... are the workers' command lines. What tandem puts
behind a launcher (`consumer`) is behind the second: that is where tandem's own worker has to stand, which asks for it.
"""

import itertools
import os
import sys
from pathlib import Path


def turn(folder):
    """The number of this process among all that were started, from 0: making a folder succeeds for one alone."""
    for number in itertools.count():
        try:
            (Path(folder) / str(number)).mkdir()
            return number
        except FileExistsError:
            continue


def is_first(number):
    """Whether the process with this number is of the first program. Number 0 is in no trial: before the first one tandem
    starts a worker to ask what it can do."""
    trial, process = divmod(number - 1, 2)
    return (trial + process) % 2 == 0


def main():
    folder, *both = sys.argv[1:]
    cut = both.index("--")
    command = both[:cut] if is_first(turn(folder)) else both[cut + 1:]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
