package tandem.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class MemberTest {
    private static final TopicPartition FIRST = new TopicPartition("t", 0);
    private static final TopicPartition SECOND = new TopicPartition("t", 1);

    private final List<String> stored = new ArrayList<>();
    private final List<String> said = new ArrayList<>();
    private final List<List<Member.Span>> unanswered = new ArrayList<>();
    private final List<String> begun = new ArrayList<>();
    private Exception refusal;

    @Test
    void recordsCountWhenTheirTransactionIsCommitted() {
        Member member = member(Prepare.OnError.FAIL, 0);
        assertTrue(member.store(List.of(record(FIRST, 0), record(FIRST, 1), record(SECOND, 0)), this::write));
        assertTrue(member.store(List.of(record(FIRST, 2)), this::write));
        assertEquals(List.of("t-0@0 t-0@1 t-1@0 kept", "t-0@2 kept"), stored);
        assertEquals(Map.of(FIRST, 3L, SECOND, 1L), committable(member));
        Member.Result result = result(member);
        assertEquals(new Member.StoreUse(2, 4, 0), result.store());
        assertEquals(List.of(3L, 1L), records(result));
        assertTrue(result.workNs() > 0);
    }

    @Test
    void recordsBeyondTheEndAreNotStoredAndTheEndIsReachedAfterTheOthersAre() {
        Member member = member(Prepare.OnError.FAIL, 0);
        member.store(List.of(record(FIRST, 8), record(FIRST, 10)), (records, isKept) -> {
            assertTrue(member.accounts().stream().noneMatch(PartitionAccount::isPassed));
            write(records, isKept);
        });
        assertEquals(List.of("t-0@8 kept"), stored);
        assertEquals(1, member.accounts().stream().filter(PartitionAccount::isPassed).count());
        assertEquals(List.of("end"), said);
        assertTrue(member.store(List.of(record(FIRST, 11)), this::write));
        assertEquals(1, stored.size());
    }

    @Test
    void whatIsNotStoredIsNotCountedAndIsTriedAgain() {
        Member member = member(Prepare.OnError.RETRY, 0);
        refusal = new SQLException("FATAL: away", "57P01");
        var rows = List.of(record(FIRST, 0), record(FIRST, 1));
        assertThrows(StoreAway.class, () -> member.store(rows, this::write));
        assertThrows(StoreAway.class, () -> member.store(rows, this::write));
        assertEquals(Map.of(), committable(member));
        refusal = null;
        assertTrue(member.store(rows, this::write));
        assertEquals(List.of("1: the work is tried again: FATAL: away (SQLSTATE 57P01)",
                "2: the work is tried again: FATAL: away (SQLSTATE 57P01)"), said);
        Member.Result result = result(member);
        assertEquals(new Member.StoreUse(1, 2, 2), result.store());
        assertEquals(List.of(2L), records(result));
    }

    @Test
    void whatWasNotAnsweredIsReportedByPartitionBeforeTheNextAttempt() {
        Member member = member(Prepare.OnError.RETRY, 0);
        var rows = List.of(record(FIRST, 0), record(FIRST, 1), record(SECOND, 0), record(SECOND, 2));
        refusal = new CommitSent(new SQLException("FATAL: away", "57P01"));
        assertThrows(StoreAway.class, () -> member.store(rows, this::write));
        assertThrows(StoreAway.class, () -> member.store(rows.subList(0, 1), this::write));
        refusal = new SQLException("FATAL: away", "57P01");
        assertThrows(StoreAway.class, () -> member.store(rows, this::write));
        List<Member.Span> both = List.of(new Member.Span(0, 0, 0, 2), new Member.Span(0, 1, 0, 1), new Member.Span(0, 1, 2, 3));
        assertEquals(List.of(both, List.of(new Member.Span(0, 0, 0, 1))), unanswered);
    }

    @Test
    void whereAnOwnerBeginsIsSaidOnceAndBeforeItsRecordsAreStored() {
        Member member = member(Prepare.OnError.FAIL, 0);
        member.store(List.of(record(FIRST, 0), record(FIRST, 1), record(SECOND, 3)), this::write);
        member.store(List.of(record(FIRST, 2)), this::write);
        member.endEpochs(Set.of(FIRST));
        member.beginEpochs(Set.of(FIRST));
        member.store(List.of(record(FIRST, 1)), this::write);
        assertEquals(List.of("0@0 before 0", "1@3 before 0", "0@1 before 2"), begun);
        assertEquals(2, position(member, 0));
    }

    @Test
    void whatIsReadInAWarmUpBeginsNothing() {
        Member member = member(Prepare.OnError.FAIL, 2);
        member.store(List.of(record(FIRST, 0)), this::write);
        assertEquals(List.of(), begun);
    }

    private static long position(Member member, int partition) {
        return member.accounts().stream().filter(account -> account.partition.partition() == partition)
                .mapToLong(PartitionAccount::position).sum();
    }

    @Test
    void thePauseBetweenAttemptsIsWork() throws InterruptedException {
        Member member = member(Prepare.OnError.RETRY, 0);
        refusal = new SQLException("FATAL: away", "57P01");
        assertThrows(StoreAway.class, () -> member.store(List.of(record(FIRST, 0)), this::write));
        Thread.sleep(20);
        refusal = null;
        member.store(List.of(record(FIRST, 0)), this::write);
        assertTrue(result(member).workNs() >= 20_000_000);
    }

    @Test
    void aPermanentErrorAndAnyErrorWithoutRetryFailTheMember() {
        refusal = new SQLException("ERROR: no column", "42703");
        failsAtFirst(Prepare.OnError.RETRY, "the work failed: ERROR: no column (SQLSTATE 42703)");
        refusal = new SQLException("FATAL: away", "57P01");
        failsAtFirst(Prepare.OnError.FAIL, "the work failed: FATAL: away (SQLSTATE 57P01)");
    }

    private void failsAtFirst(Prepare.OnError onError, String message) {
        said.clear();
        Member member = member(onError, 0);
        assertThrows(StoreAway.class, () -> member.store(List.of(record(FIRST, 0)), this::write));
        assertEquals(message, said.get(0));
        assertEquals(Map.of(), committable(member));
    }

    @Test
    void nothingIsStoredAfterTheStop() {
        Member member = member(Prepare.OnError.RETRY, 0);
        member.stop();
        assertFalse(member.store(List.of(record(FIRST, 0)), this::write));
        assertEquals(List.of(), stored);
    }

    @Test
    void aWarmUpIsRolledBackAndCountsNothing() {
        Member member = member(Prepare.OnError.FAIL, 2);
        assertTrue(member.store(List.of(record(FIRST, 0), record(FIRST, 1), record(FIRST, 2)), this::write));
        assertEquals(List.of("t-0@0 t-0@1 dropped"), stored);
        member.endWarmUp();
        member.store(List.of(record(FIRST, 0)), this::write);
        assertEquals("t-0@0 kept", stored.get(1));
        Member.Result result = result(member);
        assertEquals(new Member.StoreUse(1, 1, 0), result.store());
        assertEquals(List.of(1L), records(result));
    }

    private void write(List<ConsumerRecord<byte[], byte[]>> records, boolean isKept) throws Exception {
        if (refusal != null) {
            throw refusal;
        }
        StringBuilder row = new StringBuilder();
        records.forEach(record -> row.append(record.topic()).append('-').append(record.partition()).append('@')
                .append(record.offset()).append(' '));
        stored.add(row + (isKept ? "kept" : "dropped"));
    }

    private Member member(Prepare.OnError onError, long warmupRecords) {
        var ranges = List.of(new Prepare.Range(0, 10), new Prepare.Range(0, 10));
        var store = new Prepare.Store("postgresql://u:p@a/b", "\"t\"", Prepare.Write.INSERT, 10, onError);
        var order = new Prepare(List.of(new Prepare.ConsumerOrder("c", List.of())), List.of(new Prepare.Topic("t", ranges)),
                "g", Map.of(), null, new Work(Work.Kind.STORE, 0), new Prepare.Calibration(1, 0), new Commit(Commit.Kind.NONE, 0),
                Prepare.Read.BATCH, false, null, warmupRecords, false, false, false, store);
        Member member = new Member(order, 0, () -> {}, () -> said.add("end"), cause -> said.add(cause.getMessage()),
                (message, times) -> said.add(times + ": " + message), unanswered::add,
                (account, offset) -> {
                    begun.add(account.partition.partition() + "@" + offset + " before " + stored.size());
                    account.begin(offset);
                });
        member.beginEpochs(Set.of(FIRST, SECOND));
        return member;
    }

    private static ConsumerRecord<byte[], byte[]> record(TopicPartition partition, long offset) {
        return new ConsumerRecord<>(partition.topic(), partition.partition(), offset, null, new byte[] {1});
    }

    private static Member.Result result(Member member) {
        var result = member.stop();
        member.attend(Set.of(FIRST, SECOND));
        return result.join();
    }

    private static List<Long> records(Member.Result result) {
        return result.partitions().stream().sorted(java.util.Comparator.comparing(PartitionAccount.Result::partition))
                .map(PartitionAccount.Result::records).filter(records -> records > 0).toList();
    }

    private static Map<TopicPartition, Long> committable(Member member) {
        Map<TopicPartition, Long> offsets = new java.util.HashMap<>();
        member.uncommitted().forEach((partition, offset) -> offsets.put(partition, offset.offset()));
        return offsets;
    }
}
