package tandem.protocol;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import org.apache.kafka.common.errors.TimeoutException;

/** Speaks the worker protocol of tandem, version 2, for a client. */
public final class Worker {
    private static final int PROTOCOL = 2;
    private static final List<String> CAPABILITIES = List.of("hold", "assignment", "ledger", "usage", "work", "calibrate",
            "pauses", "stamps", "static", "store", "flow");
    private static final long SILENCE_LIMIT_NS = TimeUnit.SECONDS.toNanos(10);
    private static final long PROGRESS_INTERVAL_MS = 100;
    /** If it matters when each partition was read: a worker that is killed says no more. */
    private static final long FLOW_INTERVAL_MS = 20;
    private static final long PAUSE_LOOK_MS = 100;
    private static final long PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long RESULT_LIMIT_S = 14;

    private static final ObjectMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .serializationInclusion(JsonInclude.Include.NON_NULL)
            .build();

    private record Position(int topic, int partition, long offset) {}

    private record Stretch(long fromNs, long untilNs) {}

    /** Why the progress thread is woken before its time. */
    private enum Signal { PARTITION_ENDED, STOP }

    private final Client client;
    private final PrintStream output;
    private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
    private final List<Stretch> pauses = new ArrayList<>();
    private final List<Member> members = new ArrayList<>();
    private volatile long heardNs = System.nanoTime();
    private volatile boolean isLeaving;
    /** From then on an end without leaving would keep the group's place for the length of a session. */
    private volatile boolean isInGroup;
    private volatile boolean hasFailed;
    private Thread progress;
    private volatile Usage atStart;
    private volatile Usage atEnd;

    private Worker(Client client, PrintStream output) {
        this.client = client;
        this.output = output;
    }

    /** Serves until the coordinator ends the worker, and ends the process. */
    public static void run(String[] arguments, Client client) {
        if (arguments.length != 1 || !arguments[0].equals("consumer")) {
            System.err.println("this is a worker of tandem: it is started with the role `consumer`, and has no other");
            System.exit(2);
        }
        // Standard output is the protocol's alone: whatever a library prints is a log.
        PrintStream output = System.out;
        System.setOut(System.err);
        Worker worker = new Worker(client, output);
        try {
            worker.serve();
        } catch (Throwable failure) {
            worker.fail(null, failure);
        }
        System.exit(worker.hasFailed ? 1 : 0);
    }

    private void serve() throws IOException {
        background("heartbeat", this::watch);
        sayHello();
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        BlockingQueue<ToWorker> orders = new LinkedBlockingQueue<>();
        // Its only work beside reading is to read the clock, so that no line with the question waits.
        background("input", () -> {
            try {
                for (String line = input.readLine(); line != null; line = input.readLine()) {
                    long receivedNs = System.nanoTime();
                    heardNs = receivedNs;
                    ToWorker order = JSON.readValue(line, ToWorker.class);
                    if (order instanceof ToWorker.QueryClock) {
                        say("clock", Map.of("received_ns", receivedNs, "sent_ns", System.nanoTime()));
                    } else {
                        orders.add(order);
                    }
                }
            } catch (IOException unreadable) {
                Throwable cause = unreadable instanceof JsonMappingException && unreadable.getCause() != null
                        ? unreadable.getCause() : unreadable;
                fail(null, cause);
            }
            orders.add(new ToWorker.Exit());
        });
        while (!isLeaving) {
            try {
                obey(orders.take());
            } catch (InterruptedException ended) {
                return;
            }
        }
    }

    private void obey(ToWorker order) {
        if (order instanceof Prepare prepare) {
            prepare(prepare);
        } else if (order instanceof ToWorker.Subscribe) {
            isInGroup = true;
            client.subscribe();
        } else if (order instanceof ToWorker.QueryAssignments question) {
            CompletableFuture<?>[] answers = members.stream().map(Member::query).toArray(CompletableFuture[]::new);
            CompletableFuture.allOf(answers).thenRun(() -> say("assignments", Map.of("query", question.query(),
                    "members", List.of(answers).stream().map(CompletableFuture::join).toList())));
        } else if (order instanceof ToWorker.Start start) {
            members.forEach(member -> member.start(start.atNs()));
            progress = background("progress", () -> report(start.atNs()));
        } else if (order instanceof ToWorker.Stop) {
            stop();
        } else if (order instanceof ToWorker.Calibrate) {
            Prepare.Calibration calibration = Work.calibrate();
            say("calibrated", Map.of("iterations_per_us", calibration.iterationsPerUs(),
                    "sleep_excess_ns", calibration.sleepExcessNs()));
        } else if (order instanceof ToWorker.Exit) {
            isLeaving = true;
            client.leave();
        }
    }

    private void prepare(Prepare order) {
        if ((order.work().kind() == Work.Kind.STORE) != (order.store() != null)) {
            throw new Refusal("`work` is `store` if and only if `store` says where to");
        }
        Runnable work = order.work().at(order.calibration());
        for (int index = 0; index < order.consumers().size(); index++) {
            int consumer = index;
            members.add(new Member(order, index, work, () -> signals.add(Signal.PARTITION_ENDED), cause -> {
                if (!isLeaving) {
                    memberFailed(consumer, cause);
                }
            }, (message, times) -> report(consumer, message, times),
                    records -> say("unanswered", Map.of("consumer", consumer, "records", records)),
                    (account, offset) -> began(consumer, account, offset)));
        }
        client.connect(order, members);
        // Its code is to be loaded before it is timed.
        Usage.now();
        say("ready", Map.of());
    }

    private void stop() {
        List<CompletableFuture<Member.Result>> stopping = members.stream().map(Member::stop).toList();
        List<Member.Result> results = new ArrayList<>();
        for (var result : stopping) {
            try {
                results.add(result.get(RESULT_LIMIT_S, TimeUnit.SECONDS));
            } catch (java.util.concurrent.ExecutionException failed) {
                fail(results.size(), failed.getCause());
            } catch (InterruptedException | java.util.concurrent.TimeoutException late) {
                fail(results.size(), new Refusal("the consumer did not stop within " + RESULT_LIMIT_S + " s"));
            }
        }
        Usage now = Usage.now();
        if (progress != null) {
            signals.add(Signal.STOP);
            try {
                progress.join();
            } catch (InterruptedException ended) {
                return;
            }
        }
        saySeconds();
        boolean isLive = members.get(0).order().stamps() != null;
        Map<String, Object> said = new HashMap<>(Map.of("members", results, "stopwatch", now.since(Usage.atBirth())));
        if (atStart != null) {
            said.put("window", (isLive || atEnd == null ? now : atEnd).since(atStart));
        }
        synchronized (pauses) {
            said.put("pauses", List.copyOf(pauses));
        }
        say("result", said);
    }

    /** Reports progress ten times a second and when a partition's end is reached, and the seconds that are over. */
    private void report(long startNs) {
        Map<PartitionAccount, Long> reported = new HashMap<>();
        boolean recordsFlow = members.stream().anyMatch(member -> member.order().flow());
        long intervalMs = recordsFlow ? FLOW_INTERVAL_MS : PROGRESS_INTERVAL_MS;
        try {
            TimeUnit.NANOSECONDS.sleep(startNs - System.nanoTime());
            atStart = Usage.now();
            while (true) {
                Signal signal = signals.poll(intervalMs, TimeUnit.MILLISECONDS);
                if (signal == Signal.STOP) {
                    return;
                }
                synchronized (output) {
                    List<Position> moved = moved(reported);
                    if (!moved.isEmpty()) {
                        say("progress", Map.of("positions", moved));
                    }
                }
                // Of partitions that end together only the last counts.
                if (signal == Signal.PARTITION_ENDED && signals.isEmpty()) {
                    atEnd = Usage.now();
                }
                saySeconds();
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * The positions that are others than were reported: also those of a consumer that reads again. A partition may have
     * moved between consumers of this process.
     */
    private List<Position> moved(Map<PartitionAccount, Long> reported) {
        List<Position> moved = new ArrayList<>();
        for (Member member : members) {
            for (PartitionAccount account : member.accounts()) {
                long offset = account.position();
                if (offset != reported.getOrDefault(account, PartitionAccount.NO_POSITION)) {
                    reported.put(account, offset);
                    moved.add(new Position(account.partition.topic(), account.partition.partition(), offset));
                }
            }
        }
        return moved;
    }

    private void saySeconds() {
        List<Waits.Second> seconds = members.stream().flatMap(member -> member.seconds().stream()).toList();
        if (!seconds.isEmpty()) {
            say("seconds", Map.of("seconds", seconds));
        }
    }

    /** Ends the process if the coordinator is silent, and notes when the process itself did not run. */
    private void watch() {
        try {
            while (true) {
                long fromNs = System.nanoTime();
                Thread.sleep(PAUSE_LOOK_MS);
                long untilNs = System.nanoTime();
                if (untilNs - fromNs >= PAUSE_NS) {
                    synchronized (pauses) {
                        pauses.add(new Stretch(fromNs, untilNs));
                    }
                } else if (untilNs - heardNs > SILENCE_LIMIT_NS) {
                    System.err.println("the coordinator is silent");
                    Runtime.getRuntime().halt(1);
                }
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    /** Says where a consumer is about to begin to store a partition. No position that is older is reported after it. */
    private void began(int consumer, PartitionAccount account, long offset) {
        synchronized (output) {
            say("began", Map.of("consumer", consumer, "topic", account.partition.topic(), "partition",
                    account.partition.partition(), "offset", offset));
            account.begin(offset);
        }
    }

    /** Says what the client of a consumer met that may pass. */
    private void report(int consumer, String message, long times) {
        say("reported", Map.of("consumer", consumer, "message", message, "times", times));
    }

    private void sayHello() throws IOException {
        var capabilities = new TreeSet<>(CAPABILITIES);
        capabilities.addAll(client.capabilities());
        say("hello", Map.of("protocol", PROTOCOL, "client", client.name(), "client_version", client.version(),
                "pid", ProcessHandle.current().pid(), "capabilities", capabilities, "host", host()));
    }

    /** Names this machine's clock, which containers share. */
    private static String host() throws IOException {
        String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).trim();
        Path time = Path.of("/proc/self/ns/time");
        return Files.isSymbolicLink(time) ? boot + " " + Files.readSymbolicLink(time) : boot;
    }

    private void say(String type, Map<String, ?> rest) {
        Map<String, Object> message = new HashMap<>(rest);
        message.put("type", type);
        try {
            String line = JSON.writeValueAsString(message);
            synchronized (output) {
                output.println(line);
                output.flush();
            }
        } catch (IOException impossible) {
            throw new java.io.UncheckedIOException(impossible);
        }
    }

    /** Says why a consumer cannot go on. It stays until the worker is to leave: then the group does not wait for it. */
    private void memberFailed(int consumer, Throwable cause) {
        if (!isInGroup) {
            fail(consumer, cause);
        }
        hasFailed = true;
        sayFailed(consumer, cause);
    }

    /** Says why the worker cannot go on, and ends it. */
    private void fail(Integer consumer, Throwable cause) {
        sayFailed(consumer, cause);
        Runtime.getRuntime().halt(1);
    }

    private void sayFailed(Integer consumer, Throwable cause) {
        Throwable root = cause;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String message = root instanceof Refusal ? root.getMessage() : "the client reported: " + root;
        Map<String, Object> said = new HashMap<>(Map.of("connect", root instanceof TimeoutException && atStart == null,
                "message", message));
        if (consumer != null) {
            said.put("consumer", consumer);
        }
        cause.printStackTrace();
        say("failed", said);
    }

    private static Thread background(String name, Runnable body) {
        Thread thread = new Thread(body, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }
}
