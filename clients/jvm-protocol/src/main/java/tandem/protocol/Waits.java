package tandem.protocol;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** How long records that arrived during the trial waited. One thread records; another takes the seconds that are over. */
final class Waits {
    record Latencies(Latency.Saved producerDelay, Latency.Saved transit, Latency.Saved queued, Latency.Saved work,
            Latency.Saved response) {}

    record Slice(long records, long waitedNs) {}

    record Second(long second, Latency.Saved response) {}

    private static final int STAMP_BYTES = 24;
    private static final int SLICES = 20;
    private static final long SECOND_NS = 1_000_000_000;

    private final Prepare.Stamps order;
    private final long originNs;
    private final long windowNs;
    private final Queue<Second> over = new ConcurrentLinkedQueue<>();
    private long second;
    private Latency responses = new Latency();

    Waits(Prepare.Stamps order, long startNs) {
        this.order = order;
        originNs = startNs + order.leadNs();
        windowNs = originNs + order.warmupNs();
    }

    /** The records of one partition that are intended for the window. */
    static final class OfPartition {
        private final Latency producerDelay = new Latency();
        private final Latency transit = new Latency();
        private final Latency queued = new Latency();
        private final Latency work = new Latency();
        private final Latency response = new Latency();
        private final long[] records = new long[SLICES];
        private final long[] waitedNs = new long[SLICES];

        Latencies latencies() {
            return new Latencies(producerDelay.saved(), transit.saved(), queued.saved(), work.saved(), response.saved());
        }

        List<Slice> slices() {
            List<Slice> slices = new ArrayList<>();
            for (int slice = 0; slice < SLICES; slice++) {
                slices.add(new Slice(records[slice], waitedNs[slice]));
            }
            return slices;
        }
    }

    boolean isStamped(Prepare.Partition partition, long offset) {
        return offset >= order.stampedFrom().get(partition.topic()).get(partition.partition());
    }

    /** Records the way of a record with a stamp. False if its value is too short for one. */
    boolean finished(OfPartition of, byte[] value, long receivedNs, long startedNs, long finishedNs) {
        if (value == null || value.length < STAMP_BYTES) {
            return false;
        }
        ByteBuffer stamp = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
        long intendedNs = stamp.getLong(0) - order.stampOffsetNs();
        long sentNs = stamp.getLong(8) - order.stampOffsetNs();
        passed(finishedNs);
        responses.record(intendedNs, finishedNs);
        long inWindowNs = intendedNs - windowNs;
        if (inWindowNs >= 0 && inWindowNs < order.durationNs()) {
            of.producerDelay.record(intendedNs, sentNs);
            of.transit.record(sentNs, receivedNs);
            of.queued.record(receivedNs, startedNs);
            of.work.record(startedNs, finishedNs);
            of.response.record(intendedNs, finishedNs);
            int slice = (int) (inWindowNs * (double) SLICES / order.durationNs());
            of.records[slice]++;
            of.waitedNs[slice] += Math.max(0, startedNs - intendedNs);
        }
        return true;
    }

    /** Says what time it is: a second that is over is handed over. */
    void passed(long nowNs) {
        long current = Math.max(0, nowNs - originNs) / SECOND_NS;
        if (current > second) {
            handOver();
            second = current;
        }
    }

    /** Hands over what is left. */
    void handOver() {
        if (!responses.isEmpty()) {
            over.add(new Second(second, responses.saved()));
            responses = new Latency();
        }
    }

    /** Takes the seconds that were handed over. */
    List<Second> take() {
        List<Second> taken = new ArrayList<>();
        for (Second next = over.poll(); next != null; next = over.poll()) {
            taken.add(next);
        }
        return taken;
    }
}
