"""The smallest server that speaks MongoDB's wire protocol (OP_MSG) for what a reader asks: hello, find, getMore.

There is no MongoDB in PyPI's or Debian's packages; this one answers the real driver over a real socket. It knows
equality in queries, projections by name and sorting by `_id`, and writes down the commands that it was given.
"""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bson

OP_MSG, OP_QUERY, OP_REPLY = 2013, 2004, 1
HELLO = {
    # A mongos, which is told the read preference; a single server would not be.
    "msg": "isdbgrid",
    "ismaster": True,
    "isWritablePrimary": True,
    "maxBsonObjectSize": 16 * 2**20,
    "maxMessageSizeBytes": 48 * 10**6,
    "maxWriteBatchSize": 100_000,
    "minWireVersion": 0,
    "maxWireVersion": 21,
    "readOnly": False,
    "ok": 1.0,
}


class MongoServer(socketserver.ThreadingTCPServer):
    """Serves documents by collection name."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, collections: dict[str, list[dict[str, Any]]]) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.collections = collections
        self.commands: list[dict[str, Any]] = []
        self.cursors: dict[int, list[dict[str, Any]]] = {}

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.server_address[1]}/"

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        name = next(iter(command))
        if name.lower() in ("hello", "ismaster"):
            return HELLO
        self.commands.append(command)
        if name == "find":
            return self._find(command)
        if name == "getMore":
            return self._batch(command["getMore"], command["collection"], command["batchSize"], "nextBatch")
        return {"ok": 1.0}

    def _find(self, command: dict[str, Any]) -> dict[str, Any]:
        found = [
            document
            for document in self.collections.get(command["find"], [])
            if all(document.get(key) == value for key, value in command["filter"].items())
        ]
        for key, direction in reversed(command.get("sort", {}).items()):
            found.sort(key=lambda document: document[key], reverse=direction < 0)
        names = {"_id", *command.get("projection", {})}
        cursor = len(self.cursors) + 1
        self.cursors[cursor] = [{key: value for key, value in item.items() if key in names} for item in found]
        return self._batch(cursor, command["find"], command.get("batchSize", 101), "firstBatch")

    def _batch(self, cursor: int, collection: str, size: int, name: str) -> dict[str, Any]:
        batch, self.cursors[cursor] = self.cursors[cursor][:size], self.cursors[cursor][size:]
        left = cursor if self.cursors[cursor] else 0
        return {"cursor": {"id": bson.Int64(left), "ns": f"db.{collection}", name: batch}, "ok": 1.0}


class _Connection(socketserver.StreamRequestHandler):
    server: MongoServer

    def handle(self) -> None:
        while head := self.rfile.read(16):
            length, request, _, code = struct.unpack("<iiii", head)
            body = self.rfile.read(length - 16)
            if code == OP_MSG:
                # Four bytes of flags, then a section of kind 0: one document.
                reply = b"\0\0\0\0\0" + bson.encode(self.server.answer(bson.decode(body[5:])))
            elif code == OP_QUERY:
                code, reply = OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(HELLO)
            self.wfile.write(struct.pack("<iiii", 16 + len(reply), 0, request, code) + reply)


@contextmanager
def serve_documents(collections: dict[str, list[dict[str, Any]]]) -> Iterator[MongoServer]:
    """A running server."""
    with MongoServer(collections) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
