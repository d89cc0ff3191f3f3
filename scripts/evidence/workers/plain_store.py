#!/usr/bin/env python3
"""A tandem worker around a plain program that writes rows and reads no record: what tandem's own worker costs beside it.
`plain_store.py BYTES PROGRAM` writes a row with a value of so many bytes for each offset that the order names. The program
gets table, topic, way of writing, most rows of a transaction, bytes of a value, and each partition with its first offset and
its end as arguments, and the address in STORE_URL. It says a line when it is connected, begins at a line, and says a line
after the last row.
"""

import os
import sys
import time

import worker


class Peer:
    def prepare(self, order):
        self.topic, _ = worker.expected(order, "store")
        ranges = order["topics"][0]["partitions"]
        self.taken = {each["partition"]: ranges[each["partition"]] for each in order["consumers"][0]["manual"]}
        store = order["store"]
        os.environ["STORE_URL"] = store["url"]
        self.program = worker.Program([
            sys.argv[2], store["table"], self.topic, store["write"], str(store["rows"]), sys.argv[1],
            *(f"{partition}:{offsets['low']}:{offsets['end']}" for partition, offsets in self.taken.items())])
        self.hear("ready")

    def hear(self, line):
        if self.program.output.readline() != line + "\n":
            raise worker.Refusal(self.program.errors.read().strip())

    def read(self, at_ns):
        self.at_ns = at_ns
        time.sleep(max(0, at_ns - time.monotonic_ns()) / 1e9)
        cpu_ns = self.program.cpu_ns()
        self.program.send("start")
        self.hear("done")
        self.last_ns, self.cpu_ns = time.monotonic_ns(), self.program.cpu_ns() - cpu_ns

    def result(self):
        partitions = [{"topic": 0, "partition": partition, "records": offsets["end"] - offsets["low"],
                       "first_ns": self.at_ns, "last_ns": self.last_ns,
                       "runs": [{"first": offsets["low"], "end": offsets["end"], "epoch": 1}]}
                      for partition, offsets in self.taken.items()]
        return {"type": "result", "members": [{"partitions": partitions}],
                "window": {"wall_ns": self.last_ns - self.at_ns, "cpu_ns": self.cpu_ns, "voluntary_switches": 0,
                           "involuntary_switches": 0, "peak_memory_bytes": 0, "threads": []}}

    def kill(self):
        self.program.kill()


if __name__ == "__main__":
    worker.serve("plain program", "1", Peer(), ["ledger", "store"])
