"""What the end-to-end tests share: a fresh data directory and gateways that never outlive a test."""

import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "conformance")]

import clients  # noqa: E402
from gateway_process import Gateway, find_binary  # noqa: E402


class GatewayCase(unittest.TestCase):
    def setUp(self):
        clients.begun = True
        self.work = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.binary = find_binary()

    def gateway(self, name="data", **options):
        """Started, and stopped when the test ends."""
        return self.enterContext(Gateway(self.work / name, self.binary, **options))
