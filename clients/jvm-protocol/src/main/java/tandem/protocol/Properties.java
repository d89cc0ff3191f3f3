package tandem.protocol;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The properties of a trial for a Java consumer: its own names, and librdkafka's where tandem itself uses them. */
public final class Properties {
    /** librdkafka's names of what the Java client calls otherwise. */
    private static final Map<String, String> RENAMED = Map.of(
            "sasl.mechanisms", "sasl.mechanism",
            "fetch.wait.max.ms", "fetch.max.wait.ms",
            "ssl.ca.location", "ssl.truststore.location");

    /** What tandem asks librdkafka for, and the Java client has no part in. */
    private static final Set<String> NOT_FOR_JAVA = Set.of("statistics.interval.ms", "enable.auto.offset.store",
            "broker.address.family", "sasl.username", "sasl.password");

    private static final Map<String, String> ASSIGNORS = Map.of(
            "range", "org.apache.kafka.clients.consumer.RangeAssignor",
            "roundrobin", "org.apache.kafka.clients.consumer.RoundRobinAssignor",
            "cooperative-sticky", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");

    private Properties() {}

    /** The properties of one consumer of the trial. */
    public static Map<String, Object> of(Prepare order, String clientId) {
        Map<String, Object> properties = new HashMap<>();
        order.properties().forEach((name, value) -> put(properties, RENAMED.getOrDefault(name, name), value));
        signIn(order.properties(), properties);
        properties.put(ConsumerConfig.GROUP_ID_CONFIG, order.groupId());
        properties.put(ConsumerConfig.CLIENT_ID_CONFIG, clientId);
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, order.commit().kind() == Commit.Kind.AUTO);
        if (order.read() == Prepare.Read.POLL) {
            properties.putIfAbsent(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "1");
        }
        properties.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        properties.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        return properties;
    }

    private static void put(Map<String, Object> properties, String name, String value) {
        switch (name) {
            case ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG -> {
                String[] assignors = value.split("\\s*,\\s*");
                for (int i = 0; i < assignors.length; i++) {
                    assignors[i] = ASSIGNORS.getOrDefault(assignors[i], assignors[i]);
                }
                properties.put(name, String.join(",", assignors));
            }
            case "security.protocol" -> properties.put(name, value.toUpperCase(Locale.ROOT));
            case "ssl.truststore.location" -> {
                properties.put(name, value);
                properties.putIfAbsent("ssl.truststore.type", "PEM");
            }
            default -> {
                if (ConsumerConfig.configNames().contains(name)) {
                    properties.put(name, value);
                } else if (!NOT_FOR_JAVA.contains(name)) {
                    throw new Refusal("the Java client has no property `" + name + "`: leave it out of the scenario, or use "
                            + "one of its own names");
                }
            }
        }
    }

    /** librdkafka has a name and a password; the Java client has a module that is given them. */
    private static void signIn(Map<String, String> given, Map<String, Object> properties) {
        String user = given.get("sasl.username");
        if (user == null || properties.containsKey("sasl.jaas.config")) {
            return;
        }
        boolean isScram = String.valueOf(properties.get("sasl.mechanism")).startsWith("SCRAM");
        String module = isScram ? "org.apache.kafka.common.security.scram.ScramLoginModule"
                : "org.apache.kafka.common.security.plain.PlainLoginModule";
        properties.put("sasl.jaas.config", module + " required username=" + quoted(user) + " password="
                + quoted(given.getOrDefault("sasl.password", "")) + ";");
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
