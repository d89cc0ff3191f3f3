"""What this process has used, as the kernel counts it."""

import os
import resource
import time


class Snapshot:
    """What the process has used up to a moment."""

    def __init__(self):
        self.at_ns = time.monotonic_ns()
        self.cpu_ns = time.process_time_ns()
        used = resource.getrusage(resource.RUSAGE_SELF)
        self.switches = (used.ru_nvcsw, used.ru_nivcsw)
        self.threads = dict(threads())

    @classmethod
    def of_birth(cls):
        """The beginning of the process: nothing used yet."""
        birth = cls.__new__(cls)
        birth.at_ns, birth.cpu_ns, birth.switches, birth.threads = time.monotonic_ns(), 0, (0, 0), {}
        return birth

    def since(self, earlier):
        """As the protocol has it."""
        used = []
        for thread, (name, cpu_ns, wait_ns) in self.threads.items():
            _, cpu_before, wait_before = earlier.threads.get(thread, (name, 0, 0))
            used.append({"name": name, "cpu_ns": cpu_ns - cpu_before, "wait_ns": wait_ns - wait_before})
        return {"wall_ns": self.at_ns - earlier.at_ns, "cpu_ns": self.cpu_ns - earlier.cpu_ns,
                "voluntary_switches": self.switches[0] - earlier.switches[0],
                "involuntary_switches": self.switches[1] - earlier.switches[1],
                "peak_memory_bytes": peak_memory_bytes(),
                "threads": sorted((each for each in used if each["cpu_ns"] > 0), key=lambda each: -each["cpu_ns"])}


def threads():
    """(thread, (name, CPU ns, ns without a core)) of each thread; one that ends meanwhile is left out."""
    for thread in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{thread}/schedstat") as schedstat, \
                    open(f"/proc/self/task/{thread}/comm") as comm:
                cpu_ns, wait_ns, _ = schedstat.read().split()
                yield thread, (comm.read().strip(), int(cpu_ns), int(wait_ns))
        except (FileNotFoundError, ProcessLookupError):
            continue


def peak_memory_bytes():
    # ru_maxrss survives exec, so that it may be the parent's.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
