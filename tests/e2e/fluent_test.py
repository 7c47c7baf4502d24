"""fluent-logger sends to the gateway; a sender of chunks waits for acknowledgements, over a crash too."""

import gzip
import hashlib
import os
import socket
import unittest

import case
import clients
import otlp

sender = clients.require("fluent-logger", "fluent.sender")
msgpack = clients.require("msgpack", "msgpack")

LISTEN = ("--fluent-listen", "127.0.0.1:0")


class Chunks:
    """Compressed chunks with acknowledgements, as out_forward of fluentd sends them."""

    def __init__(self, address, key=None, user=("", "")):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=60)
        self.unpacker = msgpack.Unpacker()
        self.pong = self.shake_hands(key, *user) if key else None

    def read(self):
        while True:
            for message in self.unpacker:
                return message
            received = self.socket.recv(65536)
            if not received:
                return None
            self.unpacker.feed(received)

    def shake_hands(self, key, user, password):
        kind, options = self.read()
        assert kind == "HELO", kind
        salt = os.urandom(16)
        digest = hashlib.sha512(salt + b"client" + options["nonce"] + key.encode()).hexdigest()
        secret = hashlib.sha512(options["auth"] + user.encode() + password.encode()).hexdigest()
        self.socket.sendall(msgpack.packb(["PING", "client", salt, digest, user, secret]))
        return self.read()

    def send(self, chunk, numbers):
        """The acknowledgement, or None."""
        entries = b"".join(
            msgpack.packb([msgpack.ExtType(0, (1795382400 + n).to_bytes(4, "big") + n.to_bytes(4, "big")),
                           {"log": f"order {n}", "trace_id": otlp.trace_id(n)}])
            for n in numbers)
        option = {"chunk": chunk, "size": len(numbers), "compressed": "gzip"}
        self.socket.sendall(msgpack.packb(["shop.order", gzip.compress(entries), option]))
        return self.read()


class FluentTest(case.GatewayCase):
    def bodies(self, gateway, number):
        answer = gateway.http().get("/api/v1/traces/" + otlp.trace_id(number))
        return [line["body"] for line in answer.json()["logs"]] if answer.status == 200 else []

    def test_fluent_logger(self):
        gateway = self.gateway(arguments=LISTEN)
        host, port = gateway.doors["fluent"].rsplit(":", 1)
        for first, precise in ((0, True), (5, False)):
            logger = sender.FluentSender("shop", host=host, port=int(port), nanosecond_precision=precise)
            for number in range(first, first + 5):
                self.assertTrue(logger.emit("order", {
                    "message": f"order {number} «ü»", "trace_id": otlp.trace_id(number), "level": "warn",
                    "kubernetes": {"labels": {"app": "desk"}}}))
            logger.close()
        for number in range(10):
            clients.eventually(lambda: self.bodies(gateway, number), f"a line of trace {number}")
            line = gateway.http().get("/api/v1/traces/" + otlp.trace_id(number)).json()["logs"][0]
            self.assertEqual((line["body"], line["service"], line["severity_number"], line["found_by"]),
                             (f"order {number} «ü»", "desk", 13, "field"))
            self.assertEqual(line["attributes"]["fluent.tag"], "shop.order")

    def test_what_was_acknowledged_survives_a_crash_and_a_repetition_adds_nothing(self):
        gateway = self.gateway(arguments=LISTEN)
        self.assertEqual(Chunks(gateway.doors["fluent"]).send("c1", range(100)), {"ack": "c1"})
        gateway.kill()
        gateway.start()
        for number in range(100):
            self.assertEqual(self.bodies(gateway, number), [f"order {number}"])
        self.assertEqual(Chunks(gateway.doors["fluent"]).send("c1", range(100)), {"ack": "c1"})
        for number in range(100):
            self.assertEqual(self.bodies(gateway, number), [f"order {number}"])

    def test_who_knows_the_key_and_a_name_may_send(self):
        gateway = self.gateway(arguments=(
            *LISTEN, "--fluent-shared-key", "the key", "--fluent-users", "ann:secret,bob:pass:word"))
        address = gateway.doors["fluent"]
        good = Chunks(address, "the key", ("bob", "pass:word"))
        self.assertEqual(good.pong[:3], ["PONG", True, ""])
        self.assertEqual(good.send("c1", [1]), {"ack": "c1"})
        for key, user, why in (("another", ("bob", "pass:word"), "shared_key mismatch"),
                               ("the key", ("bob", "secret"), "username/password mismatch")):
            bad = Chunks(address, key, user)
            self.assertEqual(bad.pong[:3], ["PONG", False, why])
            self.assertIsNone(bad.read())


if __name__ == "__main__":
    unittest.main()
