package tandem.protocol;

/** The store failed after the commit of a transaction was sent to it, or is about to have been: its rows may be there. */
public final class CommitSent extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** {@code cause} is what the driver or Spring threw. */
    public CommitSent(Exception cause) {
        super(cause.getMessage(), cause);
    }
}
