#!/usr/bin/env python3
"""A tandem worker around Kafka's own ConsumerPerformance: reads with it at the start and reports its fetch time.

ConsumerPerformance joins its group by itself when it is started and says in `fetch.time.ms` how long it took from its
first assignment on, so it is started at the common start and that figure is taken for the read time: joining and the
start of the JVM, which tandem's members have done before their start, are not held against it. Its CPU is counted
over the same fetch time, without the JVM's start. Needs KAFKA_LIBS, the folder of Kafka's jars.
"""

import os
import threading
import time
from datetime import datetime, timezone

import worker

# How often the JVM's CPU clock is read: its CPU over the fetch time is known to about this.
SAMPLE_SECONDS = 0.004


def at_time(samples, wall_ns):
    """CPU nanoseconds at a wall-clock time, between the samples (wall ns, CPU ns) around it."""
    before = samples[0]
    for sample in samples:
        if sample[0] >= wall_ns:
            share = (wall_ns - before[0]) / max(1, sample[0] - before[0])
            return before[1] + max(0.0, share) * (sample[1] - before[1])
        before = sample
    return before[1]


def java():
    """The Java that tandem takes for its brokers."""
    at_home = os.path.join(os.environ.get("JAVA_HOME", ""), "bin", "java")
    return at_home if os.path.isfile(at_home) else "java"


class Peer:
    def __init__(self):
        self.program, self.ended = None, False
        # In memory, so that nothing is left behind however this ends.
        self.config = os.memfd_create("properties")
        os.write(self.config, b"auto.offset.reset=earliest\nenable.auto.commit=false\n")

    def prepare(self, order):
        self.order = order
        self.topic, self.expected = worker.expected(order)
        if len(self.expected) != len(order["topics"][0]["partitions"]):
            raise worker.Refusal("this program reads whole topics: it can only be the only member")
        libs = os.environ.get("KAFKA_LIBS", "")
        if not os.path.isdir(libs):
            raise worker.Refusal(f"KAFKA_LIBS must be the folder of Kafka's jars, and {libs!r} is none")

    def read(self, at_ns):
        self.at_ns = at_ns
        self.program = worker.Program([
            java(), "-Xms512m", "-Xmx512m", "-Duser.timezone=UTC", "-cp", os.environ["KAFKA_LIBS"] + "/*",
            "org.apache.kafka.tools.ConsumerPerformance",
            "--bootstrap-server", self.order["properties"]["bootstrap.servers"], "--topic", self.topic,
            "--group", self.order["group_id"], "--num-records", str(sum(self.expected.values())),
            "--timeout", "30000", "--command-config", f"/proc/{os.getpid()}/fd/{self.config}"])
        samples = []
        sampler = threading.Thread(target=self.sample, args=[samples], daemon=True)
        sampler.start()
        complaints = []
        drain = threading.Thread(target=lambda: complaints.extend(self.program.errors), daemon=True)
        drain.start()
        said = self.program.output.read()
        self.ended = True
        sampler.join()
        drain.join()
        self.row = self.parse(said, complaints)
        end_ns = int(self.row["end_time"].timestamp() * 1000) * 1_000_000
        self.cpu_ns = int(at_time(samples, end_ns) - at_time(samples, end_ns - self.row["fetch_ns"]))

    def sample(self, samples):
        """Notes (wall ns, CPU ns) of the JVM until it has said everything."""
        while not self.ended:
            samples.append((time.time_ns(), self.program.cpu_ns()))
            time.sleep(SAMPLE_SECONDS)

    @staticmethod
    def parse(said, complaints):
        lines = [line.split(", ") for line in said.splitlines() if ", " in line]
        if len(lines) < 2:
            raise worker.Refusal("it printed no figures: " + " ".join(line.strip() for line in complaints[-5:]))
        row = dict(zip(lines[-2], lines[-1]))
        end = datetime.strptime(row["end.time"], "%Y-%m-%d %H:%M:%S:%f").replace(tzinfo=timezone.utc)
        return {"records": int(row["data.consumed.in.nMsg"]), "fetch_ns": int(row["fetch.time.ms"]) * 1_000_000,
                "bytes": int(float(row["data.consumed.in.MB"]) * 1024 * 1024), "end_time": end}

    def result(self):
        """The tool tells one number of records for all partitions: where it is the right one, each had its own."""
        _, life = self.program.end()
        records, total = self.row["records"], sum(self.expected.values())
        if records != total:
            raise worker.Refusal(f"it read {records} records where there are {total}")
        times = {"first_ns": self.at_ns, "last_ns": self.at_ns + self.row["fetch_ns"]}
        read = [{"topic": 0, "partition": partition, "records": count,
                 "bytes": self.row["bytes"] * count // records} | times
                for partition, count in self.expected.items()]
        # Its context switches are known of its whole life only.
        window = life | {"wall_ns": self.row["fetch_ns"], "cpu_ns": self.cpu_ns}
        return {"type": "result", "members": [{"partitions": read}], "window": window, "stopwatch": life}

    def kill(self):
        if self.program:
            self.program.kill()


if __name__ == "__main__":
    worker.serve("ConsumerPerformance", "of Kafka's tools", Peer())
