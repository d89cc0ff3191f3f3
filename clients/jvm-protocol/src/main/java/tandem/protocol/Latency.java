package tandem.protocol;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;

import org.HdrHistogram.Histogram;

/** Times from one moment of a record to another. */
final class Latency {
    /** As the protocol has it. */
    record Saved(String histogram, double sumNs, long negative, long overflow) {}

    private static final long HIGHEST_NS = 600_000_000_000L;

    private final Histogram histogram = new Histogram(HIGHEST_NS, 3);
    private double sumNs;
    private long negative;
    private long overflow;

    void record(long fromNs, long untilNs) {
        long latencyNs = untilNs - fromNs;
        if (latencyNs < 0) {
            negative++;
        } else if (latencyNs > HIGHEST_NS) {
            overflow++;
        } else {
            histogram.recordValue(latencyNs);
            sumNs += latencyNs;
        }
    }

    boolean isEmpty() {
        return histogram.getTotalCount() + negative + overflow == 0;
    }

    Saved saved() {
        ByteBuffer bytes = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
        int length = histogram.encodeIntoCompressedByteBuffer(bytes);
        String text = Base64.getEncoder().encodeToString(Arrays.copyOf(bytes.array(), length));
        return new Saved(text, sumNs, negative, overflow);
    }
}
