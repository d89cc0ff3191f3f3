package tandem.protocol;

import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.databind.JsonNode;

/** What a consumer does with each record, as it was ordered. */
public record Work(Kind kind, long ns) {
    enum Kind { NONE, CPU, WAIT, STORE }

    private static final int ROUNDS = 21;
    private static final int SLEEPS = 60;
    private static final long[] SLEEP_NS = {200_000, 1_000_000, 2_000_000};

    /** Takes the result of the loop, so that the compiler cannot drop it. */
    private static volatile long sink;

    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static Work of(JsonNode said) {
        if (said.has("cpu")) {
            return new Work(Kind.CPU, said.get("cpu").get("ns").longValue());
        }
        if (said.has("wait")) {
            return new Work(Kind.WAIT, said.get("wait").get("ns").longValue());
        }
        return switch (said.asText()) {
            case "none" -> new Work(Kind.NONE, 0);
            case "store" -> new Work(Kind.STORE, 0);
            default -> throw new Refusal("this worker does the work `none`, `cpu`, `wait` and `store`, not " + said);
        };
    }

    /** The same, ready to be done at the speed of this machine. What is stored, the client writes by itself. */
    Runnable at(Prepare.Calibration calibration) {
        return switch (kind) {
            case NONE, STORE -> () -> {};
            case CPU -> {
                // The trial is not to begin with an interpreted loop.
                iterationsPerUs();
                long iterations = Math.max(1, (long) (ns / 1e3 * calibration.iterationsPerUs()));
                yield () -> sink = compute(iterations);
            }
            case WAIT -> {
                long ask = Math.max(1, ns - calibration.sleepExcessNs());
                yield () -> sleep(ask);
            }
        };
    }

    /** Measures the loop and the sleep of this JVM on this machine. */
    static Prepare.Calibration calibrate() {
        for (int round = 0; round < SLEEPS; round++) {
            sleep(SLEEP_NS[0]);
        }
        long[] excess = new long[SLEEPS];
        for (int round = 0; round < SLEEPS; round++) {
            long ask = SLEEP_NS[round % SLEEP_NS.length];
            long from = System.nanoTime();
            sleep(ask);
            excess[round] = System.nanoTime() - from - ask;
        }
        Arrays.sort(excess);
        return new Prepare.Calibration(iterationsPerUs(), Math.max(0, excess[SLEEPS / 2]));
    }

    /** A chain of multiplications, whose time is proportional to its length. */
    private static long compute(long iterations) {
        long x = sink | 1;
        for (long i = 0; i < iterations; i++) {
            x = x * 6364136223846793005L + 1;
        }
        return x;
    }

    /** Iterations in a microsecond of this thread's CPU time: the median of some rounds, after the loop is compiled. */
    private static double iterationsPerUs() {
        double guess = 1;
        for (int round = 0; round < 5; round++) {
            guess = Math.max(guess, rate(2_000_000));
        }
        double[] rates = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            rates[round] = rate((long) (guess * 5_000));
        }
        Arrays.sort(rates);
        return rates[ROUNDS / 2];
    }

    private static double rate(long iterations) {
        long from = Usage.threadCpuNs();
        sink = compute(iterations);
        return iterations * 1e3 / Math.max(1, Usage.threadCpuNs() - from);
    }

    /** Sleeps that long; {@code parkNanos} may return early. */
    private static void sleep(long ns) {
        long until = System.nanoTime() + ns;
        for (long left = ns; left > 0; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
            if (Thread.interrupted()) {
                return;
            }
        }
    }
}
