"""Sends captures through the doors that they came through, byte by byte as they were captured."""

import http.server
import socket
import threading

import answers
import doors
import grpc_client

PUSH_PATH = "/api/v1/import/openmetrics"


class Wrong(Exception):
    """The gateway did not answer as it should; says how."""


class Session:
    """Connections to one gateway: each connection of a sender is one here, too."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.http, self.grpc = {}, {}

    def close(self):
        for connection in self.grpc.values():
            connection.close()

    def send(self, capture):
        """Raises Wrong, doors.NoDoor or OSError."""
        problem = {"http": self._http, "grpc": self._grpc, "udp": self._udp, "tcp": self._tcp}[capture.transport](capture)
        if problem:
            raise Wrong(f"{capture.name} {capture.meta.get('path', '')}: {problem}")

    def _http(self, capture):
        door = "otlp_http" if capture.signal == "otlp" else "http"
        client = self.http.setdefault(door, self.gateway.otlp() if door == "otlp_http" else self.gateway.http())
        answer = client.request(capture.meta["method"], capture.meta["path"], capture.body, capture.headers,
                                chunked=capture.chunked)
        if answer.status == 404:
            raise doors.NoDoor(capture.meta["path"])
        return answers.problem_of(capture, answer)

    def _grpc(self, capture):
        address = doors.address(self.gateway, "otlp_grpc")
        if not grpc_client.AVAILABLE:
            raise doors.NoDoor(grpc_client.WHY)
        key = (capture.path.parent.name, capture.connection)
        if key not in self.grpc or not self.grpc[key].is_open:
            self.grpc[key] = grpc_client.GrpcConnection(address)
        return answers.grpc(self.grpc[key].call(capture.meta["path"], capture.headers, capture.body))

    def _udp(self, capture):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(capture.body, doors.address(self.gateway, "syslog_udp"))

    def _tcp(self, capture):
        door = "fluent" if capture.signal == "fluent" else "syslog_tcp"
        with socket.create_connection(doors.address(self.gateway, door), 5) as tcp:
            tcp.sendall(capture.body)

    def push(self, capture):
        """An exposition, as a push."""
        headers = {k: v for k, v in capture.meta["headers"] if k.lower() == "content-type"}
        answer = self.gateway.http().request("POST", PUSH_PATH, capture.body, headers)
        if answer.status == 404:
            raise doors.NoDoor(PUSH_PATH)
        problem = answers.problem_of(capture, answer)
        if problem:
            raise Wrong(f"{capture.name} pushed: {problem}")


class Expositions:
    """A target to scrape: each exposition under a path of its own. Use as a context manager."""

    def __init__(self, captures):
        self.by_path = {"/" + c.name: c for c in captures}
        self.scraped = {}
        by_path, scraped = self.by_path, self.scraped

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                capture = by_path.get(self.path)
                if capture is None:
                    return self.send_error(404)
                self.send_response(200)
                self.send_header("Content-Type", capture.all_headers["content-type"])
                self.send_header("Content-Length", str(len(capture.body)))
                self.end_headers()
                self.wfile.write(capture.body)
                scraped[capture.name] = scraped.get(capture.name, 0) + 1

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def scrape_configs(self):
        target = "127.0.0.1:%d" % self.server.server_address[1]
        return [{"job_name": path[1:].replace("/", "-"), "metrics_path": path, "scrape_interval": "1s",
                 "static_configs": [{"targets": [target]}]} for path in self.by_path]
