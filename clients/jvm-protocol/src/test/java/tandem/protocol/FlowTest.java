package tandem.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;

import org.junit.jupiter.api.Test;

class FlowTest {
    private static final long MS = 1_000_000;

    private final Flow flow = new Flow();

    @Test
    void longPausesAreKeptAndAssignmentsAreApart() {
        flow.add(1, 100 * MS, 101 * MS);
        flow.add(1, 103 * MS, 104 * MS);
        flow.add(1, 500 * MS, 501 * MS);
        flow.add(2, 502 * MS, 503 * MS);
        flow.committed(1, 7);
        flow.committed(1, 5);
        var first = new Flow.OfEpoch(1, 100 * MS, 7L, List.of(4_000L, 396_000L, 1_000L));
        var second = new Flow.OfEpoch(2, 502 * MS, null, List.of(1_000L));
        assertEquals(List.of(first, second), flow.result());
    }

    @Test
    void ofManyPausesTheLongOnesStay() {
        long atNs = 0;
        for (int number = 0; number < 20_000; number++) {
            atNs += number == 7_000 ? 2_000 * MS : 10 * MS;
            flow.add(1, atNs, atNs + MS);
        }
        List<Long> steps = flow.result().get(0).stepsUs();
        assertTrue(steps.size() < 2_001 && steps.contains(1_999_000L), () -> steps.size() + " steps");
    }
}
