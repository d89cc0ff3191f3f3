package tandem.protocol;

import java.util.Arrays;

/** Records in each stretch of time from the start. Where the buckets are used up, two become one. */
final class Series {
    /** As the protocol has it. */
    record Counts(long bucketNs, long[] counts) {}

    private static final int BUCKETS_MAX = 1_000;

    private final long[] counts = new long[BUCKETS_MAX];
    private long bucketNs = 10_000_000;
    private int used;

    void add(long afterNs, long records) {
        long bucket = Math.max(0, afterNs) / bucketNs;
        while (bucket >= BUCKETS_MAX) {
            for (int half = 0; half < BUCKETS_MAX / 2; half++) {
                counts[half] = counts[2 * half] + counts[2 * half + 1];
            }
            Arrays.fill(counts, BUCKETS_MAX / 2, BUCKETS_MAX, 0);
            bucketNs *= 2;
            used = (used + 1) / 2;
            bucket /= 2;
        }
        counts[(int) bucket] += records;
        used = Math.max(used, (int) bucket + 1);
    }

    Counts counts() {
        return new Counts(bucketNs, Arrays.copyOf(counts, used));
    }
}
