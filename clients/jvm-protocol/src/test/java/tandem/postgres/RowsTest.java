package tandem.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.sql.SQLException;
import java.util.HexFormat;
import java.util.List;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import tandem.protocol.CommitSent;
import tandem.protocol.Prepare;

class RowsTest {
    @Test
    void theStatementsAreThoseOfTheProtocol() {
        assertEquals("INSERT INTO \"t\" (topic, partition, \"offset\", value) VALUES (?, ?, ?, ?)",
                Rows.insert(order(Prepare.Write.INSERT)));
        assertEquals("INSERT INTO \"t\" (topic, partition, \"offset\", value) VALUES (?, ?, ?, ?)"
                + " ON CONFLICT (topic, partition, \"offset\") DO UPDATE SET value = EXCLUDED.value",
                Rows.insert(order(Prepare.Write.UPSERT)));
        assertEquals("COPY \"t\" (topic, partition, \"offset\", value) FROM STDIN (FORMAT binary)",
                Rows.copy(order(Prepare.Write.COPY)));
    }

    @Test
    void rowsAreCopiedInTheBinaryFormat() throws IOException {
        var records = List.of(new ConsumerRecord<byte[], byte[]>("ab", 1, 258, null, new byte[] {7, 8}),
                new ConsumerRecord<byte[], byte[]>("ab", 1, 259, null, null));
        String row = "0004" + "00000002" + "6162" + "00000004" + "00000001" + "00000008";
        assertEquals("5047434f50590aff0d0a00" + "00000000" + "00000000"
                + row + "0000000000000102" + "00000002" + "0708"
                + row + "0000000000000103" + "00000000"
                + "ffff", HexFormat.of().formatHex(Rows.copied(records).readAllBytes()));
    }

    @Test
    void aCopyThatFailsAfterItsLastRowMayBeThere() {
        var records = List.of(new ConsumerRecord<byte[], byte[]>("ab", 1, 258, null, new byte[] {7, 8}));
        var lost = new SQLException("lost", "08006");
        Rows.Copying atTheEnd = (statement, rows) -> {
            rows.readAllBytes();
            throw lost;
        };
        Rows.Copying before = (statement, rows) -> {
            rows.read();
            throw lost;
        };
        Prepare.Store order = order(Prepare.Write.COPY);
        assertThrows(CommitSent.class, () -> Rows.copyAll(atTheEnd, order, records, true));
        assertThrows(SQLException.class, () -> Rows.copyAll(atTheEnd, order, records, false));
        assertThrows(SQLException.class, () -> Rows.copyAll(before, order, records, true));
    }

    private static Prepare.Store order(Prepare.Write write) {
        return new Prepare.Store("postgresql://u:p@a/b", "\"t\"", write, 10, Prepare.OnError.FAIL);
    }
}
