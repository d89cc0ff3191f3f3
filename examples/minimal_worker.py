"""The smallest tandem worker, without hold and ledger: it counts records and reports positions.
Copy examples/worker.py instead: it reports less often and refuses what it cannot do."""

import json, os, select, sys, time
import confluent_kafka

def say(kind, **rest):
    print(json.dumps({"type": kind, **rest}), flush=True)

host = open("/proc/sys/kernel/random/boot_id").read().strip() + " " + os.readlink("/proc/self/ns/time")
say("hello", protocol=2, client="confluent-kafka", client_version=confluent_kafka.__version__, pid=os.getpid(), host=host)
consumer, started, waiting, counts, positions = None, False, [], {}, {}
while True:
    if consumer is None or select.select([0], [], [], 0)[0]:
        message = json.loads(sys.stdin.buffer.raw.readline() or '{"type": "exit"}')
        if message["type"] == "prepare":
            topics = [topic["name"] for topic in message["topics"]]
            ends = [[partition["end"] for partition in topic["partitions"]] for topic in message["topics"]]
            name = message["consumers"][0]["client_id"]
            consumer = confluent_kafka.Consumer({**message["properties"], "client.id": name})
            say("ready")
        elif message["type"] == "query_clock":
            now = time.monotonic_ns()
            say("clock", received_ns=now, sent_ns=now)
        elif message["type"] == "subscribe":
            consumer.subscribe(topics)
        elif message["type"] == "start":
            started = True
        elif message["type"] == "stop":
            say("result", members=[{"partitions": [{"topic": t, "partition": p, "records": n}
                                                   for (t, p), n in counts.items()]}])
        elif message["type"] == "exit":
            break
    waiting += consumer.consume(1000, 0.01) if consumer else []
    if started and waiting:  # Joining means consuming: earlier records waited for the start.
        for record in waiting:
            partition = topics.index(record.topic()), record.partition()
            if record.offset() < ends[partition[0]][partition[1]]:
                counts[partition] = counts.get(partition, 0) + 1
                positions[partition] = record.offset() + 1
        waiting = []
        say("progress", positions=[{"topic": t, "partition": p, "offset": o} for (t, p), o in positions.items()])
