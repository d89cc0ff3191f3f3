package tandem.protocol;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.function.ObjLongConsumer;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * One consumer of the trial as the protocol sees it. Its consumer's thread does everything; the worker's threads ask it
 * by futures and read positions.
 */
public final class Member {
    /** What it holds, as the client said at that moment. */
    record Held(int consumer, List<Prepare.Partition> partitions, Long assignedNs) {}

    record Rebalance(long atNs, String kind, List<Prepare.Partition> partitions) {}

    /** As the protocol has it. */
    record Result(List<PartitionAccount.Result> partitions, long workNs, long queuedAtStart, long commits,
            List<Rebalance> rebalances, StoreUse store) {}

    record StoreUse(long transactions, long rows, long retries) {}

    /** Consecutive records of a partition. */
    record Span(int topic, int partition, long first, long end) {}

    static final String ASSIGNED = "assigned";
    static final String REVOKED = "revoked";
    static final String LOST = "lost";

    private static final long NOT_TRYING = -1;

    private final Prepare order;
    private final int index;
    private final Runnable work;
    private final boolean isWorkMeasured;
    /** True if the client may hand over records again that were not stored. */
    private final boolean mayComeAgain;
    private final Runnable onEnd;
    private final Consumer<Throwable> onFailure;
    private final ObjLongConsumer<String> onReport;
    private final Consumer<List<Span>> onUnanswered;
    private final ObjLongConsumer<PartitionAccount> onBegan;
    private final Map<TopicPartition, PartitionAccount> accounts;
    /** Where records are counted: the accounts, or during the warm-up others that nobody sees. */
    private Map<TopicPartition, PartitionAccount> current;
    private long warmupLeft;
    private final Queue<CompletableFuture<Held>> queries = new ConcurrentLinkedQueue<>();
    private final CompletableFuture<Result> result = new CompletableFuture<>();
    private final List<Rebalance> rebalances = new ArrayList<>();
    private final CompletableFuture<Long> start = new CompletableFuture<>();
    private boolean isHolding;
    private Long assignedNs;
    private volatile boolean isStopped;
    private boolean hasFailed;
    /** Set when {@link #attend} has something to do, which most polls need not look for. */
    private volatile boolean isAsked;
    private volatile Waits waits;
    private long receivedNs;
    private long freeSinceNs;
    private long workNs;
    private long queuedAtStart;
    private long commits;
    private long transactions;
    private long rows;
    private long retries;
    /** When the first attempt of what is being stored began; {@link #NOT_TRYING} between transactions. */
    private long tryingSinceNs = NOT_TRYING;
    private PartitionAccount latest;
    private String latestTopic;
    private long unfinished;
    /** When the work on the first of these began. */
    private long unfinishedSinceNs;

    Member(Prepare order, int index, Runnable work, Runnable onEnd, Consumer<Throwable> onFailure,
            ObjLongConsumer<String> onReport, Consumer<List<Span>> onUnanswered, ObjLongConsumer<PartitionAccount> onBegan) {
        this.order = order;
        this.index = index;
        this.work = work;
        this.onEnd = onEnd;
        this.onFailure = onFailure;
        this.onReport = onReport;
        this.onUnanswered = onUnanswered;
        this.onBegan = onBegan;
        mayComeAgain = order.store() != null && order.store().onError() == Prepare.OnError.RETRY;
        isWorkMeasured = order.work().kind() != Work.Kind.NONE;
        isHolding = !order.joinsLate();
        accounts = accountsOf(order);
        warmupLeft = isHolding ? order.warmupRecords() : 0;
        current = warmupLeft > 0 ? accountsOf(order) : accounts;
    }

    private static Map<TopicPartition, PartitionAccount> accountsOf(Prepare order) {
        Map<TopicPartition, PartitionAccount> accounts = new HashMap<>();
        for (int topic = 0; topic < order.topics().size(); topic++) {
            Prepare.Topic of = order.topics().get(topic);
            for (int partition = 0; partition < of.partitions().size(); partition++) {
                var account = new PartitionAccount(new Prepare.Partition(topic, partition),
                        of.partitions().get(partition), order.flow());
                accounts.put(new TopicPartition(of.name(), partition), account);
            }
        }
        return accounts;
    }

    /** The trial. */
    public Prepare order() {
        return order;
    }

    /** Its number in the process. */
    public int index() {
        return index;
    }

    /** The {@code client.id} by which tandem finds it in the group. */
    public String clientId() {
        return order.consumers().get(index).clientId();
    }

    /** The partitions that it takes by hand. */
    public List<TopicPartition> manual() {
        return order.consumers().get(index).manual().stream()
                .map(given -> new TopicPartition(order.topics().get(given.topic()).name(), given.partition())).toList();
    }

    /**
     * Does the ordered work on a record and counts it.
     *
     * @return false if the reading is over: the record was not worked, and is not to be committed
     */
    public boolean work(ConsumerRecord<byte[], byte[]> record) {
        if (isStopped) {
            return false;
        }
        if (isWarmingUp() && warmupLeft-- <= 0) {
            return true;
        }
        PartitionAccount account = accountOf(record);
        if (!accountIsOfTrial(account, record.offset())) {
            return true;
        }
        int size = Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
        boolean isStamped = waits != null && waits.isStamped(account.partition, record.offset());
        if (!isWorkMeasured && !isStamped) {
            account.count(record.offset(), size, receivedNs);
            begun(receivedNs);
            if (record.offset() + 1 == account.range.end()) {
                finish(System.nanoTime());
            }
            return true;
        }
        long startedNs = freeSinceNs;
        work.run();
        long finishedNs = System.nanoTime();
        freeSinceNs = finishedNs;
        workNs += isWorkMeasured ? finishedNs - startedNs : 0;
        account.count(record.offset(), size, receivedNs);
        begun(startedNs);
        finish(finishedNs);
        if (isStamped) {
            finishStamped(account, record, receivedNs, startedNs, finishedNs);
        }
        return true;
    }

    private void finishStamped(PartitionAccount account, ConsumerRecord<byte[], byte[]> record, long receivedNs,
            long startedNs, long finishedNs) {
        if (!waits.finished(account.waits(), record.value(), receivedNs, startedNs, finishedNs)) {
            fail(new Refusal("offset %d of %s [%d] should begin with a stamp of 24 bytes and has none"
                    .formatted(record.offset(), record.topic(), record.partition())));
        }
    }

    /**
     * Stores records in one transaction and counts them: consecutive ones of what the client handed over at once.
     *
     * @return false if the reading is over: the records were not stored, and are not to be committed
     * @throws StoreAway if the store did not take them, so that they are to be handed over again
     */
    public boolean store(List<ConsumerRecord<byte[], byte[]>> records, Transaction transaction) {
        if (isStopped) {
            return false;
        }
        List<ConsumerRecord<byte[], byte[]>> toStore = toBeStored(records);
        if (!toStore.isEmpty()) {
            long startedNs = System.nanoTime();
            if (tryingSinceNs == NOT_TRYING) {
                tryingSinceNs = startedNs;
            }
            try {
                transaction.write(toStore, !isWarmingUp());
            } catch (Exception failure) {
                tryAgain(toStore, startedNs, StoreFailure.of(failure));
            }
            stored(toStore, startedNs, System.nanoTime());
        }
        // Those beyond the end say that the trial is over, which it is not before the others are stored.
        records.forEach(record -> accountIsOfTrial(accountOf(record), record.offset()));
        return true;
    }

    private List<ConsumerRecord<byte[], byte[]>> toBeStored(List<ConsumerRecord<byte[], byte[]>> records) {
        List<ConsumerRecord<byte[], byte[]>> toStore = new ArrayList<>(records.size());
        for (ConsumerRecord<byte[], byte[]> record : records) {
            if (isWarmingUp() && warmupLeft-- <= 0) {
                break;
            }
            PartitionAccount account = ofRecord(record);
            if (record.offset() >= account.range.low() && record.offset() < account.range.end()) {
                if (!account.hasBegun() && !isWarmingUp()) {
                    // Before it is stored: a process that is killed says nothing more.
                    onBegan.accept(account, record.offset());
                }
                toStore.add(record);
            }
        }
        return toStore;
    }

    private void stored(List<ConsumerRecord<byte[], byte[]>> records, long startedNs, long finishedNs) {
        endTrying(finishedNs);
        freeSinceNs = finishedNs;
        transactions++;
        rows += records.size();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            PartitionAccount account = accountOf(record);
            int size = Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
            long firstReceivedNs = account.received.of(record.offset(), receivedNs);
            account.count(record.offset(), size, firstReceivedNs);
            begun(startedNs);
            if (waits != null && waits.isStamped(account.partition, record.offset())) {
                finishStamped(account, record, firstReceivedNs, account.started.of(record.offset(), startedNs), finishedNs);
            }
        }
        finish(finishedNs);
    }

    /** Notes what is handed over again, or ends the worker. */
    private void tryAgain(List<ConsumerRecord<byte[], byte[]>> records, long startedNs, StoreFailure failure) {
        if (!failure.isPassing() || order.store().onError() == Prepare.OnError.FAIL) {
            fail(new Refusal("the work failed: " + failure.message()));
            // What was not stored must not be committed either.
            throw new StoreAway(failure.message());
        }
        records.forEach(record -> ofRecord(record).started.note(record.offset() + 1, startedNs));
        if (failure.isUnanswered()) {
            // Before another attempt: a process that is killed says nothing more.
            onUnanswered.accept(spans(records));
        }
        retries++;
        onReport.accept("the work is tried again: " + failure.message(), retries);
        throw new StoreAway(failure.message());
    }

    /** The records of a transaction. */
    private List<Span> spans(List<ConsumerRecord<byte[], byte[]>> records) {
        List<Span> spans = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            Prepare.Partition of = ofRecord(record).partition;
            Span last = spans.isEmpty() ? null : spans.get(spans.size() - 1);
            long first = record.offset();
            if (last != null && last.equals(new Span(of.topic(), of.partition(), last.first(), first))) {
                spans.remove(spans.size() - 1);
                first = last.first();
            }
            spans.add(new Span(of.topic(), of.partition(), first, record.offset() + 1));
        }
        return spans;
    }

    /** Between its first attempt and its last the member does nothing else. */
    private void endTrying(long nowNs) {
        if (tryingSinceNs != NOT_TRYING) {
            workNs += nowNs - tryingSinceNs;
            tryingSinceNs = NOT_TRYING;
        }
    }

    private PartitionAccount ofRecord(ConsumerRecord<byte[], byte[]> record) {
        return current.get(new TopicPartition(record.topic(), record.partition()));
    }

    private boolean accountIsOfTrial(PartitionAccount account, long offset) {
        if (offset >= account.range.end()) {
            if (account.pass()) {
                end();
            }
            return false;
        }
        return offset >= account.range.low();
    }

    private PartitionAccount accountOf(ConsumerRecord<byte[], byte[]> record) {
        // The client gives all records of a fetch the same text.
        boolean isSame = latest != null && latest.partition.partition() == record.partition()
                && latestTopic == record.topic();
        if (!isSame) {
            finish(System.nanoTime());
            latest = ofRecord(record);
            latestTopic = record.topic();
        }
        return latest;
    }

    /** A record was counted whose work began then. */
    private void begun(long fromNs) {
        if (unfinished == 0) {
            unfinishedSinceNs = fromNs;
        }
        unfinished++;
    }

    /** What was counted of the latest partition is finished. */
    private void finish(long nowNs) {
        if (unfinished > 0) {
            unfinished = 0;
            if (latest.finished(unfinishedSinceNs, nowNs, start.getNow(nowNs))) {
                end();
            }
        }
    }

    /** What is finished and not committed. */
    public Map<TopicPartition, OffsetAndMetadata> uncommitted() {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        accounts.forEach((partition, account) -> {
            if (account.uncommitted() != PartitionAccount.NO_POSITION) {
                offsets.put(partition, new OffsetAndMetadata(account.uncommitted()));
            }
        });
        return offsets;
    }

    /**
     * False if the trial has no such commits, and during the warm-up. A listener's container commits what was worked before
     * an error, and so before the stop, even if nobody acknowledges.
     */
    boolean mayCommit() {
        return order.commit().isByHand() && !isWarmingUp();
    }

    /** True if the client commits by itself while the members of the group warm up. */
    boolean commitsInWarmUp() {
        return order.commit().kind() == Commit.Kind.AUTO && order.warmupRecords() > 0;
    }

    /** The broker has taken these offsets; the time that took is no work. */
    void committed(Map<TopicPartition, OffsetAndMetadata> offsets) {
        offsets.forEach((partition, offset) -> {
            PartitionAccount account = accounts.get(partition);
            if (account != null) {
                account.committed(offset.offset());
            }
        });
        commits++;
        freeSinceNs = System.nanoTime();
    }

    /** The client has handed over records, or none. Whatever it handed over before is finished. */
    void polled(ConsumerRecords<byte[], byte[]> records) {
        receivedNs = System.nanoTime();
        freeSinceNs = receivedNs;
        if (isHolding && !isWarmingUp()) {
            queuedAtStart += records.count();
        }
        if (mayComeAgain) {
            for (TopicPartition partition : records.partitions()) {
                List<ConsumerRecord<byte[], byte[]>> received = records.records(partition);
                current.get(partition).received.note(received.get(received.size() - 1).offset() + 1, receivedNs);
            }
        }
    }

    /** Between two polls: what was handed over is finished. */
    void pass() {
        long nowNs = System.nanoTime();
        finish(nowNs);
        if (waits != null) {
            waits.passed(nowNs);
        }
    }

    /** True once after each question of the worker's threads and each partition that reached its end. */
    boolean takeAsked() {
        boolean wasAsked = isAsked;
        if (wasAsked) {
            isAsked = false;
        }
        return wasAsked;
    }

    /** Answers what the worker's threads asked. */
    void attend(Collection<TopicPartition> assignment) {
        for (var query = queries.poll(); query != null; query = queries.poll()) {
            query.complete(new Held(index, partitionsOf(assignment), assignedNs));
        }
        if (isStopped && !result.isDone()) {
            if (waits != null) {
                waits.handOver();
            }
            endTrying(System.nanoTime());
            var partitions = accounts.values().stream().filter(PartitionAccount::wasHeld)
                    .map(account -> account.result(order.stamps() != null)).toList();
            result.complete(new Result(partitions, workNs, queuedAtStart, commits, List.copyOf(rebalances),
                    order.store() == null ? null : new StoreUse(transactions, rows, retries)));
        }
    }

    /** Reads and works before the hold, and counts nothing of it. */
    boolean isWarmingUp() {
        return current != accounts;
    }

    /** Records that are still to be read for the warm-up. */
    long warmupLeft() {
        return warmupLeft;
    }

    void endWarmUp() {
        finish(System.nanoTime());
        tryingSinceNs = NOT_TRYING;
        latest = null;
        latestTopic = null;
        workNs = 0;
        transactions = 0;
        rows = 0;
        retries = 0;
        current = accounts;
    }

    boolean isHolding() {
        return isHolding;
    }

    /** The common start; -1 if it is not known yet. */
    long startNs() {
        return start.getNow(-1L);
    }

    /** The common start has come, or the reading is over without one. */
    void release() {
        isHolding = false;
    }

    boolean isStopped() {
        return isStopped;
    }

    /** Those of the partitions that are to be read: not at their end. */
    List<TopicPartition> unread(Collection<TopicPartition> partitions) {
        return partitions.stream().filter(partition -> {
            PartitionAccount account = accounts.get(partition);
            return account != null && !account.isPassed() && account.range.low() < account.range.end();
        }).toList();
    }

    /** Those that are at their end, of a trial whose ends are known. */
    List<TopicPartition> read(Collection<TopicPartition> partitions) {
        return partitions.stream().filter(partition -> accounts.containsKey(partition) && accounts.get(partition).isPassed())
                .toList();
    }

    /** Where the client begins to read a partition. */
    long lowOf(TopicPartition partition) {
        return accounts.get(partition).range.low();
    }

    /** True if the end of the partition is known. */
    boolean hasEnd(TopicPartition partition) {
        return accounts.get(partition).range.end() != Prepare.Range.UNKNOWN_END;
    }

    /** The client is at this offset, with nothing handed over before it unfinished. */
    void reached(TopicPartition partition, long offset) {
        PartitionAccount account = accounts.get(partition);
        if (offset >= account.range.end() && account.pass()) {
            end();
        }
    }

    void beginEpochs(Collection<TopicPartition> partitions) {
        partitions.forEach(partition -> accounts.get(partition).beginEpoch());
        assignedNs = System.nanoTime();
    }

    void endEpochs(Collection<TopicPartition> partitions) {
        finish(System.nanoTime());
        endTrying(System.nanoTime());
        partitions.forEach(partition -> accounts.get(partition).endEpoch());
    }

    void note(String kind, Collection<TopicPartition> partitions) {
        rebalances.add(new Rebalance(System.nanoTime(), kind, partitionsOf(partitions)));
    }

    private List<Prepare.Partition> partitionsOf(Collection<TopicPartition> partitions) {
        return partitions.stream().filter(accounts::containsKey).map(partition -> accounts.get(partition).partition).toList();
    }

    /** The consumer cannot go on, as if it were stopped, and the worker says why. */
    public void fail(Throwable cause) {
        if (hasFailed) {
            return;
        }
        hasFailed = true;
        isStopped = true;
        isAsked = true;
        onFailure.accept(cause);
    }

    private void end() {
        if (!isWarmingUp()) {
            isAsked = true;
            onEnd.run();
        }
    }

    // What the worker's threads ask.

    CompletableFuture<Held> query() {
        var query = new CompletableFuture<Held>();
        queries.add(query);
        isAsked = true;
        return query;
    }

    void start(long atNs) {
        if (order.stamps() != null) {
            waits = new Waits(order.stamps(), atNs);
        }
        start.complete(atNs);
    }

    CompletableFuture<Result> stop() {
        start.complete(System.nanoTime());
        isStopped = true;
        isAsked = true;
        return result;
    }

    Collection<PartitionAccount> accounts() {
        return accounts.values();
    }

    List<Waits.Second> seconds() {
        Waits recorder = waits;
        return recorder == null ? List.of() : recorder.take();
    }
}
