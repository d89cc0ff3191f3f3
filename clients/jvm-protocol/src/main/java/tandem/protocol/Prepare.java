package tandem.protocol;

import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.annotation.JsonProperty;

/** All that a worker needs for a trial. */
public record Prepare(List<ConsumerOrder> consumers, List<Topic> topics, String groupId, Map<String, String> properties,
        Map<String, String> clientProperties, Work work, Calibration calibration, Commit commit, Read read, boolean manual,
        Stamps stamps, long warmupRecords, boolean joinsLate, boolean staticMembership, boolean flow,
        Store store) implements ToWorker {
    /** What is optional is empty if it is left out. */
    public Prepare {
        clientProperties = clientProperties == null ? Map.of() : clientProperties;
    }

    /** One consumer of this process, with the partitions that it takes by hand. */
    public record ConsumerOrder(String clientId, List<Partition> manual) {}

    /** A topic that every consumer reads. */
    public record Topic(String name, List<Range> partitions) {}

    /** The offsets of a partition that belong to the trial, without {@code end}. */
    public record Range(long low, long end) {
        /** What {@code end} is where records arrive during the trial. */
        static final long UNKNOWN_END = Long.MAX_VALUE;
    }

    /** A partition: its topic by index, and Kafka's number. */
    public record Partition(int topic, int partition) {}

    /** What a consumer takes from its client at once: many records, or one. */
    public enum Read {
        @JsonProperty("batch")
        BATCH,
        @JsonProperty("poll")
        POLL
    }

    /** What the work loop and a sleep cost here. */
    public record Calibration(double iterationsPerUs, long sleepExcessNs) {}

    /** What to measure of records that arrive during the trial. */
    public record Stamps(long leadNs, long warmupNs, long durationNs, List<List<Long>> stampedFrom, long stampOffsetNs) {}

    /**
     * Where the work {@code store} writes each record.
     *
     * @param url a URI of libpq, with secrets
     * @param table quoted, as a statement has it
     * @param rows the most of one transaction
     */
    public record Store(String url, String table, Write write, int rows, OnError onError) {}

    /** The statement that writes rows. */
    public enum Write {
        @JsonProperty("insert")
        INSERT,
        @JsonProperty("upsert")
        UPSERT,
        @JsonProperty("copy")
        COPY
    }

    /** What to do when the store is away. */
    public enum OnError {
        @JsonProperty("fail")
        FAIL,
        @JsonProperty("retry")
        RETRY
    }

    /** The names of the topics. */
    public List<String> topicNames() {
        return topics.stream().map(Topic::name).toList();
    }
}
