"""What is kept of a run: a row for each counted trial, in a CSV file that is committed, and what the run was made
with. Knows the files of a run and of results/peers; computes nothing but the lengths of windows."""

import csv
import json
import re
from dataclasses import astuple, dataclass, fields

import build

RESULTS = build.RESULTS / "peers"
# Step of the kernel's sums of the machine's CPU times.
TICK_NS = 10_000_000


@dataclass
class Trial:
    """A counted trial that read every record once. Times in seconds."""

    block: int
    case: str
    partitions: int
    members: int
    records: int
    bytes: int
    # First record handed over anywhere to last record finished anywhere.
    first_to_last: float
    # Common start to last record finished anywhere.
    start_to_last: float
    # CPU of all reading processes from the common start to their last record.
    cpu: float
    # Share of the machine's cores that other programs used, brokers and tandem's coordinator apart.
    others: float
    flags: str


def from_run(stored, case_of=None):
    """The counted, complete trials of a run by case and block, and sentences about those that are not complete.

    Where `case_of` gives a case for a process, the processes of a trial are of different programs, and each of them is a
    trial of that case.
    """
    trials, problems = [], []
    counted = [trial for trial in stored if trial["order"]["kind"] == "counted"]
    for trial in sorted(counted, key=lambda trial: (trial["order"]["configuration"], trial["order"]["block"])):
        name, block = trial["configuration_name"], trial["order"]["block"]
        if trial["status"]["status"] != "complete":
            problems.append(f"block {block + 1}, {name}: {reason(trial['status'])}")
            continue
        m = trial["measurement"]
        if case_of is None:
            trials.append(measured(m, name, block, trial["flags"], m["members"], m["processes"]))
            continue
        if len(set(map(case_of, m["processes"]))) < len(m["processes"]):
            raise ValueError(f"block {block + 1}: two processes of the trial were the same program")
        for number, process in enumerate(m["processes"]):
            members = [member for member in m["members"] if member["process"] == number]
            trials.append(measured(m, case_of(process), block, trial["flags"], members, [process]))
    if not trials:
        raise ValueError(f"no trial is complete; {len(problems)} failed: " + "; ".join(problems[:2]))
    return sorted(trials, key=lambda trial: trial.case) if case_of else trials, problems


def reason(status):
    """Why a trial failed or was left out."""
    return ", ".join(str(value) for key, value in status.items() if key != "status") or status["status"]


def measured(m, name, block, flags, members, processes):
    """What these members and processes of a measurement did."""
    members = [member for member in members if member["partitions"]]
    read = [partition for member in members for partition in member["partitions"]]
    first = min(member["first_record_ns"] for member in members)
    last = max(member["last_record_ns"] for member in members)
    # That offsets are not observed of a peer is so in each of its trials. Disturbances are reckoned below, since the
    # JVM's window begins after its start, which lies in the machine's.
    noted = [flag["name"] for flag in flags if flag["name"] not in ("not-observed", "disturbed")]
    others, limit = others_share(m)
    if others > limit:
        noted.append("disturbed")
    return Trial(block, name, len({partition["partition"] for partition in read}), len(members),
                 sum(partition["records"] for partition in read), sum(partition["bytes"] for partition in read),
                 (last - first) / 1e9, (last - m["start_ns"]) / 1e9,
                 sum(process["window"]["cpu_ns"] for process in processes) / 1e9, others, " ".join(noted))


def others_share(m):
    """Share of the machine that other programs used in the window, and the share from which on it is a disturbance:
    tandem's rule. Reckoned anew, since tandem's own sum knows the launched process and not the program below it."""
    host = m["host"]
    capacity = host["wall_ns"] * host["cores"]
    idle = sum(host["cpu"][state] for state in ("idle_ns", "iowait_ns", "steal_ns"))
    # The window of the JVM begins after its start, which lies in the machine's.
    known = sum(p["stopwatch" if p["client"] == "ConsumerPerformance" else "window"]["cpu_ns"] for p in m["processes"])
    known += sum(host["brokers_cpu_ns"]) + host["coordinator_cpu_ns"]
    return max(0.0, (capacity - idle - known) / capacity), 0.05 + 2 * TICK_NS / capacity


def folder_of(processor):
    """Where the results of a machine with this processor are kept."""
    return RESULTS / re.sub(r"[^a-z0-9]+", "-", processor.lower()).strip("-")


def machines():
    """The folders of all machines that a shape was run on."""
    return sorted({path.parent for path in RESULTS.glob("*/*.csv")})


def store(shape, trials, about):
    """Writes the two files of a shape, which the tables are made from, to the folder of the machine."""
    folder = folder_of(about["processor"])
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{shape}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([field.name for field in fields(Trial)])
        writer.writerows(astuple(trial) for trial in trials)
    (folder / f"{shape}.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def load(folder, shape):
    """(trials, what the run was made with) of a shape as stored of a machine, or None where it was never run there."""
    path = folder / f"{shape}.csv"
    if not path.exists():
        return None
    types = {field.name: field.type for field in fields(Trial)}
    with open(path, newline="", encoding="utf-8") as file:
        rows = [Trial(**{name: types[name](value) for name, value in row.items()}) for row in csv.DictReader(file)]
    return rows, json.loads((folder / f"{shape}.json").read_text(encoding="utf-8"))
