"""What an Interface refuses before it asks anybody."""

from typing import Any

import pytest

from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.interface import Interface


@pytest.mark.parametrize("timeout", [0, -1, 1e10, 1e300, float("inf"), float("nan"), "10", True])
def test_a_timeout_that_no_broker_can_count_is_refused_before_anything_is_sent(timeout: Any) -> None:
    with pytest.raises(DriplineValueError, match="a timeout must be above 0 and at most 4294967 seconds"):
        Interface("127.0.0.1:1", timeout=timeout)
    with Interface("127.0.0.1:1") as interface:
        with pytest.raises(DriplineValueError, match="a timeout must be"):
            interface.get("peaches", timeout=timeout)
        with pytest.raises(DriplineValueError, match="a timeout must be"):
            next(interface.request_many(["peaches"], timeout=timeout))


@pytest.mark.parametrize("target", [None, 5, b"peaches", ["peaches"]])
def test_a_target_that_is_no_text_is_refused(target: Any) -> None:
    with Interface("127.0.0.1:1") as interface, pytest.raises(DriplineValueError, match="a target is a text"):
        interface.get(target)


def test_everybody_is_asked_with_request_all_alone() -> None:
    with Interface("127.0.0.1:1") as interface, pytest.raises(DriplineValueError, match="request_all returns all"):
        interface.cmd("broadcast", "lock")


def test_one_text_is_not_several_requests() -> None:
    with Interface("127.0.0.1:1") as interface, pytest.raises(DriplineValueError, match="takes several requests"):
        next(interface.request_many("peaches"))


@pytest.mark.parametrize("limit", [0, -1, "many", True, 1.5])
@pytest.mark.parametrize("key", ["max_message_size", "max_json_depth"])
def test_a_limit_for_replies_is_a_whole_number(key: str, limit: Any) -> None:
    with pytest.raises(DriplineValueError, match=f"{key} must be a"):
        Interface("127.0.0.1:1", **{key: limit})
