"""What serve does before it serves, and all that check does: build everything that a config file describes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dragonfly.core.service import Service
    from dragonfly.loader import Config


@contextmanager
def whole_service(
    file: str,
    overrides: Callable[[Config], dict[str, Any]] = lambda _config: {},
    on_made: Callable[[Service], None] = lambda _service: None,
) -> Iterator[tuple[Config, Service]]:
    """Read a config file and give its service, with all endpoints in it; at the end the service is stopped.

    Args:
        file: the config file.
        overrides: returns the service's arguments that win over the file's; None is no argument.
        on_made: called with the service before its endpoints are attached.

    Raises:
        ConfigError: with all problems of the file.
    """
    from dragonfly.loader import load  # it loads YAML and pika, which -h does not need

    config = load(file)
    service = config.build_service(**overrides(config))
    try:
        on_made(service)
        config.build_endpoints(service)
        yield config, service
    finally:
        service.stop()
