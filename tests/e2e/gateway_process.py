"""Starts, stops and kills a real gateway, and talks to it over keep-alive connections."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import threading
import urllib.parse

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def find_binary(given=None):
    """The binary to test: as given, from THROUGHLINE_BINARY, or the newest build."""
    given = given or os.environ.get("THROUGHLINE_BINARY")
    if given:
        return pathlib.Path(given).resolve()
    built = list(SOURCE.glob("build/*/gateway/throughline")) + list(SOURCE.glob("build/*/throughline"))
    if not built:
        raise SystemExit("no binary: build one (./run or ./test), or name one with --binary")
    return max(built, key=lambda path: path.stat().st_mtime)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Client:
    """One keep-alive connection a thread; reconnects when the server closed it."""

    def __init__(self, host_port, tenant=None):
        self.host, port = host_port.rsplit(":", 1)
        self.port = int(port)
        self.headers = {"X-Scope-OrgID": tenant} if tenant else {}
        self.local = threading.local()

    def request(self, method, path, body=None, headers=(), chunked=False):
        """Raises OSError or http.client.HTTPException when no answer comes."""
        sent = dict(self.headers, **dict(headers))
        for attempt in (0, 1):
            connection = getattr(self.local, "connection", None)
            fresh = connection is None
            if fresh:
                connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
                self.local.connection = connection
            try:
                if chunked:
                    pieces = (body[i : i + 4096] for i in range(0, len(body), 4096))
                    connection.request(method, path, pieces, sent, encode_chunked=True)
                else:
                    connection.request(method, path, body, sent)
                response = connection.getresponse()
                return Answer(response.status, response.headers, response.read())
            except (OSError, http.client.HTTPException):
                connection.close()
                self.local.connection = None
                # A kept connection may have been closed while idle: that one is tried anew.
                if fresh or attempt:
                    raise
        raise AssertionError("unreachable")

    def get(self, path, **query):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        return self.request("GET", path)

    def post(self, path, body, content_type, **headers):
        return self.request("POST", path, body, {"Content-Type": content_type, **headers})


class Gateway:
    """A process on ports of its own choice. Use as a context manager: leaving it stops it."""

    def __init__(self, data_dir, binary=None, environment=None, arguments=(), http_listen="127.0.0.1:0"):
        self.data_dir = pathlib.Path(data_dir)
        self.binary = find_binary(binary)
        self.http_listen = http_listen
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("THROUGHLINE_")},
            **(environment or {}),
        }
        self.arguments = list(arguments)
        self.process = None

    def start(self):
        self.log = open(self.data_dir.parent / (self.data_dir.name + ".log"), "ab")
        self.process = subprocess.Popen(
            [
                str(self.binary), "serve", "--data", str(self.data_dir),
                "--http-listen", self.http_listen, "--otlp-http-listen", "127.0.0.1:0",
                "--otlp-grpc-listen", "127.0.0.1:0", *self.arguments,
            ],
            stdout=subprocess.PIPE, stderr=self.log, env=self.environment, text=True,
        )
        line = self.process.stdout.readline()
        if not line.startswith("throughline ready"):
            status = self.reap()
            raise RuntimeError(f"not ready, ended with {status}: {line!r}\n{self.last_words()}")
        self.doors = dict(word.split("=", 1) for word in line.split() if "=" in word)
        return self

    def http(self, tenant=None):
        return Client(self.doors["http"], tenant)

    def otlp(self, tenant=None):
        return Client(self.doors["otlp_http"], tenant)

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        """kill -9. Raises what it logged if it had ended before."""
        self._end(signal.SIGKILL, -signal.SIGKILL)

    def stop(self):
        """SIGTERM. Raises what it logged if it did not end well: so ends a sanitizer that found something."""
        self._end(signal.SIGTERM, 0)

    def _end(self, how, expected):
        self.process.send_signal(how)
        status = self.reap()
        if status != expected:
            raise RuntimeError(f"ended with {status}, not {expected:d}:\n{self.last_words()}")

    def reap(self):
        """Waits for its end; returns the exit status."""
        status = self.process.wait(60)
        self.process.stdout.close()
        self.log.close()
        self.process = None
        return status

    def last_words(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")[-20000:]

    def __enter__(self):
        return self.start() if self.process is None else self

    def __exit__(self, *_):
        if self.process is not None:
            self.stop()
