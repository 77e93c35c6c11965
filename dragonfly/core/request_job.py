"""A request with its endpoint, ready to run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dragonfly.core.amqp.packet import Delivery
from dragonfly.core.constants import OP_CMD, OP_GET, OPERATION_NAMES
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplinePayloadError
from dragonfly.core.lane import Lane
from dragonfly.core.lockout import Origin, normalised_key
from dragonfly.core.masking import printable
from dragonfly.core.message import RequestMessage

# What touches no device: a hung instrument must not keep anybody from asking, or from unlocking what it blocks.
_AT_THE_DESK = ("describe", "lock_status")
_STATISTICS = "statistics"


class Job:
    """A request with its endpoint and lane.

    Args:
        delivery: the message as it came.
        request: the decoded message.
        endpoint: what it is addressed to.
        lane: where it is to run.
        specifier: what follows the endpoint's name in the routing key.

    Raises:
        DriplinePayloadError: the payload has not the form that a request needs.
        DriplineInvalidKey: the lockout key is none.
    """

    __slots__ = ("args", "delivery", "endpoint", "kwargs", "lane", "origin", "request", "specifier")

    def __init__(
        self, delivery: Delivery, request: RequestMessage, endpoint: Endpoint, lane: Lane, specifier: str
    ) -> None:
        self.delivery = delivery
        self.request = request
        self.endpoint = endpoint
        self.lane = lane
        self.specifier = specifier
        self.args, self.kwargs = _arguments(request)
        self.origin = _origin(request)

    @property
    def is_ping(self) -> bool:
        """Whether the request only asks whether somebody is there; `cmd peaches ping` is `cmd peaches.ping`."""
        return self.request.msgop == OP_CMD and self._asked() == ("ping", []) and not self.kwargs and self._is_ours()

    @property
    def is_for_the_desk(self) -> bool:
        """Whether the request touches no device, and need not wait for those that do."""
        name, args = self._asked()
        if self.request.msgop == OP_GET:
            return name == _STATISTICS and self._is_ours()
        if self.request.msgop != OP_CMD:
            return False
        is_forced = name == "unlock" and (self.kwargs.get("force") is True or args == [True])
        return (is_forced or name in _AT_THE_DESK) and self._is_ours()

    def _asked(self) -> tuple[str, list[Any]]:
        """Return the name of what is asked for, in either spelling, and the values for it."""
        if self.specifier or not (self.args and isinstance(self.args[0], str)):
            return self.specifier, self.args
        return self.args[0].replace("-", "_"), self.args[1:]

    def _is_ours(self) -> bool:
        # A class of one's own may mean something else by this name, and need its device for it.
        member = getattr(type(self.endpoint), self._asked()[0], None)
        function = member.fget if isinstance(member, property) else member
        return str(getattr(function, "__module__", "")).startswith(_OURS)


def attempt(
    endpoint: Endpoint, operation: int, specifier: str, args: list[Any], kwargs: dict[str, Any], origin: Origin
) -> tuple[Any, BaseException | None]:
    """Do what is asked for; return the value, or the error that it ended in, whatever that is."""
    return attempt_call(endpoint.handle, operation, specifier, args, kwargs, origin)


def attempt_call(method: Callable[..., Any], *args: Any) -> tuple[Any, BaseException | None]:
    """Call what is somebody else's; return its value, or the error that it ended in, whatever that is."""
    try:
        return method(*args), None
    except BaseException as err:  # noqa: BLE001 - here alone a handler's error becomes something to tell
        return None, err


_OURS = "dragonfly.core."


def _arguments(request: RequestMessage) -> tuple[list[Any], dict[str, Any]]:
    """Return the positional and the keyword arguments that a payload holds."""
    payload = request.payload
    operation = OPERATION_NAMES[request.msgop]
    if not isinstance(payload, dict):
        raise DriplinePayloadError(f"the payload of a {operation} is an object with 'values', not {payload!r:.80}")
    values = payload.get("values")
    if values is None:
        values = []
    if not isinstance(values, list):
        raise DriplinePayloadError(f"the payload's 'values' is a list, not {values!r:.80}")
    only_values = len(payload) == ("values" in payload)
    return values, {} if only_values else {key: value for key, value in payload.items() if key != "values"}


def _origin(request: RequestMessage) -> Origin:
    info = request.sender_info
    key = None if request.lockout_key is None else normalised_key(request.lockout_key)
    # They stand in texts and logs of others.
    return Origin(printable(info.get("username") or ""), printable(info.get("hostname") or ""), key)
