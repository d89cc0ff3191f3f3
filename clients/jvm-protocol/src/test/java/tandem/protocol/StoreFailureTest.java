package tandem.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.SocketTimeoutException;
import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;

import org.junit.jupiter.api.Test;

class StoreFailureTest {
    @Test
    void lostConnectionsMissingResourcesOperatorsAndConflictsPass() {
        for (String state : new String[] {"08006", "53100", "57P01", "40001"}) {
            assertEquals(new StoreFailure("FATAL: x (SQLSTATE " + state + ")", true, false),
                    StoreFailure.of(new SQLException("FATAL: x", state)));
        }
        for (String state : new String[] {"28P01", "42P01", "42703", "22001", "23505"}) {
            assertEquals(new StoreFailure("ERROR: x (SQLSTATE " + state + ")", false, false),
                    StoreFailure.of(new SQLException("ERROR: x", state)));
        }
    }

    @Test
    void theServersOwnWordsAreSaidWithoutTheValuesOfTheRow() {
        var server = new SQLException("ERROR: null value\n  Detail: Failing row contains (secret)", "23502");
        var batch = new BatchUpdateException("Batch entry 0 INSERT ... ('secret')", "23502", new int[0], server);
        assertEquals(new StoreFailure("ERROR: null value (SQLSTATE 23502)", false, false),
                StoreFailure.of(new IllegalStateException("Spring's", batch)));
    }

    @Test
    void silenceAndAPoolWithoutAConnectionPass() {
        var silent = new SQLException("An I/O error occurred", "08006", new SocketTimeoutException("Read timed out"));
        assertEquals(new StoreFailure("the store did not answer within 5 s", true, false), StoreFailure.of(silent));
        assertEquals(new StoreFailure("no connection", true, false),
                StoreFailure.of(new SQLTransientConnectionException("no connection")));
    }

    @Test
    void anErrorOfTheProgramIsPermanent() {
        assertEquals(new StoreFailure("java.lang.IllegalStateException: x", false, false),
                StoreFailure.of(new IllegalStateException("x")));
    }

    @Test
    void aLostConnectionLeavesACommitThatWasSentUnansweredAndAnErrorOfTheTransactionAnswersIt() {
        for (String state : new String[] {"08006", "57P01", null}) {
            SQLException lost = new SQLException("x", state);
            assertTrue(StoreFailure.of(new IllegalStateException(new CommitSent(lost))).isUnanswered(), state);
            assertFalse(StoreFailure.of(lost).isUnanswered(), state);
        }
        for (String state : new String[] {"40001", "53100", "57014", "23505"}) {
            assertFalse(StoreFailure.of(new CommitSent(new SQLException("x", state))).isUnanswered(), state);
        }
        var silent = new SQLException("An I/O error occurred", "08006", new SocketTimeoutException("Read timed out"));
        assertTrue(StoreFailure.of(new CommitSent(silent)).isUnanswered());
    }
}
