"""The gateway's own counts: of each door and signal, what came and what became of it."""

import re

PARTS = ("stored", "deduplicated", "rejected", "unlinked", "failed")
PATTERN = re.compile(r"^throughline_(?:tenant_)?records_(\w+)_total\{([^}]*)\} (\S+)", re.M)


def read(client):
    """{'door="…",signal="…"' or 'tenant="…"': {"received": n, …}}"""
    counts = {}
    for what, labels, value in PATTERN.findall(client.get("/metrics").body.decode()):
        counts.setdefault(labels, {})[what] = int(float(value))
    return counts


def settled(client):
    """How many records something has become of: what is received may still wait for the commit."""
    return sum(by.get(part, 0) for labels, by in read(client).items() if labels.startswith("door=") for part in PARTS)


def problems(counts, used):
    """`used`: the doors that something was sent through."""
    found = []
    for labels, by in counts.items():
        parts = sum(by.get(part, 0) for part in PARTS)
        if by.get("received", 0) != parts:
            found.append(f"{labels}: received {by.get('received')}, but " +
                         " + ".join(f"{by.get(part, 0)} {part}" for part in PARTS) + f" = {parts}")
    seen, of_tenants = {}, 0
    for labels, by in counts.items():
        door = re.search(r'door="([^"]*)"', labels)
        if door:
            seen[door[1]] = seen.get(door[1], 0) + by.get("received", 0)
        else:
            of_tenants += by.get("received", 0)
    if of_tenants != sum(seen.values()):
        found.append(f"all tenants received {of_tenants}, all doors {sum(seen.values())}")
    return found + [f"door {door}: nothing received" for door in sorted(used) if not seen.get(door)]


def print_table(counts):
    print("\ncounters after all of the corpus: received = " + " + ".join(PARTS))
    for labels, by in counts.items():
        if by.get("received", 0):
            print(f"  {labels:<44} {by['received']:>7} = " + " + ".join(str(by.get(part, 0)) for part in PARTS))
