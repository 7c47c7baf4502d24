"""What real senders sent: the files of a corpus, one Capture a request, datagram, connection or scrape."""

import json

# Headers that belong to the connection, not to the message.
HOP = {"host", "content-length", "transfer-encoding", "connection", "expect", "accept-encoding"}


class Capture:
    """One thing that was sent, with what is in it."""

    def __init__(self, path):
        self.path = path
        self.meta = json.loads(path.read_text())
        self.body = path.with_suffix(".body").read_bytes()
        self.expect = json.loads(path.with_name(path.stem + ".expect.json").read_text())
        self.signal = signal_of(self.expect)
        headers = {k.lower(): v for k, v in self.meta.get("headers", [])}
        self.all_headers = headers
        self.tenant = headers.get("x-scope-orgid")
        self.chunked = headers.get("transfer-encoding") == "chunked"
        self.headers = [(k, v) for k, v in self.meta.get("headers", [])
                        if k.lower() not in HOP and not k.startswith(":")]
        self.name = f"{path.parent.name}/{path.stem}"

    @property
    def transport(self):
        """http, grpc, tcp, udp or exposition."""
        word = self.meta["transport"].split()[0]
        return "http" if word == "http/1.1" else word

    @property
    def connection(self):
        return self.meta.get("connection")


def signal_of(expect):
    """otlp, remote_write_v1, remote_write_v2, loki, es, syslog, fluent, zipkin or exposition."""
    signal = expect["signal"]
    if signal in ("traces", "metrics", "logs"):
        return "otlp"
    return {"loki_push": "loki", "es_bulk": "es", "fluent_forward": "fluent", "zipkin_v2": "zipkin"}.get(signal, signal)


class Sender:
    """One client program: its captures in the order sent, and the bytes of its gRPC connections."""

    def __init__(self, folder):
        self.name = folder.name
        self.captures = [Capture(path) for path in sorted(folder.glob("[0-9][0-9][0-9].json"))]
        self.streams = {int(path.name[4:].split(".")[0]): path.read_bytes()
                        for path in sorted(folder.glob("conn*.c2s.bin"))}

    @property
    def is_exposition(self):
        return any(c.transport == "exposition" for c in self.captures)

    @property
    def is_grpc(self):
        return any(c.transport == "grpc" for c in self.captures)


def senders(corpus):
    return [Sender(folder) for folder in sorted((corpus / "captures").iterdir()) if folder.is_dir()]
