"""An alert consumer that keeps all that it is told, each alert once."""

from __future__ import annotations

from typing import Any, NamedTuple

from dragonfly.core.alert_consumer import AlertConsumer, AlertMethod
from dragonfly.core.message import AlertMessage
from dragonfly.testing import Mesh, RabbitMQNode
from tests.mesh.raw import RawClient

QUEUE = "chronicle_alerts"


class Entry(NamedTuple):
    """An alert: routing key, what it says, and when it was made."""

    key: str
    payload: Any
    timestamp: str


class Chronicle(AlertConsumer):
    """Keeps alerts by their message_id, in the order in which they came first; counts those that came again."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._entries: dict[str, Entry] = {}
        self._again = 0

    def this_consume(self, message: AlertMessage, method: AlertMethod) -> None:
        assert method.message_id is not None
        if method.message_id in self._entries:
            self._again += 1
        else:
            self._entries[method.message_id] = Entry(method.routing_key, message.payload, message.timestamp)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def again(self) -> int:
        """How many came a second time."""
        return self._again

    def told(self) -> dict[str, list[Entry]]:
        """Return all entries, by routing key."""
        found: dict[str, list[Entry]] = {}
        for entry in list(self._entries.values()):
            found.setdefault(entry.key, []).append(entry)
        return found


def chronicle(mesh: Mesh, node: RabbitMQNode) -> Chronicle:
    """Return one that listens to sensor values on a durable queue, which a killed broker does not lose."""
    made = Chronicle(name="chronicle", broker=mesh.address, keys="sensor_value.#", queue=QUEUE)
    mesh.serve(made)
    # A queue younger than a second or so is lost with the broker, whatever that has confirmed: write it now.
    node.ctl("eval", "mnesia:sync_log().")
    return made


def forget_queue(address: str) -> None:
    """Delete the durable queue."""
    with RawClient(address) as raw:
        raw.channel.queue_delete(QUEUE)
