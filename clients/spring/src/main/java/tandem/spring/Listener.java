package tandem.spring;

import java.util.List;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Profile;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.stereotype.Component;
import tandem.protocol.Member;
import tandem.protocol.TrialConsumer;

/** What a user of Spring writes: a method that is called with records. */
final class Listener {
    static final String ID = "tandem";

    private Listener() {}

    static Member memberOf(Consumer<?, ?> consumer) {
        return ((TrialConsumer) consumer).member();
    }

    /** The reading is over. */
    static final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    @Component
    @Profile("!" + Database.PROFILE)
    @ConditionalOnProperty(name = "spring.kafka.listener.type", havingValue = "single")
    static final class OfRecords {
        @KafkaListener(id = ID, idIsGroup = false, topics = "#{@trial.topics()}", autoStartup = "false")
        void read(ConsumerRecord<byte[], byte[]> record, Consumer<byte[], byte[]> consumer) {
            if (!memberOf(consumer).work(record)) {
                throw new Stopped();
            }
        }
    }

    @Component
    @Profile("!" + Database.PROFILE)
    @ConditionalOnProperty(name = "spring.kafka.listener.type", havingValue = "batch")
    static final class OfBatches {
        @KafkaListener(id = ID, idIsGroup = false, topics = "#{@trial.topics()}", autoStartup = "false")
        void read(List<ConsumerRecord<byte[], byte[]>> records, Consumer<byte[], byte[]> consumer) {
            Member member = memberOf(consumer);
            for (ConsumerRecord<byte[], byte[]> record : records) {
                if (!member.work(record)) {
                    throw new BatchListenerFailedException("stopped", new Stopped(), record);
                }
            }
        }
    }
}
