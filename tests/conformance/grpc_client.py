"""gRPC calls made by hand over HTTP/2, so that every byte of a call can be what a sender really sent.

GrpcConnection speaks through the package h2; replay_stream sends the captured bytes of a whole
connection and reads the answers with the package hpack alone.
"""

import socket
import struct
import time

TIMEOUT_S = 20

try:
    import h2.config
    import h2.connection
    import h2.events
    import h2.exceptions
    import hpack
except ImportError:  # The caller says so: AVAILABLE.
    h2 = hpack = None

AVAILABLE = h2 is not None
WHY = "the Python package h2 is missing (python3-h2, or tests/e2e/prepare-clients)"


class GrpcAnswer:
    """How one call ended. `status` is None where no grpc-status came: `error` says what did."""

    def __init__(self):
        self.headers = {}
        self.data = b""
        self.error = None

    @property
    def status(self):
        return int(self.headers["grpc-status"]) if "grpc-status" in self.headers else None

    @property
    def message(self):
        """The response message, without its five-byte prefix."""
        return self.data[5:]

    def __str__(self):
        words = [f"grpc-status {self.status}", self.headers.get("grpc-message", ""), self.error or ""]
        return " ".join(w for w in words if w)[:300]


class GrpcConnection:
    """One HTTP/2 connection with prior knowledge; calls one after the other."""

    def __init__(self, address):
        self.authority = "%s:%d" % address
        self.socket = socket.create_connection(address, 5)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.is_open = True

    def close(self):
        self.socket.close()

    def call(self, path, headers, body):
        """`body` is what the DATA frames hold, prefix and all; `headers` without the pseudo ones."""
        answer = GrpcAnswer()
        try:
            self._call(path, headers, body, answer)
        except TimeoutError:
            answer.error = f"no answer within {TIMEOUT_S} s"
            self.is_open = False
        except (OSError, h2.exceptions.ProtocolError) as error:
            answer.error = repr(error)[:200]
            self.is_open = False
        return answer

    def _call(self, path, headers, body, answer):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", self.authority),
            *((k.lower(), v) for k, v in headers if k.lower() != "content-length")])
        deadline = time.monotonic() + TIMEOUT_S
        sent, ended = 0, False
        while True:
            while sent < len(body):
                room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(body) - sent)
                if room <= 0:
                    break
                self.h2.send_data(stream, body[sent : sent + room])
                sent += room
            if sent == len(body) and not ended:
                self.h2.end_stream(stream)
                ended = True
            if self._exchange(stream, answer, deadline):
                return

    def _exchange(self, stream, answer, deadline):
        """Sends what waits and reads once; true when the call is over."""
        self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
        self.socket.sendall(self.h2.data_to_send())
        data = self.socket.recv(65536)
        if not data:
            answer.error = "closed without an answer"
            self.is_open = False
            return True
        over = False
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.ConnectionTerminated):
                self.is_open = False
                answer.error = f"GOAWAY {event.error_code}"
                over = over or "grpc-status" not in answer.headers
            if getattr(event, "stream_id", None) != stream:
                continue
            if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                answer.headers.update(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                answer.data += event.data
                if event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
            elif isinstance(event, h2.events.StreamEnded):
                over = True
            elif isinstance(event, h2.events.StreamReset):
                over = True
                if answer.status is None:
                    answer.error = f"RST_STREAM {event.error_code}"
        try:
            self.socket.sendall(self.h2.data_to_send())
        except OSError:
            self.is_open = False
        return over


# --- The bytes of a captured connection.

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, END_HEADERS, PADDED, PRIORITY, ACK = 0x1, 0x4, 0x8, 0x20, 0x1


def frames(data, offset=0):
    """(type, flags, stream, payload, offset after it) of each whole frame."""
    while offset + 9 <= len(data):
        high, low, kind, flags, stream = struct.unpack_from(">BHBBI", data, offset)
        end = offset + 9 + (high << 16 | low)
        if end > len(data):
            return
        yield kind, flags, stream & 0x7FFFFFFF, data[offset + 9 : end], end
        offset = end


class _Answers:
    """Reads the server's side of a connection: the grpc-status of each stream."""

    def __init__(self):
        self.statuses = {}
        self.decoder = hpack.Decoder()
        self.pending = b""
        self.block = b""
        self.goaway = None

    def feed(self, data):
        self.pending += data
        done = 0
        for kind, flags, stream, payload, done in frames(self.pending):
            if kind in (HEADERS, CONTINUATION):
                if kind == HEADERS:
                    pad = payload[0] if flags & PADDED else 0
                    skip = (1 if flags & PADDED else 0) + (5 if flags & PRIORITY else 0)
                    payload = payload[skip : len(payload) - pad]
                    self.ends = flags & END_STREAM
                self.block += payload
                if flags & END_HEADERS:
                    headers = dict(self.decoder.decode(self.block))
                    self.block = b""
                    if self.ends or "grpc-status" in headers:
                        self.statuses[stream] = int(headers.get("grpc-status", -1))
            elif kind == RST_STREAM:
                self.statuses.setdefault(stream, f"RST_STREAM {struct.unpack('>I', payload)[0]}")
            elif kind == GOAWAY:
                self.goaway = payload
        self.pending = self.pending[done:]


def replay_stream(address, data):
    """Sends the bytes of one connection as captured, waiting for each call's answer where its request
    ends. Returns ({stream id: grpc status, or what came instead}, problem or None)."""
    if not data.startswith(PREFACE):
        return {}, "no HTTP/2 preface"
    answers, asked, sent = _Answers(), set(), 0
    with socket.create_connection(address, 5) as connection:
        try:
            for kind, flags, stream, _, end in frames(data, len(PREFACE)):
                if kind == HEADERS:
                    asked.add(stream)
                if kind not in (DATA, HEADERS) or not flags & END_STREAM:
                    continue
                connection.sendall(data[sent:end])
                sent = end
                _read_until(connection, answers, lambda: stream in answers.statuses)
            connection.sendall(data[sent:])
            _read_until(connection, answers, lambda: asked <= answers.statuses.keys())
        except TimeoutError:
            return answers.statuses, f"no answer within {TIMEOUT_S} s to {sorted(asked - answers.statuses.keys())}"
        except (OSError, hpack.HPACKError) as error:
            return answers.statuses, repr(error)[:200]
    left = sorted(asked - answers.statuses.keys())
    return answers.statuses, f"no answer to streams {left}, GOAWAY {answers.goaway}" if left else None


def _read_until(connection, answers, done):
    deadline = time.monotonic() + TIMEOUT_S
    while not done():
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        data = connection.recv(65536)
        if not data:
            return
        answers.feed(data)
