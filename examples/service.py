"""Somebody's service, as it is: reads records and works two milliseconds on each. It knows nothing of tandem.

    python3 service.py ADDRESS TOPIC GROUP
"""

import sys
import time

import confluent_kafka

WORK_SECONDS = 0.002
COMMIT_SECONDS = 1.0


def work(record):
    time.sleep(WORK_SECONDS)


def main(address, topic, group):
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": address,
        "group.id": group,
        "auto.offset.reset": "latest",
        "auto.commit.interval.ms": int(COMMIT_SECONDS * 1000),
    })

    def joined(_, partitions):
        print("joined:", ", ".join(f"{p.topic} [{p.partition}]" for p in partitions) or "no partition", flush=True)

    consumer.subscribe([topic], on_assign=joined)
    print(f"reading {topic} for {group}", flush=True)
    while True:
        record = consumer.poll(1.0)
        if record is None:
            continue
        if record.error():
            sys.exit(f"cannot read: {record.error()}")
        work(record)


if __name__ == "__main__":
    main(*sys.argv[1:])
