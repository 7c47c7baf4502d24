"""Debian's rsyslog and syslog-ng as ordinary processes, unpacked in build/daemons (packaging/unpack-packages).

Each takes messages from a Unix datagram socket of its own, as /dev/log is one, and does with them what
the configuration under test says. Their state stays in the test's folder, and they end with the test.
"""

import os
import pathlib
import platform
import shutil
import socket
import subprocess

import clients

UNPACKED = clients.SOURCE / "build/daemons"
LIBRARIES = UNPACKED / f"usr/lib/{platform.machine()}-linux-gnu"


def find(name):
    """The path of an unpacked daemon; the test is skipped where it is missing."""
    found = shutil.which(name, path=UNPACKED / "usr/sbin")
    if found is None:
        clients.skip(f"{name} is not there: run packaging/unpack-packages build/daemons, with a network")
    return found


class Daemon:
    """A process that reads `work`/log.sock. Use as a context manager: leaving it stops the process."""

    def __init__(self, work, included):
        self.work = pathlib.Path(work)
        self.work.mkdir()
        self.socket = self.work / "log.sock"
        self.included = included
        self.log = self.work / "log"

    def command(self):
        raise NotImplementedError

    def __enter__(self):
        environment = {**os.environ, "LD_LIBRARY_PATH": str(UNPACKED / "usr/lib/syslog-ng")}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, env=environment)
        clients.eventually(lambda: self.socket.exists() or self.process.poll() is not None, "its socket")
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended: {self.log.read_text()}")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)

    def say(self, message):
        """One message as syslog(3) or logger(1) would write it to /dev/log."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.connect(str(self.socket))
            to.send(message.encode())


class Rsyslog(Daemon):
    def command(self):
        main = self.work / "rsyslog.conf"
        main.write_text(
            f'global(workDirectory="{self.work}")\n'
            'module(load="imuxsock" SysSock.Use="off")\n'
            f'input(type="imuxsock" Socket="{self.socket}" UseSpecialParser="off" IgnoreTimestamp="off")\n'
            f'include(file="{self.included}")\n')
        return [find("rsyslogd"), "-n", "-i", "NONE", "-f", main, "-M", LIBRARIES / "rsyslog"]


class SyslogNg(Daemon):
    def command(self):
        main = self.work / "syslog-ng.conf"
        main.write_text(
            "@version: 3.35\n"
            f'source s_src {{ unix-dgram("{self.socket}" flags(syslog-protocol)); }};\n'
            f'@include "{self.included}"\n')
        program = find("syslog-ng")
        modules = next((UNPACKED / "usr/lib/syslog-ng").glob("[0-9]*"))
        return [program, "--foreground", "--no-caps", "-f", main, "--module-path", modules,
                "-R", self.work / "persist", "-c", self.work / "control", "-p", self.work / "pid"]
