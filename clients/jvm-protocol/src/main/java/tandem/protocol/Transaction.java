package tandem.protocol;

import java.util.List;

import org.apache.kafka.clients.consumer.ConsumerRecord;

/** How a client writes records to the store. */
@FunctionalInterface
public interface Transaction {
    /** A connection or a statement that is silent for so long has failed. */
    int ANSWER_LIMIT_S = 5;

    /**
     * Writes the records in one transaction.
     *
     * @param isKept false to roll it back: a warm-up leaves nothing in the store
     * @throws CommitSent if that failed after the commit was sent
     */
    void write(List<ConsumerRecord<byte[], byte[]>> records, boolean isKept) throws Exception;
}
