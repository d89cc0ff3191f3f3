package tandem.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PropertiesTest {
    @TempDir
    private Path folder;

    private static Prepare order(Map<String, String> properties, Map<String, String> ofClient) {
        return new Prepare(List.of(), List.of(), "group", properties, ofClient, null, null, new Commit(Commit.Kind.NONE, 0),
                Prepare.Read.BATCH, false, null, 0, false, false, false, null);
    }

    private static Map<String, Object> translated(Map<String, String> properties) {
        return Properties.of(order(properties, Map.of()), "client");
    }

    private static String refusal(Map<String, String> properties, Map<String, String> ofClient) {
        return assertThrows(Refusal.class, () -> Properties.of(order(properties, ofClient), "client")).getMessage();
    }

    private String file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text).toString();
    }

    @Test
    void theTrialDecidesWhoTheConsumerIsAndWhatItCommits() {
        var properties = translated(Map.of("group.id", "other", "enable.auto.commit", "true"));
        assertEquals("group", properties.get("group.id"));
        assertEquals("client", properties.get("client.id"));
        assertEquals(false, properties.get("enable.auto.commit"));
    }

    @Test
    void whatTandemAsksOfLibrdkafkaAloneIsLeftOut() {
        var properties = translated(Map.of("enable.partition.eof", "true", "queued.min.messages", "1", "fetch.wait.max.ms", "7"));
        assertFalse(properties.containsKey("enable.partition.eof"));
        assertFalse(properties.containsKey("queued.min.messages"));
        assertEquals("7", properties.get("fetch.max.wait.ms"));
    }

    @Test
    void assignorsHaveTheNamesOfTheirClasses() {
        var properties = translated(Map.of("partition.assignment.strategy", "cooperative-sticky, org.example.Own"));
        assertEquals("org.apache.kafka.clients.consumer.CooperativeStickyAssignor,org.example.Own",
                properties.get("partition.assignment.strategy"));
    }

    @Test
    void aNameAndAPasswordBecomeALoginModuleWhateverTheyContain() {
        var properties = translated(Map.of("security.protocol", "sasl_ssl", "sasl.mechanism", "SCRAM-SHA-512",
                "sasl.username", "a\"b", "sasl.password", "c\\d"));
        assertEquals("SASL_SSL", properties.get("security.protocol"));
        assertEquals("org.apache.kafka.common.security.scram.ScramLoginModule required username=\"a\\\"b\" password=\"c\\\\d\";",
                properties.get("sasl.jaas.config"));
        String plain = translated(Map.of("sasl.mechanisms", "PLAIN", "sasl.username", "u")).get("sasl.jaas.config").toString();
        assertTrue(plain.startsWith("org.apache.kafka.common.security.plain.PlainLoginModule"), plain);
        assertTrue(refusal(Map.of("sasl.mechanism", "GSSAPI", "sasl.username", "u"), Map.of()).contains("GSSAPI"));
    }

    @Test
    void filesInPemAreReadIntoTheStoresOfTheClient() throws IOException {
        var properties = translated(Map.of("ssl.ca.location", file("ca", "CA"), "ssl.certificate.location", file("cert", "CERT"),
                "ssl.key.location", file("key", "BEGIN PRIVATE KEY"), "ssl.key.password", "secret"));
        assertEquals("PEM", properties.get("ssl.truststore.type"));
        assertEquals("CA", properties.get("ssl.truststore.certificates"));
        assertEquals("PEM", properties.get("ssl.keystore.type"));
        assertEquals("CERT", properties.get("ssl.keystore.certificate.chain"));
        assertEquals("BEGIN PRIVATE KEY", properties.get("ssl.keystore.key"));
        assertEquals("secret", properties.get("ssl.key.password"));
    }

    @Test
    void aKeyThatJavaCannotReadIsRefusedWithTheCommandThatConvertsIt() throws IOException {
        String key = file("key", "-----BEGIN RSA PRIVATE KEY-----");
        String said = refusal(Map.of("ssl.key.location", key, "ssl.certificate.location", file("cert", "CERT")), Map.of());
        assertTrue(said.contains("openssl pkcs8 -topk8"), said);
        assertTrue(refusal(Map.of("ssl.key.location", key), Map.of()).contains("ssl.certificate.location"));
        assertTrue(refusal(Map.of("ssl.ca.location", "/no/such/file"), Map.of()).contains("/no/such/file"));
    }

    @Test
    void aPropertyWithoutCounterpartIsNamed() {
        assertTrue(refusal(Map.of("enable.ssl.certificate.verification", "false"), Map.of())
                .contains("`enable.ssl.certificate.verification`"));
        assertTrue(refusal(Map.of("ssl.cipher.suites", "ALL"), Map.of()).contains("`ssl.cipher.suites`"));
    }

    @Test
    void propertiesOfTheClientWinAndAreCheckedByItsOwnNames() {
        var properties = Properties.of(order(Map.of("fetch.min.bytes", "1"), Map.of("fetch.min.bytes", "2")), "client");
        assertEquals("2", properties.get("fetch.min.bytes"));
        assertTrue(refusal(Map.of(), Map.of("fetch.wait.max.ms", "1")).contains("`fetch.wait.max.ms`"));
        assertTrue(refusal(Map.of(), Map.of("group.id", "own")).contains("`group.id`"));
    }
}
