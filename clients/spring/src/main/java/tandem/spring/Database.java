package tandem.spring;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.postgresql.PGConnection;
import org.springframework.context.annotation.Profile;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Repository;
import org.springframework.transaction.TransactionException;
import org.springframework.transaction.support.TransactionTemplate;
import tandem.postgres.Rows;
import tandem.protocol.CommitSent;
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
            writeOne(records);
            return;
        }
        var isCommitting = new AtomicBoolean();
        try {
            transactions.executeWithoutResult(status -> {
                writeAll(records, false);
                if (!isKept) {
                    status.setRollbackOnly();
                }
                isCommitting.set(isKept);
            });
        } catch (TransactionException failure) {
            throw isCommitting.get() ? new CommitSent(failure) : failure;
        }
    }

    /** Writes the records by a statement that is a transaction. */
    private void writeOne(List<ConsumerRecord<byte[], byte[]>> records) {
        try {
            writeAll(records, true);
        } catch (CannotGetJdbcConnectionException nothingSent) {
            throw nothingSent;
        } catch (DataAccessException failure) {
            // A COPY knows itself how far it was.
            throw order.write() == Prepare.Write.COPY ? failure : new CommitSent(failure);
        }
    }

    private void writeAll(List<ConsumerRecord<byte[], byte[]>> records, boolean isCommit) {
        if (order.write() == Prepare.Write.COPY) {
            jdbc.execute((ConnectionCallback<Void>) connection -> {
                Rows.copyAll(connection.unwrap(PGConnection.class).getCopyAPI()::copyIn, order, records, isCommit);
                return null;
            });
        } else if (records.size() == 1) {
            jdbc.update(Rows.insert(order), statement -> Rows.set(statement, records.get(0)));
        } else {
            jdbc.batchUpdate(Rows.insert(order), records, records.size(), Rows::set);
        }
    }
}
