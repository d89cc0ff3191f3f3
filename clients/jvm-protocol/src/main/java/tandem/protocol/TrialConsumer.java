package tandem.protocol;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;

/**
 * A consumer as Kafka has it, which takes part in a trial: before the common start its poll does not return and fetches
 * nothing; after the stop it hands over nothing more. Whoever uses it writes what they always write.
 */
public class TrialConsumer extends KafkaConsumer<byte[], byte[]> {
    private static final Duration SLICE = Duration.ofMillis(10);
    /** The longest that a question of the worker waits for an answer, if no record comes. */
    private static final Duration LONGEST_POLL = Duration.ofMillis(100);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(1);
    private static final long ACTIVE_NS = 200_000;

    private final Member member;
    private boolean isStopped;
    /** A client committed by itself during a warm-up, so the group may begin after the trial's first records. */
    private boolean isGroupAhead;

    public TrialConsumer(Map<String, Object> properties, Member member) {
        super(properties);
        this.member = member;
    }

    /** Its part in the trial. */
    public Member member() {
        return member;
    }

    @Override
    public void subscribe(Collection<String> topics, ConsumerRebalanceListener listener) {
        super.subscribe(topics, new Reporting(listener));
    }

    @Override
    public void assign(Collection<TopicPartition> partitions) {
        super.assign(partitions);
        takeOver(partitions);
        member.note(Member.ASSIGNED, partitions);
    }

    @Override
    public ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
        try {
            return next(timeout);
        } catch (WakeupException leaving) {
            throw leaving;
        } catch (KafkaException broken) {
            member.fail(broken);
            throw broken;
        }
    }

    private ConsumerRecords<byte[], byte[]> next(Duration timeout) {
        while (member.isHolding()) {
            ConsumerRecords<byte[], byte[]> records = member.isWarmingUp() ? warmUp() : hold();
            if (!records.isEmpty()) {
                return records;
            }
        }
        attend();
        ConsumerRecords<byte[], byte[]> records = super.poll(timeout.compareTo(LONGEST_POLL) < 0 ? timeout : LONGEST_POLL);
        member.polled(records);
        if (records.isEmpty()) {
            lookAtPositions();
        }
        return records;
    }

    @Override
    public void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets) {
        if (member.mayCommit()) {
            super.commitSync(offsets);
            member.committed(offsets);
        }
    }

    @Override
    public void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
        if (member.mayCommit()) {
            super.commitSync(offsets, timeout);
            member.committed(offsets);
        }
    }

    /** Hands over records of the warm-up. When it is over, everything is held at its first record again. */
    private ConsumerRecords<byte[], byte[]> warmUp() {
        Set<TopicPartition> assignment = assignment();
        if (assignment.isEmpty()) {
            attend();
        }
        // A question is answered after the warm-up: the answer says that what the member has is held.
        boolean isRead = !assignment.isEmpty() && assignment.stream().allMatch(each -> currentLag(each).orElse(1) == 0);
        if (isRead || member.warmupLeft() <= 0 || member.startNs() >= 0 || member.isStopped()) {
            pause(assignment);
            assignment.forEach(partition -> seek(partition, member.lowOf(partition)));
            member.endWarmUp();
            return ConsumerRecords.empty();
        }
        resume(assignment);
        ConsumerRecords<byte[], byte[]> records = super.poll(SLICE);
        member.polled(records);
        return records;
    }

    /** Stays in the group without records until the start. */
    private ConsumerRecords<byte[], byte[]> hold() {
        if (isGroupAhead && member.startNs() < 0 && !member.isStopped()) {
            commitLow();
        }
        attend();
        long startNs = member.startNs();
        boolean isNear = startNs >= 0 && startNs - System.nanoTime() < SLICE.toNanos();
        if (!isNear && !member.isStopped()) {
            member.polled(super.poll(SLICE));
            return ConsumerRecords.empty();
        }
        sleepUntil(startNs);
        member.release();
        if (!member.isStopped()) {
            resume(member.unread(assignment()));
        }
        return ConsumerRecords.empty();
    }

    /** Commits the trial's first offsets. A question is answered after that, so that nothing is under way at the start. */
    private void commitLow() {
        Map<TopicPartition, OffsetAndMetadata> low = new HashMap<>();
        assignment().forEach(partition -> low.put(partition, new OffsetAndMetadata(member.lowOf(partition))));
        try {
            super.commitSync(low, ANSWER_LIMIT);
            isGroupAhead = false;
        } catch (RebalanceInProgressException | CommitFailedException | TimeoutException tooEarly) {
            // The next slice of the hold commits what this consumer has then.
            System.err.println("did not commit the beginning: " + tooEarly.getMessage());
        }
    }

    private static void sleepUntil(long atNs) {
        while (System.nanoTime() < atNs - ACTIVE_NS) {
            LockSupport.parkNanos(atNs - ACTIVE_NS - System.nanoTime());
        }
        while (System.nanoTime() < atNs) {
            Thread.onSpinWait();
        }
    }

    private void attend() {
        member.pass();
        if (!member.takeAsked()) {
            return;
        }
        Collection<TopicPartition> assignment = assignment();
        if (member.isStopped() && !isStopped) {
            isStopped = true;
            pause(assignment);
        } else {
            List<TopicPartition> read = member.read(assignment);
            if (!read.isEmpty() && !paused().containsAll(read)) {
                pause(read);
            }
        }
        member.attend(assignment);
    }

    /** The last offsets of a partition may be none of records: control records, or compacted ones. */
    private void lookAtPositions() {
        for (TopicPartition partition : member.unread(assignment())) {
            if (member.hasEnd(partition)) {
                try {
                    member.reached(partition, position(partition, ANSWER_LIMIT));
                } catch (TimeoutException notKnownYet) {
                    // The next look finds it.
                }
            }
        }
    }

    private void takeOver(Collection<TopicPartition> partitions) {
        member.beginEpochs(partitions);
        if (member.isHolding()) {
            // Nothing of the trial is committed before the start, so no question has to be under way then.
            partitions.forEach(partition -> seek(partition, member.lowOf(partition)));
            isGroupAhead = member.commitsInWarmUp();
        }
        if (member.isHolding() || member.isStopped()) {
            pause(partitions);
        }
    }

    /** Reports rebalances beside the listener of whoever uses this consumer. */
    private final class Reporting implements ConsumerRebalanceListener {
        private final ConsumerRebalanceListener user;

        Reporting(ConsumerRebalanceListener user) {
            this.user = user;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            takeOver(partitions);
            user.onPartitionsAssigned(partitions);
            member.note(Member.ASSIGNED, partitions);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            user.onPartitionsRevoked(partitions);
            member.endEpochs(partitions);
            member.note(Member.REVOKED, partitions);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            member.endEpochs(partitions);
            user.onPartitionsLost(partitions);
            member.note(Member.LOST, partitions);
        }
    }
}
