"""A broker that goes, refuses, or takes no messages: what is promised to each of the six (see matrix.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.cells import Records, cells, check, records_on

pytestmark = pytest.mark.rabbitmq


@pytest.fixture(scope="module")
def records(broker: Any) -> Records:
    return records_on(broker)


@cells("restart", "kill", "refused", "alarm")
def test_the_promise_is_kept(
    subject: str, fault: str, records: Records, measured: Callable[[str, str, str], None]
) -> None:
    check(subject, fault, records, measured)
