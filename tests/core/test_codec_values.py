"""Values to bytes: what JSON carries, in which form, and what it cannot."""

import json
import math
import time
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from dragonfly.core.codec import encode
from dragonfly.core.exceptions import DriplinePayloadError
from dragonfly.core.message import AlertMessage, ReplyMessage


@pytest.mark.parametrize(
    ("payload", "carried"),
    [
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        ({"value_cal": math.nan, "value_raw": 1.5}, {"value_cal": "nan", "value_raw": 1.5}),
        ([1, [math.inf, {"a": (-math.inf, None, True)}]], [1, ["inf", {"a": ["-inf", None, True]}]]),
        ({math.nan: 1, 2.5: {-math.inf: 3}}, {"nan": 1, "2.5": {"-inf": 3}}),
    ],
)
def test_what_json_has_no_number_for_travels_as_a_text(payload: Any, carried: Any) -> None:
    assert json.loads(encode(AlertMessage(payload)))["payload"] == carried


def test_encoding_leaves_the_payload_as_it_was() -> None:
    payload = {"a": [math.nan, {"b": math.inf}]}
    encode(AlertMessage(payload))
    assert math.isnan(payload["a"][0]) and payload["a"][1] == {"b": math.inf}


def test_a_body_is_ascii() -> None:
    assert encode(AlertMessage("\N{DEGREE SIGN}C \N{SNOWMAN}")).isascii()


def circular(container: Any) -> Any:
    if isinstance(container, dict):
        container["self"] = [container]
    else:
        container.append({"self": container})
    return container


def nested(depth: int) -> Any:
    value: Any = math.nan
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "make",
    [
        object,
        lambda: {1, 2},
        lambda: b"bytes",
        lambda: {(1, 2): 3},
        lambda: {(1, math.nan): 3},
        lambda: {b"key": 1},
        lambda: {None: math.nan, object(): 1},
        lambda: [1, {"a": object()}],
        lambda: [math.nan, object()],
        lambda: 1j,
        lambda: Decimal("0.75"),
        lambda: datetime.now(timezone.utc),
        lambda: 10**5000,
        lambda: [math.nan, 10**5000],
        lambda: {10**5000: 1},
        lambda: circular([]),
        lambda: circular({}),
        lambda: circular([math.nan]),
        lambda: nested(100_000),
        lambda: range(3),
        lambda: iter([]),
    ],
)
def test_what_json_cannot_carry_is_303(make: Any) -> None:
    message = ReplyMessage(make())
    started = time.perf_counter()
    with pytest.raises(DriplinePayloadError, match="^the value cannot be carried by JSON: ") as caught:
        encode(message)
    assert caught.value.retcode == 303
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("payload", "carried"),
    [((1, 2), [1, 2]), ({1: "a", None: "b", False: "c"}, {"1": "a", "null": "b", "false": "c"}), (10**300, 10**300)],
)
def test_what_json_can_carry_in_another_form_is_carried(payload: Any, carried: Any) -> None:
    assert json.loads(encode(AlertMessage(payload)))["payload"] == carried
