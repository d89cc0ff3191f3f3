"""Starts a program in a time namespace, as on another host: its CLOCK_MONOTONIC shows SECONDS and NANOSECONDS more.

moved_clock.py SECONDS NANOSECONDS PROGRAM [ARGUMENT ...]

Needs root. `unshare --time --monotonic SECONDS --fork` does the same for full seconds.
"""

import ctypes
import os
import sys

CLONE_NEWTIME = 0x80

seconds, nanoseconds, command = sys.argv[1], sys.argv[2], sys.argv[3:]
if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWTIME) != 0:
    sys.exit(f"unshare: {os.strerror(ctypes.get_errno())}")
with open("/proc/self/timens_offsets", "w") as offsets:
    offsets.write(f"monotonic {seconds} {nanoseconds}\n")
# Children are in the namespace, this process is not: the child is the program, and this process waits for it.
child = os.fork()
if child == 0:
    os.execvp(command[0], command)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
