package tandem.java;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.WakeupException;
import tandem.protocol.Commit;
import tandem.protocol.Member;
import tandem.protocol.TrialConsumer;

/** The loop that every user of the Java client writes: poll, work, commit. */
final class PollLoop implements Runnable {
    private static final Duration POLL = Duration.ofMillis(100);

    private final TrialConsumer consumer;
    private final Member member;
    private final Commit commit;
    private volatile boolean isEnding;
    private int uncommitted;

    PollLoop(TrialConsumer consumer) {
        this.consumer = consumer;
        member = consumer.member();
        commit = member.order().commit();
    }

    @Override
    public void run() {
        try (consumer) {
            if (member.order().manual()) {
                consumer.assign(member.manual());
            } else {
                consumer.subscribe(member.order().topicNames(), new CommitBeforeRevocation());
            }
            while (!isEnding) {
                read(consumer.poll(POLL));
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
            if (!member.work(record)) {
                firstUnworked.putIfAbsent(new TopicPartition(record.topic(), record.partition()), record.offset());
                continue;
            }
            uncommitted++;
            if (commit.kind() == Commit.Kind.EVERY && uncommitted >= commit.everyRecords()) {
                commit();
            }
        }
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
