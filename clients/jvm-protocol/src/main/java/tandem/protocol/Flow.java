package tandem.protocol;

import java.util.ArrayList;
import java.util.List;

/** When a partition was read and when not, assignment by assignment: stretches of reading, and the pauses between them. */
final class Flow {
    /** As the protocol has it: microseconds of reading, of pause, of reading and so on. */
    record OfEpoch(int epoch, long fromNs, Long committed, List<Long> stepsUs) {}

    private static final long PAUSE_MIN_NS = 5_000_000;
    private static final int STRETCHES_MAX = 1_000;

    private static final class Stretch {
        final int epoch;
        final long fromNs;
        long untilNs;

        Stretch(int epoch, long fromNs, long untilNs) {
            this.epoch = epoch;
            this.fromNs = fromNs;
            this.untilNs = untilNs;
        }

        /** Takes in the next one if it is of the same assignment and begins soon enough. */
        boolean takes(Stretch next, long pauseMinNs) {
            boolean isTaken = next.epoch == epoch && next.fromNs - untilNs < pauseMinNs;
            if (isTaken) {
                untilNs = Math.max(untilNs, next.untilNs);
            }
            return isTaken;
        }
    }

    private final List<Stretch> stretches = new ArrayList<>();
    private final List<Long> committed = new ArrayList<>();
    private long pauseMinNs = PAUSE_MIN_NS;

    void add(int epoch, long fromNs, long untilNs) {
        var next = new Stretch(epoch, fromNs, untilNs);
        if (!stretches.isEmpty() && stretches.get(stretches.size() - 1).takes(next, pauseMinNs)) {
            return;
        }
        stretches.add(next);
        if (stretches.size() > STRETCHES_MAX) {
            giveUpPauses();
        }
    }

    /** Memory does not grow with the time: the shortest pauses go. */
    private void giveUpPauses() {
        pauseMinNs *= 2;
        List<Stretch> kept = new ArrayList<>();
        for (Stretch stretch : stretches) {
            if (kept.isEmpty() || !kept.get(kept.size() - 1).takes(stretch, pauseMinNs)) {
                kept.add(stretch);
            }
        }
        stretches.clear();
        stretches.addAll(kept);
    }

    /** The cluster took a commit under an assignment. */
    void committed(int epoch, long offset) {
        while (committed.size() <= epoch) {
            committed.add(null);
        }
        Long before = committed.get(epoch);
        committed.set(epoch, before == null ? offset : Math.max(before, offset));
    }

    List<OfEpoch> result() {
        List<OfEpoch> all = new ArrayList<>();
        OfEpoch latest = null;
        long reachedUs = 0;
        for (Stretch stretch : stretches) {
            if (latest == null || latest.epoch() != stretch.epoch) {
                Long offset = stretch.epoch < committed.size() ? committed.get(stretch.epoch) : null;
                latest = new OfEpoch(stretch.epoch, stretch.fromNs, offset, new ArrayList<>());
                reachedUs = 0;
                all.add(latest);
            } else {
                reachedUs = step(latest, reachedUs, stretch.fromNs);
            }
            reachedUs = step(latest, reachedUs, stretch.untilNs);
        }
        return all;
    }

    private static long step(OfEpoch of, long reachedUs, long atNs) {
        long atUs = Math.max(reachedUs, (atNs - of.fromNs()) / 1_000);
        of.stepsUs().add(atUs - reachedUs);
        return atUs;
    }
}
