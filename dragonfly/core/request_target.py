"""What a request can be addressed to: from an operation to the method that does it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from dragonfly.core import mesh_access
from dragonfly.core.calling import call
from dragonfly.core.constants import OP_CMD, OP_CONFIG, OP_GET, OP_RUN, OP_SEND, OP_SET
from dragonfly.core.exceptions import DriplineMethodNotSupportedError, DriplinePayloadError
from dragonfly.core.lockout import EXEMPT_COMMANDS, NOBODY, Origin

# The commands that have to know who asks.
_WITH_ORIGIN = ("lock", "unlock")


class RequestTarget:
    """What all endpoints do with a request; Endpoint says what a value, an attribute and a lock are.

    A class of one's own overrides `on_get` and `on_set`, and whatever else its instrument can do.
    """

    not_for_the_mesh: ClassVar[frozenset[str]] = frozenset({"handle"})

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of this endpoint."""

    def on_get(self) -> Any:
        """Return the value."""
        raise self._not_supported()

    def on_set(self, value: Any) -> Any:
        """Set the value."""
        raise self._not_supported()

    def on_run(self, *args: Any, **kwargs: Any) -> Any:
        """Do what this endpoint does on a run."""
        raise self._not_supported()

    def on_send(self, *commands: Any) -> Any:
        """Pass commands on as they are."""
        raise self._not_supported()

    def on_cmd(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Execute a command by its name."""
        return call(mesh_access.command(self, method), f"{self.name}.{method}", args, kwargs)

    def on_config(self, attribute: str, value: Any = None) -> Any:
        """Read an attribute, or set it where a value is given (deprecated: get and set do the same)."""
        if value is None:
            return mesh_access.read(self, attribute)
        return self._write(attribute, value)

    def handle(
        self, operation: int, specifier: str, args: list[Any], kwargs: dict[str, Any], origin: Origin = NOBODY
    ) -> Any:
        """Do what a request asks for and return the value that answers it.

        Args:
            operation: one of the constants OP_...
            specifier: what follows the endpoint's name in the routing key, '-' already read as '_'.
            args: the payload's values.
            kwargs: the payload's other entries.
            origin: who asks.

        Raises:
            DriplineError: the request cannot be done.
        """
        taken = kwargs.keys() & {"self", "method"}
        if taken:
            raise DriplinePayloadError(f"{self.name}: no operation takes a key {min(taken)!r}")
        if operation == OP_CMD:
            return self._handle_cmd(specifier, args, kwargs, origin)
        if not is_reading(operation, args):
            self._check_access(origin)
        return _OPERATIONS[operation](self, specifier, args, kwargs)

    def _handle_get(self, specifier: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        # `get peaches log_interval`, as the tutorial's era wrote it, is `get peaches.log_interval`.
        if not specifier and len(args) == 1 and isinstance(args[0], str):
            specifier, args = args[0].replace("-", "_"), []
        if args or kwargs:
            raise DriplinePayloadError(f"{self.name}: a get takes no values")
        return mesh_access.read(self, specifier) if specifier else self._get()

    def _handle_set(self, specifier: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if not specifier and len(args) == 2 and isinstance(args[0], str):
            specifier, args = args[0].replace("-", "_"), args[1:]
        if len(args) != 1:
            raise DriplinePayloadError(f"{self.name}: a set takes one value, not {len(args)}")
        if not specifier:
            return self._set(args[0], kwargs)
        if kwargs:
            raise DriplinePayloadError(f"{self.name}.{specifier}: a set of an attribute takes one value and no keys")
        return self._write(specifier, args[0])

    def _handle_config(self, specifier: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if specifier or kwargs or not (1 <= len(args) <= 2 and isinstance(args[0], str)):
            raise DriplinePayloadError(f"{self.name}: config takes an attribute's name and, to set it, a value")
        return self.on_config(args[0].replace("-", "_"), *args[1:])

    def _handle_cmd(self, specifier: str, args: list[Any], kwargs: dict[str, Any], origin: Origin) -> Any:
        if not specifier and args and isinstance(args[0], str):
            specifier, args = args[0].replace("-", "_"), args[1:]
        if not specifier:
            raise DriplinePayloadError(f"{self.name}: which command? It is written {self.name}.COMMAND")
        if specifier in _WITH_ORIGIN:
            if "origin" in kwargs:
                raise DriplinePayloadError(f"{self.name}.{specifier} takes no key 'origin'")
            method = mesh_access.command(self, specifier)
            return call(method, f"{self.name}.{specifier}", args, {**kwargs, "origin": origin})
        if specifier not in EXEMPT_COMMANDS:
            self._check_access(origin)
        return self.on_cmd(specifier, *args, **kwargs)

    def _handle_run(self, specifier: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        self._no_specifier("run", specifier)
        return call(self.on_run, self.name, args, kwargs)

    def _handle_send(self, specifier: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        self._no_specifier("send", specifier)
        return call(self.on_send, self.name, args, kwargs)

    def _no_specifier(self, verb: str, specifier: str) -> None:
        if specifier:
            raise DriplineMethodNotSupportedError(f"{self.name}: {verb} takes no specifier, and {specifier!r} is one")

    @abstractmethod
    def _check_access(self, origin: Origin) -> None:
        """Refuse who does not have the key of a lock."""

    @abstractmethod
    def _get(self) -> Any:
        """Return the value."""

    @abstractmethod
    def _set(self, value: Any, kwargs: dict[str, Any]) -> Any:
        """Set the value."""

    def _write(self, attribute: str, value: Any) -> Any:
        return mesh_access.write(self, attribute, value)

    @staticmethod
    def _not_supported() -> DriplineMethodNotSupportedError:
        return DriplineMethodNotSupportedError("requested method not supported by this endpoint")


def is_reading(operation: int, args: list[Any]) -> bool:
    """Tell whether a request changes nothing: a get, or a config without a value."""
    return operation == OP_GET or (operation == OP_CONFIG and (len(args) < 2 or args[1:] == [None]))


_Handler = Callable[[RequestTarget, str, list[Any], dict[str, Any]], Any]
_OPERATIONS: dict[int, _Handler] = {
    OP_GET: RequestTarget._handle_get,
    OP_SET: RequestTarget._handle_set,
    OP_CONFIG: RequestTarget._handle_config,
    OP_RUN: RequestTarget._handle_run,
    OP_SEND: RequestTarget._handle_send,
}
