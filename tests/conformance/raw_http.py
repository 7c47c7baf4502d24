"""HTTP/1.1 by hand: requests that no client library would send, and answers read to their end."""

import re
import socket
import time

TIMEOUT_S = 20


class RawAnswer:
    """`status` is 0 where the connection was closed without an answer, -1 where none came in time."""

    def __init__(self, status, headers=None, body=b""):
        self.status, self.headers, self.body = status, headers or {}, body


def exchange(address, request, answers=1):
    """Sends `request` as it is and reads that many answers (a 100 Continue is none)."""
    out = []
    with socket.create_connection(address, 5) as connection:
        reader = _Reader(connection)
        connection.settimeout(TIMEOUT_S)
        try:
            connection.sendall(request)
        except TimeoutError:
            return [RawAnswer(-1)]
        except OSError:
            pass  # Refused before it was read whole: the answer says why.
        while len(out) < answers:
            try:
                answer = reader.answer()
            except TimeoutError:
                answer = RawAnswer(-1, body=reader.data)
            except OSError:
                answer = RawAnswer(0, body=reader.data)
            if answer.status == 100:
                continue
            out.append(answer)
            if answer.status <= 0:
                break
    return out


def request(address, method, path, headers, body):
    """One request on a connection of its own."""
    head = [f"{method} {path} HTTP/1.1", "Host: %s:%d" % address, *(f"{k}: {v}" for k, v in headers),
            f"Content-Length: {len(body)}", "Connection: close"]
    return exchange(address, "\r\n".join(head).encode("latin1") + b"\r\n\r\n" + body)[0]


class _Reader:
    def __init__(self, connection):
        self.connection, self.data = connection, b""
        self.deadline = time.monotonic() + TIMEOUT_S

    def more(self):
        self.connection.settimeout(max(self.deadline - time.monotonic(), 0.001))
        chunk = self.connection.recv(65536)
        if not chunk:
            raise ConnectionError("closed")
        self.data += chunk

    def answer(self):
        while b"\r\n\r\n" not in self.data:
            self.more()
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        lines = head.decode("latin1").split("\r\n")
        if not re.match(r"HTTP/\d\.\d \d\d\d", lines[0]):
            return RawAnswer(0, body=head)
        headers = dict((k.lower(), v.strip()) for k, _, v in (line.partition(":") for line in lines[1:]))
        status, length = int(lines[0].split()[1]), int(headers.get("content-length", 0))
        while len(self.data) < length:
            self.more()
        body, self.data = self.data[:length], self.data[length:]
        return RawAnswer(status, headers, body)
