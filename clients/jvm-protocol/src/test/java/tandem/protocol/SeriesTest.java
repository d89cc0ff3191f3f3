package tandem.protocol;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;

import org.junit.jupiter.api.Test;

class SeriesTest {
    private static final long BUCKET_NS = 10_000_000;

    private final Series series = new Series();

    @Test
    void recordsAreCountedByTheTimeOfTheirEnd() {
        series.add(0, 2);
        series.add(BUCKET_NS - 1, 3);
        series.add(2 * BUCKET_NS, 4);
        assertArrayEquals(new long[] {5, 0, 4}, series.counts().counts());
        assertEquals(BUCKET_NS, series.counts().bucketNs());
    }

    @Test
    void aLongTrialGetsLongerBucketsAndLosesNoRecord() {
        for (int second = 0; second < 60; second++) {
            series.add(second * 1_000_000_000L, 7);
        }
        Series.Counts counts = series.counts();
        assertEquals(60 * 7, Arrays.stream(counts.counts()).sum());
        assertEquals(8 * BUCKET_NS, counts.bucketNs());
        assertEquals(7, counts.counts()[(int) (59_000_000_000L / counts.bucketNs())]);
        assertTrue(counts.counts().length * counts.bucketNs() >= 59_000_000_000L);
    }
}
