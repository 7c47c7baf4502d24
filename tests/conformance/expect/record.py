"""One record that must be found, and how a found one is compared with it."""

import dataclasses
import json
import typing


@dataclasses.dataclass
class Expected:
    kind: str  # spans, logs or exemplars
    trace_id: str  # Empty: unlinked.
    identity: str  # Equal for what the gateway must keep once.
    differences: typing.Callable  # Of a record found: the names of the fields that differ.
    what: str  # For the complaint.
    metric: str = ""  # Of an exemplar of Prometheus' world: it is searched for by name, too.


def canonical(value):
    return json.dumps(value, sort_keys=True)


def same_value(got, want):
    """Our JSON against plain JSON: integers beyond 2^53 are decimal strings."""
    if isinstance(want, bool) or want is None or isinstance(want, str):
        return got == want
    if isinstance(want, int):
        return got == want or (abs(want) > 2**53 and got == str(want))
    if isinstance(want, float):
        return got == want
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(same_value, got, want))
    if isinstance(want, dict):
        return isinstance(got, dict) and got.keys() == want.keys() and all(
            same_value(got[k], want[k]) for k in want)
    return False


def different_fields(got, want):
    """The names of the fields of `want` that `got` does not have so."""
    return [k for k in want if not same_value(got.get(k), want[k])]


def value_anywhere(record, want):
    """Whether a value, or its text, stands among what describes a record: a format without OTLP's
    divisions leaves open whether a label is an attribute or the resource's."""
    def walk(value):
        if isinstance(value, dict):
            return any(map(walk, value.values()))
        if isinstance(value, list):
            return any(map(walk, value))
        return value == want or str(value) == str(want)

    return any(walk(record.get(k)) for k in ("service", "attributes", "resource", "labels", "severity_text", "scope"))
