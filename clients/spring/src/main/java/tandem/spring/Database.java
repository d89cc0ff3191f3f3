package tandem.spring;

import java.util.List;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.postgresql.PGConnection;
import org.springframework.context.annotation.Profile;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Repository;
import org.springframework.transaction.support.TransactionTemplate;
import tandem.postgres.Rows;
import tandem.protocol.Prepare;

/** What a user of Spring writes to store records. */
@Repository
@Profile(Database.PROFILE)
class Database {
    /** Active if the work is to store the records. */
    static final String PROFILE = "store";

    private final JdbcTemplate jdbc;
    private final TransactionTemplate transactions;
    private final Prepare.Store order;

    Database(JdbcTemplate jdbc, TransactionTemplate transactions, Trial trial) {
        this.jdbc = jdbc;
        this.transactions = transactions;
        order = trial.order().store();
    }

    /** Writes the records in one transaction, which is rolled back if they are not to be kept. */
    public void write(List<ConsumerRecord<byte[], byte[]>> records, boolean isKept) {
        boolean isOneStatement = order.write() == Prepare.Write.COPY || records.size() == 1;
        if (isKept && isOneStatement) {
            writeAll(records);
            return;
        }
        transactions.executeWithoutResult(status -> {
            writeAll(records);
            if (!isKept) {
                status.setRollbackOnly();
            }
        });
    }

    private void writeAll(List<ConsumerRecord<byte[], byte[]>> records) {
        if (order.write() == Prepare.Write.COPY) {
            jdbc.execute((ConnectionCallback<Void>) connection -> {
                copy(connection.unwrap(PGConnection.class), records);
                return null;
            });
        } else if (records.size() == 1) {
            jdbc.update(Rows.insert(order), statement -> Rows.set(statement, records.get(0)));
        } else {
            jdbc.batchUpdate(Rows.insert(order), records, records.size(), Rows::set);
        }
    }

    private void copy(PGConnection connection, List<ConsumerRecord<byte[], byte[]>> records) throws java.sql.SQLException {
        try {
            connection.getCopyAPI().copyIn(Rows.copy(order), Rows.copied(records));
        } catch (java.io.IOException impossible) {
            throw new java.io.UncheckedIOException(impossible);
        }
    }
}
