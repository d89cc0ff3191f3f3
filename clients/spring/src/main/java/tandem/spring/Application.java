package tandem.spring;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.FixedBackOff;
import tandem.protocol.Commit;
import tandem.protocol.Member;
import tandem.protocol.Prepare;
import tandem.protocol.Properties;
import tandem.protocol.StoreAway;
import tandem.protocol.TrialConsumer;

@SpringBootApplication
class Application {
    /** What the client hands over at once at most, unless it is set. */
    private static final int POLL_RECORDS = 500;

    /** Makes the consumers of the trial, in the order in which the container asks for them. */
    @Bean
    ConsumerFactory<?, ?> consumerFactory(Trial trial) {
        AtomicInteger next = new AtomicInteger();
        Map<String, Object> properties = Properties.of(trial.order(), trial.members().get(0).clientId());
        Commit commit = trial.order().commit();
        if (commit.kind() == Commit.Kind.EVERY) {
            // A container commits between two polls.
            boolean isBatch = trial.order().read() == Prepare.Read.BATCH;
            properties.putIfAbsent(ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
                    isBatch ? commit.everyRecords() : Math.min(POLL_RECORDS, commit.everyRecords()));
        }
        return new DefaultKafkaConsumerFactory<byte[], byte[]>(properties) {
            @Override
            protected Consumer<byte[], byte[]> createRawConsumer(Map<String, Object> settings) {
                Member member = trial.members().get(next.getAndIncrement());
                Map<String, Object> own = new HashMap<>(settings);
                own.put("client.id", member.clientId());
                own.computeIfPresent("group.instance.id", (name, ofFirst) -> member.clientId());
                return new TrialConsumer(own, member);
            }
        };
    }

    /** What is left because the reading is over or the store is away is neither skipped nor committed, but read again. */
    @Bean
    DefaultErrorHandler errorHandler() {
        var handler = new DefaultErrorHandler(new FixedBackOff(StoreAway.PAUSE_MS, FixedBackOff.UNLIMITED_ATTEMPTS));
        handler.setLogLevel(org.springframework.kafka.KafkaException.Level.DEBUG);
        return handler;
    }
}
