"""A consumer that writes its records to a store, in transactions."""

import time

from client import Refusal
from member import Member
from store import Store

PAUSE_S = 0.1


class StoringMember(Member):
    """A consumer whose records count when their transaction is committed."""

    def _prepare_work(self):
        self.store = Store(self.order["store"], self.order["consumers"][self.index]["client_id"])
        self.work = self.store.write
        self.is_pausing = False
        # What was revoked since the latest poll for records: what that brought of it is the next owner's.
        self.gone = set()

    def _handle(self, handle, records):
        self.gone.clear()
        super()._handle(handle, records)

    def _work(self, records, received_ns):
        """Stores records, a transaction after the other; the finish of one is the start of the next."""
        waiting, passed = self._of_trial(records)
        while waiting and not self.is_stopped:
            rows = waiting[:self.store.rows]
            self._begin(rows)
            failure = self.work([record for _, record in rows])
            if failure:
                if self.store.may_be_there:
                    # Before another attempt: a process that is killed says nothing more.
                    self.on_unanswered(self.index, spans(rows))
                self._pause(failure)
                waiting = [row for row in waiting if not self._is_gone(row[0])]
            else:
                self._stored(rows, received_ns)
                waiting = waiting[len(rows):]
        if self.is_pausing:
            self.is_pausing = False
            self._resume()
        for account in passed:
            if not waiting and not self._is_gone(account):
                self._pass(account)

    def _begin(self, rows):
        """Says where each owner begins, before it stores: a process that is killed says nothing more."""
        for account, record in rows:
            if account.begun != account.epochs:
                account.begun = account.epochs
                self.on_began(self.index, account, record.offset())

    def _is_gone(self, account):
        """Also if it came back: then it is read again from what was committed."""
        return (account.name, account.partition) in self.gone

    def _of_trial(self, records):
        """The records of the trial with their accounts, and the accounts that have none left."""
        waiting, passed = [], []
        for record in records:
            if record.error():
                self._on_error(record.error())
                continue
            account, offset = self.accounts.get((record.topic(), record.partition())), record.offset()
            if account is None or not account.is_held or self._is_gone(account) or offset < account.low:
                continue
            if offset < account.end:
                waiting.append((account, record))
            elif account not in passed:
                passed.append(account)
        return waiting, passed

    def _stored(self, rows, received_ns):
        """Counts the records of a transaction."""
        started_ns, finished_ns = self.free_ns, time.monotonic_ns()
        self.work_ns += finished_ns - started_ns
        for account, record in rows:
            account.count(record.offset(), 1, len(record) + len(record.key() or b""), received_ns)
            self.touched.add(account)
        self._finish(finished_ns)
        if self.waits:
            self.waits.worked(started_ns, finished_ns)
            for account, record in rows:
                if self.waits.is_stamped(account, record.offset()):
                    self._record_waits(account, record, received_ns, started_ns, finished_ns)
        self.free_ns = finished_ns

    def _pause(self, failure):
        """Pauses before a transaction is tried again. The group goes on meanwhile, and may revoke its records."""
        self.on_report(self.index, f"the work is tried again: {failure}")
        self.is_pausing = True
        self.consumer.pause(self.consumer.assignment())
        until = time.monotonic() + PAUSE_S
        while not self.is_stopped and (left := until - time.monotonic()) > 0:
            self._keep(self.consumer.consume(1, left))
        self._attend()

    def _take_over(self, partitions, assign):
        super()._take_over(partitions, assign)
        if self.is_pausing:
            self.consumer.pause(partitions)

    def _let_go(self, partitions, kind):
        super()._let_go(partitions, kind)
        self.gone.update((each.topic, each.partition) for each in partitions)

    def _stay(self):
        super()._stay()
        self.store.close()

    def _result(self):
        return {**super()._result(), "store": self.store.use()}


def spans(rows):
    """The records of a transaction, as the protocol has them."""
    runs = []
    for account, record in rows:
        place, offset = {"topic": account.topic, "partition": account.partition}, record.offset()
        if runs and runs[-1].items() >= {**place, "end": offset}.items():
            runs[-1]["end"] += 1
        else:
            runs.append({**place, "first": offset, "end": offset + 1})
    return runs
