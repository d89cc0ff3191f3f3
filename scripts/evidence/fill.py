"""Fills topics in turns with tandem's data set producers and with librdkafka's rdkafka_performance -P, on the same
library, allocator and settings; the broker's data lie in memory."""

import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import build
import document
import ratios
import runs
from broker import Broker

QUESTION, TIME = "Is a data set filled as fast as by librdkafka's own program?", "About 10 minutes"
# Bytes of values that one filling sends.
BYTES = 200_000_000
CELLS = [(1, 100), (2, 100), (1, 1024), (2, 1024)]
OURS, THEIRS = "tandem", "rdkafka_performance -P"


@dataclass
class Filling:
    """What one filling took; seconds."""

    block: int
    wall: float
    cpu: float


def run(commands, block):
    """Runs processes at once, from the start of the first to the end of the last."""
    started, cpu = time.monotonic(), 0.0
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    for process in processes:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu += usage.ru_utime + usage.ru_stime
    wall = time.monotonic() - started
    for process in processes:
        if process.returncode:
            raise build.Missing(f"{' '.join(map(str, process.args))} ended with {process.returncode}")
    return Filling(block, wall, cpu)


class Topics:
    """Topics of a broker, by tandem's own commands."""

    def __init__(self, tandem, bootstrap):
        self.tandem, self.bootstrap = tandem, bootstrap

    def command(self, *words):
        return subprocess.run([self.tandem, "topics", *map(str, words), "--bootstrap", self.bootstrap], check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def filled(self, name, partitions, records, commands, block):
        """What it takes these commands to fill a new topic, which must then hold so many records."""
        self.command("create", name, "--partitions", partitions)
        took = run(commands, block)
        held = [partition["end_offset"] - partition["first_offset"]
                for partition in json.loads(self.command("describe", name, "--json"))["partitions"]]
        self.command("delete", name, "--yes")
        if held != [records // partitions] * partitions:
            raise build.Missing(f"{name} holds {held} records, not {records // partitions} in each partition")
        return took


def ours(filler, bootstrap, name, partitions, size, records):
    return [[filler, "topic", bootstrap, name, str(partitions), str(size), str(records)]]


def theirs(peer, settings, bootstrap, name, partitions, size, records):
    """The peer has one producer in a process: as many processes as partitions."""
    line = [peer, "-P", "-q", "-X", "log_level=3", "-b", bootstrap, "-t", name, "-s", str(size), "-c",
            str(records // partitions)]
    for setting in settings:
        line += ["-X", setting]
    return [[*line, "-p", str(partition)] for partition in range(partitions)]


def row(partitions, size, records, fillings):
    """A row of the table: medians, and the ratio of speeds within rounds."""
    def shown(program):
        rate = statistics.median(records / filling.wall for filling in fillings[program]) / 1e6
        cpu = statistics.median(filling.cpu for filling in fillings[program]) / records * 1e6
        return f"{rate:.2f} ({cpu:.2f})"

    ratio = ratios.of_trials(fillings[OURS], fillings[THEIRS], lambda filling: 1 / filling.wall)
    return f"| {partitions} | {size:,} B | {shown(OURS)} | {shown(THEIRS)} | {ratio.shown()} |"


def compare(tandem, filler, peer, rounds):
    """Rows of the table."""
    lines = []
    memory = Path("/dev/shm")
    with Broker(memory if memory.is_dir() else None) as broker:
        topics = Topics(tandem, broker.bootstrap)
        for partitions, size in CELLS:
            records = BYTES // size // partitions * partitions
            settings = subprocess.run([filler, "settings", str(partitions), str(size)], check=True, text=True,
                                      stdout=subprocess.PIPE).stdout.split()
            fillings = {OURS: [], THEIRS: []}
            # One round more than is counted: the first finds the broker's code not yet compiled.
            for turn in range(rounds + 1):
                # Who begins changes from round to round.
                for program in list(fillings)[::-1 if turn % 2 else 1]:
                    name = f"fill-{partitions}-{size}-{turn}-{program.split()[0]}"
                    what = (broker.bootstrap, name, partitions, size, records)
                    commands = ours(filler, *what) if program == OURS else theirs(peer, settings, *what)
                    took = topics.filled(name, partitions, records, commands, turn)
                    if turn:
                        fillings[program].append(took)
            lines.append(row(partitions, size, records, fillings))
    return lines


def arguments(parser):
    parser.add_argument("--rounds", type=int, default=10, help="counted rounds [default: 10]")
    document.add_write(parser, document.PERFORMANCE)


def main(given):
    messages = build.build_messages("bench", "--no-run", "--bench", "fill")
    peer = build.compile_program(build.Build(messages), "mimalloc", held=False)
    lines = compare(build.tandem(), build.program(messages, "fill"), peer, given.rounds)
    text = "\n".join([f"{given.rounds} rounds, mimalloc in both.", "",
                      f"| producers and partitions | size | {OURS}, M records/s | {THEIRS}, M records/s "
                      "| tandem / peer [95 %] |", "|---|---|--:|--:|--:|", *lines])
    print(text)
    if given.write:
        document.put(document.PERFORMANCE, "fill", text)
    return runs.DONE
