"""Runs the real worker behind it and changes what it says.

liar.py LIE PROGRAM worker consumer, where LIE is one of
  skip    the worker of process 1 does not count one offset in the middle of each partition
  twice   the worker of process 1 counts one offset of each partition a second time
  old     every worker speaks protocol 1, which names no host
  late    the worker of process 1 says that its partitions were revoked half a second before they were
  ahead   the worker of process 1 says that it committed ten records more than it read
  pass    the worker of process 2 says that it began to read each partition three records later
  claim   the worker of process 1 says that it holds partitions 0 and 1, whatever it holds
"""

import json
import subprocess
import sys
import threading

lie, command = sys.argv[1], sys.argv[2:]
worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
first = threading.Event()
second = threading.Event()


def listen():
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "prepare" and "-p1-" in message["consumers"][0]["client_id"]:
            first.set()
        if message["type"] == "prepare" and "-p2-" in message["consumers"][0]["client_id"]:
            second.set()
        worker.stdin.write(line)
        worker.stdin.flush()
    worker.stdin.close()


threading.Thread(target=listen, daemon=True).start()
for line in worker.stdout:
    message = json.loads(line)
    if message["type"] == "hello" and lie == "old":
        message["protocol"] = 1
        del message["host"]
    if first.is_set() and message["type"] == "assignments" and lie == "claim":
        held = [{"topic": 0, "partition": 0}, {"topic": 0, "partition": 1}]
        message["members"][0]["partitions"] = held
    if first.is_set() and message["type"] == "result" and lie in ("skip", "twice"):
        for partition in message["members"][0]["partitions"]:
            run = partition["runs"].pop()
            middle = (run["first"] + run["end"]) // 2
            if lie == "skip":
                partition["runs"] += [{**run, "end": middle}, {**run, "first": middle + 1}]
            else:
                partition["runs"] += [run, {**run, "first": middle, "end": middle + 1}]
    if first.is_set() and message["type"] == "result" and lie == "late":
        for change in message["members"][0]["rebalances"]:
            change["at_ns"] -= 500_000_000 if change["kind"] == "revoked" else 0
    if first.is_set() and message["type"] == "result" and lie == "ahead":
        for partition in message["members"][0]["partitions"]:
            for flow in partition["flow"]:
                flow["committed"] += 10
    if second.is_set() and message["type"] == "result" and lie == "pass":
        for partition in message["members"][0]["partitions"]:
            partition["runs"][0]["first"] += 3
            partition["records"] -= 3
    print(json.dumps(message), flush=True)
sys.exit(worker.wait())
