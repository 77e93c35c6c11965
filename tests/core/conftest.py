"""Fixtures of the tests of the core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dragonfly.core.lane import LanePool
from tests.core.lanes import PATIENCE


@pytest.fixture
def make_pool() -> Iterator[Callable[..., LanePool]]:
    pools: list[LanePool] = []

    def make(*args: Any, **kwargs: Any) -> LanePool:
        pools.append(LanePool("test lane", *args, **kwargs))
        return pools[-1]

    yield make
    for pool in pools:
        assert pool.stop(PATIENCE)
