"""What the tests of the fault proxy share."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.testing.broken_line import Line


@pytest.fixture
def line() -> Iterator[Line]:
    with ExitStack() as opened:
        yield Line(opened)
