"""Kafka's own end-to-end latency tool and a live trial of tandem against one broker, one after the other in turns."""

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import runs

VERSION = "4.3.1"
ROUNDS = 3
RECORDS, SIZE, RATE = 5_000, 100, 500
# How long a broker may take to answer.
PATIENCE = 30


def kafka_libraries():
    """Where tandem keeps the Kafka that it runs; it is there once tandem has run."""
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "tandem")
    return f"{cache}/kafka/{VERSION}/libs/*"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """One broker of its own, gone with its data when left."""

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tandem-end-to-end-"))
        self.classes = kafka_libraries()
        port, controller = free_port(), free_port()
        self.bootstrap = f"127.0.0.1:{port}"
        (self.folder / "server.properties").write_text("\n".join([
            "process.roles=broker,controller", "node.id=1", f"log.dirs={self.folder}/data",
            f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
            f"controller.quorum.voters=1@127.0.0.1:{controller}", "controller.listener.names=CONTROLLER",
            "offsets.topic.replication.factor=1", "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1", "group.initial.rebalance.delay.ms=0"]) + "\n", encoding="utf-8")
        self.java("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAA", "-c",
                  str(self.folder / "server.properties"))
        self.process = subprocess.Popen(
            ["java", "-Xmx400m", "-cp", self.classes, "kafka.Kafka", str(self.folder / "server.properties")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return self
            time.sleep(0.1)
        self.__exit__()
        raise RuntimeError(f"the broker did not answer within {PATIENCE} s")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def java(self, *arguments):
        done = subprocess.run(["java", "-cp", self.classes, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError(f"{arguments[0]} failed: {done.stderr.strip().splitlines()[-1:]}")
        return done.stdout


def kafkas(broker, topic):
    """Mean of Kafka's tool in milliseconds; its percentiles are whole milliseconds, which says too little here."""
    broker.java("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", broker.bootstrap, "--create", "--topic",
                topic, "--partitions", "1")
    said = broker.java("org.apache.kafka.tools.EndToEndLatency", broker.bootstrap, topic, str(RECORDS), "1", str(SIZE))
    return float(re.search(r"Avg latency: ([\d.]+) ms", said)[1])


def tandems(broker, tandem):
    """Mean, p50 and p99 from sent to received of tandem, milliseconds."""
    scenario = f"""question = "End to end?"
repetitions = 1
warmup_blocks = 0
[cluster]
bootstrap = "{broker.bootstrap}"
[dataset]
partitions = 1
size = {SIZE}
[load]
rate = {RATE}
duration = "{RECORDS // RATE}s"
warmup = "1s"
[load.client]
"acks" = 1
"""
    with tempfile.TemporaryDirectory(prefix="tandem-end-to-end-") as scratch:
        path, folder = Path(scratch) / "end-to-end.toml", Path(scratch) / "run"
        path.write_text(scenario, encoding="utf-8")
        if runs.measure([tandem, "run", path, "--out", folder], stdout=subprocess.DEVNULL):
            raise SystemExit(runs.WRONG)
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    parts = {latency["part"]: latency for latency in summary["configurations"][0]["live"]["latencies"]}
    transit = parts["transit"]
    return transit["mean_ms"], transit["p50_ms"]["point"], transit["p99_ms"]["point"]


def check(tandem):
    """Rows of the table: medians over the rounds."""
    theirs, ours = [], []
    with Broker() as broker:
        for turn in range(ROUNDS):
            theirs.append(kafkas(broker, f"end-to-end-{turn}"))
            ours.append(tandems(broker, tandem))

    mean, p50, p99 = (statistics.median(figures) for figures in zip(*ours))
    theirs = statistics.median(theirs)
    return [(f"sent to received, {SIZE} B, acks=1, {ROUNDS} rounds in turns, medians",
             f"tandem at {RATE}/s mean {mean:.2f} ms (p50 {p50:.2f}, p99 {p99:.2f}); EndToEndLatency mean {theirs:.2f} ms",
             "of the same order", "yes" if 0.1 < theirs / mean < 10 else "**no**")]
