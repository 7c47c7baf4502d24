"""Real client programs: packages from PyPI in build/clients (prepare-clients) and Debian's binaries.

A test that needs one names it first; where it is missing the test ends as skipped and says what to
install: the whole file, which ctest knows by SKIP_RETURN_CODE, or the test that has begun.
"""

import importlib
import importlib.metadata
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

SKIPPED = 77
begun = False  # A test has: case.py says so.
SOURCE = pathlib.Path(__file__).resolve().parents[2]


def activate():
    """Makes the packages of build/clients importable, where they are installed, before any others."""
    folder = SOURCE / "build/clients/lib" / "python{}.{}".format(*sys.version_info) / "site-packages"
    if folder.is_dir() and str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def skip(why):
    if begun:
        raise unittest.SkipTest(why)
    print(f"SKIPPED: {why}")
    sys.exit(SKIPPED)


def require(distribution, *modules):
    """The modules of a PyPI package, imported; the test is skipped where it is missing."""
    activate()
    try:
        imported = [importlib.import_module(name) for name in modules]
    except ImportError as error:
        skip(f"{distribution} is not installed ({error}): run tests/e2e/prepare-clients, with a network")
    print(f"client: {distribution} {importlib.metadata.version(distribution)}", file=sys.stderr)
    return imported[0] if len(imported) == 1 else imported


def program(name, package):
    """The path of a program of a Debian package; the test is skipped where it is missing."""
    found = shutil.which(name)
    if found is None:
        skip(f"{name} is not installed: apt-get install {package} (packaging/install-packages test)")
    lines = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=60)
    print("client: " + (lines.stdout or lines.stderr).splitlines()[0], file=sys.stderr)
    return found


def eventually(ask, what, seconds=60):
    """The first true answer of `ask`, for senders that send when they like."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(0.05)
