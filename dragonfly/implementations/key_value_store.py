"""A store of named values, without any instrument: for the tutorial, and for trying things out."""

from __future__ import annotations

import logging
from typing import Any

from dragonfly.core.calibration import calibrate
from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.numbers import checked_flag
from dragonfly.core.provider import Provider
from dragonfly.core.spime import Spime

logger = logging.getLogger(__name__)


def times2(value: float) -> float:
    """Return twice a value."""
    return 2.0 * value


def times3(value: float) -> float:
    """Return three times a value."""
    return 3.0 * value


class kv_store(Provider):
    """A store that holds kv_store_key endpoints."""

    def send(self, commands: list[str]) -> None:
        """Note what was sent: there is no instrument to pass it to."""
        logger.info("%s got %s", self.name, commands)


class kv_store_key(Spime):
    """A key in the KV store.

    Further Keyword Args:
        initial_value (any): value until the first set, without unit
        set_value_map (dict): what is stored for each value that a set accepts; any other value is refused
        set_value_lowercase (bool): whether a text is read in lower case before set_value_map is looked up

    Raises:
        DriplineValueError: a key's value is not acceptable.
    """

    def __init__(
        self,
        initial_value: Any = None,
        set_value_map: dict[Any, Any] | None = None,
        set_value_lowercase: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if set_value_map is not None and not isinstance(set_value_map, dict):
            raise DriplineValueError(f"set_value_map must be a dict, not {set_value_map!r:.80}")
        self._value = initial_value
        self._set_value_map = set_value_map
        self._set_value_lowercase = checked_flag("set_value_lowercase", set_value_lowercase)

    @calibrate([times2, times3])
    def on_get(self) -> Any:
        """Get the stored value, as a text."""
        return self._raw()

    def on_set(self, value: Any) -> None:
        """Set the stored value."""
        self._value = self._mapped(value)

    def raw_after_set(self, value: Any) -> Any:
        """Return the stored value as a get shows it: mapped, and as a text."""
        return self._raw()

    def _raw(self) -> str | None:
        return None if self._value is None else str(self._value)

    def _mapped(self, value: Any) -> Any:
        if self._set_value_lowercase and isinstance(value, str):
            value = value.lower()
        if self._set_value_map is None:
            return value
        try:
            return self._set_value_map[value]
        except (KeyError, TypeError) as err:
            accepted = ", ".join(repr(key) for key in self._set_value_map)
            raise DriplineValueError(f"{self.name}: {value!r:.80} is not accepted; accepted are {accepted}") from err
