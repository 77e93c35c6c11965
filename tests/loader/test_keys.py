"""A class accepts the keywords of its own `__init__` and of its ancestors'."""

from typing import Any

import pytest

from dragonfly.core.endpoint import Endpoint
from dragonfly.implementations import kv_store_key
from dragonfly.loader.keys import Keys, keys_of


class Base:
    def __init__(self, a: int, b: int = 0) -> None: ...


class Middle(Base):
    def __init__(self, name: str, c: int = 0, *values: int, **kwargs: Any) -> None: ...


class Silent(Middle):
    pass


class Closed(Middle):
    def __init__(self, d: int, e: int = 0) -> None: ...


class Mixin:
    def __init__(self, *, m: int, _private: int = 0, **kwargs: Any) -> None: ...


class Mixed(Silent, Mixin):
    def __init__(self, f: int, /, g: int = 0, **kwargs: Any) -> None: ...


class Bare:
    pass


@pytest.mark.parametrize(
    ("cls", "keys"),
    [
        (Bare, Keys((), ())),
        (Base, Keys(("a", "b"), ("a",))),
        (Middle, Keys(("c", "a", "b"), ())),
        (Silent, Keys(("c", "a", "b"), ())),
        (Closed, Keys(("d", "e"), ("d",))),
        (Mixin, Keys(("m",), ("m",))),
        (Mixed, Keys(("g", "c", "a", "b"), ())),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_keys_are_merged_until_an_init_passes_nothing_on(cls: type, keys: Keys) -> None:
    assert keys_of(cls) == keys


def test_the_tutorials_class_accepts_the_keys_of_all_its_ancestors() -> None:
    tutorial = {
        "log_on_set",
        "calibration",
        "get_on_set",
        "log_interval",
        "max_interval",
        "max_fractional_change",
        "alert_routing_key",
    }
    assert tutorial < set(keys_of(kv_store_key).accepted)


def test_reserved_keys_are_no_arguments() -> None:
    assert "name" not in keys_of(Endpoint).accepted
