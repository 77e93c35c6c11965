"""Provider: an endpoint that holds others, usually the instrument that they talk through."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineValueError


class Provider(Endpoint):
    """An endpoint that holds others and passes their commands to an instrument.

    A class of one's own overrides `send`, which takes the list of commands and returns the instrument's answer.

    Keyword Args:
        endpoints (list): blocks of the endpoints that use this one as their provider
    """

    not_for_the_mesh: ClassVar[frozenset[str]] = frozenset({"add_endpoint", "endpoints", "send"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._endpoints: dict[str, Endpoint] = {}

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
