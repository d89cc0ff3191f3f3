//! Properties that tandem sets itself, which a scenario may not set, by the table in which they would stand. Data only.

/// Properties of consumers and of all clients that tandem sets itself, with what to write instead.
pub(crate) const OWNED: &[(&str, &str)] = &[
    ("bootstrap.servers", "use `bootstrap` in [cluster]"),
    ("metadata.broker.list", "use `bootstrap` in [cluster]"),
    (
        "group.id",
        "every trial has a fresh group; `prefix` in [cluster] begins its name, and `group` in [consumer] fixes it",
    ),
    (
        "client.id",
        "every member has its own, by which it is found in the group",
    ),
    ("group.instance.id", "members of a trial are always new"),
    ("enable.auto.commit", "use `commit`, such as commit = \"auto\""),
    ("auto.commit.enable", "use `commit`, such as commit = \"auto\""),
    (
        "enable.auto.offset.store",
        "use `commit`: a position is stored when its record's work is done",
    ),
    ("enable.partition.eof", "the end of a trial is known before it begins"),
    ("auto.offset.reset", "a trial reads each partition from its beginning"),
    ("group.protocol", "use `protocol`, such as protocol = \"consumer\""),
    (
        "partition.assignment.strategy",
        "use `assignor`, such as assignor = \"range\"",
    ),
    (
        "group.remote.assignor",
        "use `assignor`, such as assignor = \"uniform\"",
    ),
    ("statistics.interval.ms", "tandem reads the client's statistics itself"),
];

/// Properties of the producers of load that tandem sets itself, with what to write instead.
pub(crate) const OWNED_OF_PRODUCERS: &[(&str, &str)] = &[
    ("bootstrap.servers", "use `bootstrap` in [cluster]"),
    ("metadata.broker.list", "use `bootstrap` in [cluster]"),
    ("client.id", "every producer has its own"),
    (
        "compression.codec",
        "use `compression` in [dataset], such as compression = \"lz4\"",
    ),
    (
        "compression.type",
        "use `compression` in [dataset], such as compression = \"lz4\"",
    ),
    (
        "delivery.report.only.error",
        "every record is accounted for, those that were delivered too",
    ),
    ("statistics.interval.ms", "tandem counts what it sends itself"),
    ("transaction.timeout.ms", "producers of load have no transactions"),
    ("transactional.id", "producers of load have no transactions"),
];

/// Properties of the producers that fill data sets that tandem sets itself, with what to write instead or why.
pub(crate) const OWNED_OF_FILLING: &[(&str, &str)] = &[
    ("acks", EVERY_RECORD_ONCE),
    (
        "compression.codec",
        "use `compression` in [dataset], such as compression = \"lz4\"",
    ),
    (
        "compression.type",
        "use `compression` in [dataset], such as compression = \"lz4\"",
    ),
    ("delivery.report.only.error", EVERY_RECORD_ONCE),
    ("delivery.timeout.ms", EVERY_RECORD_ONCE),
    ("enable.gapless.guarantee", EVERY_RECORD_ONCE),
    ("enable.idempotence", EVERY_RECORD_ONCE),
    ("message.send.max.retries", EVERY_RECORD_ONCE),
    ("message.timeout.ms", EVERY_RECORD_ONCE),
    (
        "partitioner",
        "partitions are filled equally, or by `weights`, or by the hash of `keys` as Java's producers do",
    ),
    ("produce.offset.report", EVERY_RECORD_ONCE),
    ("queuing.strategy", EVERY_RECORD_ONCE),
    ("request.required.acks", EVERY_RECORD_ONCE),
    ("retries", EVERY_RECORD_ONCE),
    ("transaction.timeout.ms", "data sets are filled without transactions"),
    ("transactional.id", "data sets are filled without transactions"),
];

const EVERY_RECORD_ONCE: &str =
    "a data set has every record exactly once and in order, which needs an idempotent producer";
