"""scripts/compiler-flags: librdkafka's rdkafka_performance with the library compiled as tandem compiles it and as the
library compiles itself, both at the same time in one run."""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import build as cargo
import runs
import side_by_side
from document import put

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


def command(program, name):
    """The command line of a worker around a program, whose client is called by its name."""
    return [sys.executable, "scripts/peers.d/rdkafka_performance.py", program, name]


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
            both = (command(program, name) for name, program in programs.items())
            rows = side_by_side.run(cargo.program(messages), scratch, size, records, *both, given.rounds,
                                    lambda process, _: process["client"])
            lines += side_by_side.table(shape, rows, OWN, TANDEMS, lambda trial: trial.first_to_last)
    text = "\n".join([f"`scripts/compiler-flags --rounds {given.rounds}`: rdkafka_performance with mimalloc, "
                      f"`{shlex.join(flags)}` against the library's own `-O2`. Medians; ratios within rounds with their "
                      "95 % interval.", "", *lines])
    print(text)
    if given.write:
        put(BEGIN, END, text)
    return runs.DONE


if __name__ == "__main__":
    cargo.end_with("scripts/compiler-flags", main)
