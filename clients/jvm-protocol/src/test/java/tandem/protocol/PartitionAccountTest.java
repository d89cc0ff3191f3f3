package tandem.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;

import org.junit.jupiter.api.Test;

class PartitionAccountTest {
    private final PartitionAccount account = new PartitionAccount(new Prepare.Partition(0, 1), new Prepare.Range(0, 10), false);

    @Test
    void consecutiveOffsetsAreOneRun() {
        account.beginEpoch();
        read(0, 1, 2);
        assertEquals(List.of(new PartitionAccount.Run(0, 3, 1)), account.result(false).runs());
        assertEquals(3, account.result(false).records());
        assertEquals(300, account.result(false).bytes());
    }

    @Test
    void aGapARepetitionAndANewAssignmentEachBeginARun() {
        account.beginEpoch();
        read(0, 1, 3, 3);
        account.endEpoch();
        account.beginEpoch();
        read(4);
        var expected = List.of(new PartitionAccount.Run(0, 2, 1), new PartitionAccount.Run(3, 4, 1),
                new PartitionAccount.Run(3, 4, 1), new PartitionAccount.Run(4, 5, 2));
        assertEquals(expected, account.result(false).runs());
    }

    @Test
    void thePositionMovesWhenRecordsAreFinishedAndSaysOnceThatTheEndIsReached() {
        account.beginEpoch();
        account.count(0, 100, 5);
        assertEquals(PartitionAccount.NO_POSITION, account.position());
        assertFalse(account.finished(7, 7, 0));
        assertEquals(1, account.position());
        read(1, 2, 3, 4, 5, 6, 7, 8);
        account.count(9, 100, 8);
        assertTrue(account.finished(9, 9, 0));
        assertFalse(account.finished(10, 10, 0));
        assertFalse(account.pass());
        assertEquals(10, account.position());
        assertEquals(5L, account.result(false).firstNs());
        assertEquals(9L, account.result(false).lastNs());
    }

    @Test
    void onlyWhatIsFinishedInThisAssignmentIsCommittedAndOnlyOnce() {
        account.beginEpoch();
        assertEquals(PartitionAccount.NO_POSITION, account.uncommitted());
        read(0, 1);
        assertEquals(2, account.uncommitted());
        account.committed(2);
        assertEquals(PartitionAccount.NO_POSITION, account.uncommitted());
        read(2);
        account.endEpoch();
        account.beginEpoch();
        assertEquals(PartitionAccount.NO_POSITION, account.uncommitted());
    }

    @Test
    void aPartitionWithoutStampsHasEmptyHistogramsWhereTheTrialHasStamps() {
        account.beginEpoch();
        read(0);
        assertNull(account.result(false).latencies());
        var result = account.result(true);
        assertEquals(new Latency().saved(), result.latencies().response());
        assertEquals(0, result.waits().stream().mapToLong(Waits.Slice::records).sum());
        assertSame(account.waits(), account.waits());
    }

    private void read(long... offsets) {
        for (long offset : offsets) {
            account.count(offset, 100, 5);
            account.finished(6, 6, 0);
        }
    }
}
