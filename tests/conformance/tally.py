"""Counts what was expected, found, missing and wrong, and prints it as one table."""

import collections


class Tally:
    KINDS = ("answers", "spans", "logs", "ids", "exemplars")

    def __init__(self):
        self.rows = {}
        self.complaints = []

    def row(self, sender):
        return self.rows.setdefault(
            sender, {k: {"sent": 0, "distinct": 0, "found": 0, "missing": 0, "wrong": 0} for k in self.KINDS}
        )

    def add(self, sender, kind, **counts):
        cell = self.row(sender)[kind]
        for name, count in counts.items():
            cell[name] += count

    def missing(self, sender, kind, what):
        self.add(sender, kind, missing=1)
        self.complaints.append(f"{sender}: {kind}: missing {what}")

    def wrong(self, sender, kind, what):
        self.add(sender, kind, wrong=1)
        self.complaints.append(f"{sender}: {kind}: wrong {what}")

    def failures(self):
        return sum(c["missing"] + c["wrong"] for row in self.rows.values() for c in row.values())

    def total(self):
        total = {k: {"sent": 0, "distinct": 0, "found": 0, "missing": 0, "wrong": 0} for k in self.KINDS}
        for row in self.rows.values():
            for kind, cell in row.items():
                for name, count in cell.items():
                    total[kind][name] += count
        return total

    def print(self, title):
        print(f"\n{title}: sent / distinct / found / missing / wrong")
        width = max([len(name) for name in self.rows] + [8])
        print("  " + " " * width + "".join(f"  {kind:>29}" for kind in self.KINDS))
        for name, row in [*self.rows.items(), ("total", self.total())]:
            cells = ("/".join(str(row[k][n]) for n in ("sent", "distinct", "found", "missing", "wrong"))
                     for k in self.KINDS)
            print(f"  {name:<{width}}" + "".join(f"  {cell:>29}" for cell in cells))
        complaints = collections.Counter(self.complaints)
        for complaint, count in list(complaints.items())[:40]:
            print("  ! " + complaint + (f" ({count} times)" if count > 1 else ""))
        if len(complaints) > 40:
            print(f"  ! and {len(complaints) - 40} more")
