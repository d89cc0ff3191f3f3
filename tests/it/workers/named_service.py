"""A service with a client name of its own that is missed soon: `named_service.py ADDRESS TOPIC GROUP CLIENT_ID`."""

import sys
import time

import confluent_kafka

address, topic, group, client_id = sys.argv[1:]
consumer = confluent_kafka.Consumer({
    "bootstrap.servers": address, "group.id": group, "client.id": client_id, "auto.offset.reset": "latest",
    "session.timeout.ms": 6000, "heartbeat.interval.ms": 500, "auto.commit.interval.ms": 500})
consumer.subscribe([topic], on_assign=lambda *_: print("joined", flush=True))
while True:
    record = consumer.poll(1.0)
    if record is not None:
        if record.error():
            sys.exit(f"cannot read: {record.error()}")
        time.sleep(0.001)
