package tandem.spring;

import tandem.protocol.Worker;

/** A worker of tandem that reads with a listener of Spring for Apache Kafka. */
final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        Worker.run(arguments, new ListenerClient());
    }
}
