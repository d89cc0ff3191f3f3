"""What is done with each record, and how long that takes in this interpreter."""

import ctypes
import functools
import os
import statistics
import time

PR_SET_NAME, PR_SET_TIMERSLACK = 15, 29
ROUNDS, SLEEPS_NS = 21, (200_000, 1_000_000, 2_000_000)

libc = ctypes.CDLL(None, use_errno=True)


def name_thread(name):
    """Names the calling thread for the kernel, which the usage of threads is read from."""
    libc.prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


def sleep_exactly():
    """Lets the calling thread's sleeps end within a nanosecond of their time, as far as the kernel can."""
    if libc.prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot set the timer slack: " + os.strerror(ctypes.get_errno()))


def prepared(work, calibration):
    """The work on one record as a function, or None if there is none."""
    if work == "none":
        return None
    if "cpu" in work:
        iterations = max(1, int(work["cpu"]["ns"] / 1e3 * calibration["iterations_per_us"]))
        return functools.partial(compute, iterations)
    if "wait" in work:
        seconds = max(1, work["wait"]["ns"] - calibration["sleep_excess_ns"]) / 1e9
        return functools.partial(time.sleep, seconds)
    raise ValueError(f"this worker does the work none, cpu and wait, not {work}")


def compute(iterations):
    """A chain of multiplications, whose time is proportional to its length."""
    x = 1
    for _ in range(iterations):
        x = x * 69_069 + 1 & 0xFFFF
    return x


def calibrate():
    """Measures the loop in this thread's CPU time, and by how much a sleep is too long."""
    def rate(iterations):
        from_ns = time.thread_time_ns()
        compute(iterations)
        return iterations * 1e3 / max(1, time.thread_time_ns() - from_ns)

    def excess(sleep_ns):
        from_ns = time.monotonic_ns()
        time.sleep(sleep_ns / 1e9)
        return time.monotonic_ns() - from_ns - sleep_ns

    sleep_exactly()
    guess = max(rate(20_000) for _ in range(3))
    return {"iterations_per_us": statistics.median(rate(int(guess * 5_000)) for _ in range(ROUNDS)),
            "sleep_excess_ns": max(0, int(statistics.median(excess(ns) for ns in SLEEPS_NS * 20)))}
