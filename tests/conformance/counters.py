"""The gateway's own counts: of each door and signal, what came and what became of it."""

import re

PARTS = ("stored", "deduplicated", "rejected", "unlinked", "failed")
PATTERN = re.compile(r"^throughline_records_(\w+)_total\{([^}]*)\} (\S+)", re.M)


def read(client):
    """{'door="…",signal="…"': {"received": n, …}}"""
    counts = {}
    for what, labels, value in PATTERN.findall(client.get("/metrics").body.decode()):
        counts.setdefault(labels, {})[what] = int(float(value))
    return counts


def received(client):
    return sum(by.get("received", 0) for by in read(client).values())


def problems(counts, used):
    """`used`: the doors that something was sent through."""
    found = []
    for labels, by in counts.items():
        parts = sum(by.get(part, 0) for part in PARTS)
        if by.get("received", 0) != parts:
            found.append(f"{labels}: received {by.get('received')}, but " +
                         " + ".join(f"{by.get(part, 0)} {part}" for part in PARTS) + f" = {parts}")
    seen = {}
    for labels, by in counts.items():
        door = re.search(r'door="([^"]*)"', labels)[1]
        seen[door] = seen.get(door, 0) + by.get("received", 0)
    return found + [f"door {door}: nothing received" for door in sorted(used) if not any(
        n > 0 for name, n in seen.items() if name == door or name.startswith(door + "_"))]


def print_table(counts):
    print("\ncounters after all of the corpus: received = " + " + ".join(PARTS))
    for labels, by in counts.items():
        if by.get("received", 0):
            print(f"  {labels:<44} {by['received']:>7} = " + " + ".join(str(by.get(part, 0)) for part in PARTS))
