"""A worker of tandem on confluent-kafka: speaks the worker protocol, version 2 (docs/protocol.md).

Each consumer has a thread of its own (member.py). This one obeys the coordinator and reports.
"""

import gc
import json
import os
import queue
import re
import sys
import threading
import time

import confluent_kafka

from member import Member
from usage import Snapshot
import work

PROTOCOL = 2
CAPABILITIES = ["hold", "assignment", "ledger", "usage", "work", "manual", "calibrate", "reading", "pauses", "stamps",
                "static", "store", "flow"]
SILENCE_NS, PAUSE_NS = 10_000_000_000, 500_000_000
# How often it says how far it is where it matters when each partition was read: a worker that is killed says no more.
FLOW_S = 0.02
BEAT_S, PROGRESS_S, READY_S, RESULT_S, LEAVE_S = 0.1, 0.1, 30, 14, 3
REPORTS = 8


class Worker:
    def __init__(self):
        self.born = Snapshot.of_birth()
        self.events = queue.SimpleQueue()
        self.writing = threading.RLock()
        self.members, self.reported, self.reports, self.pauses = [], {}, {}, []
        self.heard_ns = self.born.at_ns
        self.start_ns = self.at_start = self.at_end = None
        self.is_in_group, self.status = False, 0
        self.progress_s = PROGRESS_S

    def say(self, kind, **rest):
        line = json.dumps({"type": kind, **rest})
        with self.writing:
            print(line, flush=True)

    def fail(self, consumer, message, is_connecting=False):
        """Says why the worker cannot go on, and ends it. May be called on any thread."""
        print(f"tandem worker: {message}", file=sys.stderr, flush=True)
        self.say("failed", consumer=consumer, connect=is_connecting, message=message)
        os._exit(1)

    def member_failed(self, consumer, message, is_connecting):
        """Says why a consumer cannot go on. In a group it stays until the worker is to leave: then the group does not wait
        for it."""
        if not self.is_in_group:
            self.fail(consumer, message, is_connecting)
        print(f"tandem worker: {message}", file=sys.stderr, flush=True)
        self.status = 1
        self.say("failed", consumer=consumer, connect=is_connecting, message=message)

    def report(self, consumer, message):
        """Passes on what a client reports, the first time and whenever its count has doubled."""
        print(f"client: {message}", file=sys.stderr, flush=True)
        reports = self.reports.setdefault(consumer, {})
        report = re.sub(r"\d+", "", message)
        if report in reports or len(reports) < REPORTS:
            times = reports[report] = reports.get(report, 0) + 1
            if times & (times - 1) == 0:
                self.say("reported", consumer=consumer, message=message, times=times)

    def unanswered(self, consumer, records):
        """Says which records are in a transaction whose commit the store did not answer."""
        self.say("unanswered", consumer=consumer, records=records)

    def began(self, consumer, account, offset):
        """Says where a consumer is about to begin to store a partition. No position that is older is reported after it."""
        with self.writing:
            self.say("began", consumer=consumer, topic=account.topic, partition=account.partition, offset=offset)
            account.position = offset

    def run(self):
        threading.Thread(target=self.beat, daemon=True).start()
        self.say("hello", protocol=PROTOCOL, client="confluent-kafka", client_version=confluent_kafka.__version__,
                 pid=os.getpid(), capabilities=CAPABILITIES, host=host())
        threading.Thread(target=self.listen, daemon=True).start()
        obey = {"prepare": self.prepare, "subscribe": self.subscribe, "query_assignments": self.query_assignments,
                "start": self.start, "stop": self.stop, "calibrate": self.calibrate}
        while True:
            try:
                event = self.events.get(timeout=self.progress_s)
            except queue.Empty:
                event = {"type": "progress"}
            if event["type"] == "exit":
                return self.leave()
            if event["type"] in obey:
                obey[event["type"]](event)
            self.progress(is_end=event["type"] == "ended")

    def listen(self):
        """Hands on what the coordinator says, and answers what its own haste makes exact."""
        for line in sys.stdin:
            received_ns = self.heard_ns = time.monotonic_ns()
            message = json.loads(line)
            if message["type"] == "query_clock":
                self.say("clock", received_ns=received_ns, sent_ns=time.monotonic_ns())
            else:
                self.events.put(message)
        self.events.put({"type": "exit"})

    def beat(self):
        """Notes when the process did not run, and ends it if the coordinator is silent."""
        while True:
            from_ns = time.monotonic_ns()
            time.sleep(BEAT_S)
            until_ns = time.monotonic_ns()
            if until_ns - from_ns >= PAUSE_NS:
                self.pauses.append({"from_ns": from_ns, "until_ns": until_ns})
            elif until_ns - self.heard_ns > SILENCE_NS:
                self.fail(None, "no message from the coordinator for 10 s")

    def calibrate(self, _):
        self.say("calibrated", **work.calibrate())

    def prepare(self, order):
        if order["read"] not in ("batch", "poll"):
            self.fail(None, f'this worker reads in a batch or by poll, not as read = "{order["read"]}"')
        if order.get("threads", 1) != 1:
            self.fail(None, "this worker works records on the thread that reads them: threads = 1")
        if order.get("flow", False):
            self.progress_s = FLOW_S
        on_end = lambda: self.events.put({"type": "ended"})
        kind = kind_of_member(order)
        self.members = [kind(order, index, on_end, self.report, self.member_failed, self.unanswered, self.began)
                        for index in range(len(order["consumers"]))]
        for member in self.members:
            self.answer(member.index, member.connected, READY_S, "connect", is_connecting=True)
        # What is there by now stays: collections that records cause need not look at all of the worker again.
        gc.freeze()
        self.say("ready")

    def answer(self, consumer, answer, limit_s, act, is_connecting=False):
        """Waits until a consumer has done what it was asked for. One that takes longer ends the worker."""
        try:
            return answer.result(limit_s)
        except TimeoutError:
            return self.fail(consumer, f"consumer {consumer} did not {act} within {limit_s} s", is_connecting)

    def subscribe(self, _):
        self.is_in_group = True
        for member in self.members:
            member.subscribe()

    def query_assignments(self, question):
        answers = [member.query() for member in self.members]
        # A member answers between two polls, which the reports of progress do not wait for.
        answer = lambda: self.say("assignments", query=question["query"], members=[each.result() for each in answers])
        threading.Thread(target=answer, daemon=True).start()

    def start(self, order):
        for member in self.members:
            member.start(order["at_ns"])
        time.sleep(max(0, order["at_ns"] - time.monotonic_ns()) / 1e9)
        self.at_start = Snapshot()

    def stop(self, _):
        results = [member.stop() for member in self.members]
        end = Snapshot()
        members = [self.answer(consumer, result, RESULT_S, "stop") for consumer, result in enumerate(results)]
        self.progress()
        window = self.at_start and (self.at_end or end).since(self.at_start)
        self.at_start = None
        self.say("result", members=members, window=window, stopwatch=end.since(self.born), pauses=self.pauses)

    def progress(self, is_end=False):
        """Reports what has moved and the seconds that are over."""
        if self.at_start is None:
            return
        if is_end:
            self.at_end = Snapshot()
        with self.writing:
            moved = self.moved()
            if moved:
                self.say("progress", positions=moved)
        seconds = [second for member in self.members if member.waits for second in member.waits.take()]
        if seconds:
            self.say("seconds", seconds=seconds)

    def moved(self):
        """The positions that are others than were reported: also those of a consumer that reads again. A partition may have
        moved between consumers of this process."""
        moved = []
        for account in (account for member in self.members for account in member.accounts.values()):
            offset = account.position
            if offset is not None and offset != self.reported.get(account):
                self.reported[account] = offset
                moved.append({"topic": account.topic, "partition": account.partition, "offset": offset})
        return moved

    def leave(self):
        for member in self.members:
            member.leave()
        until = time.monotonic() + LEAVE_S
        for member in self.members:
            member.thread.join(max(0, until - time.monotonic()))
        if any(member.thread.is_alive() for member in self.members):
            print(f"tandem worker: the group was not left within {LEAVE_S} s", file=sys.stderr, flush=True)
        os._exit(self.status)


def kind_of_member(order):
    """The kind of consumer that does the work."""
    if order["work"] != "store":
        return Member
    # Imported only here: the store's library would add to the memory of trials without one.
    from storing import StoringMember
    return StoringMember


def host():
    """Names this machine's clock, which containers share."""
    with open("/proc/sys/kernel/random/boot_id") as boot_id:
        boot = boot_id.read().strip()
    time_namespace = "/proc/self/ns/time"
    return f"{boot} {os.readlink(time_namespace)}" if os.path.islink(time_namespace) else boot


def main():
    if sys.argv[1:] != ["consumer"]:
        sys.exit("this is a worker of tandem: it is started with the role `consumer` and has no other")
    worker = Worker()
    try:
        worker.run()
    except Exception as failure:  # Whatever it is, the coordinator must hear of it.
        worker.fail(None, f"{type(failure).__name__}: {failure}")


if __name__ == "__main__":
    main()
