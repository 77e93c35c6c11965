"""The directives `exchanges` and `queues`: what each program declares on the broker, as it declares it.

The objects that declare are built, not started, and asked to declare on a stand-in for the channel.
"""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from from_the_program import FromTheProgram, table
from sphinx.application import Sphinx
from wire_recorder import BROKER, sample

from dragonfly.core.alert_queue import AlertQueue
from dragonfly.core.amqp.connection import DEFAULT_HEARTBEAT, Connection
from dragonfly.core.amqp.consumer import Consumer
from dragonfly.core.amqp.declarer import Declarer
from dragonfly.core.constants import ALERTS, REQUESTS
from dragonfly.core.listener import Listener
from dragonfly.core.requester import Requester
from dragonfly.core.service_presence import Presence, Wire

_FLAGS = ("durable", "exclusive", "auto_delete")


class Channel:
    """A channel that keeps what is declared on it."""

    is_open = True

    def __init__(self) -> None:
        self.exchanges: list[tuple[str, str, dict[str, Any]]] = []
        self.queue = ""
        self.options: dict[str, Any] = {}
        self.bindings: list[tuple[str, str]] = []

    def exchange_declare(self, exchange: str, exchange_type: str, **options: Any) -> None:
        """Keep an exchange."""
        self.exchanges.append((exchange, exchange_type, options))

    def queue_declare(self, queue: str, **options: Any) -> None:
        """Keep the queue."""
        self.queue, self.options = queue, options

    def queue_bind(self, queue: str, exchange: str, routing_key: str, **_options: Any) -> None:
        """Keep a binding."""
        self.bindings.append((exchange, routing_key))


def declared_exchanges() -> list[tuple[str, str, dict[str, Any]]]:
    """Return name, type and options of the exchanges."""
    declarer = Declarer(Connection(BROKER, "example"))
    declarer._channel = channel = Channel()
    declarer.declare_exchanges()
    return channel.exchanges


def declared_queues() -> dict[str, Channel]:
    """Return what is declared and bound for whom."""
    wire = Wire.made(BROKER, "example", DEFAULT_HEARTBEAT, 1)
    watcher = Listener(BROKER, ALERTS, ["#"], "monitor@lab-pc")
    return {
        "a service": _declared(_of_service(wire)),
        "whoever sends requests": _declared(Requester(*wire[:3])._consumer),
        "an alert consumer, beside that of a service": _declared(_alert_queue(wire, durable=False)),
        "an alert consumer with the key ``queue``, in the place of that": _declared(_alert_queue(wire, durable=True)),
        "``monitor`` and ``watchdog``": _declared(watcher._consumer),
    }


def _of_service(wire: Wire) -> Consumer:
    nothing: Any = None
    routes: Any = dict.fromkeys(["my_store", "peaches", "chips"], (nothing, nothing))

    handler: Any = SimpleNamespace(deliver=nothing)
    return Presence.made(wire, "my_store", routes, handler, nothing, nothing).consumer


def _alert_queue(wire: Wire, durable: bool) -> Consumer:
    name = "sensor_table_alerts" if durable else "my_store.alerts"
    return AlertQueue(wire, name, ["sensor_value.#"], durable, lambda alert: True, lambda text: None)._consumer


def _declared(consumer: Consumer) -> Channel:
    channel = Channel()
    consumer._declare(channel, lambda frame: None)
    return channel


def _flags(options: dict[str, Any]) -> str:
    return ", ".join(flag.replace("_", "-") for flag in _FLAGS if options.get(flag)) or "none"


class Exchanges(FromTheProgram):
    """Print the exchanges."""

    def text(self) -> Iterable[str]:
        """Return the table."""
        what = {REQUESTS: "requests and replies", ALERTS: "alerts"}
        rows = [(f"``{name}``", kind, _flags(options), what[name]) for name, kind, options in declared_exchanges()]
        return table([20, 20, 20, 40], ["exchange", "type", "flags", "what goes over it"], rows)


class Queues(FromTheProgram):
    """Print the queues."""

    def text(self) -> Iterable[str]:
        """Return the table."""
        head = ["of whom", "queue", "flags", "arguments", "bound with"]
        return table([20, 24, 16, 18, 22], head, (_row(*each) for each in declared_queues().items()))


def _row(who: str, channel: Channel) -> list[str]:
    arguments = ", ".join(f"``{key}: {value}``" for key, value in (channel.options.get("arguments") or {}).items())
    keys = ", ".join(f"``{sample(key)}``" for _, key in channel.bindings)
    exchanges = " and ".join(dict.fromkeys(f"``{exchange}``" for exchange, _ in channel.bindings))
    return [who, f"``{sample(channel.queue)}``", _flags(channel.options), arguments or "none", f"{exchanges}: {keys}"]


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx about the directives."""
    app.add_directive("exchanges", Exchanges)
    app.add_directive("queues", Queues)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
