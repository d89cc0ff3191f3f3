"""A broker of its own for the questions that compare tandem with other programs on it, and Kafka's tools."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

# The version that tandem brings and runs by default.
KAFKA = "4.3.1"
# How long a broker may take to answer.
PATIENCE = 30


def libraries():
    """Where Kafka's jars are, or will be once tandem has brought them."""
    if os.environ.get("KAFKA_HOME"):
        return Path(os.environ["KAFKA_HOME"]) / "libs"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "tandem/kafka" / KAFKA / "libs"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def java(*arguments):
    """What a program of Kafka's prints."""
    done = subprocess.run(["java", "-cp", f"{libraries()}/*", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)
    if done.returncode:
        raise RuntimeError(f"{arguments[0]} failed: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


class Broker:
    """One broker, gone with its data when left; the data lie in the folder `parent`."""

    def __init__(self, parent=None):
        self.parent = parent

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tandem-broker-", dir=self.parent))
        port, controller = free_port(), free_port()
        self.bootstrap = f"127.0.0.1:{port}"
        properties = self.folder / "server.properties"
        properties.write_text("\n".join([
            "process.roles=broker,controller", "node.id=1", f"log.dirs={self.folder}/data",
            f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
            f"controller.quorum.voters=1@127.0.0.1:{controller}", "controller.listener.names=CONTROLLER",
            "offsets.topic.replication.factor=1", "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1", "group.initial.rebalance.delay.ms=0",
            # What is deleted makes room at once.
            "log.segment.delete.delay.ms=0"]) + "\n", encoding="utf-8")
        java("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAA", "-c", str(properties))
        self.process = subprocess.Popen(["java", "-Xmx400m", "-cp", f"{libraries()}/*", "kafka.Kafka", str(properties)],
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
