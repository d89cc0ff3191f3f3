"""Lets groups of 50 to 500 members join, read once and report, in processes of ten. Prints how long connecting, joining and
collecting take, and the peak memory of `tandem run`."""

import os
import statistics
import threading
import time
from pathlib import Path

import build
import document
import runs

QUESTION, TIME = "Do joining and collecting grow no worse than with the number of members?", "About 2 minutes"
DOCUMENT, DRAWING = Path("docs/hosts.md"), Path("docs/many.svg")
MEMBERS, PROCESS, RECORDS_EACH = [50, 100, 200, 300, 500], 10, 200
# What `tandem run` may use, and how much more than in proportion a phase may take of the most members.
MEMORY_MB, GROWTH = 300, 1.5
PHASES = {"connecting": ("spawn_ns", "subscribe_ns"), "joining": ("subscribe_ns", "joined_ns"),
          "collecting": ("end_ns", "results_ns")}
COLOURS = {"connecting": "#2f6db5", "joining": "#c8642c", "collecting": "#3a8a53"}


def arguments(parser):
    parser.add_argument("--members", type=int, action="append", help=f"so many [default: {', '.join(map(str, MEMBERS))}]")
    parser.add_argument("--repetitions", type=int, default=3, help="trials of each number [default: 3]")
    parser.add_argument("--tandem", type=Path, help="a program of tandem that is built already")
    document.add_write(parser, DOCUMENT)


class PeakMemory(threading.Thread):
    """Looks at the peak memory of the program of tandem that this process has started."""

    def __init__(self, tandem):
        super().__init__(daemon=True)
        self.tandem, self.peak_mb, self.ended = Path(tandem).resolve(), 0.0, False

    def run(self):
        while not self.ended:
            for pid in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text(encoding="utf-8").split():
                self.look(Path("/proc") / pid)
            time.sleep(0.1)

    def look(self, process):
        try:
            if (process / "exe").resolve() != self.tandem:
                return
            status = (process / "status").read_text(encoding="utf-8")
        except OSError:
            # It has ended.
            return
        kilobytes = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        self.peak_mb = max([self.peak_mb, *(int(size) * 1024 / 1e6 for size in kilobytes)])


def measured(tandem, members, repetitions):
    """Medians of the phases in seconds, the peak memory in MB, and what is wrong with a run of so many members."""
    values = {"members": members, "processes": members // PROCESS, "records": members * RECORDS_EACH,
              "repetitions": repetitions}
    memory = PeakMemory(tandem)
    memory.start()
    run = runs.Run(tandem, "many", values, ["--join-limit", 600])
    memory.ended = True
    trials = [trial["measurement"] for trial in run.trials if trial["measurement"]]
    wrong = [trial["status"]["status"] for trial in run.trials if trial["status"]["status"] == "failed"]
    wrong += ["lost or doubled" for trial in trials if trial["lost"] + trial["duplicated"]]
    if not trials:
        raise ValueError(f"no trial of {members} members gave figures")
    seconds = {name: statistics.median((trial[until] - trial[since]) / 1e9 for trial in trials)
               for name, (since, until) in PHASES.items()}
    return seconds, memory.peak_mb, wrong


def grows_well(found, phase):
    """Whether a phase takes no longer for the most members than in proportion to half as many or more."""
    most = max(found)
    before = max(members for members in found if members <= most / 2)
    return found[most][0][phase] <= GROWTH * most / before * max(found[before][0][phase], 0.1)


def table(found):
    lines = ["| members | processes | connecting | joining | collecting | peak memory of `tandem run` | wrong |",
             "|--:|--:|--:|--:|--:|--:|---|"]
    for members, (seconds, memory_mb, wrong) in found.items():
        phases = " | ".join(f"{seconds[name]:.2f} s" for name in PHASES)
        lines.append(f"| {members:,} | {members // PROCESS} | {phases} | {memory_mb:.0f} MB | "
                     f"{', '.join(wrong) or 'nothing'} |")
    return "\n".join(lines)


def drawn(found):
    """The phases over the number of members, both axes from zero: what grows in proportion is a straight line."""
    width, height, left, top, right, bottom = 720, 360, 60, 20, 110, 50
    most = max(found)
    longest = max(max(seconds.values()) for seconds, *_ in found.values())

    def at(members, seconds):
        return (left + members / most * (width - left - right), height - bottom - seconds / longest * (height - top - bottom))

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">',
             "<title>Seconds of connecting, joining and collecting over the number of members</title>",
             f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
             f'<path d="M{left},{top} V{height - bottom} H{width - right}" fill="none" stroke="#555555"/>',
             f'<text x="{(left + width - right) / 2:.0f}" y="{height - 10}" text-anchor="middle">members</text>',
             f'<text x="{left - 6}" y="{top + 5}" text-anchor="end">{longest:.1f} s</text>',
             f'<text x="{left - 6}" y="{height - bottom}" text-anchor="end">0</text>']
    for members in found:
        x, _ = at(members, 0)
        lines.append(f'<text x="{x:.0f}" y="{height - bottom + 18}" text-anchor="middle">{members:,}</text>')
    for name, colour in COLOURS.items():
        points = [at(members, seconds[name]) for members, (seconds, *_) in found.items()]
        lines.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" stroke="{colour}" '
                     'stroke-width="2"/>')
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
        x, y = points[-1]
        lines.append(f'<text x="{x + 8:.0f}" y="{y + 4:.0f}" fill="{colour}">{name}</text>')
    return "\n".join([*lines, "</svg>", ""])


def main(given):
    tandem = given.tandem or build.tandem()
    found = {members: measured(tandem, members, given.repetitions) for members in sorted(given.members or MEMBERS)}
    text = table(found)
    print(text)
    wrong = [f"{members} members: {', '.join(wrong)}" for members, (_, _, wrong) in found.items() if wrong]
    wrong += [f"{memory_mb:.0f} MB for {members} members" for members, (_, memory_mb, _) in found.items()
              if memory_mb >= MEMORY_MB]
    if len(found) > 2:
        wrong += [f"{phase} grows worse than in proportion" for phase in PHASES if not grows_well(found, phase)]
    for what in wrong:
        print(f"wrong: {what}")
    if given.write:
        document.put(DOCUMENT, "many", text)
        DRAWING.write_text(drawn(found), encoding="utf-8")
    return runs.WRONG if wrong else runs.DONE
