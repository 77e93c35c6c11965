"""Endpoint: one readable or settable value, and the way from an operation to the method that does it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from dragonfly.core import mesh_access
from dragonfly.core.calibration import calibrated, compiled
from dragonfly.core.constants import OP_CMD, OP_CONFIG, OP_GET, OP_RUN, OP_SEND, OP_SET
from dragonfly.core.exceptions import DriplineError, DriplineMethodNotSupportedError, DriplinePayloadError
from dragonfly.core.numbers import checked_flag
from dragonfly.core.routing import check_name


class MeshService(Protocol):
    """What an endpoint sees of the service that holds it."""

    def send_alert(self, routing_key: str, payload: Any) -> None:
        """Tell everybody who listens to a key of the alerts exchange."""


class Endpoint:
    """One readable or settable value of a service.

    A class of one's own overrides `on_get` and `on_set`, and whatever else its instrument can do. Values are returned,
    errors are raised: the service alone makes replies.

    Keyword Args:
        name (str): unique identifier across all dripline services (used to determine routing key)
        calibration (str||dict): string use to process raw get result (with .format(raw)) or a dict to use for the same purpose where raw must be a key
        get_on_set (bool): flag to toggle running 'on_get' after each 'on_set'

    Raises:
        DriplineValueError: a key's value is not acceptable.
    """  # noqa: E501

    not_for_the_mesh: ClassVar[frozenset[str]] = frozenset(
        {"name", "provider", "service", "handle", "calibrated", "start", "stop"}
    )

    def __init__(self, name: str, calibration: Any = None, get_on_set: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._name = check_name(name)
        self._calibration = calibration
        functions = getattr(type(self).on_get, "calibration_functions", None)
        self._calibrate = compiled(calibration, functions or {})
        # A class that forgot the decorator must not make a calibration in the YAML file vanish.
        self._calibrates_itself = functions is not None
        self._get_on_set = checked_flag("get_on_set", get_on_set)
        self._provider: Any = None

    @property
    def name(self) -> str:
        """Name of this endpoint: the first word of its routing keys."""
        return self._name

    @property
    def provider(self) -> Any:
        """The Provider that holds this endpoint; of a top-level endpoint, the service."""
        return self._provider

    @provider.setter
    def provider(self, provider: Any) -> None:
        self._provider = provider

    @property
    def service(self) -> MeshService | None:
        """The service that this endpoint is part of; None while it is in none."""
        service: MeshService | None = None if self._provider is None else self._provider.service
        return service

    @property
    def calibration(self) -> Any:
        """The calibration as it was configured; from the mesh it can be read, not set."""
        return self._calibration

    @property
    def get_on_set(self) -> bool:
        """Whether a set is answered with what a get returns afterwards."""
        return self._get_on_set

    @get_on_set.setter
    def get_on_set(self, value: bool) -> None:
        self._get_on_set = checked_flag("get_on_set", value)

    def start(self) -> None:
        """Connect to the instrument; called once, before the service takes requests."""

    def stop(self) -> None:
        """Let go of the instrument; called once, after the last request."""

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
        return self._call(mesh_access.command(self, method), f"{self.name}.{method}", args, kwargs)

    def on_config(self, attribute: str, value: Any = None) -> Any:
        """Read an attribute, or set it where a value is given (deprecated: get and set do the same)."""
        if value is None:
            return mesh_access.read(self, attribute)
        return mesh_access.write(self, attribute, value)

    def ping(self) -> None:
        """Answer, whatever the instrument does."""

    def calibrated(self, raw: Any) -> dict[str, Any] | None:
        """Return the payload for a raw value; `calibrate` calls it for each get."""
        return calibrated(self.name, raw, self._calibrate)

    def handle(self, operation: int, specifier: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Do what a request asks for and return the value that answers it.

        Args:
            operation: one of the constants OP_...
            specifier: what follows the endpoint's name in the routing key, '-' already read as '_'.
            args: the payload's values.
            kwargs: the payload's other entries.

        Raises:
            DriplineError: the request cannot be done.
        """
        taken = kwargs.keys() & {"self", "method"}
        if taken:
            raise DriplinePayloadError(f"{self.name}: no operation takes a key {min(taken)!r}")
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
        return mesh_access.write(self, specifier, args[0])

    def _handle_config(self, specifier: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if specifier or kwargs or not (1 <= len(args) <= 2 and isinstance(args[0], str)):
            raise DriplinePayloadError(f"{self.name}: config takes an attribute's name and, to set it, a value")
        return self.on_config(args[0].replace("-", "_"), *args[1:])

    def _handle_cmd(self, specifier: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if not specifier and args and isinstance(args[0], str):
            specifier, args = args[0].replace("-", "_"), args[1:]
        if not specifier:
            raise DriplinePayloadError(f"{self.name}: which command? It is written {self.name}.COMMAND")
        return self.on_cmd(specifier, *args, **kwargs)

    def _handle_run(self, specifier: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        self._no_specifier("run", specifier)
        return self._call(self.on_run, self.name, args, kwargs)

    def _handle_send(self, specifier: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        self._no_specifier("send", specifier)
        return self._call(self.on_send, self.name, args, kwargs)

    def _no_specifier(self, verb: str, specifier: str) -> None:
        if specifier:
            raise DriplineMethodNotSupportedError(f"{self.name}: {verb} takes no specifier, and {specifier!r} is one")

    def _get(self) -> Any:
        value = self.on_get()
        return value if self._calibrates_itself or self._calibrate is None else self.calibrated(value)

    def _set(self, value: Any, kwargs: dict[str, Any]) -> Any:
        result = self._call(self.on_set, self.name, [value], kwargs)
        return self._get_after_set() if self._get_on_set else result

    def _get_after_set(self) -> Any:
        try:
            return self._get()
        except DriplineError as err:
            # The same code means a refused value elsewhere: here it must be told that the value is set.
            text = f"{self.name} is set, but reading it back failed: {err}"
            raise type(err)(text, result=err.result) from err

    def _call(self, method: Callable[..., Any], what: str, args: Any, kwargs: dict[str, Any]) -> Any:
        """Call a method with what a request brought; arguments that do not fit are the request's error, not ours."""
        try:
            return method(*args, **kwargs)
        except TypeError as err:
            # Only a failed call is looked at more closely: binding first would cost every request its time.
            if _fits(method, args, kwargs):
                raise
            raise DriplinePayloadError(f"{what} takes {_parameters(method)}; these values do not fit") from err

    @staticmethod
    def _not_supported() -> DriplineMethodNotSupportedError:
        return DriplineMethodNotSupportedError("requested method not supported by this endpoint")


def _fits(method: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> bool:
    try:
        inspect.signature(method).bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def _parameters(method: Callable[..., Any]) -> str:
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(method).parameters.values()
    ]
    return f"({', '.join(map(str, bare))})" if bare else "no values"


_Handler = Callable[[Endpoint, str, list[Any], dict[str, Any]], Any]
_OPERATIONS: dict[int, _Handler] = {
    OP_GET: Endpoint._handle_get,
    OP_SET: Endpoint._handle_set,
    OP_CONFIG: Endpoint._handle_config,
    OP_CMD: Endpoint._handle_cmd,
    OP_RUN: Endpoint._handle_run,
    OP_SEND: Endpoint._handle_send,
}
