"""Provider: an endpoint that holds others, usually the instrument that they talk through."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from dragonfly.core.constants import OP_CMD, OP_GET, OP_SET
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineAccessDenied, DriplineInternalError, DriplineValueError, DriplineWarning
from dragonfly.core.mesh_service import MeshService
from dragonfly.core.scheduler import Scheduler, checked_status, switch_all


class Provider(Endpoint):
    """An endpoint that holds others and passes their commands to an instrument.

    A class of one's own overrides `send`, which takes the list of commands and returns the instrument's answer.

    Keyword Args:
        endpoints (list): blocks of the endpoints that use this one as their provider
    """

    not_for_the_mesh: ClassVar[frozenset[str]] = frozenset({"add_endpoint", "endpoints", "send", "get", "set", "cmd"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._endpoints: dict[str, Endpoint] = {}

    @property
    def logging_status(self) -> list[list[Any]]:
        """Name and status of each endpoint below that can log; set: what a single one takes, for all of them."""
        return [[scheduler.name, scheduler.schedule_status] for scheduler in schedulers_below(self)]

    @logging_status.setter
    def logging_status(self, value: Any) -> None:
        self._switch_logging(value)

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """The endpoints that this provider holds, by name; a view that cannot be changed."""
        return MappingProxyType(self._endpoints)

    @property
    def endpoint_names(self) -> list[str]:
        """Names of the endpoints that this provider holds."""
        return list(self._endpoints)

    def add_endpoint(self, endpoint: Endpoint) -> None:
        """Take an endpoint in.

        Raises:
            DriplineValueError: there is one of that name already.
        """
        if endpoint.name in self._endpoints:
            raise DriplineValueError(f"{self.name} already holds an endpoint named {endpoint.name}")
        self._endpoints[endpoint.name] = endpoint
        endpoint.provider = self

    def send(self, commands: list[str]) -> Any:
        """Pass commands to the instrument and return its answer."""
        raise self._not_supported()

    def on_send(self, *commands: Any) -> Any:
        """Pass commands to the instrument as they are."""
        return self.send(list(commands))

    def get(self, target: str, timeout: float | None = None) -> Any:
        """Get a value of any endpoint of the mesh; in a handler, of any but those on the handler's own lane.

        Args:
            target: endpoint, or endpoint and attribute as `endpoint.attribute`.
            timeout: how long to wait for the reply, s; 10 by default.

        Returns:
            The payload of the reply.

        Raises:
            DriplineError: the one that the reply's return code stands for; DriplineOwnLaneError where the target is on
                the lane of the handler that asks. So do `set` and `cmd`.
        """
        return self._mesh().request(target, OP_GET, {"values": []}, timeout).payload

    def set(self, target: str, value: Any, timeout: float | None = None, lockout_key: str | None = None) -> Any:
        """Set a value of any endpoint of the mesh and return the payload of the reply; as `get` does."""
        return self._mesh().request(target, OP_SET, {"values": [value]}, timeout, lockout_key).payload

    def cmd(
        self,
        target: str,
        method: str,
        *args: Any,
        timeout: float | None = None,
        lockout_key: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Have any endpoint of the mesh execute a command and return the payload of the reply; as `get` does."""
        payload = {"values": list(args), **kwargs}
        return self._mesh().request(f"{target}.{method}", OP_CMD, payload, timeout, lockout_key).payload

    def describe(self) -> dict[str, Any]:
        """Return what this provider and all below it are, and what they can be asked to do."""
        return self._described()

    def subtree(self) -> list[Endpoint]:
        """Return this provider and all below it, parents first."""
        return [self, *tree_of(self)]

    def _described(self) -> dict[str, Any]:
        below = [endpoint._described() for endpoint in self._endpoints.values()]
        return {**super()._described(), "endpoints": below}

    def _write(self, attribute: str, value: Any) -> Any:
        if attribute == "logging_status":  # a setter could not report on each
            return self._switch_logging(value)
        return super()._write(attribute, value)

    def _switch_logging(self, value: Any) -> dict[str, str]:
        status = checked_status("logging_status", value)
        below = schedulers_below(self)
        # Whoever may switch this provider need not have the keys of those that were locked by themselves.
        kept = [each for each in below if isinstance(each, Endpoint) and self._is_kept_from(each)]
        report = switch_all((each for each in below if each not in kept), status)
        report |= {each.name: "not switched (it is locked)" for each in kept}
        if kept and len(kept) == len(below):
            raise DriplineAccessDenied(f"{self.name}: all that could be switched is locked", result=report)
        failed = [name for name, state in report.items() if state not in ("on", "off")]
        if failed:
            raise DriplineWarning(f"not switched: {', '.join(failed)}", result=report)
        return report

    def _is_kept_from(self, endpoint: Endpoint) -> bool:
        return endpoint.is_locked and not endpoint._lockout.has_key_of(self._lockout, self._now())

    def _mesh(self) -> MeshService:
        if self.service is None:
            raise DriplineInternalError(f"{self.name} is in no service, and cannot ask the mesh")
        return self.service


def tree_of(provider: Provider) -> Iterator[Endpoint]:
    """Yield all endpoints below a provider, parents first."""
    waiting = deque(provider.endpoints.values())
    while waiting:
        endpoint = waiting.popleft()
        yield endpoint
        if isinstance(endpoint, Provider):
            waiting.extend(endpoint.endpoints.values())


def schedulers_below(provider: Provider) -> list[Scheduler]:
    """Return all endpoints below a provider that act periodically."""
    return [endpoint for endpoint in tree_of(provider) if isinstance(endpoint, Scheduler)]
