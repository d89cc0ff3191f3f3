"""scripts/compiler-flags: librdkafka's rdkafka_performance with the library compiled as tandem compiles it and as the
library compiles itself, both at the same time in one run."""

import argparse
import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import build as cargo
import ratios
import trials
from document import put

SCENARIO = Path("scripts/peers.d/together.toml")
BEGIN, END = "<!-- compiler-flags: made by scripts/compiler-flags, not by hand -->", "<!-- compiler-flags: end -->"
SHAPES = {"100 B": (100, 30_000_000), "1 KiB": (1024, 7_200_000)}
TANDEMS, OWN = "as tandem compiles it", "as it compiles itself"


class OwnBuild(cargo.Build):
    """The same library compiled once more, without tandem's flags, in a folder of its own."""

    def __init__(self, messages, folder):
        super().__init__(messages)
        self.copy = folder / "librdkafka"
        shutil.copytree(super().librdkafka(), self.copy, symlinks=True)
        # Of the program itself, which is compiled alike in both.
        self.flags = super().library_flags()
        config = self.copy / "Makefile.config"
        config.write_text(re.sub(r"^CFLAGS\+=.*$", self.without_flags, config.read_text(encoding="utf-8"),
                                 flags=re.MULTILINE), encoding="utf-8")
        if left := super().library_flags():
            raise cargo.Missing(f"{config} still asks for {shlex.join(left)}")
        for made in [*(self.copy / "src").rglob("*.o"), *(self.copy / "src").glob("*.a")]:
            made.unlink()
        # A CFLAGS of the environment would come on top.
        clean = {name: value for name, value in os.environ.items() if name != "CFLAGS"}
        done = subprocess.run(["make", f"-j{os.cpu_count()}", "librdkafka.a"], cwd=self.copy / "src", env=clean,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise cargo.Missing(f"librdkafka could not be compiled again; make said at its end:\n{done.stdout[-2000:]}")
        self.folder = folder

    def without_flags(self, line):
        """A line of flags without tandem's."""
        return " ".join(word for word in line[0].split() if word not in self.flags)

    def library_flags(self):
        return self.flags

    def librdkafka(self):
        return self.copy

    def linker_flags(self):
        # Where cargo has put the library, there is the copy to be taken.
        theirs = str(super().librdkafka())
        flags = [flag.replace(theirs, str(self.copy)) for flag in super().linker_flags()]
        if not any(flag.startswith(f"-L{self.copy}") for flag in flags):
            raise cargo.Missing(f"the linker is not told of {theirs}, so that the copy of it cannot take its place")
        return flags


def scenario(size, records, programs, scratch):
    """together.toml with the two programs in place of tandem and its peer."""
    worker = [sys.executable, "scripts/peers.d/rdkafka_performance.py"]
    first, second = ([*worker, str(program), name] for name, program in programs.items())
    text = SCENARIO.read_text(encoding="utf-8")
    text = re.sub(r"\{(size|records)\}", lambda found: str({"size": size, "records": records}[found[1]]), text)
    launcher = [sys.executable, "scripts/peers.d/together.py", str(scratch), *first, "--", *second]
    # A list of strings is the same in TOML as in JSON.
    return re.sub(r"^launcher = .*$", lambda _: f"launcher = {json.dumps(launcher)}", text, flags=re.MULTILINE)


def table(shape, rows):
    """A row for each of the two: medians, and the ratios of tandem's flags to none."""
    cases = {name: [row for row in rows if row.case == name] for name in (OWN, TANDEMS)}

    def ratio(name, value):
        if name == OWN:
            return "1"
        found = ratios.paired_ratio(*({t.block: value(t) for t in cases[case]} for case in (name, OWN)))
        return f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"

    lines = []
    for name, of_case in cases.items():
        def speed(trial):
            return trial.records / trial.first_to_last

        def cpu(trial):
            return trial.cpu / trial.records

        lines.append(f"| {shape} | {name} | {statistics.median(map(speed, of_case)) / 1e6:.2f} M | {ratio(name, speed)} "
                     f"| {statistics.median(map(cpu, of_case)) * 1e6:.3f} | {ratio(name, cpu)} |")
    return lines


def main():
    parser = argparse.ArgumentParser(prog="scripts/compiler-flags", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="counted rounds [default: 20]")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    given = parser.parse_args()
    messages = cargo.build_messages()
    flags = cargo.Build(messages).library_flags()
    if not flags:
        raise cargo.Missing("tandem's own librdkafka was compiled without further flags: .cargo/config.toml was not read, "
                            "or CFLAGS was set, when it was built; `cargo clean --release -p rdkafka-sys` and build again")
    lines = ["| records | the library | records/s | speed | CPU s per million records | CPU |", "|---|---|--:|--:|--:|--:|"]
    with tempfile.TemporaryDirectory(prefix="tandem-compiler-flags-") as scratch:
        scratch = Path(scratch)
        programs = {}
        for name, built in ((TANDEMS, cargo.Build(messages)), (OWN, OwnBuild(messages, scratch / "own"))):
            print(f"built: {shlex.join(cargo.compile_program(built, 'mimalloc'))}", file=sys.stderr)
            programs[name] = built.program("mimalloc")
        for shape, (size, records) in SHAPES.items():
            turns = scratch / f"turns-{size}"
            turns.mkdir()
            file = scratch / f"{size}.toml"
            file.write_text(scenario(size, records, programs, turns), encoding="utf-8")
            folder = scratch / f"run-{size}"
            code = subprocess.run([cargo.program(messages), "run", file, "--repetitions", str(given.rounds),
                                   "--out", folder]).returncode
            if code not in (0, 1):
                return code
            rows, problems = trials.from_run(folder, {name: name for name in programs})
            if problems:
                print("trials failed, the table is not written: " + "; ".join(problems), file=sys.stderr)
                return 1
            lines += table(shape, rows)
    text = "\n".join([f"`scripts/compiler-flags --rounds {given.rounds}`: rdkafka_performance with mimalloc, "
                      f"`{shlex.join(flags)}` against the library's own `-O2`. Medians; ratios within rounds with their "
                      "95 % interval.", "", *lines])
    print(text)
    if given.write:
        put(BEGIN, END, text)
    return 0


if __name__ == "__main__":
    cargo.end_with("scripts/compiler-flags", main)
