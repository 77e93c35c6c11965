"""What a client might send that means no good, or nothing: repeatable for each seed."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Any

from pika import frame, spec

from tests.broker.spoken import OPEN, PROTOCOL_HEADER, START_OK, TUNE_OK
from tests.broker.spoken import frame as raw_frame

_NAMES = ("", "q", "r", "amq.q", "amq.gen-x", "e", "f", "t", "é", "x" * 255)
_KEYS = ("", "a", "a.b", "#", "*", "a.#.b", "q", "." * 50)
_TABLES: tuple[dict[str, Any] | None, ...] = (
    None,
    {"x-max-length": 2, "x-overflow": "drop-head"},
    {"x-max-length": "x"},
    {"a": {"b": [1, None, {"c": "d"}]}},
    {f"k{number}": number for number in range(2000)},
)


class Hostile:
    """A source of bytes.

    Args:
        seed: the same seed gives the same bytes.
    """

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._kinds: list[type] = list(spec.methods.values())

    def connection(self) -> bytes:
        """Return all that one client sends: mostly a handshake, then whatever comes to mind."""
        parts = [
            PROTOCOL_HEADER,
            START_OK,
            TUNE_OK,
            OPEN,
            self._method(spec.Channel.Open()),
            self._method(spec.Channel.Open(), 2),
        ]
        parts += [self._part() for _ in range(self._chance.randint(0, 25))]
        if self._chance.random() < 0.2:
            self._chance.shuffle(parts)
        data = b"".join(parts)
        if self._chance.random() < 0.5:
            data = self._damaged(data)
        return data

    def _part(self) -> bytes:
        choices: list[tuple[Callable[[], bytes], int]] = [
            (self._sense, 10),
            (self._message, 6),
            (self._any_method, 3),
            (self._any_frame, 1),
            (self._noise, 1),
        ]
        makers, weights = zip(*choices, strict=True)
        return bytes(self._chance.choices(makers, weights)[0]())

    def _sense(self) -> bytes:
        pick = self._chance.choice
        method = pick(
            [
                spec.Queue.Declare(
                    queue=pick(_NAMES),
                    exclusive=self._bit(),
                    auto_delete=self._bit(),
                    passive=self._bit(),
                    arguments=pick(_TABLES),
                ),
                spec.Exchange.Declare(exchange=pick(_NAMES), type="topic", auto_delete=self._bit()),
                spec.Queue.Bind(queue=pick(_NAMES), exchange=pick(_NAMES), routing_key=pick(_KEYS)),
                spec.Queue.Unbind(queue=pick(_NAMES), exchange=pick(_NAMES), routing_key=pick(_KEYS)),
                spec.Basic.Consume(
                    queue=pick(_NAMES), consumer_tag=pick(_NAMES), no_ack=self._bit(), exclusive=self._bit()
                ),
                spec.Basic.Cancel(pick(_NAMES)),
                spec.Basic.Qos(prefetch_count=pick((0, 1, 2))),
                spec.Confirm.Select(),
                spec.Basic.Ack(pick((0, 1, 2, 3)), self._bit()),
                spec.Basic.Nack(pick((0, 1, 2, 3)), self._bit(), self._bit()),
                spec.Queue.Purge(queue=pick(_NAMES)),
                spec.Queue.Delete(queue=pick(_NAMES)),
                spec.Exchange.Delete(exchange=pick(_NAMES), if_unused=self._bit()),
                spec.Channel.Open(),
                spec.Channel.Close(200, "", 0, 0),
                spec.Channel.CloseOk(),
            ]
        )
        return self._method(method, self._chance.choice((1, 1, 1, 2, 3)))

    def _message(self) -> bytes:
        chance, channel = self._chance, self._chance.choice((1, 1, 2))
        pieces = [chance.randbytes(chance.randint(0, 300)) for _ in range(chance.randint(0, 3))]
        properties = spec.BasicProperties(
            headers=chance.choice(_TABLES),
            expiration=chance.choice((None, None, "0", "1000", "x", "-1")),
            user_id=chance.choice((None, None, None, "guest", "nobody")),
            priority=chance.choice((None, 5)),
        )
        publish = spec.Basic.Publish(
            exchange=chance.choice(("", "e", "f")), routing_key=chance.choice(_KEYS), mandatory=self._bit()
        )
        frames = [
            frame.Method(channel, publish).marshal(),
            frame.Header(channel, sum(map(len, pieces)), properties).marshal(),
            *(frame.Body(channel, piece).marshal() for piece in pieces),
        ]
        if chance.random() < 0.1:
            frames.pop(chance.randrange(len(frames)))
        return b"".join(frames)

    def _any_method(self) -> bytes:
        index = self._chance.choice(self._kinds).INDEX
        return raw_frame(
            1,
            self._chance.choice((0, 1)),
            struct.pack(">I", index) + self._chance.randbytes(self._chance.randint(0, 40)),
        )

    def _any_frame(self) -> bytes:
        kind, channel = self._chance.randint(0, 9), self._chance.choice((0, 1, 2, 7, 65535))
        return raw_frame(kind, channel, self._chance.randbytes(self._chance.randint(0, 60)))

    def _noise(self) -> bytes:
        return self._chance.randbytes(self._chance.randint(1, 50))

    def _damaged(self, data: bytes) -> bytes:
        damaged = bytearray(data)
        for _ in range(self._chance.randint(1, 4)):
            position = self._chance.randrange(len(damaged))
            if self._chance.random() < 0.5:
                damaged[position] = self._chance.randrange(256)
            else:
                del damaged[position : position + self._chance.randint(1, 9)]
        return bytes(damaged)

    def _method(self, method: Any, channel: int = 1) -> bytes:
        return bytes(frame.Method(channel, method).marshal())

    def _bit(self) -> bool:
        return self._chance.random() < 0.3
