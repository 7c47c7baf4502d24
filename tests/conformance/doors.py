"""A gateway with every door open that its binary has. What it lacks is known by name, not an error."""

import functools
import json
import subprocess

from gateway_process import Gateway

# Doors beyond those that Gateway opens. A binary that lacks one ignores its variable.
ENVIRONMENT = {
    "THROUGHLINE_LOGS_KEEP_UNLINKED": "true",
    "THROUGHLINE_OTLP_GRPC_LISTEN": "127.0.0.1:0",
    "THROUGHLINE_SYSLOG_UDP_LISTEN": "127.0.0.1:0",
    "THROUGHLINE_SYSLOG_TCP_LISTEN": "127.0.0.1:0",
    "THROUGHLINE_FLUENT_LISTEN": "127.0.0.1:0",
}


class NoDoor(Exception):
    """The binary has no such door."""


@functools.lru_cache
def scrapes(binary):
    """Whether the binary knows scrape_configs."""
    done = subprocess.run([str(binary), "serve", "--config", "/dev/stdin", "--check-config"],
                          input='{"scrape_configs": []}', capture_output=True, text=True, timeout=60)
    return done.returncode == 0


def start_gateway(data_dir, binary, environment=None, scrape_configs=()):
    """Use as a context manager."""
    arguments = []
    if scrape_configs and scrapes(binary):
        file = data_dir.with_name(data_dir.name + ".yaml")
        file.write_text(json.dumps({"scrape_configs": list(scrape_configs)}))  # JSON is YAML.
        arguments = ["--config", str(file)]
    return Gateway(data_dir, binary, {**ENVIRONMENT, **(environment or {})}, arguments)


def address(gateway, door):
    """(host, port) of a door; raises NoDoor."""
    if not gateway.doors.get(door):
        raise NoDoor(door)
    host, port = gateway.doors[door].rsplit(":", 1)
    return host, int(port)
