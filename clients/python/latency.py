"""How long records with a stamp waited: HDR histograms of nanoseconds with three digits, in their V2 encoding."""

import base64
import queue
import struct
import zlib

HIGHEST_NS = 600_000_000_000
SECOND_NS = 1_000_000_000
SLICES = 20
PARTS = ("producer_delay", "transit", "queued", "work", "response")

# The stamp of a value: intended and sent. The producer and its number of the record follow and are not needed.
STAMP = struct.Struct("<qq8x")

# Of the time between two records so much goes into taking the next one, not into waiting for it.
TAKING_NS = 100_000

# Three digits need buckets of 2048 values, of which the lower half lies in the bucket below.
SUB_BUCKET_BITS = 11
HALF_BITS = SUB_BUCKET_BITS - 1
V2_COOKIE = 0x1C849303 | 0x10
V2_DEFLATED_COOKIE = 0x1C849304 | 0x10


class Latency:
    """Times from one moment of a record to another. What the histogram cannot hold is counted beside it."""

    def __init__(self):
        self._counts = {}
        self._sum_ns = self._negative = self._overflow = 0

    def record(self, from_ns, until_ns):
        latency_ns = until_ns - from_ns
        if latency_ns < 0:
            self._negative += 1
        elif latency_ns > HIGHEST_NS:
            self._overflow += 1
        else:
            shift = max(0, latency_ns.bit_length() - SUB_BUCKET_BITS)
            index = (shift << HALF_BITS) + (latency_ns >> shift)
            self._counts[index] = self._counts.get(index, 0) + 1
            self._sum_ns += latency_ns

    def is_empty(self):
        return not self._counts and self._negative + self._overflow == 0

    def saved(self):
        """As the protocol has it."""
        body = self._encoded_counts()
        # Payload length, normalising offset, digits, lowest and highest value, ratio to doubles.
        plain = struct.pack(">iiiiqqd", V2_COOKIE, len(body), 0, 3, 1, HIGHEST_NS, 1.0) + body
        deflated = zlib.compress(plain)
        packed = struct.pack(">ii", V2_DEFLATED_COOKIE, len(deflated)) + deflated
        return {"histogram": base64.b64encode(packed).decode(), "sum_ns": float(self._sum_ns),
                "negative": self._negative, "overflow": self._overflow}

    def _encoded_counts(self):
        """Counts as zigzag LEB128; a run of zeros is its negative length."""
        encoded, following = bytearray(), 0
        for index in sorted(self._counts):
            if index > following:
                encoded += zigzag(following - index)
            encoded += zigzag(self._counts[index])
            following = index + 1
        return bytes(encoded)


def zigzag(number):
    """A number as zigzag LEB128, of which the ninth byte has eight bits."""
    rest = (number << 1) ^ (number >> 63)
    encoded = bytearray()
    while rest > 0x7F and len(encoded) < 8:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return encoded


class PartitionWaits:
    """The records of one partition that are intended for the window."""

    def __init__(self):
        self.parts = {part: Latency() for part in PARTS}
        self.slices = [[0, 0] for _ in range(SLICES)]

    def result(self):
        return {"latencies": {part: latency.saved() for part, latency in self.parts.items()},
                "waits": [{"records": records, "waited_ns": waited} for records, waited in self.slices]}


class Waits:
    """What one consumer records of records with a stamp. Its thread records; another takes the seconds that are over."""

    def __init__(self, order, start_ns):
        self._order = order
        self._origin_ns = start_ns + order["lead_ns"]
        self._window_ns = self._origin_ns + order["warmup_ns"]
        self._offset_ns = order.get("stamp_offset_ns", 0)
        self._window_end_ns = self._window_ns + order["duration_ns"]
        self._second, self._response = 0, Latency()
        self.idle_ns, self._busy_until_ns = 0, self._origin_ns
        self._over = queue.SimpleQueue()

    def is_stamped(self, account, offset):
        return offset >= self._order["stamped_from"][account.topic][account.partition]

    def worked(self, started_ns, finished_ns):
        """It was busy with a record or a commit, and had nothing to do since the one before."""
        idle_from_ns = max(self._busy_until_ns + TAKING_NS, self._window_ns)
        self.idle_ns += max(0, min(started_ns, self._window_end_ns) - idle_from_ns)
        self._busy_until_ns = max(self._busy_until_ns, finished_ns)

    def record(self, of_partition, value, received_ns, started_ns, finished_ns):
        """Records the way of a record with a stamp. False if its value is too short for one."""
        if value is None or len(value) < STAMP.size:
            return False
        intended_ns, sent_ns = STAMP.unpack_from(value)
        intended_ns, sent_ns = intended_ns - self._offset_ns, sent_ns - self._offset_ns
        self.passed(finished_ns)
        self._response.record(intended_ns, finished_ns)
        in_window_ns = intended_ns - self._window_ns
        if 0 <= in_window_ns < self._order["duration_ns"]:
            parts = of_partition.parts
            parts["producer_delay"].record(intended_ns, sent_ns)
            parts["transit"].record(sent_ns, received_ns)
            parts["queued"].record(received_ns, started_ns)
            parts["work"].record(started_ns, finished_ns)
            parts["response"].record(intended_ns, finished_ns)
            of_slice = of_partition.slices[in_window_ns * SLICES // self._order["duration_ns"]]
            of_slice[0] += 1
            of_slice[1] += max(0, started_ns - intended_ns)
        return True

    def passed(self, now_ns):
        """Says what time it is: a second that is over is handed over."""
        second = max(0, now_ns - self._origin_ns) // SECOND_NS
        if second > self._second:
            self.hand_over()
            self._second = second

    def close(self):
        """Nothing more is recorded; its last second is handed over."""
        self.hand_over()
        self.worked(self._window_end_ns, self._window_end_ns)

    def hand_over(self):
        if not self._response.is_empty():
            self._over.put({"second": self._second, "response": self._response.saved()})
            self._response = Latency()

    def take(self):
        """The seconds that were handed over and not taken."""
        taken = []
        while not self._over.empty():
            taken.append(self._over.get())
        return taken
