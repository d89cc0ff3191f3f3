package tandem.protocol;

import java.util.ArrayList;
import java.util.List;

/** What a consumer has read of one partition. One thread writes; only the position is read by others. */
final class PartitionAccount {
    record Run(long first, long end, int epoch) {}

    /** As the protocol has it. */
    record Result(int topic, int partition, long records, long bytes, Long firstNs, Long lastNs, List<Run> runs,
            Series.Counts series, List<Flow.OfEpoch> flow, Waits.Latencies latencies, List<Waits.Slice> waits) {}

    static final long NO_POSITION = -1;

    /** When the client first handed records over that may come again, and when their first transaction began. */
    final FirstTimes received = new FirstTimes();
    final FirstTimes started = new FirstTimes();

    final Prepare.Partition partition;
    final Prepare.Range range;
    private final Series series = new Series();
    private final List<Run> runs = new ArrayList<>();
    /** Null unless the trial asks for it. */
    private final Flow flow;
    /** Made when the first record with a stamp comes: most trials have none, and histograms are large. */
    private Waits.OfPartition waits;
    private long runFirst;
    private long runEnd;
    private int runEpoch;
    private int epochs;
    /** The epoch of which it was said where it begins. */
    private int begunEpoch;
    private boolean isHeld;
    private long records;
    private long noted;
    private long bytes;
    private Long firstNs;
    private Long lastNs;
    private long committed = NO_POSITION;
    private volatile long position = NO_POSITION;

    PartitionAccount(Prepare.Partition partition, Prepare.Range range, boolean recordsFlow) {
        flow = recordsFlow ? new Flow() : null;
        this.partition = partition;
        this.range = range;
    }

    void beginEpoch() {
        epochs++;
        isHeld = true;
        committed = NO_POSITION;
        received.clear();
        started.clear();
    }

    void endEpoch() {
        isHeld = false;
    }

    boolean isHeld() {
        return isHeld;
    }

    boolean wasHeld() {
        return epochs > 0;
    }

    /** True if nothing more of the trial comes of it. */
    boolean isPassed() {
        return position >= range.end();
    }

    /** Next offset to read; {@link #NO_POSITION} before the first record. */
    long position() {
        return position;
    }

    /** True once it was said where this owner begins. */
    boolean hasBegun() {
        return begunEpoch == epochs;
    }

    /** It is said that this owner begins here. */
    void begin(long offset) {
        begunEpoch = epochs;
        goTo(offset);
    }

    private void goTo(long offset) {
        if (!isPassed()) {
            position = offset;
        }
    }

    Waits.OfPartition waits() {
        if (waits == null) {
            waits = new Waits.OfPartition();
        }
        return waits;
    }

    /** Counts a record of the trial whose work is done. */
    void count(long offset, int size, long receivedNs) {
        if (firstNs != null && offset == runEnd && epochs == runEpoch) {
            runEnd = offset + 1;
        } else {
            beginRun(offset, receivedNs);
        }
        records++;
        bytes += size;
    }

    private void beginRun(long offset, long receivedNs) {
        if (firstNs == null) {
            firstNs = receivedNs;
        } else {
            runs.add(new Run(runFirst, runEnd, runEpoch));
        }
        runFirst = offset;
        runEnd = offset + 1;
        runEpoch = epochs;
    }

    /** Says that all that was counted was begun at {@code fromNs} and is finished now. True if that was the last of the partition. */
    boolean finished(long fromNs, long nowNs, long startNs) {
        if (records == noted) {
            return false;
        }
        series.add(nowNs - startNs, records - noted);
        if (flow != null) {
            // What is in hand for long is not read on meanwhile: the work may wait for a store, or the process be stopped.
            flow.add(runEpoch, fromNs, fromNs);
            flow.add(runEpoch, nowNs, nowNs);
        }
        noted = records;
        lastNs = nowNs;
        boolean wasPassed = isPassed();
        goTo(runEnd);
        return !wasPassed && isPassed();
    }

    /** The client is at the end of what the trial reads, or beyond. True if that is news. */
    boolean pass() {
        boolean news = !isPassed();
        position = range.end();
        return news;
    }

    /** One past the last record that is finished in this epoch and not committed; {@link #NO_POSITION} if there is none. */
    long uncommitted() {
        boolean hasNews = isHeld && firstNs != null && runEpoch == epochs && runEnd > committed;
        return hasNews ? runEnd : NO_POSITION;
    }

    void committed(long offset) {
        committed = offset;
        if (flow != null) {
            flow.committed(epochs, offset);
        }
    }

    Result result(boolean hasWaits) {
        List<Run> all = new ArrayList<>(runs);
        if (firstNs != null) {
            all.add(new Run(runFirst, runEnd, runEpoch));
        }
        return new Result(partition.topic(), partition.partition(), records, bytes, firstNs, lastNs, all, series.counts(),
                flow == null ? null : flow.result(), hasWaits ? waits().latencies() : null,
                hasWaits ? waits().slices() : null);
    }
}
