package tandem.protocol;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.databind.JsonNode;

/** When a consumer commits. {@code everyRecords} is 0 unless it commits after a number of records. */
public record Commit(Kind kind, int everyRecords) {
    public enum Kind { NONE, AUTO, PER_BATCH, EVERY }

    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static Commit of(JsonNode said) {
        if (said.path("every").canConvertToInt() && said.path("every").intValue() > 0) {
            return new Commit(Kind.EVERY, said.path("every").intValue());
        }
        return switch (said.asText()) {
            case "none" -> new Commit(Kind.NONE, 0);
            case "auto" -> new Commit(Kind.AUTO, 0);
            case "per_batch" -> new Commit(Kind.PER_BATCH, 0);
            default -> throw new Refusal("this worker commits `none`, `auto`, `per_batch` or every n records, not " + said);
        };
    }

    /** True if the consumer itself commits what it has finished. */
    public boolean isByHand() {
        return kind == Kind.PER_BATCH || kind == Kind.EVERY;
    }
}
