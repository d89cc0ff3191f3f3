"""Makes the figures of the documents again, a question at a time."""

import argparse

import account
import build
import changes
import clients
import clocks
import contention
import fill
import live
import many
import memcheck
import peers
import silent
import store
import verdicts

COMMAND = "scripts/evidence/run"
QUESTIONS = {"peers": peers, "contention": contention, "fill": fill, "account": account, "verdicts": verdicts,
             "live": live, "memcheck": memcheck, "clients": clients, "store": store, "silent": silent,
             "changes": changes, "clocks": clocks, "many": many}


def arguments(words=None):
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    names = parser.add_subparsers(dest="name", required=True, metavar="NAME")
    for name, question in QUESTIONS.items():
        one = names.add_parser(name, help=f"{question.QUESTION} {question.TIME}.",
                               description=f"{question.QUESTION} {question.__doc__} {question.TIME}.")
        question.arguments(one)
    return parser.parse_args(words)


def main():
    given = arguments()
    build.end_with(f"{COMMAND} {given.name}", lambda: QUESTIONS[given.name].main(given))


if __name__ == "__main__":
    main()
