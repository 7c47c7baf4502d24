"""The public lookups that a verification asks, each trace and each search once."""

EVER = {"start": "2000-01-01T00:00:00Z", "end": "2200-01-01T00:00:00Z"}


class Lookups:
    """Of one gateway and tenant."""

    def __init__(self, client):
        self.client = client
        self.traces = {}

    def trace(self, trace_id):
        if trace_id not in self.traces:
            answer = self.client.get("/api/v1/traces/" + trace_id)
            self.traces[trace_id] = answer.json() if answer.status == 200 else None
        return self.traces[trace_id]

    def records(self, trace_id, kind):
        trace = self.trace(trace_id)
        return trace[kind] if trace else []

    def located(self, trace_id):
        answer = self.client.get("/api/v1/locate/" + trace_id)
        return [m["trace_id"] for m in answer.json().get("matches", [])] if answer.status == 200 else []

    def unlinked_lines(self):
        return [line for line in self._all("logs", linked_only="false") if not line["trace_id"]]

    def exemplars_of(self, metric):
        return self._all("exemplars", match=metric)

    def _all(self, what, **query):
        found, cursor = [], None
        while True:
            page_query = {"limit": 1000, **EVER, **query, **({"cursor": cursor} if cursor else {})}
            answer = self.client.get("/api/v1/" + what, **page_query)
            assert answer.status == 200, (what, query, answer.body)
            page = answer.json()
            found += page[what]
            cursor = page["cursor"]
            if not cursor:
                return found


def take(candidates, taken, differences):
    """None: a candidate that does not differ was there, and is now in `taken`; else the differences
    of the nearest."""
    nearest = None
    for candidate in candidates:
        if id(candidate) in taken:
            continue
        found = differences(candidate)
        if not found:
            taken.add(id(candidate))
            return None
        if nearest is None or len(found) < len(nearest):
            nearest = found
    return nearest if nearest is not None else ["nothing left"]
