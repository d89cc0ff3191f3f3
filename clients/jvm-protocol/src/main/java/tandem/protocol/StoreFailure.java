package tandem.protocol;

import java.net.SocketTimeoutException;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;

/**
 * Why a store did not take what was to be written.
 *
 * @param isPassing true if the same may work a little later
 * @param isUnanswered true if the commit was sent and nothing says what became of it: what was to be written may be there
 */
public record StoreFailure(String message, boolean isPassing, boolean isUnanswered) {
    /** Classes of SQLSTATE: no connection, no resources, ended by an operator, and given up for another transaction. */
    private static final Set<String> PASSING = Set.of("08", "53", "57", "40");

    /** After these it is not known what became of a commit: the connection failed, or the session was ended. */
    private static final List<String> UNANSWERED = List.of("08", "57P");

    /** Reads what a driver, a pool or Spring threw. */
    public static StoreFailure of(Throwable failure) {
        Throwable root = failure;
        SQLException said = null;
        boolean wasCommitSent = false;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            root = cause;
            wasCommitSent |= cause instanceof CommitSent;
            if (cause instanceof SQLException sql) {
                // The innermost is the server's own.
                said = sql;
            }
        }
        if (root instanceof SocketTimeoutException) {
            return new StoreFailure("the store did not answer within " + Transaction.ANSWER_LIMIT_S + " s", true, wasCommitSent);
        }
        if (said == null) {
            return new StoreFailure(root instanceof Refusal ? root.getMessage() : root.toString(), false, false);
        }
        // Further lines have the values of a row, or where in the statement the error is.
        String line = String.valueOf(said.getMessage()).lines().findFirst().orElse("");
        String state = said.getSQLState();
        if (state == null || state.length() < 2) {
            // A pool says so of a connection that it has not, or has no more. The server always has a state.
            return new StoreFailure(line, true, wasCommitSent);
        }
        boolean isUnanswered = wasCommitSent && UNANSWERED.stream().anyMatch(state::startsWith);
        return new StoreFailure(line + " (SQLSTATE " + state + ")", PASSING.contains(state.substring(0, 2)), isUnanswered);
    }

    /** The same, before a trial. */
    public Refusal atStart() {
        return new Refusal("cannot prepare the work: " + message);
    }
}
