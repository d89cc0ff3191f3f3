package tandem.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class FirstTimesTest {
    @Test
    void anOffsetKeepsItsFirstTimeUntilItIsPassed() {
        FirstTimes times = new FirstTimes();
        assertEquals(-1, times.of(0, -1));
        times.note(10, 100);
        times.note(15, 200);
        times.note(12, 300);
        assertEquals(100, times.of(9, -1));
        assertEquals(200, times.of(10, -1));
        assertEquals(200, times.of(14, -1));
        assertEquals(-1, times.of(15, -1));
    }
}
