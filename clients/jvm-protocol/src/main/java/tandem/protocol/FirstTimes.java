package tandem.protocol;

import java.util.ArrayDeque;
import java.util.Deque;

/** When something first happened to the offsets of a partition, where it may happen to them again. */
final class FirstTimes {
    private record Time(long end, long atNs) {}

    private final Deque<Time> times = new ArrayDeque<>();

    /** It happens now to offsets up to {@code end}; those to which it happened before keep their time. */
    void note(long end, long atNs) {
        if (times.isEmpty() || end > times.getLast().end) {
            times.addLast(new Time(end, atNs));
        }
    }

    /** Its time for this offset, {@code otherwise} if none is known. Earlier offsets are forgotten. */
    long of(long offset, long otherwise) {
        while (!times.isEmpty() && times.getFirst().end <= offset) {
            times.removeFirst();
        }
        return times.isEmpty() ? otherwise : times.getFirst().atNs;
    }

    void clear() {
        times.clear();
    }
}
