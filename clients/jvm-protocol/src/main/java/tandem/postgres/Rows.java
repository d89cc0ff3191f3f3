package tandem.postgres;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import tandem.protocol.CommitSent;
import tandem.protocol.Prepare;

/** Records as rows of the trial's table. */
public final class Rows {
    private static final String COLUMNS = "(topic, partition, \"offset\", value)";
    private static final byte[] COPY_SIGNATURE = "PGCOPY\n\u00ff\r\n\0".getBytes(StandardCharsets.ISO_8859_1);
    private static final byte[] NO_VALUE = {};

    private Rows() {}

    /** The statement of a row; {@link #set} sets its parameters. */
    public static String insert(Prepare.Store order) {
        String insert = "INSERT INTO " + order.table() + " " + COLUMNS + " VALUES (?, ?, ?, ?)";
        return switch (order.write()) {
            case INSERT -> insert;
            case UPSERT -> insert + " ON CONFLICT (topic, partition, \"offset\") DO UPDATE SET value = EXCLUDED.value";
            case COPY -> throw new IllegalArgumentException("COPY is no statement of a row");
        };
    }

    public static void set(PreparedStatement insert, ConsumerRecord<byte[], byte[]> record) throws SQLException {
        insert.setString(1, record.topic());
        insert.setInt(2, record.partition());
        insert.setLong(3, record.offset());
        insert.setBytes(4, value(record));
    }

    /** The statement that {@link #copied} goes with. */
    static String copy(Prepare.Store order) {
        return "COPY " + order.table() + " " + COLUMNS + " FROM STDIN (FORMAT binary)";
    }

    /** What the driver copies rows with. */
    @FunctionalInterface
    public interface Copying {
        void copyIn(String statement, InputStream rows) throws SQLException, IOException;
    }

    /** Copies the records into the table by one COPY, whose end is its commit unless it is part of a transaction. */
    public static void copyAll(Copying copying, Prepare.Store order, List<ConsumerRecord<byte[], byte[]>> records,
            boolean isCommit) throws SQLException {
        InputStream rows = copied(records);
        try {
            copying.copyIn(copy(order), rows);
        } catch (SQLException failure) {
            if (isCommit && isReadToTheEnd(rows)) {
                throw new CommitSent(failure);
            }
            throw failure;
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    private static boolean isReadToTheEnd(InputStream rows) {
        try {
            return rows.available() == 0;
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /** The rows in COPY's binary format. */
    static InputStream copied(List<ConsumerRecord<byte[], byte[]>> records) {
        var bytes = new ByteArrayOutputStream();
        try (var output = new DataOutputStream(bytes)) {
            output.write(COPY_SIGNATURE);
            output.writeInt(0);
            output.writeInt(0);
            for (ConsumerRecord<byte[], byte[]> record : records) {
                output.writeShort(4);
                write(output, record.topic().getBytes(StandardCharsets.UTF_8));
                output.writeInt(Integer.BYTES);
                output.writeInt(record.partition());
                output.writeInt(Long.BYTES);
                output.writeLong(record.offset());
                write(output, value(record));
            }
            output.writeShort(-1);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return new ByteArrayInputStream(bytes.toByteArray());
    }

    private static void write(DataOutputStream output, byte[] field) throws IOException {
        output.writeInt(field.length);
        output.write(field);
    }

    /** A record without a value has an empty one in the table. */
    private static byte[] value(ConsumerRecord<byte[], byte[]> record) {
        return record.value() == null ? NO_VALUE : record.value();
    }
}
