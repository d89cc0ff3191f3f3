"""What one consumer has read of one partition: counts, times and a ledger of runs of offsets.

Reads no clock; times are handed in. One thread writes, and others read the position only.
"""

SERIES_BUCKET_NS = 10_000_000
SERIES_BUCKETS = 1_000
PAUSE_MIN_NS = 5_000_000
STRETCHES_MAX = 1_000


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


class Flow:
    """When a partition was read and when not, assignment by assignment: stretches of reading, and the pauses between them."""

    def __init__(self):
        # [epoch, from_ns, until_ns]; the last one is extended.
        self._stretches, self._committed, self._pause_min_ns = [], {}, PAUSE_MIN_NS

    def add(self, epoch, from_ns, until_ns):
        last = self._stretches[-1] if self._stretches else None
        if last and last[0] == epoch and from_ns - last[2] < self._pause_min_ns:
            last[2] = max(last[2], until_ns)
            return
        self._stretches.append([epoch, from_ns, until_ns])
        if len(self._stretches) > STRETCHES_MAX:
            # Memory does not grow with the time: the shortest pauses go.
            self._pause_min_ns *= 2
            known, self._stretches = self._stretches, []
            for stretch in known:
                self.add(*stretch)

    def committed(self, epoch, offset):
        """The cluster took a commit under an assignment."""
        self._committed[epoch] = max(offset, self._committed.get(epoch, offset))

    def result(self):
        """As the protocol has it: microseconds of reading, of pause, of reading and so on."""
        all_of, reached_us = [], 0
        for epoch, from_ns, until_ns in self._stretches:
            edges_ns = [from_ns, until_ns]
            if not all_of or all_of[-1]["epoch"] != epoch:
                all_of.append({"epoch": epoch, "from_ns": from_ns, "committed": self._committed.get(epoch), "steps_us": []})
                reached_us, edges_ns = 0, [until_ns]
            for at_ns in edges_ns:
                at_us = max(reached_us, (at_ns - all_of[-1]["from_ns"]) // 1_000)
                all_of[-1]["steps_us"].append(at_us - reached_us)
                reached_us = at_us
        return all_of


class Account:
    """The account of one partition. A trial reads the offsets from `low` up to but not including `end`."""

    def __init__(self, topic, partition, name, low, end, flow=None):
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
        self._series, self.flow = Series(), flow

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

    def finished(self, now_ns, start_ns, from_ns=0):
        """Says that everything counted was begun at `from_ns` and is finished now. True if that was the last of the
        partition."""
        if self.records == self._noted:
            return False
        if self.flow:
            # What is in hand for long is not read on meanwhile.
            for at_ns in (from_ns, now_ns):
                self.flow.add(self._runs[-1][2], at_ns, at_ns)
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

    def taken(self, offset):
        """The cluster took a commit."""
        if self.flow:
            self.flow.committed(self.epochs, offset)

    def result(self):
        flow = {"flow": self.flow.result()} if self.flow else {}
        return {**flow, "topic": self.topic, "partition": self.partition, "records": self.records, "bytes": self.bytes,
                "first_ns": self.first_ns, "last_ns": self.last_ns,
                "runs": [{"first": first, "end": end, "epoch": epoch} for first, end, epoch in self._runs],
                "series": {"bucket_ns": self._series.bucket_ns, "counts": self._series.counts}}
