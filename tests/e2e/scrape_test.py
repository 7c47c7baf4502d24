"""The gateway scrapes programs that use Prometheus' Python client, Debian's or PyPI's."""

import pathlib
import threading
import time
import unittest
from wsgiref.simple_server import WSGIRequestHandler, make_server

import case
import clients

prometheus_client = clients.require("prometheus_client", "prometheus_client", "prometheus_client.exposition")[0]

TRACES = [f"{n:032x}" for n in range(0xABC100, 0xABC105)]
SPANS = [f"{n:016x}" for n in range(0xDEF100, 0xDEF105)]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class Target:
    """A program with a counter and a histogram, each measurement with the trace behind it, and a gauge."""

    def __init__(self):
        registry = prometheus_client.CollectorRegistry()
        self.orders = prometheus_client.Counter("orders", "Orders.", ["status"], registry=registry)
        self.seconds = prometheus_client.Histogram("order_seconds", "Of orders.", ["job"], registry=registry,
                                                   buckets=(0.1, 0.5, 1, 5))
        self.use = prometheus_client.Gauge("process_cpu_use", "Of processors.", ["pod"], registry=registry)
        self.server = make_server("127.0.0.1", 0, prometheus_client.make_wsgi_app(registry), handler_class=Quiet)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def address(self):
        return "127.0.0.1:%d" % self.server.server_port

    def work(self):
        self.orders.labels("ok").inc(1, {"trace_id": TRACES[0], "span_id": SPANS[0]})
        for trace_id, span_id, seconds in zip(TRACES[1:], SPANS[1:], (0.05, 0.3, 0.7, 9)):
            self.seconds.labels("own").observe(seconds, {"trace_id": trace_id, "span_id": span_id})

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


def samples(client, name):
    """The samples of one metric of the gateway's own."""
    lines = client.get("/metrics").body.decode().splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + "{")}


class ScrapeTest(case.GatewayCase):
    def target(self):
        target = Target()
        self.addCleanup(target.stop)
        return target

    def scraping(self, config):
        file = pathlib.Path(self.work) / "throughline.yaml"
        file.write_text(config)
        return self.gateway(arguments=["--config", str(file)])

    def exemplars(self, client, **query):
        answer = client.get("/api/v1/exemplars", **query)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()["exemplars"]

    def settled(self, client):
        """The records of the door by what became of them, at a moment when nothing is under way."""
        counts = {}
        for line in client.get("/metrics").body.decode().splitlines():
            if line.startswith("throughline_records_") and 'door="scrape"' in line:
                counts[line.split("{")[0][len("throughline_records_"):-len("_total")]] = float(line.rsplit(" ", 1)[1])
        became = sum(counts[how] for how in ("stored", "deduplicated", "rejected", "unlinked", "failed"))
        return counts if counts["received"] == became else None

    def test_exemplars_are_scraped_and_kept_once(self):
        target = self.target()
        target.work()
        gateway = self.scraping(f"""
scrape_configs:
  - job_name: shop
    scrape_interval: 100ms
    static_configs:
      - targets: ["{target.address}"]
        labels: {{env: test}}
""")
        client = gateway.http()
        # Scraped several times over.
        clients.eventually(lambda: samples(client, "throughline_scrapes_total").get(
            'throughline_scrapes_total{job="shop",result="good"}', 0) >= 3, "three scrapes")
        found = self.exemplars(client, match='order_seconds_bucket{job="shop",env="test"}')
        self.assertEqual({(e["trace_id"], e["span_id"], float(e["value"])) for e in found},
                         set(zip(TRACES[1:], SPANS[1:], (0.05, 0.3, 0.7, 9.0))))
        for exemplar in found:
            self.assertEqual(exemplar["labels"]["instance"], target.address)
            self.assertEqual(exemplar["labels"]["exported_job"], "own")
        self.assertEqual([e["trace_id"] for e in self.exemplars(client, match="orders_total")], [TRACES[0]])
        for trace_id in TRACES:
            answer = client.get("/api/v1/traces/" + trace_id)
            self.assertEqual((answer.status, len(answer.json()["exemplars"])), (200, 1))
        counts = clients.eventually(lambda: self.settled(client), "sums that are right between two scrapes")
        self.assertEqual(counts["stored"], 5)
        self.assertGreaterEqual(counts["deduplicated"], 10)
        clients.eventually(lambda: list(samples(client, "throughline_scrape_up").values()) == [1], "up")
        self.assertEqual(list(samples(client, "throughline_scrape_exemplars").values()), [5])

    def test_named_gauges_are_kept_a_point_in_ten_seconds(self):
        target = self.target()
        target.use.labels("p-0").set(0.5)
        gateway = self.scraping(f"""
scrape_configs:
  - job_name: shop
    scrape_interval: 100ms
    static_configs: [{{targets: ["{target.address}"]}}]
""")
        client = gateway.http()
        counts = clients.eventually(
            lambda: (c := self.settled(client)) and c["deduplicated"] >= 3 and c, "four points of the gauge")
        points = client.get("/api/v1/gauges", metric="process.cpu.use", service="shop").json()["gauges"]
        self.assertEqual({(p["value"], p["metric_type"], p["labels"]["pod"], p["labels"]["instance"]) for p in points},
                         {(0.5, "gauge", "p-0", target.address)})
        self.assertLessEqual(counts["stored"], len(points))  # A new ten seconds may have begun.
        self.assertLess(abs(int(points[0]["time_unix_nano"]) / 1e9 - time.time()), 120)

    def test_targets_come_and_go_with_their_files(self):
        target = self.target()
        target.work()
        targets = pathlib.Path(self.work) / "targets"
        targets.mkdir()
        gateway = self.scraping(f"""
scrape_configs:
  - job_name: files
    scrape_interval: 100ms
    tenant: shop
    file_sd_configs:
      - files: ["{targets}/*.json"]
        refresh_interval: 100ms
""")
        client = gateway.http()
        new = targets / "new"
        new.write_text(f'[{{"targets": ["{target.address}"]}}]')
        new.rename(targets / "a.json")
        clients.eventually(lambda: self.exemplars(gateway.http("shop"), match="orders_total"), "the exemplar")
        self.assertEqual(self.exemplars(client, match="orders_total"), [])  # Another tenant's.
        (targets / "a.json").unlink()
        clients.eventually(lambda: not samples(client, "throughline_scrape_up"), "the target to go")

    def test_a_target_that_is_down_is_said_to_be(self):
        target = self.target()
        address = target.address
        target.stop()
        gateway = self.scraping(f"""
scrape_configs:
  - job_name: gone
    scrape_interval: 100ms
    static_configs: [{{targets: ["{address}"]}}]
""")
        client = gateway.http()
        clients.eventually(lambda: list(samples(client, "throughline_scrape_up").values()) == [0], "down")
        clients.eventually(lambda: samples(client, "throughline_scrapes_total")[
            'throughline_scrapes_total{job="gone",result="connect"}'] > 0, "nobody listens")


if __name__ == "__main__":
    unittest.main()
