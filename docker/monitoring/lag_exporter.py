"""Offsets, lag and members of consumer groups for Prometheus: brokers do not export them through JMX.

Everything is asked of the cluster at each scrape. Metrics have the names and labels of the well-known kafka_exporter, so
that dashboards made for it fit. TANDEM_BOOTSTRAP names the cluster.
"""

import os
import signal
import sys

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from prometheus_client import start_http_server
from prometheus_client.core import REGISTRY, GaugeMetricFamily
from prometheus_client.registry import Collector

PORT = 9308
TIMEOUT_S = 8


class Groups(Collector):
    """Asks the cluster. What it does not answer fails the scrape, which Prometheus shows as `up` 0."""

    def __init__(self, admin):
        self.admin = admin

    def describe(self):
        """Nothing is asked of the cluster before the first scrape."""
        return []

    def collect(self):
        """Committed offsets first: the ends that are asked for afterwards cannot be before them."""
        groups = [group.group_id for group in self.admin.list_consumer_groups(request_timeout=TIMEOUT_S).result().valid]
        committed = self.committed(groups)
        metadata = self.admin.list_topics(timeout=TIMEOUT_S)
        partitions = [TopicPartition(topic.topic, partition) for topic in metadata.topics.values()
                      if not topic.topic.startswith("__") for partition in topic.partitions]
        ends, starts = self.offsets(partitions, OffsetSpec.latest()), self.offsets(partitions, OffsetSpec.earliest())
        yield GaugeMetricFamily("kafka_brokers", "Brokers of the cluster", value=len(metadata.brokers))
        yield self.partition_family("kafka_topic_partition_current_offset", "End offset of a partition", ends)
        yield self.partition_family("kafka_topic_partition_oldest_offset", "First offset of a partition", starts)
        yield from self.group_families(committed, ends)
        yield self.members(groups)

    def committed(self, groups):
        """Offsets that groups have committed: {(group, topic, partition): offset}."""
        asked = [self.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)],
                                                        request_timeout=TIMEOUT_S)[group] for group in groups]
        found = {}
        for future in asked:
            try:
                answer = future.result()
            except KafkaException as error:
                # A group that has ended since it was listed.
                print(f"lag_exporter: {error}", file=sys.stderr)
                continue
            for at in answer.topic_partitions:
                if at.error is None and at.offset >= 0:
                    found[answer.group_id, at.topic, at.partition] = at.offset
        return found

    def offsets(self, partitions, spec):
        """Offsets of this kind: {(topic, partition): offset}. A partition without a leader is left out."""
        if not partitions:
            return {}
        asked = self.admin.list_offsets({partition: spec for partition in partitions}, request_timeout=TIMEOUT_S)
        found = {}
        for partition, future in asked.items():
            try:
                found[partition.topic, partition.partition] = future.result().offset
            except KafkaException as error:
                print(f"lag_exporter: {partition.topic} {partition.partition}: {error}", file=sys.stderr)
        return found

    @staticmethod
    def partition_family(name, about, offsets):
        """One metric with a value for each partition."""
        family = GaugeMetricFamily(name, about, labels=["topic", "partition"])
        for (topic, partition), offset in offsets.items():
            family.add_metric([topic, str(partition)], offset)
        return family

    @staticmethod
    def group_families(committed, ends):
        """What groups have committed, and how far that is from the end."""
        labels = ["consumergroup", "topic", "partition"]
        at = GaugeMetricFamily("kafka_consumergroup_current_offset", "Offset that a group has committed", labels=labels)
        lag = GaugeMetricFamily("kafka_consumergroup_lag", "Records from there to the end", labels=labels)
        for (group, topic, partition), offset in committed.items():
            names = [group, topic, str(partition)]
            at.add_metric(names, offset)
            if (topic, partition) in ends:
                lag.add_metric(names, ends[topic, partition] - offset)
        yield at
        yield lag

    def members(self, groups):
        """Members of each group."""
        family = GaugeMetricFamily("kafka_consumergroup_members", "Members of a group", labels=["consumergroup"])
        asked = self.admin.describe_consumer_groups(groups, request_timeout=TIMEOUT_S) if groups else {}
        for group, future in asked.items():
            try:
                family.add_metric([group], len(future.result().members))
            except KafkaException as error:
                print(f"lag_exporter: {group}: {error}", file=sys.stderr)
        return family


def main():
    """Serves until it is stopped."""
    bootstrap = os.environ.get("TANDEM_BOOTSTRAP")
    if not bootstrap:
        sys.exit("lag_exporter: TANDEM_BOOTSTRAP has to name the cluster, as HOST:PORT")
    REGISTRY.register(Groups(AdminClient({"bootstrap.servers": bootstrap, "client.id": "lag-exporter"})))
    start_http_server(PORT)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
