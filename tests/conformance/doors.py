"""A gateway with every door open that its binary has. What it lacks is known by name, not an error."""

import functools
import json
import subprocess

from gateway_process import Gateway

# What opens a door beyond those that Gateway opens, as the configuration file says it.
OPTIONAL = {
    "otlp_grpc": {"otlp_grpc": {"listen": "127.0.0.1:0"}},
    "syslog_udp": {"syslog": {"udp_listen": "127.0.0.1:0"}},
    "syslog_tcp": {"syslog": {"tcp_listen": "127.0.0.1:0"}},
    "fluent": {"fluent": {"listen": "127.0.0.1:0"}},
}


class NoDoor(Exception):
    """The binary has no such door."""


@functools.lru_cache
def knows(binary, section):
    """Whether the binary takes this part (JSON text) of a configuration file."""
    done = subprocess.run([str(binary), "serve", "--config", "/dev/stdin", "--check-config"],
                          input=section, capture_output=True, text=True, timeout=60)
    return done.returncode == 0


def start_gateway(data_dir, binary, environment=None, scrapes=()):
    """`scrapes`: the entries of scrape_configs. Use as a context manager."""
    sections = list(OPTIONAL.values()) + ([{"scrape_configs": list(scrapes)}] if scrapes else [])
    config = {}
    for section in sections:
        if knows(binary, json.dumps(section)):
            for key, value in section.items():
                if isinstance(value, dict):
                    config.setdefault(key, {}).update(value)
                else:
                    config[key] = value
    file = data_dir.with_name(data_dir.name + ".yaml")
    file.write_text(json.dumps(config))  # JSON is YAML.
    return Gateway(data_dir, binary, {"THROUGHLINE_LOGS_KEEP_UNLINKED": "true", **(environment or {})},
                   ["--config", str(file)])


def address(gateway, door):
    """(host, port) of a door; raises NoDoor."""
    if not gateway.doors.get(door):
        raise NoDoor(door)
    host, port = gateway.doors[door].rsplit(":", 1)
    return host, int(port)
