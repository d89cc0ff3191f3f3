package tandem.protocol;

import java.util.List;
import java.util.Set;

/** What a client of Kafka does for its worker. */
public interface Client {
    /** Its name, such as kafka-clients. */
    String name();

    String version();

    /** Capabilities beyond those that every worker in a JVM has. */
    Set<String> capabilities();

    /** Makes all that is needed and reaches the cluster; joins nothing. */
    void connect(Prepare order, List<Member> members);

    /** Subscribes every consumer, or takes the partitions by hand. */
    void subscribe();

    /** Leaves the group and ends every consumer. */
    void leave();
}
