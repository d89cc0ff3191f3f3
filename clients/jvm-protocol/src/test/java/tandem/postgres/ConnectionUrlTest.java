package tandem.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;

import org.junit.jupiter.api.Test;
import tandem.protocol.Refusal;

class ConnectionUrlTest {
    @Test
    void aUriOfLibpqIsAUrlWithoutSecretsAndPropertiesOfTheDriver() {
        ConnectionUrl url = ConnectionUrl.of(
                "postgresql://runner:p%40ss%2Fw%C3%B6rd+1@db.example:5433/orders?sslmode=require&connect_timeout=3&application_name=x");
        assertEquals("jdbc:postgresql://db.example:5433/orders", url.jdbc());
        assertEquals(Map.of("user", "runner", "password", "p@ss/wörd+1", "sslmode", "require", "connectTimeout", "3"),
                url.properties());
        assertEquals(url.jdbc(), url.toString());
    }

    @Test
    void everyPartCanBeAParameter() {
        ConnectionUrl url = ConnectionUrl.of("postgres:///?host=::1&port=5433&dbname=a b/c&user=runner&password=a@b");
        assertEquals("jdbc:postgresql://[::1]:5433/a+b%2Fc", url.jdbc());
        assertEquals(Map.of("user", "runner", "password", "a@b"), url.properties());
    }

    @Test
    void severalHostsAndNoDatabaseAreTheDriversOwn() {
        assertEquals("jdbc:postgresql://a:1,b:2/", ConnectionUrl.of("postgresql://a:1,b:2").jdbc());
        assertEquals(Map.of("user", "me"), ConnectionUrl.of("postgresql://me@a/").properties());
    }

    @Test
    void whatTheDriverCannotDoIsNamedWithoutTheUrl() {
        refuses("postgresql://u:secret@a/b?target_session_attrs=read-write", "the parameter `target_session_attrs`");
        refuses("postgresql://u:secret@/b", "names no host");
        refuses("postgresql://u:secret@%2Fvar%2Frun/b", "names no host");
        refuses("postgresql:///b?host=/var/run", "names no host");
        refuses("mysql://u:secret@a/b", "does not begin with `postgresql://`");
        refuses("postgresql://u:secret%4@a/b", "two hexadecimal digits");
        refuses("postgresql://u:secret@a/b?sslmode", "a parameter without a value");
    }

    private static void refuses(String uri, String why) {
        String said = assertThrows(Refusal.class, () -> ConnectionUrl.of(uri)).getMessage();
        assertEquals(true, said.contains(why), said);
        assertFalse(said.contains("secret"), said);
    }
}
