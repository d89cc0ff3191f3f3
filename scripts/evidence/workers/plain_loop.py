#!/usr/bin/env python3
"""A tandem worker around a plain loop of a client library, without ledger and clock: what a ready-made client costs beside
what its users write. `plain_loop.py batch|poll` reads with confluent-kafka, `plain_loop.py batch|poll PROGRAM` with
another program, which gets bootstrap, topic, partitions, records and the way of reading as arguments, says a line when it
is connected, begins at a line, and says a line after the last record.
"""

import sys
import time

import worker


class Loop:
    """confluent-kafka."""

    def connect(self, order, topic, expected):
        from confluent_kafka import Consumer, TopicPartition
        own = {name: value for name, value in order["properties"].items() if name != "statistics.interval.ms"}
        self.consumer = Consumer(own)
        self.consumer.list_topics(topic, timeout=20)
        self.partitions = [TopicPartition(topic, partition, 0) for partition in expected]
        for partition in self.partitions:
            self.consumer.get_watermark_offsets(partition, timeout=20)
        self.wanted = sum(expected.values())

    def cpu_ns(self):
        return time.process_time_ns()

    def read(self):
        consumer, wanted, count, size = self.consumer, self.wanted, 0, 0
        consumer.assign(self.partitions)
        if sys.argv[1] == "batch":
            while count < wanted:
                for message in consumer.consume(1000, 1.0):
                    if message.error():
                        raise worker.Refusal(message.error())
                    count += 1
                    size += len(message.key() or b"") + len(message.value())
        else:
            while count < wanted:
                message = consumer.poll(1.0)
                if message is None:
                    continue
                if message.error():
                    raise worker.Refusal(message.error())
                count += 1
                size += len(message.key() or b"") + len(message.value())
        return count

    def kill(self):
        pass


class Other:
    """A program."""

    def connect(self, order, topic, expected):
        self.program = worker.Program([sys.argv[2], order["properties"]["bootstrap.servers"], topic,
                                       ",".join(map(str, expected)), str(sum(expected.values())), sys.argv[1]])
        self.program.output.readline()

    def cpu_ns(self):
        return self.program.cpu_ns()

    def read(self):
        self.program.send("start")
        return int(self.program.output.readline())

    def kill(self):
        self.program.kill()


class Peer:
    def __init__(self):
        self.loop = Other() if len(sys.argv) > 3 else Loop()

    def prepare(self, order):
        self.topic, self.expected = worker.expected(order)
        self.loop.connect(order, self.topic, self.expected)

    def read(self, at_ns):
        self.at_ns = at_ns
        time.sleep(max(0, at_ns - time.monotonic_ns()) / 1e9)
        cpu_ns = self.loop.cpu_ns()
        self.count = self.loop.read()
        self.last_ns, self.cpu_ns = time.monotonic_ns(), self.loop.cpu_ns() - cpu_ns

    def result(self):
        if self.count != sum(self.expected.values()):
            raise worker.Refusal(f"it read {self.count} records")
        return {"type": "result", "members": [{"partitions": [
            {"topic": 0, "partition": partition, "records": count, "first_ns": self.at_ns, "last_ns": self.last_ns}
            for partition, count in self.expected.items()]}],
            "window": {"wall_ns": self.last_ns - self.at_ns, "cpu_ns": self.cpu_ns, "voluntary_switches": 0,
                       "involuntary_switches": 0, "peak_memory_bytes": 0, "threads": []}}

    def kill(self):
        self.loop.kill()


if __name__ == "__main__":
    worker.serve("plain loop", "1", Peer())
