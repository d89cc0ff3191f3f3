package tandem.protocol;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What this process has used so far, as the kernel and the JVM count it.
 *
 * @param cpuNs of the process, in steps of {@link #STEP_NS}, threads that have ended included
 * @param allocated bytes by the number of a thread of Java's that lives
 */
record Usage(long atNs, long cpuNs, long voluntary, long involuntary, Map<String, ThreadUse> threads, long gcNs,
        Map<Long, Long> allocated) {
    private record ThreadUse(String name, long cpuNs, long waitNs) {}

    private static final long STEP_NS = 10_000_000;
    private static final long BORN_NS = System.nanoTime() - ManagementFactory.getRuntimeMXBean().getUptime() * 1_000_000;

    /** Of a process and of a thread, as the protocol has them. */
    record Spent(long wallNs, long cpuNs, long voluntarySwitches, long involuntarySwitches, long peakMemoryBytes,
            List<OfThread> threads, long gcNs, long allocatedBytes) {}

    record OfThread(String name, long cpuNs, long waitNs) {}

    /** Nothing, when the process began. */
    static Usage atBirth() {
        return new Usage(BORN_NS, 0, 0, 0, Map.of(), 0, Map.of());
    }

    static Usage now() {
        Map<String, ThreadUse> threads = new HashMap<>();
        long voluntary = 0;
        long involuntary = 0;
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path task : tasks) {
                try {
                    String[] schedule = Files.readString(task.resolve("schedstat")).trim().split(" ");
                    String name = Files.readString(task.resolve("comm")).trim();
                    Map<String, String> status = status(task.resolve("status"));
                    threads.put(task.getFileName().toString(),
                            new ThreadUse(name, Long.parseLong(schedule[0]), Long.parseLong(schedule[1])));
                    voluntary += Long.parseLong(status.get("voluntary_ctxt_switches"));
                    involuntary += Long.parseLong(status.get("nonvoluntary_ctxt_switches"));
                } catch (IOException ended) {
                    // The thread ended meanwhile.
                }
            }
        } catch (IOException noSuchFolder) {
            throw new java.io.UncheckedIOException(noSuchFolder);
        }
        return new Usage(System.nanoTime(), system().getProcessCpuTime(), voluntary, involuntary, threads, collectingNs(),
                allocatedByThread());
    }

    /** What was used since then. */
    Spent since(Usage earlier) {
        List<OfThread> used = new ArrayList<>();
        threads.forEach((id, thread) -> {
            ThreadUse before = earlier.threads.getOrDefault(id, new ThreadUse(thread.name, 0, 0));
            if (thread.cpuNs > before.cpuNs) {
                used.add(new OfThread(thread.name, thread.cpuNs - before.cpuNs, thread.waitNs - before.waitNs));
            }
        });
        // The threads are exact, but those that have ended are in the process' time alone.
        long ofThreadsNs = used.stream().mapToLong(OfThread::cpuNs).sum();
        long allocatedBytes = allocated.entrySet().stream()
                .mapToLong(thread -> Math.max(0, thread.getValue() - earlier.allocated.getOrDefault(thread.getKey(), 0L))).sum();
        return new Spent(atNs - earlier.atNs, Math.max(ofThreadsNs, cpuNs - earlier.cpuNs - STEP_NS),
                Math.max(0, voluntary - earlier.voluntary), Math.max(0, involuntary - earlier.involuntary), peakMemoryBytes(),
                used, gcNs - earlier.gcNs, allocatedBytes);
    }

    /** CPU time of the thread that asks. */
    static long threadCpuNs() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    /** Time that its collectors were at work, which they count in milliseconds. */
    private static long collectingNs() {
        return ManagementFactory.getGarbageCollectorMXBeans().stream()
                .mapToLong(collector -> Math.max(0, collector.getCollectionTime())).sum() * 1_000_000;
    }

    private static Map<Long, Long> allocatedByThread() {
        var bean = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long[] ids = bean.getAllThreadIds();
        long[] bytes = bean.getThreadAllocatedBytes(ids);
        Map<Long, Long> allocated = new HashMap<>();
        for (int i = 0; i < ids.length; i++) {
            allocated.put(ids[i], Math.max(0, bytes[i]));
        }
        return allocated;
    }

    private static long peakMemoryBytes() {
        try {
            String peak = status(Path.of("/proc/self/status")).get("VmHWM");
            return Long.parseLong(peak.replace("kB", "").trim()) * 1024;
        } catch (IOException gone) {
            throw new java.io.UncheckedIOException(gone);
        }
    }

    private static Map<String, String> status(Path file) throws IOException {
        Map<String, String> entries = new HashMap<>();
        for (String line : Files.readAllLines(file)) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                entries.put(line.substring(0, colon), line.substring(colon + 1).trim());
            }
        }
        return entries;
    }

    private static com.sun.management.OperatingSystemMXBean system() {
        return (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    }
}
