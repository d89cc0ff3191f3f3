package tandem.java;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.WakeupException;
import tandem.protocol.Commit;
import tandem.protocol.Member;
import tandem.protocol.StoreAway;
import tandem.protocol.TrialConsumer;

/** The loop that every user of the Java client writes: poll, work, commit. */
final class PollLoop implements Runnable {
    private static final Duration POLL = Duration.ofMillis(100);

    private final TrialConsumer consumer;
    private final Member member;
    private final Commit commit;
    /** Null unless the work is to store the records. */
    private final Database database;
    private volatile boolean isEnding;
    private int uncommitted;

    PollLoop(TrialConsumer consumer, Database database) {
        this.consumer = consumer;
        this.database = database;
        member = consumer.member();
        commit = member.order().commit();
    }

    @Override
    public void run() {
        try (consumer; database) {
            if (member.order().manual()) {
                consumer.assign(member.manual());
            } else {
                consumer.subscribe(member.order().topicNames(), new CommitBeforeRevocation());
            }
            while (!isEnding) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
                if (database == null) {
                    read(records);
                } else {
                    store(records);
                }
            }
        } catch (WakeupException ending) {
            // It is asked to leave the group.
        } catch (Throwable failure) {
            member.fail(failure);
        }
    }

    /** Leaves the group after the batch under way, of which nothing more is worked after the stop. */
    void end() {
        isEnding = true;
        consumer.wakeup();
    }

    private void read(ConsumerRecords<byte[], byte[]> records) {
        Map<TopicPartition, Long> firstUnworked = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            if (member.work(record)) {
                finished(1);
            } else {
                firstUnworked.putIfAbsent(new TopicPartition(record.topic(), record.partition()), record.offset());
            }
        }
        endBatch(firstUnworked);
    }

    /** The same in transactions. What the store does not take is polled again after a pause. */
    private void store(ConsumerRecords<byte[], byte[]> polled) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>(polled.count());
        polled.forEach(records::add);
        int stored = 0;
        boolean isAway = false;
        try {
            while (stored < records.size()) {
                int end = Math.min(records.size(), stored + rowsUntilCommit());
                if (!member.store(records.subList(stored, end), database)) {
                    break;
                }
                finished(end - stored);
                stored = end;
            }
        } catch (StoreAway away) {
            isAway = true;
        }
        Map<TopicPartition, Long> firstUnstored = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records.subList(stored, records.size())) {
            firstUnstored.putIfAbsent(new TopicPartition(record.topic(), record.partition()), record.offset());
        }
        endBatch(firstUnstored);
        if (isAway) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(StoreAway.PAUSE_MS));
        }
    }

    /** A transaction ends where a commit is due. */
    private int rowsUntilCommit() {
        int rows = member.order().store().rows();
        return commit.kind() == Commit.Kind.EVERY ? Math.min(rows, commit.everyRecords() - uncommitted) : rows;
    }

    private void finished(int records) {
        uncommitted += records;
        if (commit.kind() == Commit.Kind.EVERY && uncommitted >= commit.everyRecords()) {
            commit();
        }
    }

    private void endBatch(Map<TopicPartition, Long> firstUnworked) {
        if (!firstUnworked.isEmpty()) {
            goBackTo(firstUnworked);
        }
        if (commit.kind() == Commit.Kind.PER_BATCH && uncommitted > 0) {
            commit();
        }
    }

    /** Else the client's position is past the batch, and the client commits it by itself when it leaves. */
    private void goBackTo(Map<TopicPartition, Long> offsets) {
        offsets.keySet().retainAll(consumer.assignment());
        offsets.forEach(consumer::seek);
    }

    private void commit() {
        uncommitted = 0;
        var finished = member.uncommitted();
        if (finished.isEmpty()) {
            return;
        }
        try {
            consumer.commitSync(finished);
        } catch (RebalanceInProgressException | CommitFailedException othersOwnThem) {
            // The next poll says what this member still has; what it keeps is committed with its next records.
            System.err.println("did not commit: " + othersOwnThem.getMessage());
        }
    }

    private final class CommitBeforeRevocation implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            // Reading begins where the group is.
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            if (commit.isByHand()) {
                commit();
            }
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            // Others have them already.
        }
    }
}
