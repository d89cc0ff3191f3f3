package tandem.postgres;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

import tandem.protocol.Refusal;

/**
 * Where a database is, as a JDBC driver takes it: a URL without secrets, and the driver's properties beside it. No text of
 * this class repeats what may be a secret.
 *
 * @param properties of PostgreSQL's driver, {@code user} and {@code password} among them
 */
public record ConnectionUrl(String jdbc, Map<String, String> properties) {
    /** Parameters of a libpq URI by the name that PostgreSQL's JDBC driver has for them. */
    private static final Map<String, String> PARAMETERS = Map.ofEntries(
            Map.entry("user", "user"),
            Map.entry("password", "password"),
            Map.entry("sslmode", "sslmode"),
            Map.entry("sslrootcert", "sslrootcert"),
            Map.entry("sslcert", "sslcert"),
            Map.entry("sslkey", "sslkey"),
            Map.entry("sslpassword", "sslpassword"),
            Map.entry("options", "options"),
            Map.entry("connect_timeout", "connectTimeout"),
            Map.entry("channel_binding", "channelBinding"),
            Map.entry("gssencmode", "gssEncMode"));

    private static final String SCHEME = "postgres(ql)?://";

    /** Reads a URI as libpq has it, such as {@code postgresql://user:password@host:5432/database?sslmode=require}. */
    public static ConnectionUrl of(String uri) {
        String rest = uri.replaceFirst("^" + SCHEME, "");
        if (rest.length() == uri.length()) {
            throw new Refusal("the store's URL does not begin with `postgresql://`");
        }
        Map<String, String> properties = new HashMap<>();
        int at = rest.indexOf('@');
        // An `@` of the path or of a parameter has nothing before it that could be a user.
        if (at >= 0 && rest.lastIndexOf('/', at) < 0) {
            String[] user = rest.substring(0, at).split(":", 2);
            properties.put("user", decoded(user[0]));
            if (user.length > 1) {
                properties.put("password", decoded(user[1]));
            }
            rest = rest.substring(at + 1);
        }
        String[] parts = rest.split("\\?", 2);
        Map<String, String> query = parts.length > 1 ? queryOf(parts[1]) : new HashMap<>();
        String[] place = parts[0].split("/", 2);
        String database = place.length > 1 ? decoded(place[1]) : "";
        String hosts = hosts(decoded(place[0]), query.remove("host"), query.remove("port"));
        String name = query.containsKey("dbname") ? query.remove("dbname") : database;
        // It is another one for each consumer.
        query.remove("application_name");
        query.forEach((parameter, value) -> {
            if (!PARAMETERS.containsKey(parameter)) {
                throw new Refusal("the store's URL has the parameter `" + parameter
                        + "`, which cannot be translated for PostgreSQL's JDBC driver");
            }
            properties.put(PARAMETERS.get(parameter), value);
        });
        return new ConnectionUrl("jdbc:postgresql://" + hosts + "/" + URLEncoder.encode(name, StandardCharsets.UTF_8),
                Map.copyOf(properties));
    }

    private static Map<String, String> queryOf(String parameters) {
        Map<String, String> query = new HashMap<>();
        for (String parameter : parameters.split("&")) {
            String[] parts = parameter.split("=", 2);
            if (parts.length < 2) {
                throw new Refusal("the store's URL has a parameter without a value");
            }
            query.put(decoded(parts[0]), decoded(parts[1]));
        }
        return query;
    }

    /** The parameters {@code host} and {@code port} take the place of what stands before the path. */
    private static String hosts(String authority, String host, String port) {
        String hosts = authority;
        if (host != null) {
            hosts = host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
        }
        if (port != null) {
            hosts = hosts + ":" + port;
        }
        if (hosts.isEmpty() || hosts.startsWith(":") || hosts.startsWith("/")) {
            throw new Refusal("the store's URL names no host: PostgreSQL's JDBC driver connects by TCP alone, so the URL needs "
                    + "a host such as 127.0.0.1");
        }
        return hosts;
    }

    private static String decoded(String text) {
        try {
            // A plus is itself in such a URI.
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException malformed) {
            throw new Refusal("the store's URL has a `%` that is not followed by two hexadecimal digits");
        }
    }

    /** Secrets are in no text. */
    @Override
    public String toString() {
        return jdbc;
    }
}
