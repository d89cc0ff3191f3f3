"""Builds what is compared: tandem, and librdkafka's rdkafka_performance from the source that comes with tandem's own
copy of the library, linked to the very archive that tandem was linked to; once with the system's allocator and once
with the object of mimalloc that is in tandem. Where things are is asked of cargo, not guessed.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import runs

WORKERS = Path("scripts/evidence/workers")
RESULTS = Path("results")
# The packages whose build scripts say what librdkafka needs of the linker, in the linker's order.
LIBRARIES = ["rdkafka-sys", "zstd-sys", "openssl-sys", "libz-sys"]
HELD_CALLS = ["rd_kafka_topic_new", "rd_kafka_consume_start_queue", "rd_kafka_consume_stop"]


class Missing(Exception):
    """Something is not there, and this says what."""


def end_with(command, main):
    """Ends this program with what `main` returns: 2 and one sentence where something is not there or not as it should
    be, 128 and the number of a signal that ended it."""
    runs.end_in_order()
    try:
        sys.exit(main())
    except (Missing, ValueError) as problem:
        print(f"{command}: {problem}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def build_messages(*arguments):
    """Builds what these arguments of cargo ask for, or a release of tandem; returns what cargo says of it, a dictionary
    for each message."""
    command = ["cargo", *(arguments or ("build", "--release", "--bin", "tandem")), "--locked", "--message-format",
               "json-render-diagnostics"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    if done.returncode:
        raise Missing("tandem could not be built; see above")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def program(messages, name="tandem"):
    """A program that cargo has built."""
    return Path([m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == name][-1])


def tandem():
    """A release of tandem, built now."""
    return program(build_messages())


def add_tandem(parser):
    """The flag of questions that need nothing built but tandem."""
    parser.add_argument("--tandem", type=Path, help="a release of tandem that is built already [default: it is built now]")


def chosen(given):
    """The program that the flag names, or a release that is built now."""
    return given.tandem or tandem()


def name_of(package_id):
    """`rdkafka-sys` of `registry+https://...#rdkafka-sys@4.10.0+2.12.1`."""
    return re.search(r"([^#/@]+)@[^@]*$", package_id).group(1)


class Build:
    """Where cargo has put what is needed."""

    def __init__(self, messages):
        scripts = [m for m in messages if m["reason"] == "build-script-executed"]
        self.scripts = {name_of(m["package_id"]): m for m in scripts if "@" in m["package_id"].split("#")[-1]}
        self.tandem = program(messages)
        self.folder = self.tandem.parent / "peers"
        for package in LIBRARIES[:1] + ["libmimalloc-sys"]:
            if package not in self.scripts:
                raise Missing(f"{package} is not among what tandem was built from")

    def librdkafka(self):
        """The folder that the library was built in, with its sources, its examples and config.h."""
        folder = Path(self.scripts["rdkafka-sys"]["out_dir"])
        for needed in ["examples/rdkafka_performance.c", "config.h", "src/librdkafka.a"]:
            if not (folder / needed).is_file():
                raise Missing(f"{folder} has no {needed}, which rdkafka-sys has brought so far")
        return folder

    def library_flags(self):
        """The compiler's flags that the library was built with beside its own -O2, as its build has noted them."""
        noted = re.search(r"^CFLAGS\+=(.*)$", (self.librdkafka() / "Makefile.config").read_text(encoding="utf-8"),
                          re.MULTILINE)
        flags = shlex.split(noted.group(1)) if noted else []
        return list(dict.fromkeys(flag for flag in flags if not flag.startswith("-I")))

    def mimalloc(self):
        """The archive of the allocator that tandem has."""
        return Path(self.scripts["libmimalloc-sys"]["out_dir"]) / "libmimalloc.a"

    def linker_flags(self):
        flags = []
        for package in LIBRARIES:
            script = self.scripts.get(package, {"linked_paths": [], "linked_libs": []})
            flags += ["-L" + path.split("=")[-1] for path in script["linked_paths"]]
            for library in dict.fromkeys(script["linked_libs"]):
                kind, _, name = library.rpartition("=")
                flags.append(f"-l:lib{name}.a" if kind.startswith("static") else f"-l{name}")
        return flags + ["-lm", "-ldl", "-lpthread", "-lrt"]

    def compile_command(self, allocator, held):
        """The compiler's command line for rdkafka_performance with this allocator, "system" or "mimalloc", compiled as
        the library is; where it is held until a common start, with hold.c."""
        source = self.librdkafka()
        command = [*shlex.split(os.environ.get("CC", "cc")), "-O2", "-g", "-w", *self.library_flags(), "-I", str(source),
                   "-I", str(source / "src"), str(source / "examples/rdkafka_performance.c")]
        if held:
            command += [str(WORKERS / "hold.c"), *(f"-Wl,--wrap={call}" for call in HELD_CALLS)]
        if allocator == "mimalloc":
            # All of it, or the linker would take malloc from the C library.
            command += ["-Wl,--whole-archive", str(self.mimalloc()), "-Wl,--no-whole-archive"]
        return command + self.linker_flags() + ["-o", str(self.program(allocator, held))]

    def program(self, allocator, held=True):
        return self.folder / f"rdkafka_performance-{allocator}{'' if held else '-as-it-is'}"


def compile_program(build, allocator, held=True):
    """Compiles rdkafka_performance, says how, and makes sure that it has the allocator that it should have."""
    build.folder.mkdir(parents=True, exist_ok=True)
    command = build.compile_command(allocator, held)
    if not shutil.which(command[0]):
        raise Missing(f"a C compiler is needed to build rdkafka_performance, and {command[0]!r} is not on PATH")
    done = subprocess.run(command, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Missing("rdkafka_performance could not be built with:\n" + shlex.join(command))
    program = build.program(allocator, held)
    found = allocator_of(program)
    if found != allocator:
        raise Missing(f"{program} was to use the {allocator} allocator but uses {found}")
    print(f"built: {shlex.join(command)}", file=sys.stderr)
    return program


def allocator_of(program):
    """The allocator whose malloc a program calls: its own, which is mimalloc's, or the C library's.

    That mimalloc announces itself would prove nothing: it does so wherever it is linked, called or not.
    """
    symbols = subprocess.run(["nm", str(program)], capture_output=True, text=True, check=True).stdout
    return "mimalloc" if re.search(r" [TW] malloc$", symbols, re.MULTILINE) else "system"
