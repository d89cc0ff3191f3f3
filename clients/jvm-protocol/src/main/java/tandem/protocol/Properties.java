package tandem.protocol;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * The settings of a trial's Java consumers. tandem gives properties in librdkafka's names, which are translated, and
 * {@code client_properties} in the Java client's own names, which win.
 */
public final class Properties {
    /** What tandem asks of librdkafka alone. */
    private static final Set<String> FOR_LIBRDKAFKA = Set.of("enable.partition.eof", "enable.auto.offset.store",
            "statistics.interval.ms", "fetch.queue.backoff.ms", "queued.min.messages", "queued.max.messages.kbytes");

    /** Properties of which the Java client has the same under another name. */
    private static final Map<String, String> RENAMED = Map.of(
            "sasl.mechanisms", SaslConfigs.SASL_MECHANISM,
            "fetch.wait.max.ms", ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG,
            "fetch.message.max.bytes", ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG,
            "socket.receive.buffer.bytes", ConsumerConfig.RECEIVE_BUFFER_CONFIG,
            "socket.send.buffer.bytes", ConsumerConfig.SEND_BUFFER_CONFIG);

    /** Properties that have the same name in both libraries and take other values. */
    private static final Set<String> OTHER_VALUES = Set.of(SslConfigs.SSL_CIPHER_SUITES_CONFIG);

    private static final Map<String, String> ASSIGNORS = Map.of(
            "range", "org.apache.kafka.clients.consumer.RangeAssignor",
            "roundrobin", "org.apache.kafka.clients.consumer.RoundRobinAssignor",
            "cooperative-sticky", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");

    /** What the trial decides. */
    private static final Set<String> OF_THE_TRIAL = Set.of(ConsumerConfig.GROUP_ID_CONFIG, ConsumerConfig.CLIENT_ID_CONFIG,
            ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG,
            ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG);

    private final Map<String, Object> translated = new HashMap<>();

    private Properties() {}

    /** The settings of one consumer of the trial. */
    public static Map<String, Object> of(Prepare order, String clientId) {
        Properties properties = new Properties();
        properties.translate(order.properties());
        Map<String, Object> result = properties.translated;
        order.clientProperties().forEach((name, value) -> {
            if (!ConsumerConfig.configNames().contains(name)) {
                throw new Refusal("the Java client has no property `" + name + "`: its consumer's properties are listed in "
                        + "Kafka's documentation under \"Consumer Configs\"");
            }
            if (OF_THE_TRIAL.contains(name)) {
                throw new Refusal("`" + name + "` is set by each trial and cannot be set here");
            }
            result.put(name, value);
        });
        result.put(ConsumerConfig.GROUP_ID_CONFIG, order.groupId());
        result.put(ConsumerConfig.CLIENT_ID_CONFIG, clientId);
        if (order.staticMembership()) {
            result.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, clientId);
        }
        result.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, order.commit().kind() == Commit.Kind.AUTO);
        result.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        result.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        return result;
    }

    private void translate(Map<String, String> given) {
        given.forEach((name, value) -> {
            switch (name) {
                case ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG -> translated.put(name, assignors(value));
                case "security.protocol" -> translated.put(name, value.toUpperCase(Locale.ROOT));
                case SslConfigs.SSL_ENDPOINT_IDENTIFICATION_ALGORITHM_CONFIG ->
                    translated.put(name, value.equals("none") ? "" : value);
                case "sasl.username", "sasl.password", "ssl.ca.location", "ssl.ca.pem", "ssl.certificate.location",
                        "ssl.certificate.pem", "ssl.key.location", "ssl.key.pem", SslConfigs.SSL_KEY_PASSWORD_CONFIG -> {
                    // Below: what the Java client needs is made of several of these.
                }
                default -> {
                    String own = RENAMED.getOrDefault(name, name);
                    if (ConsumerConfig.configNames().contains(own) && !OTHER_VALUES.contains(own)) {
                        translated.put(own, value);
                    } else if (!FOR_LIBRDKAFKA.contains(name)) {
                        throw new Refusal("`" + name + "` is a property of librdkafka that cannot be translated for the Java "
                                + "client: set what the Java client has instead, in its own names");
                    }
                }
            }
        });
        signIn(given);
        trust(given);
        identify(given);
    }

    private static String assignors(String names) {
        return Stream.of(names.split(",")).map(String::trim).map(name -> ASSIGNORS.getOrDefault(name, name))
                .collect(Collectors.joining(","));
    }

    /** librdkafka has a name and a password; the Java client has a login module that gets them. */
    private void signIn(Map<String, String> given) {
        String user = given.get("sasl.username");
        if (user == null) {
            return;
        }
        String mechanism = String.valueOf(translated.get(SaslConfigs.SASL_MECHANISM));
        String module = switch (mechanism) {
            case "PLAIN" -> "org.apache.kafka.common.security.plain.PlainLoginModule";
            case "SCRAM-SHA-256", "SCRAM-SHA-512" -> "org.apache.kafka.common.security.scram.ScramLoginModule";
            default -> throw new Refusal("`sasl.username` goes with the mechanisms PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512, and "
                    + "`sasl.mechanism` is " + mechanism);
        };
        translated.put(SaslConfigs.SASL_JAAS_CONFIG, "%s required username=%s password=%s;"
                .formatted(module, quoted(user), quoted(given.getOrDefault("sasl.password", ""))));
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private void trust(Map<String, String> given) {
        String certificates = pem(given, "ssl.ca.pem", "ssl.ca.location");
        if (certificates != null) {
            translated.put(SslConfigs.SSL_TRUSTSTORE_TYPE_CONFIG, "PEM");
            translated.put(SslConfigs.SSL_TRUSTSTORE_CERTIFICATES_CONFIG, certificates);
        }
    }

    private void identify(Map<String, String> given) {
        String certificate = pem(given, "ssl.certificate.pem", "ssl.certificate.location");
        String key = pem(given, "ssl.key.pem", "ssl.key.location");
        if (certificate == null && key == null) {
            return;
        }
        if (certificate == null || key == null) {
            throw new Refusal("a client certificate needs both `ssl.certificate.location` and `ssl.key.location`");
        }
        for (String format : List.of("RSA", "EC", "DSA")) {
            if (key.contains("BEGIN " + format + " PRIVATE KEY")) {
                throw new Refusal("`ssl.key.location` is in a format that the Java client does not read (\"BEGIN " + format
                        + " PRIVATE KEY\"): convert it to PKCS #8 with `openssl pkcs8 -topk8 -in KEY -out KEY.p8`");
            }
        }
        translated.put(SslConfigs.SSL_KEYSTORE_TYPE_CONFIG, "PEM");
        translated.put(SslConfigs.SSL_KEYSTORE_CERTIFICATE_CHAIN_CONFIG, certificate);
        translated.put(SslConfigs.SSL_KEYSTORE_KEY_CONFIG, key);
        String password = given.get(SslConfigs.SSL_KEY_PASSWORD_CONFIG);
        if (password != null) {
            translated.put(SslConfigs.SSL_KEY_PASSWORD_CONFIG, password);
        }
    }

    /** The PEM text of a property, or that of the file that the other property names; null if neither is given. */
    private static String pem(Map<String, String> given, String text, String location) {
        String file = given.get(location);
        if (given.containsKey(text) || file == null) {
            return given.get(text);
        }
        try {
            return Files.readString(Path.of(file));
        } catch (IOException unreadable) {
            throw new Refusal("cannot read `" + location + "`, " + file + ": " + unreadable);
        }
    }
}
