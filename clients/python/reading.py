"""What the thread that reads does with its time, and how its records are told apart. Reads no clock."""


class Reading:
    """What the thread that reads does with its time, apart from records."""

    def __init__(self):
        self.waiting_ns = self.committing_ns = self._open_ns = 0
        self._longest = self._open = None

    def waited(self, from_ns, until_ns):
        """It waited for records. What follows the last record is no waiting for one, so it counts with the next."""
        self._open_ns += until_ns - from_ns
        self._open = (self._open[0] if self._open else from_ns, until_ns)

    def record_came(self):
        if self._open:
            self.waiting_ns += self._open_ns
            self._keep_longest(self._open)
            self._open_ns, self._open = 0, None

    def committed(self, from_ns, until_ns):
        self.committing_ns += until_ns - from_ns
        self._keep_longest((from_ns, until_ns))

    def _keep_longest(self, stretch):
        if not self._longest or stretch[1] - stretch[0] > self._longest[1] - self._longest[0]:
            self._longest = stretch

    def result(self):
        longest = self._longest and {"from_ns": self._longest[0], "until_ns": self._longest[1]}
        return {"readers": 1, "waiting_ns": self.waiting_ns, "committing_ns": self.committing_ns,
                "longest_wait": longest}


def runs_of(records, is_one_topic):
    """Splits records into runs of one partition with an offset after the other, each with the bytes of its keys and values;
    an error is a run of its own. One loop takes everything of a record, while it is in cache."""
    begin = first = expected = size = 0
    topic = partition = None
    for record in records:
        if (record.offset() != expected or record.partition() != partition or record.error()
                or not (is_one_topic or record.topic() == topic)):
            if first != expected:
                yield records[begin:begin + expected - first], size
                begin += expected - first
            if record.error():
                yield [record], 0
                begin, first, expected, partition = begin + 1, 0, 0, None
                continue
            first = expected = record.offset()
            topic, partition, size = record.topic(), record.partition(), 0
        expected += 1
        size += len(record)
        if key := record.key():
            size += len(key)
    if first != expected:
        yield records[begin:] if begin else records, size
