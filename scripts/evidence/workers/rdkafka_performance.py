#!/usr/bin/env python3
"""A tandem worker around librdkafka's rdkafka_performance -C: its simple consumer, held until the common start.

    rdkafka_performance.py PROGRAM

PROGRAM is built by scripts/evidence/run with hold.c. The window is the program's own, from its first message to the end
of its reading as it prints it, placed on the common clock by the moment of that end. CPU is counted from the common
start to that end.
"""

import os
import re
import sys

import worker

# Another client's group of commands would join; the simple consumer has none.
NOT_FOR_A_SIMPLE_CONSUMER = {"group.id", "group.protocol", "partition.assignment.strategy", "group.remote.assignor"}
# The program prints its figures every second; once in ten minutes is less work for it.
REPORT_INTERVAL_MS = 600_000
# It sets this one itself, by a flag of its own, and hands what the library tells then to a command.
STATISTICS = "statistics.interval.ms"
STATISTICS_SINK = "exec cat >/dev/null"
SUMMARY = re.compile(r"^% (\d+) messages \((\d+) bytes\) consumed in (\d+)ms", re.MULTILINE)


def command(program, order):
    """The program's command line: the client properties of the order, so that they are tandem's."""
    topic, expected = worker.expected(order)
    partitions = order["topics"][0]["partitions"]
    lows = {partitions[p]["low"] for p in expected}
    if len(lows) != 1:
        raise worker.Refusal("this program begins at one offset for all partitions; here they differ")
    line = [program, "-C", "-t", topic, "-o", str(lows.pop()), "-c", str(sum(expected.values())),
            "-i", str(REPORT_INTERVAL_MS)]
    for partition in expected:
        line += ["-p", str(partition)]
    for name, value in order["properties"].items():
        if name.startswith(("sasl.", "ssl.")):
            raise worker.Refusal(f"{name} would be seen in the list of processes: this program is for open clusters only")
        if name == STATISTICS:
            line += ["-T", value, "-Y", STATISTICS_SINK]
        elif name not in NOT_FOR_A_SIMPLE_CONSUMER:
            line += ["-X", f"{name}={value}"]
    return line


class Peer:
    def __init__(self, program):
        self.path, self.program = program, None
        self.stamps = {}

    def wait_for(self, moment):
        """Reads the program's standard error up to this line of hold.c."""
        said = []
        for line in self.program.errors:
            if line.startswith(f"hold {moment}"):
                return [int(number) for number in line.split()[2:]]
            said.append(line.strip())
        said += self.program.output.read().split("\n")
        raise worker.Refusal(f"it ended before its {moment}: " + "; ".join(said[-5:]))

    def prepare(self, order):
        self.order = order
        self.program = worker.Program(command(self.path, order))
        self.wait_for("ready")

    def read(self, at_ns):
        self.program.send(str(at_ns))
        self.stamps = {moment: self.wait_for(moment) for moment in ("start", "end")}

    def result(self):
        said = self.program.output.read()
        code, life = self.program.end()
        # It prints its figures at the first record as well; the last line is the one of the end.
        summaries = SUMMARY.findall(said)
        if code or not summaries:
            raise worker.Refusal(f"it ended with {code} and said: {said[-300:]}")
        records, size, own_ms = map(int, summaries[-1])
        _, expected = worker.expected(self.order)
        if records != sum(expected.values()):
            raise worker.Refusal(f"it read {records} records where there are {sum(expected.values())}")
        start, end = self.stamps["start"], self.stamps["end"]
        times = {"first_ns": end[0] - own_ms * 1_000_000, "last_ns": end[0]}
        read = [{"topic": 0, "partition": partition, "records": count, "bytes": size * count // records} | times
                for partition, count in expected.items()]
        window = {"wall_ns": end[0] - start[0], "cpu_ns": end[1] - start[1],
                  "voluntary_switches": end[2] - start[2], "involuntary_switches": end[3] - start[3],
                  "peak_memory_bytes": end[4] * 1024, "threads": []}
        return {"type": "result", "members": [{"partitions": read}], "window": window, "stopwatch": life}

    def kill(self):
        if self.program:
            self.program.kill()


if __name__ == "__main__":
    # tandem's workers have their memory in small pages; the program is linked with the same allocator.
    os.environ.setdefault("MIMALLOC_ALLOW_THP", "0")
    worker.serve("rdkafka_performance", "of librdkafka", Peer(sys.argv[1]))
