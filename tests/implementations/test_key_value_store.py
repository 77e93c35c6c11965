"""The tutorial's store, without a broker."""

import logging
from typing import Any

import pytest

from dragonfly.core.constants import OP_CMD, OP_CONFIG, OP_GET, OP_RUN, OP_SEND, OP_SET
from dragonfly.core.exceptions import (
    DriplineError,
    DriplineMethodNotSupportedError,
    DriplineValueError,
)
from dragonfly.implementations.key_value_store import kv_store, kv_store_key, times2, times3
from tests.stub_service import StubService

LOGGED = {"log_interval": 30, "log_on_set": True}
TUTORIAL: dict[str, dict[str, Any]] = {
    "peaches": {"calibration": "2*{}", "initial_value": 0.75, "get_on_set": True, **LOGGED},
    "chips": {"calibration": "times3({})", "initial_value": 1.75, "get_on_set": True, **LOGGED},
    "waffles": {"calibration": "1.*{}", "initial_value": 4.00, **LOGGED},
    "peaches_status": {
        "log_on_set": True,
        "initial_value": "CLOSE",
        "calibration": {"CLOSE": "on", "OPEN": "off"},
        "set_value_map": {1: "OPEN", 0: "CLOSE", "on": "OPEN", "off": "CLOSE"},
        "set_value_lowercase": True,
    },
}


@pytest.fixture
def service() -> StubService:
    service, store = StubService("my_store"), kv_store(name="my_price_list")
    service.add_endpoint(store)
    for name, keys in TUTORIAL.items():
        store.add_endpoint(kv_store_key(name=name, **keys))
    return service


def do(service: StubService, name: str, operation: int, *args: Any, specifier: str = "") -> Any:
    store = service.endpoints["my_price_list"]
    assert isinstance(store, kv_store)
    endpoint = store if name == "my_price_list" else store.endpoints[name]
    return endpoint.handle(operation, specifier, list(args), {})


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("peaches", {"value_cal": 1.5, "value_raw": "0.75"}),
        ("chips", {"value_cal": 5.25, "value_raw": "1.75"}),
        ("waffles", {"value_cal": 4.0, "value_raw": "4.0"}),
        ("peaches_status", {"value_cal": "on", "value_raw": "CLOSE"}),
    ],
)
def test_a_get_of_the_tutorials_store(service: StubService, name: str, answer: Any) -> None:
    result = do(service, name, OP_GET)
    assert list(result.items()) == list(answer.items())
    assert service.alerts == []


@pytest.mark.parametrize(
    ("name", "value", "answer", "alert"),
    [
        (
            "peaches",
            1.5,
            {"value_cal": 3.0, "value_raw": "1.5"},
            {"value_cal": 3.0, "value_raw": "1.5"},
        ),
        (
            "chips",
            1.79,
            {"value_cal": 5.37, "value_raw": "1.79"},
            {"value_cal": 5.37, "value_raw": "1.79"},
        ),
        ("waffles", 4.5, None, {"value_cal": 4.5, "value_raw": "4.5"}),
        ("waffles", "4.5", None, {"value_cal": 4.5, "value_raw": "4.5"}),
        ("waffles", "none left", None, {"value_raw": "none left"}),
        ("peaches_status", 1, None, {"value_cal": "off", "value_raw": "OPEN"}),
        ("peaches_status", 0, None, {"value_cal": "on", "value_raw": "CLOSE"}),
        ("peaches_status", "on", None, {"value_cal": "off", "value_raw": "OPEN"}),
        ("peaches_status", "OFF", None, {"value_cal": "on", "value_raw": "CLOSE"}),
    ],
)
def test_a_set_of_the_tutorials_store(service: StubService, name: str, value: Any, answer: Any, alert: Any) -> None:
    result = do(service, name, OP_SET, value)
    assert result == (None if answer is None else {**answer, "value_cal": pytest.approx(answer["value_cal"])})
    assert service.alerts == [(f"sensor_value.{name}", alert | near(alert))]


def near(alert: dict[str, Any]) -> dict[str, Any]:
    value = alert.get("value_cal")
    return {"value_cal": pytest.approx(value)} if isinstance(value, float) else {}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.79, "1.79"),
        (4.0, "4.0"),
        (0.1 + 0.2, "0.30000000000000004"),
        (7, "7"),
        (True, "True"),
        ("007", "007"),
        ("", ""),
        ("OVLD", "OVLD"),
        ([1, 2], "[1, 2]"),
        ({"a": 1}, "{'a': 1}"),
        ("__import__('os').system('x')", "__import__('os').system('x')"),
        ("{0.__class__}", "{0.__class__}"),
    ],
)
def test_a_value_is_stored_as_given_and_read_back_as_a_text(value: Any, text: str) -> None:
    key = kv_store_key(name="plums")
    assert key.handle(OP_SET, "", [value], {}) is None
    assert key.handle(OP_GET, "", [], {}) == {"value_raw": text}


def test_a_key_without_a_value_gives_none() -> None:
    key = kv_store_key(name="plums", calibration="2*{}")
    assert key.handle(OP_GET, "", [], {}) is None
    key.handle(OP_SET, "", [1], {})
    key.handle(OP_SET, "", [None], {})
    assert key.handle(OP_GET, "", [], {}) is None


@pytest.mark.parametrize("initial", [0, 0.0, False, "", [], "text"])
def test_an_initial_value_of_any_kind_is_there_from_the_start(initial: Any) -> None:
    key = kv_store_key(name="plums", initial_value=initial)
    assert key.handle(OP_GET, "", [], {}) == {"value_raw": str(initial)}


@pytest.mark.parametrize("value", [2, -1, "opened", "", None, [1], {}, "ON ", 0.5, "x" * 10_000])
def test_a_value_that_the_map_does_not_have_is_304_and_the_text_lists_those_that_it_has(
    service: StubService, value: Any
) -> None:
    with pytest.raises(
        DriplineValueError, match=r"^peaches_status: .* is not accepted; accepted are 1, 0, 'on', 'off'$"
    ) as caught:
        do(service, "peaches_status", OP_SET, value)
    assert len(str(caught.value)) < 250
    assert do(service, "peaches_status", OP_GET) == {"value_cal": "on", "value_raw": "CLOSE"}
    assert service.alerts == []


def test_without_set_value_lowercase_the_case_of_a_text_counts() -> None:
    key = kv_store_key(name="plums", set_value_map={"on": 1})
    key.handle(OP_SET, "", ["on"], {})
    with pytest.raises(DriplineValueError, match="'ON' is not accepted; accepted are 'on'$"):
        key.handle(OP_SET, "", ["ON"], {})
    assert key.handle(OP_GET, "", [], {}) == {"value_raw": "1"}


def test_set_value_lowercase_without_a_map_stores_in_lower_case() -> None:
    key = kv_store_key(name="plums", set_value_lowercase=True)
    key.handle(OP_SET, "", ["OPEN"], {})
    assert key.handle(OP_GET, "", [], {}) == {"value_raw": "open"}


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"set_value_map": ["on"]}, "^set_value_map must be a dict, not "),
        ({"set_value_map": "on"}, "^set_value_map must be a dict, not 'on'"),
        ({"set_value_lowercase": "yes"}, "^set_value_lowercase must be true or false, not 'yes'"),
        ({"calibration": "times4({})"}, "unknown name 'times4'.* times2, times3$"),
        ({"log_interval": -1}, "^log_interval must be a number of seconds of at least 0"),
    ],
)
def test_a_bad_value_of_a_key_is_an_error_at_once(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(DriplineValueError, match=text):
        kv_store_key(name="plums", **keys)


@pytest.mark.parametrize(
    ("calibration", "value"), [("times2({})", 3.0), ("times3({})", 4.5), ("times2(times3({}))", 9)]
)
def test_a_calibration_may_use_times2_and_times3(calibration: str, value: float) -> None:
    key = kv_store_key(name="plums", calibration=calibration, initial_value=1.5)
    assert key.handle(OP_GET, "", [], {}) == {"value_cal": value, "value_raw": "1.5"}
    assert (times2(1.5), times3(1.5)) == (3.0, 4.5)


def test_the_keys_of_the_example_can_be_read_and_set(service: StubService) -> None:
    for name, value in {**LOGGED, "get_on_set": True, "calibration": "2*{}"}.items():
        assert do(service, "peaches", OP_GET, specifier=name) == value
        assert do(service, "peaches", OP_CONFIG, name) == value
    do(service, "peaches", OP_CONFIG, "log_interval", 10)
    assert do(service, "peaches", OP_GET, specifier="log_interval") == 10.0
    with pytest.raises(DriplineValueError, match=r"^peaches: log_interval must be .* at least 0, not -5$"):
        do(service, "peaches", OP_SET, -5, specifier="log_interval")


@pytest.mark.parametrize("name", ["initial_value", "set_value_map", "set_value_lowercase", "value", "_value"])
def test_the_store_itself_is_not_for_the_mesh(service: StubService, name: str) -> None:
    for operation, args in ((OP_GET, []), (OP_SET, [5]), (OP_CMD, [])):
        with pytest.raises(DriplineError) as caught:
            do(service, "peaches", operation, *args, specifier=name)
        assert caught.value.retcode in (304, 306)


def test_the_store_takes_what_is_sent_and_says_so(caplog: pytest.LogCaptureFixture, service: StubService) -> None:
    with caplog.at_level(logging.INFO):
        assert do(service, "my_price_list", OP_SEND, "hello", "world") is None
    assert caplog.messages == ["my_price_list got ['hello', 'world']"]
    assert [record.levelname for record in caplog.records] == ["INFO"]


@pytest.mark.parametrize(
    ("name", "operation", "args"),
    [
        ("my_price_list", OP_RUN, [1]),
        ("my_price_list", OP_GET, []),
        ("my_price_list", OP_SET, [1]),
        ("peaches", OP_RUN, []),
        ("peaches", OP_SEND, ["hello"]),
    ],
)
def test_what_the_store_does_not_do_is_306(service: StubService, name: str, operation: int, args: list[Any]) -> None:
    with pytest.raises(DriplineMethodNotSupportedError, match="^requested method not supported by this endpoint$"):
        do(service, name, operation, *args)


@pytest.mark.parametrize(
    ("value", "is_told"),
    [(0.75, False), ("0.8", False), (0.83, True), (-0.75, True), ("none left", True), (None, False)],
)
def test_a_key_is_told_when_its_value_which_is_read_as_a_text_has_changed_by_enough(value: Any, is_told: bool) -> None:
    service, key = (
        StubService(),
        kv_store_key(name="plums", initial_value=0.75, log_interval=5, max_fractional_change=0.1),
    )
    service.add_endpoint(key)
    key.handle(OP_SET, "logging_status", ["on"], {})
    service.clock.advance(10)
    assert service.alerts == [("sensor_value.plums", {"value_raw": "0.75"})]
    key.handle(OP_SET, "", [value], {})
    service.clock.advance(10)
    assert service.alerts[1:] == ([("sensor_value.plums", {"value_raw": str(value)})] if is_told else [])
