package tandem.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.SocketTimeoutException;
import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;

import org.junit.jupiter.api.Test;

class StoreFailureTest {
    @Test
    void lostConnectionsMissingResourcesOperatorsAndConflictsPass() {
        for (String state : new String[] {"08006", "53100", "57P01", "40001"}) {
            assertEquals(new StoreFailure("FATAL: x (SQLSTATE " + state + ")", true),
                    StoreFailure.of(new SQLException("FATAL: x", state)));
        }
        for (String state : new String[] {"28P01", "42P01", "42703", "22001", "23505"}) {
            assertEquals(new StoreFailure("ERROR: x (SQLSTATE " + state + ")", false),
                    StoreFailure.of(new SQLException("ERROR: x", state)));
        }
    }

    @Test
    void theServersOwnWordsAreSaidWithoutTheValuesOfTheRow() {
        var server = new SQLException("ERROR: null value\n  Detail: Failing row contains (secret)", "23502");
        var batch = new BatchUpdateException("Batch entry 0 INSERT ... ('secret')", "23502", new int[0], server);
        assertEquals(new StoreFailure("ERROR: null value (SQLSTATE 23502)", false),
                StoreFailure.of(new IllegalStateException("Spring's", batch)));
    }

    @Test
    void silenceAndAPoolWithoutAConnectionPass() {
        var silent = new SQLException("An I/O error occurred", "08006", new SocketTimeoutException("Read timed out"));
        assertEquals(new StoreFailure("the store did not answer within 5 s", true), StoreFailure.of(silent));
        assertEquals(new StoreFailure("no connection", true),
                StoreFailure.of(new SQLTransientConnectionException("no connection")));
    }

    @Test
    void anErrorOfTheProgramIsPermanent() {
        assertEquals(new StoreFailure("java.lang.IllegalStateException: x", false),
                StoreFailure.of(new IllegalStateException("x")));
    }
}
