"""A connection on which every byte is so many seconds late in each direction, as to a host far away: a ProxyCommand of ssh.

delay.py HOST PORT SECONDS
"""

import os
import queue
import socket
import sys
import threading
import time

host, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
connection = socket.create_connection((host, port))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def carry(read, write, end):
    """Carries what is read to `write`, each part `seconds` after it came; what came last is the end."""
    parts = queue.Queue()

    def deliver():
        while True:
            due, part = parts.get()
            time.sleep(max(0.0, due - time.monotonic()))
            if not part:
                return end()
            write(part)

    delivering = threading.Thread(target=deliver)
    delivering.start()
    while True:
        try:
            part = read()
        except OSError:
            part = b""
        parts.put((time.monotonic() + seconds, part))
        if not part:
            return delivering.join()


def write_all(part):
    while part:
        part = part[os.write(1, part):]


there = threading.Thread(target=carry, args=(lambda: os.read(0, 65536), connection.sendall,
                                             lambda: connection.shutdown(socket.SHUT_WR)), daemon=True)
there.start()
carry(lambda: connection.recv(65536), write_all, lambda: None)
