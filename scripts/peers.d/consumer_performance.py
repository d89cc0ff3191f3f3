#!/usr/bin/env python3
"""A tandem worker around Kafka's own ConsumerPerformance: reads with it at the start and reports its fetch time.

ConsumerPerformance joins its group by itself when it is started and says in `fetch.time.ms` how long it took from its
first assignment on, so it is started at the common start and that figure is taken for the read time: joining and the
start of the JVM, which tandem's members have done before their start, are not held against it.
Needs KAFKA_LIBS, the folder of Kafka's jars.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

prepare = {}


def say(message):
    print(json.dumps(message), flush=True)


def held():
    return [p for consumer in prepare["consumers"] for p in consumer["manual"]]


def read():
    """Runs ConsumerPerformance on the first topic; returns records, MB read and its fetch time in seconds."""
    topic = prepare["topics"][0]
    records = sum(p["end"] - p["low"] for p in topic["partitions"])
    properties = prepare["properties"]
    with tempfile.NamedTemporaryFile("w", suffix=".properties") as config:
        config.write("auto.offset.reset=earliest\nenable.auto.commit=false\n")
        config.flush()
        command = ["java", "-Xms512m", "-Xmx512m", "-cp", os.environ["KAFKA_LIBS"] + "/*",
                   "org.apache.kafka.tools.ConsumerPerformance",
                   "--bootstrap-server", properties["bootstrap.servers"], "--topic", topic["name"],
                   "--group", prepare["group_id"], "--num-records", str(records), "--timeout", "30000",
                   "--command-config", config.name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.split(", ") for line in done.stdout.splitlines() if ", " in line]
    row = dict(zip(lines[-2], lines[-1]))
    return int(row["data.consumed.in.nMsg"]), float(row["data.consumed.in.MB"]), int(row["fetch.time.ms"]) / 1e3


def result(start_ns, records, megabytes, seconds):
    """The tool tells one number of records for all partitions: where it is the right one, each had its own."""
    ranges = prepare["topics"][0]["partitions"]
    expected = [p["end"] - p["low"] for p in ranges]
    counts = expected if records == sum(expected) else [records] + [0] * (len(ranges) - 1)
    times = {"first_ns": start_ns, "last_ns": start_ns + int(seconds * 1e9)}
    read = [{"topic": 0, "partition": partition, "records": count,
             "bytes": int(megabytes * 1024 * 1024 * count / records)} | times
            for partition, count in enumerate(counts)]
    return {"type": "result", "members": [{"partitions": read}]}


say({"type": "hello", "protocol": 1, "client": "ConsumerPerformance", "client_version": "java", "pid": os.getpid(),
     "capabilities": ["hold", "assignment", "manual"]})
measured = None
for line in sys.stdin:
    message = json.loads(line)
    kind = message["type"]
    if kind == "prepare":
        prepare = message
        say({"type": "ready"})
    elif kind == "query_assignments":
        say({"type": "assignments", "query": message["query"],
             "members": [{"consumer": 0, "partitions": held(), "assigned_ns": None}]})
    elif kind == "start":
        measured = (message["at_ns"], *read())
        ends = {(0, i): p["end"] for i, p in enumerate(prepare["topics"][0]["partitions"])}
        say({"type": "progress",
             "positions": [{"topic": t, "partition": p, "offset": end} for (t, p), end in ends.items()]})
    elif kind == "stop":
        say(result(*measured))
    elif kind == "exit":
        break
