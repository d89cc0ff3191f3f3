"""Tests of what needs no cluster: python -m unittest, in this folder."""

import base64
import itertools
import struct
from concurrent.futures import Future
import unittest
from unittest import mock
import zlib

import psycopg
from confluent_kafka import TopicPartition

from ledger import Account, Flow, Series
from latency import HIGHEST_NS, Latency, Waits, PartitionWaits, zigzag
from client import Refusal, is_cooperative
from member import Member
from reading import Reading, runs_of
import store
from storing import StoringMember
import usage
import work
from worker import Worker


class Record:
    """What a client hands over, as far as it is counted."""

    def __init__(self, topic, partition, offset, error=None):
        self.of = (topic, partition, offset, error)

    def topic(self):
        return self.of[0]

    def partition(self):
        return self.of[1]

    def offset(self):
        return self.of[2]

    def error(self):
        return self.of[3]

    def key(self):
        return None

    def value(self):
        return None

    def __len__(self):
        return 0


class Ledger(unittest.TestCase):
    def account(self, low=0, end=100):
        account = Account(0, 1, "t", low, end)
        account.begin_epoch()
        return account

    def test_a_gap_a_repetition_and_a_new_assignment_each_begin_a_run(self):
        account = self.account()
        for first, records in [(0, 2), (3, 1), (3, 2)]:
            account.count(first, records, 10, 7)
        account.end_epoch()
        account.begin_epoch()
        account.count(5, 1, 10, 8)
        runs = [(run["first"], run["end"], run["epoch"]) for run in account.result()["runs"]]
        self.assertEqual(runs, [(0, 2, 1), (3, 4, 1), (3, 5, 1), (5, 6, 2)])
        self.assertEqual((account.records, account.bytes, account.first_ns), (6, 40, 7))

    def test_the_end_is_news_once(self):
        account = self.account(10, 12)
        account.count(10, 1, 5, 0)
        self.assertFalse(account.finished(20, 0))
        self.assertEqual(account.position, 11)
        account.count(11, 1, 5, 0)
        self.assertTrue(account.finished(30, 0))
        self.assertFalse(account.finished(40, 0))
        self.assertEqual((account.position, account.last_ns, account.passed()), (12, 30, False))

    def test_when_it_was_read_and_when_not_is_kept_by_assignment_with_what_was_committed(self):
        account = Account(0, 1, "t", 0, 100, Flow())
        account.begin_epoch()
        for offset, (from_ms, until_ms) in enumerate([(10, 11), (12, 13), (50, 51)]):
            account.count(offset, 1, 10, 0)
            account.finished(until_ms * 1_000_000, 0, from_ms * 1_000_000)
        account.taken(3)
        account.taken(2)
        account.end_epoch()
        account.begin_epoch()
        account.count(3, 1, 10, 0)
        # The work takes as long as a pause.
        account.finished(90_000_000, 0, 80_000_000)
        self.assertEqual(account.result()["flow"], [
            {"epoch": 1, "from_ns": 10_000_000, "committed": 3, "steps_us": [3_000, 37_000, 1_000]},
            {"epoch": 2, "from_ns": 80_000_000, "committed": None, "steps_us": [0, 10_000, 0]}])

    def test_of_many_pauses_the_long_ones_stay(self):
        flow, at_ns = Flow(), 0
        for number in range(10_000):
            at_ns += 2_000_000_000 if number == 7_000 else 10_000_000
            flow.add(1, at_ns, at_ns + 1_000_000)
        steps_us = flow.result()[0]["steps_us"]
        self.assertLess(len(steps_us), 2_002)
        self.assertEqual(max(steps_us[1::2]), 1_999_000)

    def test_only_what_this_owner_finished_and_did_not_commit_is_committed(self):
        account = self.account()
        self.assertIsNone(account.uncommitted())
        account.count(0, 3, 1, 0)
        self.assertEqual(account.uncommitted(), 3)
        account.committed = 3
        self.assertIsNone(account.uncommitted())
        account.end_epoch()
        account.begin_epoch()
        self.assertIsNone(account.uncommitted())

    def test_a_partition_without_records_is_at_its_end(self):
        self.assertTrue(self.account(5, 5).is_passed)
        self.assertFalse(self.account(5, 6).is_passed)

    def test_a_series_keeps_every_record_when_its_buckets_double(self):
        series = Series()
        for second in range(100):
            series.add(second * 1_000_000_000, 7)
        self.assertEqual((sum(series.counts), series.bucket_ns), (700, 160_000_000))
        self.assertLessEqual(len(series.counts), 1_000)


def decoded(saved):
    """(lowest value of a bucket, count) of a saved histogram, by the format's description."""
    packed = base64.b64decode(saved["histogram"])
    cookie, length = struct.unpack(">ii", packed[:8])
    plain = zlib.decompress(packed[8:8 + length])
    inner, payload, _, digits, lowest, highest, _ = struct.unpack(">iiiiqqd", plain[:40])
    assert (cookie, inner, digits, lowest, highest) == (0x1C849314, 0x1C849313, 3, 1, HIGHEST_NS)
    assert payload == len(plain) - 40
    index, found, numbers = 0, [], iter(plain[40:])
    for byte in numbers:
        value, shift = byte & 0x7F, 7
        while byte & 0x80:
            byte = next(numbers)
            value |= (byte & 0x7F) << shift
            shift += 7
        count = (value >> 1) ^ -(value & 1)
        if count < 0:
            index -= count
            continue
        bucket = max(0, (index >> 10) - 1)
        found.append(((index - (bucket << 10)) << bucket, count))
        index += 1
    return found


class Latencies(unittest.TestCase):
    def test_values_come_back_within_a_thousandth(self):
        latency, values = Latency(), [0, 1, 2_047, 2_048, 2_049, 1_000_000, 123_456_789, HIGHEST_NS]
        for value in values:
            latency.record(50, 50 + value)
        found = decoded(latency.saved())
        self.assertEqual(sum(count for _, count in found), len(values))
        for (lowest, _), value in zip(found, [0, 1, 2_047, 2_048, 1_000_000, 123_456_789, HIGHEST_NS]):
            self.assertTrue(lowest <= value <= lowest * 1.001 + 1, (lowest, value))

    def test_what_a_histogram_cannot_hold_is_counted_beside_it(self):
        latency = Latency()
        self.assertTrue(latency.is_empty())
        latency.record(10, 9)
        latency.record(0, HIGHEST_NS + 1)
        latency.record(0, 4)
        saved = latency.saved()
        self.assertEqual((saved["negative"], saved["overflow"], saved["sum_ns"]), (1, 1, 4.0))

    def test_numbers_are_written_as_zigzag(self):
        self.assertEqual([bytes(zigzag(n)) for n in (0, -1, 1, -64, 64)], [b"\0", b"\1", b"\2", b"\x7f", b"\x80\1"])

    def test_records_of_the_window_have_five_times_and_others_only_a_second(self):
        order = {"lead_ns": 0, "warmup_ns": 1_000, "duration_ns": 2_000, "stamped_from": [[5]], "stamp_offset_ns": 100}
        waits, of = Waits(order, 0), PartitionWaits()
        account = Account(0, 0, "t", 0, 9)
        self.assertEqual([waits.is_stamped(account, offset) for offset in (4, 5)], [False, True])
        self.assertFalse(waits.record(of, b"short", 0, 0, 0))
        self.assertTrue(waits.record(of, struct.pack("<qqq", 2_100, 2_110, 0), 2_020, 2_030, 2_060))
        self.assertTrue(waits.record(of, struct.pack("<qqq", 600, 610, 0), 700, 710, 720))
        sums = [of.parts[part].saved()["sum_ns"] for part in ("producer_delay", "transit", "queued", "work", "response")]
        self.assertEqual(sums, [10, 10, 10, 30, 60])
        self.assertEqual(of.slices[10], [1, 30])
        waits.passed(1_000_000_000)
        taken = waits.take()
        self.assertEqual([(second["second"], second["response"]["sum_ns"]) for second in taken], [(0, 280.0)])
        self.assertEqual(waits.take(), [])

    def test_time_without_work_counts_within_the_window(self):
        order = {"lead_ns": 0, "warmup_ns": 0, "duration_ns": 10_000_000, "stamped_from": [[0]]}
        waits = Waits(order, 0)
        waits.worked(1_100_000, 2_000_000)
        waits.worked(2_050_000, 3_000_000)
        waits.close()
        self.assertEqual(waits.idle_ns, 1_000_000 + 6_900_000)


class Reads(unittest.TestCase):
    def runs(self, *records, is_one_topic=True):
        runs = runs_of([Record(*record) for record in records], is_one_topic)
        return [[(record.partition(), record.offset()) for record in run] for run, _ in runs]

    def test_a_batch_of_one_partition_without_a_gap_is_one_run(self):
        self.assertEqual(self.runs(("t", 0, 4), ("t", 0, 5), ("t", 0, 6)), [[(0, 4), (0, 5), (0, 6)]])

    def test_partitions_topics_gaps_repetitions_and_errors_part_runs(self):
        self.assertEqual(self.runs(("t", 0, 4), ("t", 1, 5), ("t", 1, 6)), [[(0, 4)], [(1, 5), (1, 6)]])
        self.assertEqual(self.runs(("t", 0, 4), ("u", 0, 5), is_one_topic=False), [[(0, 4)], [(0, 5)]])
        self.assertEqual(self.runs(("t", 0, 4), ("t", 0, 6), ("t", 0, 6)), [[(0, 4)], [(0, 6)], [(0, 6)]])
        self.assertEqual(self.runs(("t", 0, 4), ("t", 0, None, "e"), ("t", 0, 5)), [[(0, 4)], [(0, None)], [(0, 5)]])
        self.assertEqual(self.runs(("t", 0, 4), ("t", 0, 5, "e")), [[(0, 4)], [(0, 5)]])
        self.assertEqual(self.runs(("t", 0, 0, "e"), ("t", 0, 0)), [[(0, 0)], [(0, 0)]])
        self.assertEqual(self.runs(("t", 0, 0), ("t", 0, 1), ("t", 1, 0)), [[(0, 0), (0, 1)], [(1, 0)]])

    def test_a_run_has_the_bytes_of_its_keys_and_values(self):
        class Sized(Record):
            def key(self):
                return b"key" if self.offset() % 2 else None

            def __len__(self):
                return 10

        records = [Sized("t", 0, offset) for offset in (4, 5, 6, 8)]
        self.assertEqual([(len(run), size) for run, size in runs_of(records, True)], [(3, 33), (1, 10)])

    def test_waiting_after_the_last_record_is_no_waiting_for_one(self):
        reading = Reading()
        reading.waited(100, 200)
        reading.waited(205, 700)
        reading.record_came()
        reading.waited(800, 9_000)
        self.assertEqual(reading.result(), {"readers": 1, "waiting_ns": 595, "committing_ns": 0,
                                            "longest_wait": {"from_ns": 100, "until_ns": 700}})


class Error:
    """What a client hands over instead of a record."""

    def code(self):
        return 0

    def fatal(self):
        return False

    def str(self):
        return "broker down"

    def name(self):
        return "_TRANSPORT"


class Hold(unittest.TestCase):
    def test_errors_that_come_before_the_start_are_reported_and_are_no_records(self):
        member, reports = Member.__new__(Member), []
        member.index, member.is_holding, member.early = 3, True, []
        member.on_report = lambda consumer, text: reports.append((consumer, text))
        record = Record("t", 0, 5)
        member._keep([Record("t", 0, None, Error()), record])
        self.assertEqual(member.early, [record])
        self.assertEqual(reports, [(3, "broker down (_TRANSPORT)")])


class Client:
    """A consumer that hands over nothing, and calls what is to happen while it is polled."""

    def __init__(self):
        self.calls, self.on_poll = [], []

    def assignment(self):
        return []

    def pause(self, partitions):
        self.calls.append("pause")

    def resume(self, partitions):
        self.calls.append("resume " + " ".join(str(each.partition) for each in partitions))

    def unassign(self):
        self.calls.append("unassign")

    def consume(self, _, __):
        if self.on_poll:
            self.on_poll.pop()()
        return []


class Storing(unittest.TestCase):
    """A member of two partitions with the offsets 5 to 7, and a store that writes up to two rows."""

    def setUp(self):
        span = {"low": 5, "end": 8}
        order = {"topics": [{"name": "t", "partitions": [span, span]}], "consumers": [{"client_id": "c"}], "store": {},
                 "properties": {}, "commit": "none", "read": "batch", "manual": False}
        self.reports, self.ends, self.written, self.begun = [], [], [], []
        self.enterContext(mock.patch("storing.PAUSE_S", 0.001))
        with mock.patch("threading.Thread.start"):
            on_report = lambda _, said: self.reports.append(said)
            on_began = lambda _, account, offset: self.begun.append((len(self.written), account.partition, offset))
            self.member = StoringMember(order, 0, lambda: self.ends.append(1), on_report, None, None, on_began)
        with mock.patch("storing.Store") as opened:
            opened.return_value.rows = 2
            opened.return_value.write = self.write
            opened.return_value.may_be_there = False
            self.member._prepare_work()
        self.answers = itertools.repeat(None)
        self.member.consumer, self.member.start_ns, self.member.is_holding = Client(), 0, False
        for account in self.member.accounts.values():
            account.begin_epoch()

    def write(self, records):
        self.written.append(" ".join(f"{record.partition()}:{record.offset()}" for record in records))
        return next(self.answers)

    def take_away_and_give_again(self):
        self.member._let_go([TopicPartition("t", 0)], "lost")
        self.member.accounts["t", 0].begin_epoch()

    def handle(self, *records):
        self.member._handle(self.member._work, [Record("t", *record) for record in records])

    def test_transactions_have_up_to_so_many_rows_and_nothing_from_outside_of_the_trial(self):
        self.handle((0, 4), (0, 5), (1, 5), (0, 6), (0, 7), (0, 8), (1, 6))
        self.assertEqual(self.written, ["0:5 1:5", "0:6 0:7", "1:6"])
        first, second = self.member.accounts.values()
        self.assertEqual((first.records, first.position, second.position, len(self.ends)), (3, 8, 7, 1))

    def test_a_transaction_ends_where_a_commit_is_due(self):
        self.member.order["commit"], self.member._commit = {"every": 3}, lambda _: self.written.append("commit")
        self.handle((0, 5), (0, 6), (0, 7), (1, 5), (1, 6))
        self.assertEqual(self.written, ["0:5 0:6", "0:7", "commit", "1:5 1:6"])

    def test_what_is_tried_again_counts_once_and_what_is_revoked_meanwhile_is_dropped(self):
        first, second = self.member.accounts.values()
        self.answers = iter([None, "no", "no", None])
        self.member.consumer.on_poll.append(self.take_away_and_give_again)
        self.handle((0, 5), (0, 6), (0, 7), (1, 5))
        self.assertEqual(self.written, ["0:5 0:6", "0:7 1:5", "1:5", "1:5"])
        self.assertEqual((first.records, second.records), (2, 1))
        self.assertEqual(self.reports, ["the work is tried again: no"] * 2)
        self.assertEqual(self.member.consumer.calls, ["pause", "unassign", "pause", "resume 0 1"])

    def test_where_an_owner_begins_is_said_once_and_before_its_records_are_stored(self):
        self.handle((0, 5), (0, 6), (0, 7), (1, 6))
        self.take_away_and_give_again()
        self.handle((0, 5))
        self.assertEqual(self.begun, [(0, 0, 5), (1, 1, 6), (2, 0, 5)])

    def test_what_was_not_answered_is_reported_by_partition_before_the_next_attempt(self):
        self.member.store.rows, self.member.store.may_be_there = 4, True
        said = []
        self.member.on_unanswered = lambda _, records: said.append((len(self.written), records))
        self.answers = iter(["no", "no", None])
        self.handle((0, 5), (0, 6), (1, 5), (1, 7))
        spans = [{"topic": 0, "partition": partition, "first": first, "end": end}
                 for partition, first, end in [(0, 5, 7), (1, 5, 6), (1, 7, 8)]]
        self.assertEqual(said, [(1, spans), (2, spans)])

    def test_what_was_revoked_is_not_stored_after_the_next_commit_either(self):
        self.member.order["commit"], self.member._commit = {"every": 2}, lambda _: self.written.append("commit")
        self.answers = iter(["no", None, None])
        self.member.consumer.on_poll.append(self.take_away_and_give_again)
        self.handle((0, 5), (1, 5), (0, 6), (1, 6))
        self.assertEqual(self.written, ["0:5 1:5", "1:5", "commit", "1:6", "commit"])

    def test_a_partition_that_came_back_is_not_at_its_end(self):
        self.answers = iter(["no"])
        self.member.consumer.on_poll.append(self.take_away_and_give_again)
        self.handle((0, 7), (0, 8))
        account = self.member.accounts["t", 0]
        self.assertEqual((self.written, account.position, account.is_passed, self.ends), (["0:7"], None, False, []))

    def test_a_stop_ends_the_attempts(self):
        self.answers = itertools.repeat("no")
        self.member.consumer.on_poll.append(self.member.stop)
        self.handle((0, 5), (0, 8))
        self.assertEqual((self.written, [account.position for account in self.member.accounts.values()]),
                         (["0:5"], [None, None]))


class Stores(unittest.TestCase):
    def test_a_silent_server_is_an_error_and_its_connection_is_closed(self):
        def silent():
            while True:
                yield 1
        connection = mock.Mock()
        with mock.patch("store.ANSWER_S", -1):
            wait = store.Connection._limited(connection, silent())
            self.assertEqual([next(wait), wait.send(1)], [1, 1])
            with self.assertRaisesRegex(psycopg.OperationalError, "did not answer within 5 s"):
                wait.send(0)
        connection.close.assert_called_once()

    def test_only_what_passes_may_be_tried_again(self):
        passing = [code for code in ("08006", "53300", "57P01", "40001", "28P01", "42P01", "42703", "22021", "23505")
                   if store.is_passing(psycopg.errors.lookup(code)())]
        self.assertEqual(passing, ["08006", "53300", "57P01", "40001"])
        self.assertTrue(store.is_passing(psycopg.OperationalError("connection refused")))
        self.assertFalse(store.is_passing(psycopg.DataError("a text with NUL")))
        self.assertEqual(store.cause(psycopg.OperationalError("a\n  b")), "a b")

    def test_an_error_of_the_transaction_answers_its_commit_and_a_lost_connection_does_not(self):
        unanswered = [code for code in ("08006", "57P01", "40001", "53100", "57014", "23505")
                      if store.is_unanswered(psycopg.errors.lookup(code)())]
        self.assertEqual(unanswered, ["08006", "57P01"])
        self.assertTrue(store.is_unanswered(psycopg.OperationalError(store.SILENCE)))

    def test_rows_may_be_there_only_if_their_commit_was_about_to_be_sent(self):
        lost, record = psycopg.OperationalError("lost"), Record("t", 0, 5)
        for rows, fails, may_be_there in [(1, "execute", True), (2, "execute", False), (2, "commit", True)]:
            connection = mock.MagicMock(closed=False)
            if fails == "execute":
                connection.execute.side_effect = lost
                connection.transaction.return_value.__exit__.return_value = False
            else:
                connection.transaction.return_value.__exit__.side_effect = lost
            order = {"url": "postgresql://h/d", "table": '"t"', "rows": 2, "write": "insert", "on_error": "retry"}
            with mock.patch("store.Connection.connect", return_value=connection):
                opened = store.Store(order, "c")
            self.assertEqual(opened.write([record] * rows), "lost")
            self.assertEqual(opened.may_be_there, may_be_there, (rows, fails))

    def test_a_store_that_cannot_be_opened_is_said_without_its_password(self):
        order = {"url": "postgresql://u:secret@[h/d", "table": '"t"', "rows": 1, "write": "insert", "on_error": "fail"}
        for more, said in [({}, "the URL of the store is not one that libpq reads"),
                           ({"write": "merge"}, "this worker writes by insert, upsert and copy, not by merge")]:
            with self.assertRaises(Refusal) as refused:
                store.Store({**order, **more}, "c")
            self.assertEqual(str(refused.exception), "cannot prepare the work: " + said)


class Positions(unittest.TestCase):
    def test_one_that_reads_again_reports_lower_positions_and_one_that_lost_the_partition_is_silent(self):
        worker = Worker()
        accounts = [Account(0, 0, "t", 5, 8) for _ in range(2)]
        worker.members = [mock.Mock(accounts={("t", 0): account}) for account in accounts]
        for account, offset, said in [(0, 7, [7]), (1, 6, [6]), (1, 6, []), (0, 5, [5])]:
            accounts[account].position = offset
            self.assertEqual([position["offset"] for position in worker.moved()], said)


class Limits(unittest.TestCase):
    def test_a_consumer_that_does_not_answer_is_named_with_the_limit(self):
        worker, failed = Worker(), []
        worker.fail = lambda *what: failed.append(what)
        worker.answer(1, Future(), 0, "connect", is_connecting=True)
        self.assertEqual(failed, [(1, "consumer 1 did not connect within 0 s", True)])
        answered = Future()
        answered.set_result("done")
        self.assertEqual(worker.answer(1, answered, 0, "stop"), "done")


class Settings(unittest.TestCase):
    def test_assignments_come_as_changes_with_cooperative_assignors_and_the_consumer_protocol(self):
        self.assertTrue(is_cooperative({"group.protocol": "consumer"}))
        self.assertTrue(is_cooperative({"partition.assignment.strategy": "cooperative-sticky"}))
        self.assertFalse(is_cooperative({"group.protocol": "classic", "partition.assignment.strategy": "range"}))


class Work(unittest.TestCase):
    def test_work_is_what_was_ordered_at_the_speed_of_this_interpreter(self):
        speed = {"iterations_per_us": 20.0, "sleep_excess_ns": 50_000}
        self.assertIsNone(work.prepared("none", speed))
        self.assertEqual(work.prepared({"wait": {"ns": 1_000_000}}, speed).args, (0.00095,))
        self.assertEqual(work.prepared({"cpu": {"ns": 5_000}}, speed).args, (100,))
        self.assertRaises(ValueError, work.prepared, {"sleep": {}}, speed)

    def test_work_of_a_thread_shows_in_the_usage_of_the_process(self):
        before = usage.Snapshot()
        work.compute(2_000_000)
        used = usage.Snapshot().since(before)
        self.assertGreater(used["cpu_ns"], 10_000_000)
        self.assertTrue(any(thread["cpu_ns"] > 10_000_000 for thread in used["threads"]))
        self.assertGreater(used["peak_memory_bytes"], 1 << 20)


if __name__ == "__main__":
    unittest.main()
