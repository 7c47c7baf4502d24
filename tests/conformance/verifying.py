"""Every record that was sent is there, once, with every field expected of it; and no others."""

from lookups import Lookups, take


def verify(name, records, client, tally):
    """`records`: expect.record.Expected of one tenant."""
    lookups = Lookups(client)
    for kind in ("spans", "logs", "exemplars"):
        sent = [r for r in records if r.kind == kind]
        distinct = list({r.identity: r for r in sent}.values())
        tally.add(name, kind, sent=len(sent), distinct=len(distinct))
        found = verify_linked(name, kind, [r for r in distinct if r.trace_id], lookups, tally)
        unlinked = [r for r in distinct if not r.trace_id]
        if unlinked and kind == "logs":
            verify_unlinked(name, kind, unlinked, lookups.unlinked_lines(), tally)
        if kind == "exemplars":
            search_by_metric(name, found + unlinked, lookups, tally)
    verify_ids(name, {r.trace_id for r in records if r.trace_id}, lookups, tally)


def verify_linked(name, kind, records, lookups, tally):
    """The records that were found under their traces."""
    taken, right = set(), []
    for record in records:
        candidates = lookups.records(record.trace_id, kind)
        problem = take(candidates, taken, record.differences)
        if problem is None:
            tally.add(name, kind, found=1)
            right.append(record)
        elif candidates:
            tally.wrong(name, kind, f"{record.trace_id}: {record.what}: {problem}")
        else:
            tally.missing(name, kind, f"{record.trace_id}: {record.what}")
    for trace_id in {r.trace_id for r in records}:
        for extra in lookups.records(trace_id, kind):
            if id(extra) not in taken:
                tally.wrong(name, kind, f"{trace_id}: doubled or never sent: {str(extra)[:200]}")
    return right


def verify_unlinked(name, kind, records, candidates, tally):
    taken = set()
    for record in records:
        problem = take(candidates, taken, record.differences)
        if problem is None:
            tally.add(name, kind, found=1)
        else:
            tally.missing(name, kind, f"unlinked: {record.what}: {problem}")


def search_by_metric(name, records, lookups, tally):
    """Prometheus' metrics are asked for by name: that finds the exemplars without a trace id, and must
    find those with one again."""
    named = [r for r in records if r.metric]
    found = {metric: lookups.exemplars_of(metric) for metric in {r.metric for r in named}}
    taken = set()
    for record in named:
        candidates = [e for e in found[record.metric] if (e["trace_id"] or "") == record.trace_id]
        problem = take(candidates, taken, record.differences)
        if problem is not None:
            tally.missing(name, "exemplars", f"by name: {record.what}: {problem}")
        elif not record.trace_id:
            tally.add(name, "exemplars", found=1)


def verify_ids(name, ids, lookups, tally):
    tally.add(name, "ids", sent=len(ids), distinct=len(ids))
    for trace_id in ids:
        if lookups.located(trace_id) == [trace_id]:
            tally.add(name, "ids", found=1)
        else:
            tally.missing(name, "ids", trace_id)
