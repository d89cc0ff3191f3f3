"""What the thread that reads does with its time, and how its records are told apart. Reads no clock."""

import itertools
import operator

from confluent_kafka import Message


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


def runs_of(records, is_one_topic, kind=Message):
    """Splits records into runs of one partition with an offset after the other; an error is a run of its own. Without an
    error this takes no line of Python for each record."""
    size = len(records)
    if any(map(kind.error, records)):
        keys = [(number,) if record.error() else (record.topic(), record.partition(), record.offset() - number)
                for number, record in enumerate(records)]
    else:
        offsets, partitions = list(map(kind.offset, records)), list(map(kind.partition, records))
        topics = itertools.repeat(None) if is_one_topic else list(map(kind.topic, records))
        if (offsets == list(range(offsets[0], offsets[0] + size)) and partitions.count(partitions[0]) == size
                and (is_one_topic or topics.count(topics[0]) == size)):
            return [records]
        keys = zip(topics, partitions, map(operator.sub, offsets, range(size)))
    runs, end = [], 0
    for _, run in itertools.groupby(keys):
        begin, end = end, end + len(list(run))
        runs.append(records[begin:end])
    return runs
