"""A session without a socket: what goes in, what comes out. The bytes are typed from the AMQP 0-9-1 specification.

Client and broker share pika's codec, so a fault of the codec would cancel out: nothing in this file uses it.
"""

from __future__ import annotations

import struct

from dragonfly.broker.handshake import Credentials, Handshake
from dragonfly.broker.memory import Memory
from dragonfly.broker.peer import Peer
from dragonfly.broker.session import Session
from dragonfly.broker.virtual_host import VirtualHost

# 4.2.2: protocol header.
PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
# 4.2.7: heartbeat frame.
HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"
METHOD, HEADER, BODY = 1, 2, 3


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """Return a frame (4.2.3): type, channel, size, payload, frame-end."""
    return bytes([kind]) + struct.pack(">HI", channel, len(payload)) + payload + b"\xce"


def table(fields: bytes) -> bytes:
    """Return a field table (4.2.5.5): its length, and its fields."""
    return struct.pack(">I", len(fields)) + fields


# 1.4: connection. Each line: class id, method id, arguments.
START_OK = frame(
    METHOD,
    0,
    b"\x00\x0a\x00\x0b"  # connection.start-ok, 1.4.2.2
    b"\x00\x00\x00\x00"  # client-properties: an empty table
    b"\x05PLAIN"  # mechanism: short string
    b"\x00\x00\x00\x0c\x00guest\x00guest"  # response: long string
    b"\x05en_US",  # locale: short string
)
CAPABILITIES = table(
    b"\x0ccapabilitiesF"
    + table(
        b"\x12connection.blockedt\x01\x1cauthentication_failure_closet\x01\x16consumer_cancel_notifyt\x01\x05othert\x00"
    )
)
START_OK_CAPABLE = frame(
    METHOD, 0, b"\x00\x0a\x00\x0b" + CAPABILITIES + b"\x05PLAIN\x00\x00\x00\x0c\x00guest\x00guest\x05en_US"
)
TUNE = frame(METHOD, 0, b"\x00\x0a\x00\x1e\x07\xff\x00\x02\x00\x00\x00\x3c")  # 1.4.2.5
TUNE_OK = frame(METHOD, 0, b"\x00\x0a\x00\x1f\x07\xff\x00\x02\x00\x00\x00\x00")  # 1.4.2.6
TUNE_OK_10_S = frame(METHOD, 0, b"\x00\x0a\x00\x1f\x07\xff\x00\x02\x00\x00\x00\x0a")
TUNE_OK_4096_BYTES = frame(METHOD, 0, b"\x00\x0a\x00\x1f\x07\xff\x00\x00\x10\x00\x00\x00")
OPEN = frame(METHOD, 0, b"\x00\x0a\x00\x28\x01/\x00\x00")  # 1.4.2.7
OPEN_OK = frame(METHOD, 0, b"\x00\x0a\x00\x29\x00")  # 1.4.2.8
CLOSE = frame(METHOD, 0, b"\x00\x0a\x00\x32\x00\xc8\x03bye\x00\x00\x00\x00")  # 1.4.2.9
CLOSE_OK = frame(METHOD, 0, b"\x00\x0a\x00\x33")  # 1.4.2.10
# 1.5: channel.
CHANNEL_OPEN = frame(METHOD, 1, b"\x00\x14\x00\x0a\x00")  # 1.5.2.1
CHANNEL_OPEN_OK = frame(METHOD, 1, b"\x00\x14\x00\x0b\x00\x00\x00\x00")  # 1.5.2.2
CHANNEL_CLOSE = frame(METHOD, 1, b"\x00\x14\x00\x28\x00\xc8\x00\x00\x00\x00\x00")  # 1.5.2.5
CHANNEL_CLOSE_OK = frame(METHOD, 1, b"\x00\x14\x00\x29")  # 1.5.2.6
# 1.7: queue. An exclusive queue named q.
QUEUE_DECLARE = frame(METHOD, 1, b"\x00\x32\x00\x0a\x00\x00\x01q\x04\x00\x00\x00\x00")  # 1.7.2.1
# The same, for all to use.
QUEUE_DECLARE_SHARED = frame(METHOD, 1, b"\x00\x32\x00\x0a\x00\x00\x01q\x00\x00\x00\x00\x00")
QUEUE_DECLARE_OK = frame(METHOD, 1, b"\x00\x32\x00\x0b\x01q\x00\x00\x00\x00\x00\x00\x00\x00")  # 1.7.2.2
# 1.8: basic. Consume q as t, with acknowledgements, and without.
CONSUME = frame(METHOD, 1, b"\x00\x3c\x00\x14\x00\x00\x01q\x01t\x00\x00\x00\x00\x00")  # 1.8.3.3
CONSUME_NO_ACK = frame(METHOD, 1, b"\x00\x3c\x00\x14\x00\x00\x01q\x01t\x02\x00\x00\x00\x00")
CONSUME_OK = frame(METHOD, 1, b"\x00\x3c\x00\x15\x01t")  # 1.8.3.4


def message(key: bytes, *pieces: bytes, exchange: bytes = b"", bits: int = 0, properties: bytes = b"\0\0") -> bytes:
    """Return a publish (1.8.3.7), its content header (4.2.6.1) and content bodies (4.2.6.2) on channel 1."""
    arguments = b"\x00\x00" + bytes([len(exchange)]) + exchange + bytes([len(key)]) + key + bytes([bits])
    size = struct.pack(">Q", sum(map(len, pieces)))
    return (
        frame(METHOD, 1, b"\x00\x3c\x00\x28" + arguments)
        + frame(HEADER, 1, b"\x00\x3c\x00\x00" + size + properties)
        + b"".join(frame(BODY, 1, piece) for piece in pieces)
    )


def closed(channel: int, code: int, text: str, class_id: int, method_id: int) -> bytes:
    """Return channel.close (1.5.2.5) or, on channel 0, connection.close (1.4.2.9)."""
    ids = b"\x00\x14\x00\x28" if channel else b"\x00\x0a\x00\x32"
    reason = struct.pack(">HB", code, len(text)) + text.encode() + struct.pack(">HH", class_id, method_id)
    return frame(METHOD, channel, ids + reason)


class Conversation:
    """One or more clients of a virtual host; time stands still unless told.

    Args:
        host: the virtual host, to share it with another conversation.
    """

    def __init__(self, host: VirtualHost | None = None) -> None:
        self.host = host or VirtualHost(Memory())
        self.now = 0.0
        self.peer = Peer("client", self.host.memory, lambda: None)
        self.session = Session(self.peer, self.host, Handshake(Credentials("guest", "guest")), self.now)

    def say(self, *data: bytes) -> bytes:
        """Let the client say something, and return the answer."""
        self.session.receive(b"".join(data), self.now)
        return self.heard()

    def heard(self) -> bytes:
        """Return what was sent to the client and not yet heard."""
        heard = []
        while data := self.peer.take():
            heard.append(data)
            self.session.sent(len(data), self.now)
        return b"".join(heard)

    def tick(self, now: float) -> bytes:
        """Move the clock to a time, and return what is sent then."""
        self.now = now
        self.session.tick(now)
        return self.heard()

    def open(self, tune_ok: bytes = TUNE_OK, start_ok: bytes = START_OK) -> None:
        """Open the connection and channel 1."""
        answer = self.say(PROTOCOL_HEADER, start_ok, tune_ok, OPEN, CHANNEL_OPEN)
        assert answer.endswith(TUNE + OPEN_OK + CHANNEL_OPEN_OK)


def opened(host: VirtualHost | None = None, tune_ok: bytes = TUNE_OK, start_ok: bytes = START_OK) -> Conversation:
    """Return a conversation whose channel 1 is open."""
    conversation = Conversation(host)
    conversation.open(tune_ok, start_ok)
    return conversation
