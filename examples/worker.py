"""A tandem worker in Python, to measure another client (here confluent-kafka) beside tandem's own consumers.

Name it as a place of a scenario, and give a case that place:

    [[place]]
    name = "python"
    launcher = ["python3", "examples/worker.py"]

    [[case]]
    name = "confluent-kafka"
    place = "python"

It reads one JSON object per line from standard input and answers on standard output; docs/protocol.md describes both.
It claims no capability, so tandem asks only for what this file does, checks the number of records of each partition, and
marks what it cannot observe as `not-observed`. Needs: pip install confluent-kafka
"""

import json
import os
import queue
import sys
import threading
import time

import confluent_kafka


def say(kind, **rest):
    print(json.dumps({"type": kind, **rest}), flush=True)


def wait_for(kind, meanwhile=lambda: time.sleep(0.005)):
    """Calls `meanwhile` until a message of this kind comes; ends the program on `exit` or end of input."""
    while True:
        try:
            message = json.loads(inbox.get_nowait() or '{"type": "exit"}')
        except queue.Empty:
            meanwhile()
            continue
        if message["type"] in (kind, "exit"):
            return message if message["type"] == kind else sys.exit()


def give_up(message):
    say("failed", connect=False, message=str(message))
    sys.exit(1)


def read(records):
    """Counts records, and reports positions ten times a second and at the end of each partition."""
    global reported
    for record in records:
        if record.error():
            give_up(record.error())
        partition = (topics.index(record.topic()), record.partition())
        if record.offset() < ends[partition]:  # Records beyond the trial's end do not count. Your work goes here.
            counts[partition] = counts.get(partition, 0) + 1
            positions[partition] = record.offset() + 1
    done = sum(position == ends[partition] for partition, position in positions.items())
    if records and (done > reported[0] or time.monotonic() > reported[1] + 0.1):
        reported = (done, time.monotonic())
        say("progress", positions=[{"topic": t, "partition": p, "offset": o} for (t, p), o in positions.items()])


def lines():
    for line in sys.stdin:
        if json.loads(line)["type"] == "query_clock":  # Only on another host: its clock is compared with tandem's.
            now = time.monotonic_ns()
            say("clock", received_ns=now, sent_ns=now)
        else:
            inbox.put(line)
    inbox.put(None)


def host():
    """Names this machine's clock, which containers share."""
    with open("/proc/sys/kernel/random/boot_id") as boot:
        return f"{boot.read().strip()} {os.readlink('/proc/self/ns/time')}"


inbox = queue.SimpleQueue()
threading.Thread(target=lines, daemon=True).start()
say("hello", protocol=2, client="confluent-kafka", client_version=confluent_kafka.__version__, pid=os.getpid(),
    host=host())

order = wait_for("prepare")
if len(order["consumers"]) != 1 or order["work"] != "none" or order["commit"] != "none":
    give_up("this worker has one consumer, which neither works nor commits")
topics = [topic["name"] for topic in order["topics"]]
ends = {(t, p): range["end"] for t, topic in enumerate(order["topics"]) for p, range in enumerate(topic["partitions"])}
counts, positions, reported = {}, {}, (0, 0.0)
consumer = confluent_kafka.Consumer({**order["properties"], "client.id": order["consumers"][0]["client_id"]})
consumer.list_topics(timeout=20)  # Ready means that the cluster has answered.
say("ready")

wait_for("subscribe")
consumer.subscribe(topics)
early = []  # Joining means consuming: records that come before the start wait here.
start = wait_for("start", lambda: early.extend(consumer.consume(1000, 0.01)))
time.sleep(max(0, start["at_ns"] - time.monotonic_ns()) / 1e9)
read(early)
wait_for("stop", lambda: read(consumer.consume(1000, 0.01)))
say("result", members=[{"partitions": [{"topic": t, "partition": p, "records": n} for (t, p), n in counts.items()]}])
wait_for("exit")
consumer.close()
