"""A client that sends as many gets as a test wants, whoever answers them and when."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field

from pika import BasicProperties

from dragonfly.core import codec
from dragonfly.core.constants import OP_GET
from dragonfly.core.message import RequestMessage
from tests.mesh.raw import RawClient

GET = codec.encode(RequestMessage(OP_GET, {"values": []}))


@dataclass
class Answers:
    """What became of requests: return code by correlation id, and the correlation ids of those that came back."""

    codes: dict[str, int] = field(default_factory=dict)
    returned: set[str] = field(default_factory=set)


class Sender(RawClient):
    """Gets without a client of ours in between.

    Args:
        address: HOST:PORT of the broker.
        timeout: how long each get is good for, s.
    """

    def __init__(self, address: str, timeout: float = 600.0) -> None:
        super().__init__(address)
        self.answers = Answers()
        self._timeout = timeout
        self.channel.add_on_return_callback(self._returned)

    def send(self, target: str) -> str:
        """Send a get that comes back where nobody is bound; return its correlation id."""
        milliseconds = int(self._timeout * 1000)
        deadline = int(time.time() * 1000) + milliseconds
        properties = self.properties(headers={"deadline": deadline}, expiration=str(milliseconds))
        self.channel.basic_publish("requests", target, GET, properties, mandatory=True)
        return str(properties.correlation_id)

    def next_codes(self, count: int, patience: float = 30.0) -> Counter[int]:
        """Wait for so many replies; return how often each return code came.

        Args:
            count: how many.
            patience: how long one may be awaited after the other, s.
        """
        found: Counter[int] = Counter()
        for number in range(count):
            code = self.next_code(patience)
            assert code is not None, f"of {count} replies {number} came: {found}"
            found[code] += 1
        return found

    def next_code(self, patience: float) -> int | None:
        """Wait for a reply, and return its return code; None where none comes within `patience` s."""
        reply = self.next(timeout=patience)
        if reply is None:
            return None
        code: int = json.loads(reply.body)["retcode"]
        self.answers.codes[str(reply.properties.correlation_id)] = code
        return code

    def _returned(self, _channel: object, _method: object, properties: BasicProperties, _body: bytes) -> None:
        self.answers.returned.add(str(properties.correlation_id))
