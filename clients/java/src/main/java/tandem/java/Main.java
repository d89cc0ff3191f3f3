package tandem.java;

import tandem.protocol.Worker;

/** A worker of tandem that reads with Kafka's own Java client. */
final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        Worker.run(arguments, new PollLoops());
    }
}
