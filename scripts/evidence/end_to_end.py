"""Kafka's own end-to-end latency tool and a live trial of tandem against one broker, one after the other in turns."""

import re
import statistics

from broker import Broker, java
from checks import verdict
from runs import Run

ROUNDS = 3
RECORDS, SIZE, RATE = 5_000, 100, 500


def kafkas(broker, topic):
    """Mean of Kafka's tool in milliseconds; its percentiles are whole milliseconds, which says too little here."""
    java("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", broker.bootstrap, "--create", "--topic", topic,
         "--partitions", "1")
    said = java("org.apache.kafka.tools.EndToEndLatency", broker.bootstrap, topic, str(RECORDS), "1", str(SIZE))
    return float(re.search(r"Avg latency: ([\d.]+) ms", said)[1])


def tandems(broker, tandem):
    """Mean, p50 and p99 from sent to received of tandem, milliseconds."""
    run = Run(tandem, "end-to-end", {"bootstrap": broker.bootstrap, "size": SIZE, "rate": RATE,
                                     "seconds": RECORDS // RATE})
    if run.code:
        raise SystemExit(run.code)
    return [run.measured(0, f"transit_{statistic}_ms") for statistic in ("mean", "p50", "p99")]


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
             "of the same order", verdict(0.1 < theirs / mean < 10))]
