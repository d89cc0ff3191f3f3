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
import tandem.protocol.StoreAway;

/** A listener whose work is to store the records. What it throws is handed over again. */
final class StoringListener {
    private StoringListener() {}

    @Component
    @Profile(Database.PROFILE)
    @ConditionalOnProperty(name = "spring.kafka.listener.type", havingValue = "single")
    static final class OfRecords {
        private final Database database;

        OfRecords(Database database) {
            this.database = database;
        }

        @KafkaListener(id = Listener.ID, idIsGroup = false, topics = "#{@trial.topics()}", autoStartup = "false")
        void read(ConsumerRecord<byte[], byte[]> record, Consumer<byte[], byte[]> consumer) {
            Member member = Listener.memberOf(consumer);
            if (!member.store(List.of(record), Connections.of(member, database))) {
                throw new Listener.Stopped();
            }
        }
    }

    @Component
    @Profile(Database.PROFILE)
    @ConditionalOnProperty(name = "spring.kafka.listener.type", havingValue = "batch")
    static final class OfBatches {
        private final Database database;

        OfBatches(Database database) {
            this.database = database;
        }

        @KafkaListener(id = Listener.ID, idIsGroup = false, topics = "#{@trial.topics()}", autoStartup = "false")
        void read(List<ConsumerRecord<byte[], byte[]>> records, Consumer<byte[], byte[]> consumer) {
            Member member = Listener.memberOf(consumer);
            int most = member.order().store().rows();
            for (int first = 0; first < records.size(); first += most) {
                var rows = records.subList(first, Math.min(records.size(), first + most));
                try {
                    if (!member.store(rows, Connections.of(member, database))) {
                        throw new BatchListenerFailedException("stopped", new Listener.Stopped(), rows.get(0));
                    }
                } catch (StoreAway away) {
                    throw new BatchListenerFailedException("not stored", away, rows.get(0));
                }
            }
        }
    }
}
