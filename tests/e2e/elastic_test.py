"""The official Elasticsearch client for Python: its probe, its bulk helpers, plain and compressed."""

import unittest

import case
import clients
import otlp

elasticsearch, helpers = clients.require("elasticsearch", "elasticsearch", "elasticsearch.helpers")


def document(number):
    return {"@timestamp": "2023-11-14T22:13:20Z", "message": f"order {number} «ü»", "log.level": "warn",
            "service": {"name": "shop"}, "trace": {"id": otlp.trace_id(number)}, "number": number}


class ElasticTest(case.GatewayCase):
    def client(self, gateway, **options):
        return self.enterContext(elasticsearch.Elasticsearch("http://" + gateway.doors["http"], max_retries=0, **options))

    def check_lines(self, gateway, numbers):
        for number in numbers:
            answer = gateway.http().get("/api/v1/traces/" + otlp.trace_id(number))
            self.assertEqual(answer.status, 200, answer.body)
            lines = answer.json()["logs"]
            self.assertEqual([(line["body"], line["attributes"]["number"]) for line in lines],
                             [(f"order {number} «ü»", number)])
            self.assertEqual((lines[0]["service"], lines[0]["severity_number"]), ("shop", 13))

    def test_the_client_accepts_the_product(self):
        self.assertTrue(self.client(self.gateway()).info()["version"]["number"])

    def test_bulk_helper(self):
        gateway = self.gateway()
        actions = [{"_op_type": "create", "_index": "logs-shop-default", "_source": document(n)} for n in range(50)]
        done, failed = helpers.bulk(self.client(gateway), actions, chunk_size=20)
        self.assertEqual((done, failed), (50, []))
        self.check_lines(gateway, range(50))

    def test_compressed(self):
        gateway = self.gateway()
        actions = [{"_index": "logs", "_id": f"d{n}", "_source": document(n)} for n in range(10)]
        done, _ = helpers.bulk(self.client(gateway, http_compress=True), actions)
        self.assertEqual(done, 10)
        self.check_lines(gateway, range(10))

    def test_parallel_bulk(self):
        gateway = self.gateway()
        actions = ({"_index": "logs", "_source": document(n)} for n in range(200))
        results = list(helpers.parallel_bulk(self.client(gateway), actions, thread_count=4, chunk_size=10))
        self.assertEqual([ok for ok, _ in results], [True] * 200)
        self.check_lines(gateway, range(0, 200, 20))

    def test_a_retry_adds_nothing(self):
        gateway = self.gateway()
        client = self.client(gateway)
        for _ in range(2):
            answer = client.bulk(operations=[{"create": {}}, document(1), {"create": {}}, document(2)], index="logs")
            self.assertFalse(answer["errors"])
            self.assertEqual([item["create"]["status"] for item in answer["items"]], [201, 201])
        self.check_lines(gateway, (1, 2))


if __name__ == "__main__":
    unittest.main()
