package tandem.protocol;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonSubTypes.Type;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/** What the coordinator says: one JSON object in a line. docs/protocol.md describes each. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @Type(value = Prepare.class, name = "prepare"),
    @Type(value = ToWorker.Subscribe.class, name = "subscribe"),
    @Type(value = ToWorker.QueryAssignments.class, name = "query_assignments"),
    @Type(value = ToWorker.Start.class, name = "start"),
    @Type(value = ToWorker.Stop.class, name = "stop"),
    @Type(value = ToWorker.Exit.class, name = "exit"),
    @Type(value = ToWorker.Ping.class, name = "ping"),
    @Type(value = ToWorker.Calibrate.class, name = "calibrate"),
    @Type(value = ToWorker.QueryClock.class, name = "query_clock"),
})
sealed interface ToWorker permits Prepare, ToWorker.Subscribe, ToWorker.QueryAssignments, ToWorker.Start, ToWorker.Stop,
        ToWorker.Exit, ToWorker.Ping, ToWorker.Calibrate, ToWorker.QueryClock {
    record Subscribe() implements ToWorker {}

    record QueryAssignments(long query) implements ToWorker {}

    record Start(long atNs) implements ToWorker {}

    record Stop() implements ToWorker {}

    record Exit() implements ToWorker {}

    record Ping() implements ToWorker {}

    record Calibrate() implements ToWorker {}

    record QueryClock() implements ToWorker {}
}
