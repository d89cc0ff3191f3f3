package tandem.spring;

import java.util.List;

import tandem.protocol.Member;
import tandem.protocol.Prepare;

/** The trial, as a bean. */
record Trial(Prepare order, List<Member> members) {
    /** For the listener's annotation. */
    public String[] topics() {
        return order.topicNames().toArray(String[]::new);
    }
}
