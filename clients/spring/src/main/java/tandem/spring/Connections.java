package tandem.spring;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import javax.sql.DataSource;

import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Profile;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.transaction.TransactionSystemException;
import tandem.postgres.ConnectionUrl;
import tandem.protocol.Member;
import tandem.protocol.Prepare;
import tandem.protocol.Transaction;

/** Where the trial's database is. Spring Boot makes its pool, with a connection for each thread of the listener. */
@Configuration(proxyBeanMethods = false)
@Profile(Database.PROFILE)
class Connections {
    private static final String APPLICATION_NAME = "ApplicationName";

    /** The {@code client.id} of the consumer whose thread this is. */
    private static final ThreadLocal<String> CONSUMER = new ThreadLocal<>();

    /** The settings that a user writes into application.properties, without those of {@link #details}. */
    static Map<String, Object> settings(Prepare order) {
        Map<String, String> driver = new HashMap<>(ConnectionUrl.of(order.store().url()).properties());
        driver.keySet().removeAll(List.of("user", "password"));
        driver.putIfAbsent("connectTimeout", String.valueOf(Transaction.ANSWER_LIMIT_S));
        driver.put("socketTimeout", String.valueOf(Transaction.ANSWER_LIMIT_S));
        // Makes one INSERT of the rows of a batch, which many users of the driver set.
        driver.put("reWriteBatchedInserts", "true");
        Map<String, Object> settings = new HashMap<>(Map.of(
                "spring.profiles.active", Database.PROFILE,
                // The transaction manager that translates errors rolls back a commit that failed, and if the connection is
                // lost, its error is only that it could not roll back.
                "spring.dao.exceptiontranslation.enabled", false,
                "spring.transaction.rollback-on-commit-failure", false,
                "spring.datasource.hikari.maximum-pool-size", order.consumers().size(),
                "spring.datasource.hikari.connection-timeout", Transaction.ANSWER_LIMIT_S * 1_000));
        driver.forEach((name, value) -> settings.put("spring.datasource.hikari.data-source-properties[" + name + "]", value));
        return settings;
    }

    /** No settings, because `${` in a password would stand for something else there. */
    @Bean
    JdbcConnectionDetails details(Trial trial) {
        ConnectionUrl url = ConnectionUrl.of(trial.order().store().url());
        return new JdbcConnectionDetails() {
            @Override
            public String getJdbcUrl() {
                return url.jdbc();
            }

            @Override
            public String getUsername() {
                return url.properties().get("user");
            }

            @Override
            public String getPassword() {
                return url.properties().get("password");
            }
        };
    }

    /** Lets the database see which consumer uses a connection. */
    @Bean
    static BeanPostProcessor namedConnections() {
        return new BeanPostProcessor() {
            @Override
            public Object postProcessAfterInitialization(Object bean, String name) {
                return bean instanceof DataSource pool ? new Named(pool) : bean;
            }
        };
    }

    private static final class Named extends DelegatingDataSource {
        Named(DataSource pool) {
            super(pool);
        }

        @Override
        public Connection getConnection() throws SQLException {
            Connection connection = super.getConnection();
            try {
                // The driver asks the server only if it is another name than before.
                connection.setClientInfo(APPLICATION_NAME, CONSUMER.get());
                return connection;
            } catch (SQLException lost) {
                connection.close();
                throw lost;
            }
        }
    }

    /** How the thread of a consumer stores records. */
    static Transaction of(Member member, Database database) {
        return (records, isKept) -> {
            CONSUMER.set(member.clientId());
            try {
                database.write(records, isKept);
            } catch (TransactionSystemException notRolledBack) {
                // A lost connection cannot be rolled back. What was thrown before that says why it was lost.
                throw notRolledBack.getOriginalException() instanceof Exception first ? first : notRolledBack;
            }
        };
    }

    /** Opens all connections of the pool. */
    static void open(DataSource pool, List<Member> members) throws SQLException {
        List<Connection> connections = new ArrayList<>();
        try {
            for (Member member : members) {
                CONSUMER.set(member.clientId());
                connections.add(pool.getConnection());
            }
        } finally {
            for (Connection connection : connections) {
                connection.close();
            }
        }
    }
}
