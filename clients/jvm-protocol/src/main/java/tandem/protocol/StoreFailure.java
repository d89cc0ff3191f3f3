package tandem.protocol;

import java.net.SocketTimeoutException;
import java.sql.SQLException;
import java.util.Set;

/**
 * Why a store did not take what was to be written.
 *
 * @param isPassing true if the same may work a little later
 */
public record StoreFailure(String message, boolean isPassing) {
    /** Classes of SQLSTATE: no connection, no resources, ended by an operator, and given up for another transaction. */
    private static final Set<String> PASSING = Set.of("08", "53", "57", "40");

    /** Reads what a driver, a pool or Spring threw. */
    public static StoreFailure of(Throwable failure) {
        Throwable root = failure;
        SQLException said = null;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            root = cause;
            if (cause instanceof SQLException sql) {
                // The innermost is the server's own.
                said = sql;
            }
        }
        if (root instanceof SocketTimeoutException) {
            return new StoreFailure("the store did not answer within " + Transaction.ANSWER_LIMIT_S + " s", true);
        }
        if (said == null) {
            return new StoreFailure(root instanceof Refusal ? root.getMessage() : root.toString(), false);
        }
        // Further lines have the values of a row, or where in the statement the error is.
        String line = String.valueOf(said.getMessage()).lines().findFirst().orElse("");
        String state = said.getSQLState();
        if (state == null || state.length() < 2) {
            // A pool says so of a connection that it has not, or has no more. The server always has a state.
            return new StoreFailure(line, true);
        }
        return new StoreFailure(line + " (SQLSTATE " + state + ")", PASSING.contains(state.substring(0, 2)));
    }

    /** The same, before a trial. */
    public Refusal atStart() {
        return new Refusal("cannot prepare the work: " + message);
    }
}
