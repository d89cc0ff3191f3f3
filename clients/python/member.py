"""One consumer of the trial: the loop that a user of confluent-kafka writes, on a thread of its own.

Its thread alone uses the consumer. Other threads ask it by futures and read the positions of its accounts.
"""

import queue
import threading
import time
from concurrent.futures import Future

from confluent_kafka import Consumer, KafkaException, TopicPartition

import latency
import ledger
import work
from client import NOT_OWNER, PERMANENT, UNKNOWN_TOPIC, UNUSED_PROPERTIES, Refusal, is_cooperative, said
from reading import Reading, runs_of

BATCH_RECORDS = 1_000
# Polled records without work that are counted together.
POLLED_RECORDS = 100
SLOW_COMMIT_NS, SLOW_COMMITS_MAX = 50_000_000, 1_000
HOLD_S, IDLE_S, ANSWER_S, CONNECT_S = 0.005, 0.05, 10, 20


class Member:
    """A consumer. `on_end` is called when a partition's end is reached, `on_report` with what the client reports, and
    `on_failure` when the consumer cannot go on. `on_unanswered` gets the records of a transaction whose commit the store did
    not answer, and `on_began` where it is about to begin to store a partition."""

    def __init__(self, order, index, on_end, on_report, on_failure, on_unanswered, on_began):
        self.order, self.index = order, index
        self.on_end, self.on_report, self.on_failure = on_end, on_report, on_failure
        self.on_unanswered, self.on_began = on_unanswered, on_began
        self.records_flow, self.slow_commits = order.get("flow", False), []
        self.topics = [topic["name"] for topic in order["topics"]]
        flow = ledger.Flow if self.records_flow else lambda: None
        self.accounts = {
            (topic["name"], number): ledger.Account(index_of_topic, number, topic["name"], span["low"], span["end"], flow())
            for index_of_topic, topic in enumerate(order["topics"]) for number, span in enumerate(topic["partitions"])}
        self.is_holding = not order.get("joins_late", False)
        self.is_cooperative = is_cooperative(order["properties"])
        self.start_ns = self.assigned_ns = self.waits = None
        self.is_subscribed, self.is_leaving = threading.Event(), False
        self.connected, self.result = Future(), Future()
        self.is_stopped = False
        self.queries = queue.SimpleQueue()
        self.waits_of = {}
        self.leaders, self.early, self.rebalances = [], [], []
        self.queued_at_start, self.touched, self.polled = 0, set(), []
        self.reading = Reading()
        self.work_ns = self.commits = self.since_commit = self.free_ns = 0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    # What other threads ask.

    def subscribe(self):
        self.is_subscribed.set()

    def query(self):
        """What it holds, as the client says between two polls."""
        answer = Future()
        self.queries.put(answer)
        return answer

    def start(self, at_ns):
        if self.order.get("stamps"):
            self.waits = latency.Waits(self.order["stamps"], at_ns)
        self.start_ns = at_ns

    def stop(self):
        self.is_stopped = True
        return self.result

    def leave(self):
        self.is_stopped = self.is_leaving = True
        self.is_subscribed.set()

    # Its thread.

    def _run(self):
        work.name_thread(f"reader-{self.index}")
        try:
            self._connect()
            self.is_subscribed.wait()
            if not self.is_leaving:
                self._join()
                self._hold()
                self._read()
                self._stay()
        except Refusal as refusal:
            self._fail(str(refusal), refusal.is_connecting)
        except KafkaException as failure:
            self._fail(f"the client reported: {said(failure.args[0])}")
        except Exception as failure:  # Whatever it is, the coordinator must hear of it.
            self._fail(f"{type(failure).__name__}: {failure}")
        while not self.is_leaving:
            time.sleep(IDLE_S)
        self._close()

    def _close(self):
        try:
            self.consumer.close()
        except Refusal as refusal:
            self._fail(str(refusal))
        except Exception as failure:  # What it commits at the end may fail too.
            self._fail(f"{type(failure).__name__}: {failure}")

    def _fail(self, message, is_connecting=False):
        self.is_stopped = True
        self.on_failure(self.index, message, is_connecting)

    def _prepare_work(self):
        self.work = work.prepared(self.order["work"], self.order["calibration"])
        if "wait" in self.order["work"]:
            work.sleep_exactly()

    def _connect(self):
        self._prepare_work()
        properties = {**self.order["properties"], **self.order.get("client_properties", {})}
        for name in UNUSED_PROPERTIES:
            properties.pop(name, None)
        client_id = self.order["consumers"][self.index]["client_id"]
        own = {"client.id": client_id, "error_cb": self._on_error}
        if self.order.get("static_membership", False):
            own["group.instance.id"] = client_id
        try:
            self.consumer = Consumer({**properties, **own})
        except KafkaException as refused:
            raise Refusal(f"the client refused its settings: {refused.args[0].str()}") from None
        self.leaders = list(self._find_leaders().values())
        # A client connects only where it has a question, so without this it would connect after the start.
        for leader in self.leaders:
            self._ask(leader)
        self.connected.set_result(None)

    def _find_leaders(self):
        """One partition for each broker that leads any of the trial's."""
        leaders = {}
        for topic in self.topics:
            until = time.monotonic() + CONNECT_S
            while True:
                try:
                    partitions = self.consumer.list_topics(topic, timeout=1).topics[topic].partitions
                    break
                except KafkaException as unreachable:
                    self.consumer.poll(0)  # Its errors say why.
                    if time.monotonic() > until:
                        raise Refusal(f"the cluster did not answer: {said(unreachable.args[0])}", True) from None
            for number, partition in partitions.items():
                if partition.leader >= 0:
                    leaders.setdefault(partition.leader, TopicPartition(topic, number))
        if not leaders:
            raise Refusal(f"no partition of {', '.join(self.topics)} has a leader", True)
        return leaders

    def _ask(self, partition):
        try:
            self.consumer.get_watermark_offsets(partition, timeout=ANSWER_S)
        except (KafkaException, RuntimeError) as failure:
            self.on_report(self.index, f"the leader of {partition.topic} [{partition.partition}] did not answer: {failure}")

    def _join(self):
        if not self.order["manual"]:
            self.consumer.subscribe(self.topics, on_assign=self._on_assign,
                                    on_revoke=lambda _, partitions: self._let_go(partitions, "revoked"),
                                    on_lost=lambda _, partitions: self._let_go(partitions, "lost"))
            return
        given = self.order["consumers"][self.index]["manual"]
        self._take_over([TopicPartition(self.topics[each["topic"]], each["partition"]) for each in given],
                        self.consumer.assign)

    def _hold(self):
        """Waits for the start without a record."""
        while self.start_ns is None and not self.is_stopped:
            self._keep(self.consumer.consume(1, HOLD_S))
            self._attend()
        if self.start_ns is None:
            return
        time.sleep(max(0, self.start_ns - time.monotonic_ns()) / 1e9)
        if self.is_holding:
            self.queued_at_start = len(self.early)
            self._release()

    def _keep(self, taken):
        """Keeps what came before the start; the client hands over its errors in between."""
        for record in taken:
            if record.error():
                self._on_error(record.error())
            else:
                self.early.append(record)

    def _release(self):
        self.is_holding = False
        self._resume()
        # A question wakes the client's thread for a broker, which would first finish a sleep of up to a second. Its
        # answer may have to wait until the broker has answered a fetch.
        for leader in self.leaders:
            threading.Thread(target=self._ask, args=[leader], daemon=True).start()

    def _resume(self):
        """Lets the client fetch what is not read to its end."""
        unread = [TopicPartition(account.name, account.partition) for account in self.accounts.values()
                  if account.is_held and not account.is_passed]
        if unread:
            self.consumer.resume(unread)

    def _read(self):
        if self.start_ns is None:
            return
        take = self._take_batch if self.order["read"] == "batch" else self._take_polled
        counts_only = self.work is None and self.waits is None
        handle = self._count if counts_only else self._work
        polled = self._polled_at_once(counts_only)
        self._handle(handle, self.early)
        while not self.is_stopped:
            # No name holds the records: they are freed before the next ones are made, while they are in cache.
            self._handle(handle, take(polled))
            self._attend()

    def _polled_at_once(self, counts_only):
        """How many polled records are counted together: as if each were counted alone, and with little time for it."""
        if self.order["read"] == "batch" or not counts_only or self.order["commit"] in ("per_batch", "auto"):
            return 1
        return POLLED_RECORDS

    def _take_batch(self, _):
        """What is there, or the next record and what came with it. The client's own call waits for a full batch."""
        records = self.consumer.consume(BATCH_RECORDS, 0)
        if not records:
            records = self._wait(lambda: self.consumer.consume(1, IDLE_S))
            if records:
                records += self.consumer.consume(BATCH_RECORDS - 1, 0)
        return records

    def _take_polled(self, at_once):
        poll, records = self.consumer.poll, []
        self.polled = records
        while len(records) < at_once:
            record = poll(0)
            if record is None:
                break
            records.append(record)
        if not records:
            record = self._wait(lambda: poll(IDLE_S))
            if record is not None:
                records.append(record)
        return records

    def _wait(self, take):
        from_ns = time.monotonic_ns()
        taken = take()
        self.reading.waited(from_ns, time.monotonic_ns())
        return taken

    def _handle(self, handle, records):
        """Works off what was taken, and commits it."""
        if not records:
            return
        received_ns = self.free_ns = time.monotonic_ns()
        every = self.order["commit"]["every"] if isinstance(self.order["commit"], dict) else None
        if not every:
            handle(records, received_ns)
            self._commit(self.accounts.values())
            return
        while records and not self.is_stopped:
            fewer = records[:every - self.since_commit]
            handle(fewer, received_ns)
            records = records[len(fewer):]
            self.since_commit += len(fewer)
            if self.since_commit == every:
                self._commit(self.accounts.values())
                self.since_commit, self.free_ns = 0, time.monotonic_ns()

    def _count(self, records, received_ns):
        """Counts records that are not worked, each run of them at once."""
        for run, size in runs_of(records, len(self.topics) == 1):
            if run[0].error():
                self._on_error(run[0].error())
            else:
                self._count_run(self.accounts.get((run[0].topic(), run[0].partition())), run, size, received_ns)
        self._finish(time.monotonic_ns())

    def _count_run(self, account, records, size, received_ns):
        if account is None or not account.is_held:
            return
        first = records[0].offset()
        of_trial = records
        if first < account.low or first + len(records) > account.end:
            of_trial = records[max(0, account.low - first):max(0, account.end - first)]
            size = sum(len(record) + len(record.key() or b"") for record in of_trial)
        if of_trial:
            account.count(of_trial[0].offset(), len(of_trial), size, received_ns)
            self.touched.add(account)
        if first + len(records) > account.end:
            self._pass(account)

    def _work(self, records, received_ns):
        """Does the work on each record; a record's finish is the next one's start."""
        started_ns = self.free_ns
        for record in records:
            if self.is_stopped:
                return
            if record.error():
                self._on_error(record.error())
                continue
            account, offset = self.accounts.get((record.topic(), record.partition())), record.offset()
            if account is None or not account.is_held or offset < account.low:
                continue
            if offset >= account.end:
                self._pass(account)
                continue
            if self.work:
                self.work()
            finished_ns = time.monotonic_ns()
            if self.work:
                self.work_ns += finished_ns - started_ns
            account.count(offset, 1, len(record) + len(record.key() or b""), received_ns)
            self.touched.add(account)
            self._finish(finished_ns)
            if self.waits:
                self.waits.worked(started_ns, finished_ns)
                if self.waits.is_stamped(account, offset):
                    self._record_waits(account, record, received_ns, started_ns, finished_ns)
            started_ns = self.free_ns = finished_ns

    def _record_waits(self, account, record, received_ns, started_ns, finished_ns):
        of_partition = self.waits_of.setdefault(account, latency.PartitionWaits())
        if not self.waits.record(of_partition, record.value(), received_ns, started_ns, finished_ns):
            raise Refusal(f"offset {record.offset()} of {account.name} [{account.partition}] should begin with a stamp of "
                          f"{latency.STAMP.size} bytes and has a value of {len(record)} bytes")

    def _finish(self, now_ns):
        """What was counted is finished."""
        self.reading.record_came()
        for account in self.touched:
            if account.finished(now_ns, self.start_ns, self.free_ns):
                self._ended(account)
        self.touched.clear()

    def _pass(self, account):
        """A record beyond the end came."""
        self._finish(time.monotonic_ns())
        if account.passed():
            self._ended(account)

    def _ended(self, account):
        self.on_end()
        self.consumer.pause([TopicPartition(account.name, account.partition)])

    def _attend(self):
        """Between two polls: answers what other threads asked."""
        while not self.queries.empty():
            self.queries.get().set_result({"consumer": self.index, "partitions": self._named(self.consumer.assignment()),
                                           "assigned_ns": self.assigned_ns})
        if self.waits:
            self.waits.passed(time.monotonic_ns())

    def _stay(self):
        """Stays in the group without reading until it is to leave."""
        if self.waits:
            self.waits.close()
        self.result.set_result(self._result())
        self.consumer.pause(self.consumer.assignment())
        while not self.is_leaving:
            self.consumer.consume(1, IDLE_S)
            self._attend()

    def _result(self):
        waits = lambda account: self.waits_of.get(account, latency.PartitionWaits()).result() if self.waits else {}
        return {"partitions": [{**account.result(), **waits(account)} for account in self.accounts.values()
                               if account.epochs > 0],
                "work_ns": self.work_ns, "queued_at_start": self.queued_at_start, "commits": self.commits,
                "reading": {**self.reading.result(), **self._idle()}, "rebalances": self.rebalances,
                **({"slow_commits": self.slow_commits} if self.records_flow else {})}

    def _idle(self):
        return {"working_threads": 1, "idle_ns": self.waits.idle_ns} if self.waits else {}

    # What the client calls while it is polled.

    def _on_assign(self, consumer, partitions):
        self._take_over(partitions, consumer.incremental_assign if self.is_cooperative else consumer.assign)

    def _take_over(self, partitions, assign):
        """Takes partitions: paused if the start is to come, and else from where the group is."""
        known = [partition for partition in partitions if (partition.topic, partition.partition) in self.accounts]
        if self.is_holding:
            for partition in known:
                partition.offset = self.accounts[partition.topic, partition.partition].low
                # A partition that the client does not know cannot be paused; this makes it known.
                self.consumer.get_watermark_offsets(partition, cached=True)
            self.consumer.pause(known)
        else:
            # A pause outlives a revocation.
            self.consumer.resume(known)
        for partition in known:
            self.accounts[partition.topic, partition.partition].begin_epoch()
        assign(partitions)
        self.assigned_ns = time.monotonic_ns()
        self._note("assigned", partitions)

    def _let_go(self, partitions, kind):
        accounts = [self.accounts[each.topic, each.partition] for each in partitions
                    if (each.topic, each.partition) in self.accounts]
        if kind == "revoked":  # Others may have read on what was lost.
            self._commit(accounts)
        for account in accounts:
            account.end_epoch()
        # What was polled and not counted is the next owner's.
        gone = {(account.name, account.partition) for account in accounts}
        self.polled[:] = [record for record in self.polled if (record.topic(), record.partition()) not in gone]
        if self.is_cooperative:
            self.consumer.incremental_unassign(partitions)
        else:
            self.consumer.unassign()
        self._note(kind, partitions)

    def _note(self, kind, partitions):
        self.rebalances.append({"at_ns": time.monotonic_ns(), "kind": kind, "partitions": self._named(partitions)})

    def _named(self, partitions):
        accounts = [self.accounts.get((each.topic, each.partition)) for each in partitions]
        return [{"topic": account.topic, "partition": account.partition} for account in accounts if account]

    def _commit(self, accounts):
        """Commits, or stores for the client's own commits, what is finished and not committed."""
        if self.order["commit"] == "none":
            return
        finished = [(account, account.uncommitted()) for account in accounts if account.uncommitted() is not None]
        if not finished:
            return
        offsets = [TopicPartition(account.name, account.partition, offset) for account, offset in finished]
        try:
            if self.order["commit"] == "auto":
                self.consumer.store_offsets(offsets=offsets)
            else:
                from_ns = time.monotonic_ns()
                answered = self.consumer.commit(offsets=offsets, asynchronous=False)
                until_ns = time.monotonic_ns()
                self.reading.committed(from_ns, until_ns)
                self._note_commit(from_ns, until_ns)
                if self.waits:
                    self.waits.worked(from_ns, until_ns)
                self.commits += 1
                failed = [each.error for each in answered if each.error]
                if failed:
                    raise KafkaException(failed[0])
        except KafkaException as failure:
            if failure.args[0].code() not in NOT_OWNER:
                raise Refusal(f"cannot commit: {said(failure.args[0])}") from None
            return
        for account, offset in finished:
            account.committed = offset
            if self.order["commit"] != "auto":
                account.taken(offset)

    def _note_commit(self, from_ns, until_ns):
        """Notes a commit that explains why nothing was read."""
        if self.records_flow and until_ns - from_ns >= SLOW_COMMIT_NS and len(self.slow_commits) < SLOW_COMMITS_MAX:
            self.slow_commits.append({"from_ns": from_ns, "until_ns": until_ns})

    def _on_error(self, error):
        """An error of the client. Not every broker knows a topic yet that was made for this trial."""
        is_too_early = self.is_holding and error.code() in UNKNOWN_TOPIC
        if (error.fatal() or error.code() in PERMANENT) and not is_too_early:
            self._fail(f"the client reported: {said(error)}")
        else:
            self.on_report(self.index, said(error))
