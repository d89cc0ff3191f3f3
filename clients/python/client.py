"""What a client of confluent-kafka says: errors in words, and which of them waiting does not fix."""

from confluent_kafka import KafkaError

# Settings of tandem's own worker, which has a use for what the client then reports.
UNUSED_PROPERTIES = ("statistics.interval.ms",)

# What waiting does not fix.
PERMANENT = {KafkaError._FATAL, KafkaError._AUTHENTICATION, KafkaError._AUTO_OFFSET_RESET, KafkaError._NOT_IMPLEMENTED,
             KafkaError._UNSUPPORTED_FEATURE, KafkaError._BAD_COMPRESSION, KafkaError._UNKNOWN_TOPIC,
             KafkaError._UNKNOWN_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.SASL_AUTHENTICATION_FAILED,
             KafkaError.UNSUPPORTED_SASL_MECHANISM, KafkaError.TOPIC_AUTHORIZATION_FAILED,
             KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED,
             KafkaError.UNSUPPORTED_VERSION, KafkaError.INCONSISTENT_GROUP_PROTOCOL, KafkaError.INVALID_GROUP_ID,
             KafkaError.INVALID_SESSION_TIMEOUT, KafkaError.GROUP_MAX_SIZE_REACHED, KafkaError.FENCED_INSTANCE_ID,
             KafkaError.UNRELEASED_INSTANCE_ID, KafkaError.UNSUPPORTED_ASSIGNOR, KafkaError.MSG_SIZE_TOO_LARGE}
UNKNOWN_TOPIC = {KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART}
# A commit that a rebalance overtook: the next owner reads from what was committed before.
NOT_OWNER = {KafkaError.REBALANCE_IN_PROGRESS, KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID,
             KafkaError.STALE_MEMBER_EPOCH, KafkaError.FENCED_MEMBER_EPOCH, KafkaError._ASSIGNMENT_LOST,
             KafkaError._STATE}


class Refusal(Exception):
    """The consumer cannot go on. `is_connecting` says that the cluster could not be reached."""

    def __init__(self, message, is_connecting=False):
        super().__init__(message)
        self.is_connecting = is_connecting


def is_cooperative(properties):
    """Whether assignments come as changes. The client refuses assignors of both kinds together."""
    return (properties.get("group.protocol") == "consumer"
            or "cooperative" in properties.get("partition.assignment.strategy", ""))


def said(error):
    return f"{error.str()} ({error.name()})"
