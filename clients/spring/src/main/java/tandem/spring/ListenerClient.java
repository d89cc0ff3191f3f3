package tandem.spring;

import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import javax.sql.DataSource;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.kafka.KafkaException;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import tandem.protocol.Client;
import tandem.protocol.Member;
import tandem.protocol.Prepare;
import tandem.protocol.Properties;
import tandem.protocol.Refusal;
import tandem.protocol.StoreFailure;

/** A Spring Boot application with one listener, whose {@code concurrency} is the number of consumers. */
final class ListenerClient implements Client {
    private static final int ANSWER_LIMIT_S = 20;

    /** What Spring Boot configures for a database, which needs one. */
    private static final String DATABASE = DataSourceAutoConfiguration.class.getName();

    private ConfigurableApplicationContext application;

    @Override
    public String name() {
        return "spring-kafka";
    }

    @Override
    public String version() {
        return KafkaException.class.getPackage().getImplementationVersion() + ", Spring Boot "
                + SpringBootVersion.getVersion() + ", kafka-clients "
                + org.apache.kafka.common.utils.AppInfoParser.getVersion();
    }

    @Override
    public Set<String> capabilities() {
        return Set.of();
    }

    @Override
    public void connect(Prepare order, List<Member> members) {
        // It also sets the level of all logs.
        application = new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                .properties(settings(order))
                .initializers(context -> ((GenericApplicationContext) context)
                        .registerBean("trial", Trial.class, () -> new Trial(order, members)))
                .run();
        reach(order);
        if (order.store() != null) {
            try {
                Connections.open(application.getBean(DataSource.class), members);
            } catch (SQLException | RuntimeException failure) {
                throw StoreFailure.of(failure).atStart();
            }
        }
    }

    /** The settings that a user writes into application.properties. */
    private static Map<String, Object> settings(Prepare order) {
        Map<String, Object> settings = new HashMap<>(Map.of(
                "spring.main.banner-mode", "off",
                "logging.level.root", "warn",
                "spring.kafka.listener.concurrency", order.consumers().size(),
                "spring.kafka.listener.type", order.read() == Prepare.Read.BATCH ? "batch" : "single"));
        switch (order.commit().kind()) {
            // Nobody acknowledges.
            case NONE -> settings.put("spring.kafka.listener.ack-mode", "manual");
            // The client commits by itself.
            case AUTO -> {}
            case PER_BATCH -> settings.put("spring.kafka.listener.ack-mode", "batch");
            case EVERY -> {
                // Of a batch, a container counts one record of each partition. So a batch is as large as the count.
                boolean isBatch = order.read() == Prepare.Read.BATCH;
                settings.put("spring.kafka.listener.ack-mode", isBatch ? "batch" : "count");
                settings.put("spring.kafka.listener.ack-count", order.commit().everyRecords());
            }
        }
        settings.putAll(order.store() == null ? Map.of("spring.autoconfigure.exclude", DATABASE) : databaseSettings(order));
        return settings;
    }

    private static Map<String, Object> databaseSettings(Prepare order) {
        try {
            return Connections.settings(order);
        } catch (Refusal failure) {
            throw StoreFailure.of(failure).atStart();
        }
    }

    /** Waits until the cluster answers: a listener connects when it joins. */
    private static void reach(Prepare order) {
        Map<String, Object> properties = new HashMap<>(Properties.of(order, order.consumers().get(0).clientId() + "-ready"));
        properties.keySet().removeIf(name -> !org.apache.kafka.clients.admin.AdminClientConfig.configNames().contains(name));
        Admin admin = Admin.create(properties);
        try {
            admin.describeTopics(order.topicNames()).allTopicNames().get(ANSWER_LIMIT_S, TimeUnit.SECONDS);
        } catch (java.util.concurrent.TimeoutException late) {
            throw new org.apache.kafka.common.errors.TimeoutException("no broker of "
                    + properties.get(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG) + " answered within " + ANSWER_LIMIT_S + " s");
        } catch (java.util.concurrent.ExecutionException failed) {
            throw new KafkaException("the cluster refused", failed.getCause());
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        } finally {
            // Without a limit it would wait for answers that do not come.
            admin.close(Duration.ZERO);
        }
    }

    @Override
    public void subscribe() {
        application.getBean(KafkaListenerEndpointRegistry.class).getListenerContainer(Listener.ID).start();
    }

    @Override
    public void leave() {
        if (application != null) {
            application.close();
        }
    }
}
