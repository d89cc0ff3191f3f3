package tandem.protocol;

/** The store did not take the records, and the trial goes on: they are to be handed over again. */
public final class StoreAway extends RuntimeException {
    /** How long to wait before that. */
    public static final long PAUSE_MS = 100;

    private static final long serialVersionUID = 1L;

    StoreAway(String message) {
        super(message);
    }
}
