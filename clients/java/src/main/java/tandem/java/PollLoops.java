package tandem.java;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.utils.AppInfoParser;
import tandem.protocol.Client;
import tandem.protocol.Member;
import tandem.protocol.Prepare;
import tandem.protocol.Properties;
import tandem.protocol.Refusal;
import tandem.protocol.StoreFailure;
import tandem.protocol.TrialConsumer;

/** A thread for each consumer. */
final class PollLoops implements Client {
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(20);
    private static final long LEAVE_LIMIT_MS = 4_000;

    private final List<PollLoop> loops = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();

    @Override
    public String name() {
        return "kafka-clients";
    }

    @Override
    public String version() {
        return AppInfoParser.getVersion();
    }

    @Override
    public Set<String> capabilities() {
        return Set.of("manual");
    }

    @Override
    public void connect(Prepare order, List<Member> members) {
        for (Member member : members) {
            Map<String, Object> properties = Properties.of(order, member.clientId());
            if (order.read() == Prepare.Read.POLL) {
                properties.putIfAbsent(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 1);
            }
            var consumer = new TrialConsumer(properties, member);
            order.topicNames().forEach(topic -> consumer.partitionsFor(topic, ANSWER_LIMIT));
            var loop = new PollLoop(consumer, database(order, member));
            loops.add(loop);
            threads.add(new Thread(loop, "consumer-" + member.index()));
        }
    }

    /** A connection for the consumer's thread; null if nothing is to be stored. */
    private static Database database(Prepare order, Member member) {
        if (order.store() == null) {
            return null;
        }
        try {
            return new Database(order.store(), member.clientId());
        } catch (SQLException | Refusal failure) {
            throw StoreFailure.of(failure).atStart();
        }
    }

    @Override
    public void subscribe() {
        threads.forEach(Thread::start);
    }

    @Override
    public void leave() {
        loops.forEach(PollLoop::end);
        for (Thread thread : threads) {
            try {
                thread.join(LEAVE_LIMIT_MS);
            } catch (InterruptedException ended) {
                return;
            }
        }
    }
}
