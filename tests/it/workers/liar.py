"""Runs the real worker behind it and changes what it says.

liar.py LIE PROGRAM worker consumer, where LIE is one of
  skip    the worker of process 1 does not count one offset in the middle of each partition
  twice   the worker of process 1 counts one offset of each partition a second time
  old     every worker speaks protocol 1, which names no host
  claim   the worker of process 1 says that it holds partitions 0 and 1, whatever it holds
"""

import json
import subprocess
import sys
import threading

lie, command = sys.argv[1], sys.argv[2:]
worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
first = threading.Event()


def listen():
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "prepare" and "-p1-" in message["consumers"][0]["client_id"]:
            first.set()
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
    print(json.dumps(message), flush=True)
sys.exit(worker.wait())
