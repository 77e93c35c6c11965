"""The directives `wire-message`, `message-types` and `operations`: the protocol, as the program speaks it."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from docutils.parsers.rst import directives
from from_the_program import FromTheProgram, block, table
from sphinx.application import Sphinx
from wire_recorder import KEY, Published, Recorder

from dragonfly.core.constants import OPERATION_NAMES
from dragonfly.core.message import AlertMessage, InfoMessage, ReplyMessage, RequestMessage

_WIDTH = 90
_MESSAGES = (RequestMessage, ReplyMessage, AlertMessage, InfoMessage)


def _get(recorder: Recorder) -> Published:
    recorder.client.get("peaches")
    return recorder.request()


def _get_reply(recorder: Recorder) -> Published:
    _get(recorder)
    return recorder.reply()


def _set(recorder: Recorder) -> Published:
    recorder.client.set("waffles", 4.5)
    return recorder.request()


def _set_reply(recorder: Recorder) -> Published:
    _set(recorder)
    return recorder.reply()


def _cmd(recorder: Recorder) -> Published:
    recorder.client.cmd("peaches", "lock", lease=3600, lockout_key=KEY)
    return recorder.request()


def _error_reply(recorder: Recorder) -> Published:
    recorder.client.set("peaches_status", "ajar")
    return recorder.reply()


def _describe_reply(recorder: Recorder) -> Published:
    recorder.client.cmd("peaches", "describe")
    return recorder.reply()


def _alert(recorder: Recorder) -> Published:
    (peaches,) = [endpoint for endpoint in recorder.service.subtree() if endpoint.name == "peaches"]
    recorder.service.send_alert("sensor_value.peaches", peaches.on_get())
    return recorder.request()


EXAMPLES: dict[str, Callable[[Recorder], Published]] = {
    "get": _get,
    "get-reply": _get_reply,
    "set": _set,
    "set-reply": _set_reply,
    "cmd": _cmd,
    "error-reply": _error_reply,
    "describe-reply": _describe_reply,
    "alert": _alert,
}


def example(name: str) -> Published:
    """Have the program make the message of a name, one of EXAMPLES."""
    return EXAMPLES[name](Recorder())


def pretty(value: Any, indent: int = 0) -> str:
    """Return a value as JSON: what fits on a line stands on one."""
    short = json.dumps(value)
    if indent + len(short) <= _WIDTH or not isinstance(value, dict | list) or not value:
        return short
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {pretty(item, indent + 2)}" for key, item in value.items()]
    else:
        parts = [pretty(item, indent + 2) for item in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    lines = ",\n".join(f"{inner}{part}" for part in parts)
    return f"{opening}\n{lines}\n{' ' * indent}{closing}"


def around(message: Published) -> Iterator[list[str]]:
    """Yield what AMQP carries beside the body, a row each."""
    yield ["exchange", f"``{message.exchange}``"]
    yield ["routing key", f"``{message.routing_key}``"]
    if message.mandatory:
        yield ["flag", "``mandatory``"]
    for name, value in message.properties.items():
        yield [f"property ``{name}``", f"``{value}``"]
    for name, value in message.headers.items():
        yield [f"header ``{name}``", f"``{value}``"]


class WireMessage(FromTheProgram):
    """Print a message: what stands around it (unless `:body-only:`), and its body."""

    required_arguments = 1
    option_spec = {"body-only": directives.flag}

    def text(self) -> Iterator[str]:
        """Yield the table and the JSON."""
        message = example(directives.choice(self.arguments[0], tuple(EXAMPLES)))
        if "body-only" not in self.options:
            yield from table([30, 70], ["AMQP", ""], around(message))
        yield from block("json", pretty(message.fields))


class MessageTypes(FromTheProgram):
    """Print number, class and meaning of each kind of message."""

    def text(self) -> Iterable[str]:
        """Return the table."""
        rows = [(str(cls.msgtype), f"``{cls.__name__}``", _sentence(cls)) for cls in _MESSAGES]
        return table([15, 30, 55], ["``msgtype``", "class in Python", "what for"], sorted(rows))


class Operations(FromTheProgram):
    """Print number and name of each operation, and what does it in a class."""

    def text(self) -> Iterable[str]:
        """Return the table."""
        rows = [(str(number), name, f"``on_{name}``") for number, name in OPERATION_NAMES.items()]
        return table([15, 30, 55], ["``msgop``", "operation", "method of the endpoint"], rows)


def _sentence(cls: Any) -> str:
    return str(cls.__doc__).partition("\n")[0]


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx about the directives."""
    app.add_directive("wire-message", WireMessage)
    app.add_directive("message-types", MessageTypes)
    app.add_directive("operations", Operations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
