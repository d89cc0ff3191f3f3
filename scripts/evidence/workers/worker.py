"""A tandem worker around a program that reads by itself: the side of the protocol that all peers have in common.

Must not know which program it is.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time


class Refusal(Exception):
    """The order asks for something that the program cannot do, or the program failed."""


class Program:
    """The process of the program."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.output, self.errors = self.process.stdout, self.process.stderr
        self.pid = self.process.pid
        self.born_ns = time.monotonic_ns()

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def cpu_ns(self):
        """CPU that the process has used; its clock can be read until it is waited for (CPUCLOCK_SCHED of the pid)."""
        return time.clock_gettime_ns((~self.pid << 3) | 2)

    def end(self):
        """Waits for the process, which has said everything; returns its exit code and what it used over its life."""
        for stream in (self.process.stdin, self.output, self.errors):
            stream.close()
        _, status, usage = os.wait4(self.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return self.process.returncode, {
            "wall_ns": time.monotonic_ns() - self.born_ns, "cpu_ns": int((usage.ru_utime + usage.ru_stime) * 1e9),
            "voluntary_switches": usage.ru_nvcsw, "involuntary_switches": usage.ru_nivcsw,
            "peak_memory_bytes": usage.ru_maxrss * 1024, "threads": []}

    def kill(self):
        if self.process.returncode is None:
            # Not Popen's kill, which may wait for the process itself.
            os.kill(self.pid, signal.SIGKILL)
            self.end()


def say(message):
    print(json.dumps(message), flush=True)


def expected(prepare, work="none"):
    """(topic's name, {partition: number of records}) of the one topic and the partitions that this worker takes."""
    if not prepare["manual"]:
        raise Refusal('this program is told its partitions: assignment = "manual" is needed')
    if len(prepare["topics"]) != 1 or len(prepare["consumers"]) != 1:
        raise Refusal("this program reads one topic with one consumer in a process")
    if prepare["work"] != work or prepare["commit"] != "none":
        raise Refusal(f'this program commits nothing, and its work is "{work}"')
    topic = prepare["topics"][0]
    taken = [p["partition"] for p in prepare["consumers"][0]["manual"]]
    return topic["name"], {p: topic["partitions"][p]["end"] - topic["partitions"][p]["low"] for p in taken}


def serve(client, version, peer, more=()):
    """Speaks the protocol for `peer`, an object with prepare(order), read(at_ns), result() and kill().

    read() returns at the program's last record and result() a worker's result of it; all raise Refusal. `more` are
    capabilities beyond those that every program has.
    """
    say({"type": "hello", "protocol": 1, "client": client, "client_version": version, "pid": os.getpid(),
         "capabilities": ["hold", "assignment", "manual", "usage", *more]})
    order, reading = {}, None

    def read(at_ns):
        try:
            peer.read(at_ns)
        except Exception as failure:  # Whatever it is, the coordinator must hear of it.
            fail(failure)
        topic = order["topics"][0]["partitions"]
        say({"type": "progress", "positions": [
            {"topic": 0, "partition": p["partition"], "offset": topic[p["partition"]]["end"]}
            for p in order["consumers"][0]["manual"]]})

    def fail(failure):
        say({"type": "failed", "connect": False, "message": f"{client}: {failure}"})
        peer.kill()
        os._exit(1)

    try:
        for line in sys.stdin:
            message = json.loads(line)
            kind = message["type"]
            if kind == "prepare":
                order = message
                peer.prepare(order)
                say({"type": "ready"})
            elif kind == "query_assignments":
                held = order["consumers"][0]["manual"]
                say({"type": "assignments", "query": message["query"],
                     "members": [{"consumer": 0, "partitions": held, "assigned_ns": None}]})
            elif kind == "start":
                reading = threading.Thread(target=read, args=[message["at_ns"]], daemon=True)
                reading.start()
            elif kind == "stop":
                if reading:
                    reading.join()
                say(peer.result())
            elif kind == "exit":
                break
    except Refusal as refusal:
        fail(refusal)
    peer.kill()
