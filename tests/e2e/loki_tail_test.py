"""Loki's tail through Python's websocket client: what is there, what comes, and the end."""

import json
import threading
import unittest
import urllib.parse

import case
import clients
import otlp

websocket = clients.require("websocket-client", "websocket")

NOW = 1_700_000_000 * 10**9


class TailTest(case.GatewayCase):
    def tail(self, gateway, **query):
        url = f"ws://{gateway.doors['http']}/loki/api/v1/tail?" + urllib.parse.urlencode(query)
        socket = websocket.create_connection(url, timeout=60)
        self.addCleanup(socket.shutdown)
        return socket

    def push(self, gateway, numbers, **stream):
        values = [[str(NOW + n), f"order={n} trace_id={otlp.trace_id(n)}"] for n in numbers]
        body = {"streams": [{"stream": {"service_name": "shop", **stream}, "values": values}]}
        answer = gateway.http().post("/loki/api/v1/push", json.dumps(body).encode(), "application/json")
        self.assertEqual(answer.status, 204, answer.body)

    def read(self, socket, count):
        """The numbers of the next `count` lines, each message with its lines in order."""
        numbers = []
        while len(numbers) < count:
            message = json.loads(socket.recv())
            self.assertNotIn("dropped_entries", message)
            lines = sorted((int(at), line) for stream in message["streams"] for at, line in stream["values"])
            numbers += [int(line.split()[0].removeprefix("order=")) for _, line in lines]
        return numbers

    def test_what_is_there_and_what_comes_through_every_commit(self):
        gateway = self.gateway()
        self.push(gateway, range(5))
        socket = self.tail(gateway, query='{service_name="shop"}', start=str(NOW), limit=3)
        self.assertEqual(self.read(socket, 3), [2, 3, 4])
        sender = threading.Thread(target=lambda: [self.push(gateway, [n]) for n in range(5, 205)])
        sender.start()
        self.assertEqual(self.read(socket, 200), list(range(5, 205)))
        sender.join()

    def test_labels_and_stages_choose(self):
        gateway = self.gateway()
        socket = self.tail(gateway, query='{env="prod"} | logfmt | order > 6', start=str(NOW))
        self.push(gateway, range(10), env="test")
        self.push(gateway, range(10, 20), env="prod")
        self.push(gateway, range(5, 8), env="prod")
        self.assertEqual(sorted(self.read(socket, 11)), [7, *range(10, 20)])

    def test_stopping_says_goodbye(self):
        gateway = self.gateway()
        socket = self.tail(gateway, query="{}", start=str(NOW))
        self.push(gateway, [1])
        self.assertEqual(self.read(socket, 1), [1])
        gateway.process.terminate()
        opcode, frame = socket.recv_data(control_frame=True)
        self.assertEqual((opcode, frame[:2]), (websocket.ABNF.OPCODE_CLOSE, (1001).to_bytes(2, "big")))
        self.assertEqual(gateway.reap(), 0)

    def test_a_query_that_cannot_be_read(self):
        gateway = self.gateway()
        with self.assertRaises(websocket.WebSocketBadStatusException) as refused:
            self.tail(gateway, query="{")
        self.assertEqual(refused.exception.status_code, 400)


if __name__ == "__main__":
    unittest.main()
