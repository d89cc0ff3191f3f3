"""A tandem worker in Python whose work is to store each record in PostgreSQL: `work = "store"`.

It is worker.py with what a store needs: a connection, transactions, commits to Kafka after them, and a ledger of offsets.
It ends at the first failure, as `on_error = "fail"` wants it; clients/python tries again as well. docs/clients.md says what
each step is for. Needs: pip install confluent-kafka 'psycopg[binary]'
"""

import json
import os
import queue
import sys
import threading
import time

import confluent_kafka
import psycopg


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
    say("failed", connect=False, message=" ".join(str(message).split()))
    os._exit(1)


def work(records):
    """Stores the records of the trial in transactions, and commits their offsets to Kafka at the end."""
    for record in records:
        if record.error():
            give_up(record.error())
    records = [record for record in records if record.offset() < ends[partition_of(record)]]
    for first in range(0, len(records), order["store"]["rows"]):
        store(records[first:first + order["store"]["rows"]])
    read = {partition_of(record): record.offset() + 1 for record in records}
    if read and order["commit"] == "per_batch":
        offsets = [confluent_kafka.TopicPartition(topics[t], p, offset) for (t, p), offset in read.items()]
        consumer.commit(offsets=offsets, asynchronous=False)
    if read:
        say("progress", positions=[{"topic": t, "partition": p, "offset": offset} for (t, p), offset in read.items()])


def store(records):
    """Stores records in a transaction. They count when it is committed, and not before."""
    rows = [(record.topic(), record.partition(), record.offset(), record.value() or b"") for record in records]
    for record in records:
        t, p = partition_of(record)
        if begun.get((t, p)) != assignments:  # If this process is killed, nothing else says what it stores from here on.
            begun[t, p] = assignments
            say("began", consumer=0, topic=t, partition=p, offset=record.offset())
    try:
        with database.transaction(), database.cursor() as cursor:
            cursor.executemany(INSERT.format(order["store"]["table"]), rows)
    except psycopg.Error as error:
        give_up(f"the work failed: {error}")
    used["transactions"] += 1
    used["rows"] += len(rows)
    for record in records:
        runs = ledger.setdefault(partition_of(record), [])
        if not runs or (runs[-1]["end"], runs[-1]["epoch"]) != (record.offset(), assignments):
            runs.append({"first": record.offset(), "epoch": assignments})
        runs[-1]["end"] = record.offset() + 1


def partition_of(record):
    return topics.index(record.topic()), record.partition()


def on_assign(_, __):
    global assignments
    assignments += 1


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


INSERT = 'INSERT INTO {} (topic, partition, "offset", value) VALUES (%s, %s, %s, %s)'
inbox = queue.SimpleQueue()
threading.Thread(target=lines, daemon=True).start()
say("hello", protocol=2, client="confluent-kafka", client_version=confluent_kafka.__version__, pid=os.getpid(),
    host=host(), capabilities=["ledger", "store"])

order = wait_for("prepare")
if (order["work"] != "store" or order["store"]["write"] != "insert" or order["store"]["on_error"] != "fail"
        or order["commit"] not in ("none", "per_batch") or len(order["consumers"]) != 1):
    give_up("this worker has one consumer, which inserts, ends if it cannot, and commits none or per batch")
topics = [topic["name"] for topic in order["topics"]]
ends = {(t, p): range["end"] for t, topic in enumerate(order["topics"]) for p, range in enumerate(topic["partitions"])}
client_id = order["consumers"][0]["client_id"]
ledger, begun, used, assignments = {}, {}, {"transactions": 0, "rows": 0, "retries": 0}, 0
try:
    database = psycopg.connect(order["store"]["url"], autocommit=True, application_name=client_id, connect_timeout=5)
except psycopg.Error as error:
    give_up(f"cannot prepare the work: {error}")
consumer = confluent_kafka.Consumer({**order["properties"], "client.id": client_id})
consumer.list_topics(timeout=20)  # Ready means that the cluster has answered.
say("ready")

wait_for("subscribe")
consumer.subscribe(topics, on_assign=on_assign)
early = []  # Joining means consuming: records that come before the start wait here.
start = wait_for("start", lambda: early.extend(consumer.consume(1000, 0.01)))
time.sleep(max(0, start["at_ns"] - time.monotonic_ns()) / 1e9)
work(early)
wait_for("stop", lambda: work(consumer.consume(1000, 0.01)))
say("result", members=[{"store": used, "partitions": [
    {"topic": t, "partition": p, "records": sum(run["end"] - run["first"] for run in runs), "runs": runs}
    for (t, p), runs in ledger.items()]}])
wait_for("exit")
consumer.close()
database.close()
