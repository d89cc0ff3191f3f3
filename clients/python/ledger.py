"""What one consumer has read of one partition: counts, times and a ledger of runs of offsets.

Reads no clock; times are handed in. One thread writes, and others read the position only.
"""

SERIES_BUCKET_NS = 10_000_000
SERIES_BUCKETS = 1_000


class Series:
    """Records over time, in a bounded number of buckets: when they are used up, two become one."""

    def __init__(self):
        self.bucket_ns, self.counts = SERIES_BUCKET_NS, []

    def add(self, after_ns, records):
        bucket = max(0, after_ns) // self.bucket_ns
        while bucket >= SERIES_BUCKETS:
            self.counts = [sum(self.counts[i:i + 2]) for i in range(0, len(self.counts), 2)]
            self.bucket_ns *= 2
            bucket //= 2
        if bucket >= len(self.counts):
            self.counts.extend([0] * (bucket + 1 - len(self.counts)))
        self.counts[bucket] += records


class Account:
    """The account of one partition. A trial reads the offsets from `low` up to but not including `end`."""

    def __init__(self, topic, partition, name, low, end):
        self.topic, self.partition, self.name, self.low, self.end = topic, partition, name, low, end
        self.epochs, self.is_held, self.is_passed = 0, False, low >= end
        self.records = self.bytes = self._noted = 0
        self.first_ns = self.last_ns = None
        # The epoch of which it was said where it begins.
        self.begun = 0
        # Next offset to read, once a record is finished.
        self.position = None
        self.committed = None
        # [first, end, epoch]; the last one is extended.
        self._runs = []
        self._series = Series()

    def begin_epoch(self):
        self.epochs += 1
        self.is_held, self.committed = True, None

    def end_epoch(self):
        self.is_held = False

    def count(self, first, records, size, received_ns):
        """Counts consecutive records of the trial whose work is done."""
        run = self._runs[-1] if self._runs else None
        if run and run[1] == first and run[2] == self.epochs:
            run[1] += records
        else:
            self._runs.append([first, first + records, self.epochs])
            if self.first_ns is None:
                self.first_ns = received_ns
        self.records += records
        self.bytes += size

    def finished(self, now_ns, start_ns):
        """Says that everything counted is finished now. True if that was the last of the partition."""
        if self.records == self._noted:
            return False
        self._series.add(now_ns - start_ns, self.records - self._noted)
        self._noted, self.last_ns = self.records, now_ns
        self.position = self._runs[-1][1]
        return self.position == self.end and self.passed()

    def passed(self):
        """Nothing more of the trial comes of this partition. True if that is news."""
        is_news, self.is_passed = not self.is_passed, True
        self.position = self.end
        return is_news

    def uncommitted(self):
        """The position, if this owner has read up to it and not committed it; None otherwise."""
        if not self.is_held or not self._runs or self._runs[-1][2] != self.epochs:
            return None
        read = self._runs[-1][1]
        return read if self.committed is None or read > self.committed else None

    def result(self):
        return {"topic": self.topic, "partition": self.partition, "records": self.records, "bytes": self.bytes,
                "first_ns": self.first_ns, "last_ns": self.last_ns,
                "runs": [{"first": first, "end": end, "epoch": epoch} for first, end, epoch in self._runs],
                "series": {"bucket_ns": self._series.bucket_ns, "counts": self._series.counts}}
