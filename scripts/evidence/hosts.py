"""Hosts on this machine that tandem reaches by ssh: OpenSSH servers whose processes have a clock of their own. Needs root."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import build

SSHD, SSH = "/usr/sbin/sshd", "/usr/bin/ssh"
# Starts a program in a time namespace, and a connection that holds up every byte.
MOVED_CLOCK, DELAY = Path("tests/it/workers/moved_clock.py"), build.WORKERS / "delay.py"
SERVER = """ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
SetEnv XDG_CACHE_HOME={folder}/cache
"""
CLIENT = """Host {name}
HostName 127.0.0.1
Port {port}
IdentityFile {folder}/user
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile {folder}/known
StrictHostKeyChecking yes
"""


@dataclass
class Host:
    """A host by its name, the nanoseconds by which its clock is ahead, and the seconds that each way to it takes."""

    name: str
    ahead_ns: int = 0
    way: float = 0.0


@contextlib.contextmanager
def started(hosts):
    """The environment of a program whose ssh knows these hosts, which run meanwhile."""
    if not Path(SSHD).exists() or os.geteuid():
        raise build.Missing(f"hosts with clocks of their own need root, and {SSHD} of the package openssh-server")
    with tempfile.TemporaryDirectory(prefix="tandem-hosts-") as scratch, contextlib.ExitStack() as servers:
        folder = Path(scratch)
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
        Path("/run/sshd").mkdir(exist_ok=True)
        with open(folder / "ssh_config", "w", encoding="utf-8") as client, \
                open(folder / "known", "w", encoding="utf-8") as known:
            for host in hosts:
                port = free_port()
                servers.enter_context(server(host, port, folder))
                known.write(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text(encoding='utf-8')}")
                client.write(CLIENT.format(name=host.name, port=port, folder=folder))
                if host.way:
                    client.write(f"ProxyCommand {sys.executable} {DELAY.resolve()} 127.0.0.1 {port} {host.way}\n")
        # ssh looks for its configuration in the home of the account, whatever HOME says.
        wrapper = folder / "bin/ssh"
        wrapper.parent.mkdir()
        wrapper.write_text(f'#!/bin/sh\nexec {SSH} -F {folder}/ssh_config "$@"\n', encoding="utf-8")
        wrapper.chmod(0o755)
        yield {**os.environ, "PATH": f"{wrapper.parent}:{os.environ['PATH']}"}


@contextlib.contextmanager
def server(host, port, folder):
    """An OpenSSH server in a time namespace."""
    config = folder / f"sshd-{host.name}"
    config.write_text(SERVER.format(port=port, folder=folder), encoding="utf-8")
    seconds, nanoseconds = divmod(host.ahead_ns, 10**9)
    command = [sys.executable, MOVED_CLOCK, str(seconds), str(nanoseconds), SSHD, "-D", "-e", "-f", config]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=open(folder / "log", "a", encoding="utf-8"), start_new_session=True)
    try:
        wait_until(lambda: listens(port), 20, f"{SSHD} did not start: see {folder}/log")
        yield
    finally:
        # It waits for the server, which is its only child.
        subprocess.run([shutil.which("pkill") or "pkill", "-KILL", "-P", str(process.pid)])
        process.wait()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listens(port):
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def wait_until(holds, seconds, otherwise):
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise build.Missing(otherwise)
        time.sleep(0.02)
