package tandem.java;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.Properties;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;
import tandem.postgres.ConnectionUrl;
import tandem.postgres.Rows;
import tandem.protocol.CommitSent;
import tandem.protocol.Prepare;
import tandem.protocol.Transaction;

/** A connection to the database, of one consumer and its thread. */
final class Database implements Transaction, AutoCloseable {
    private static final int STILL_THERE_LIMIT_S = 1;

    private final Prepare.Store order;
    private final ConnectionUrl url;
    private final Properties properties = new Properties();
    /** Null between a lost connection and the next attempt. */
    private Connection connection;
    /** Null if rows are copied. */
    private PreparedStatement insert;

    /** Connects. */
    Database(Prepare.Store order, String applicationName) throws SQLException {
        this.order = order;
        url = ConnectionUrl.of(order.url());
        PGProperty.APPLICATION_NAME.set(properties, applicationName);
        PGProperty.CONNECT_TIMEOUT.set(properties, ANSWER_LIMIT_S);
        PGProperty.SOCKET_TIMEOUT.set(properties, ANSWER_LIMIT_S);
        // Makes one INSERT of the rows of a batch, which many users of the driver set.
        PGProperty.REWRITE_BATCHED_INSERTS.set(properties, true);
        properties.putAll(url.properties());
        connect();
    }

    private void connect() throws SQLException {
        connection = DriverManager.getConnection(url.jdbc(), properties);
        if (order.write() != Prepare.Write.COPY) {
            insert = connection.prepareStatement(Rows.insert(order));
        }
    }

    @Override
    public void write(List<ConsumerRecord<byte[], byte[]>> records, boolean isKept) throws Exception {
        if (connection == null) {
            connect();
        }
        // One statement is a transaction by itself.
        boolean isOneStatement = order.write() == Prepare.Write.COPY || records.size() == 1;
        boolean isCommitting = false;
        try {
            connection.setAutoCommit(isKept && isOneStatement);
            if (order.write() == Prepare.Write.COPY) {
                Rows.copyAll(connection.unwrap(PGConnection.class).getCopyAPI()::copyIn, order, records, isKept);
            } else {
                isCommitting = isKept && isOneStatement;
                insert(records);
            }
            if (!isKept) {
                connection.rollback();
            } else if (!isOneStatement) {
                isCommitting = true;
                connection.commit();
            }
        } catch (SQLException | CommitSent failure) {
            recover();
            throw isCommitting ? new CommitSent(failure) : failure;
        }
    }

    private void insert(List<ConsumerRecord<byte[], byte[]>> records) throws SQLException {
        for (ConsumerRecord<byte[], byte[]> record : records) {
            Rows.set(insert, record);
            if (records.size() == 1) {
                insert.executeUpdate();
                return;
            }
            insert.addBatch();
        }
        insert.executeBatch();
    }

    /** Rolls back, or drops a connection that is lost. */
    private void recover() {
        try {
            if (!connection.getAutoCommit()) {
                connection.rollback();
            }
            if (connection.isValid(STILL_THERE_LIMIT_S)) {
                return;
            }
        } catch (SQLException lost) {
            // What was not committed is rolled back without it, too.
        }
        close();
    }

    @Override
    public void close() {
        try {
            if (connection != null) {
                connection.close();
            }
        } catch (SQLException lost) {
            // Nothing is left to be closed.
        }
        connection = null;
    }
}
